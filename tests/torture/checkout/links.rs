//! Another workspace in the place of the one that this clone is bound in.

use std::{fs, path::Path};

use super::in_a_project;
use crate::{
    scenarios::project::Project,
    support::{document::document, process::run, world::World},
};

/// A `.metis` that is a link to another workspace is that workspace, bound as it is.
#[test]
fn a_link_to_another_workspace() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let elsewhere = World::new();
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url()),
    );
    let web = world.workspace("web");
    fs::remove_dir_all(web.metis()).expect("it is there");
    std::os::unix::fs::symlink(api.metis(), web.metis()).expect("temp folder is writable");
    assert_eq!(web.sync().failure(3).kind, "upstream-changed");
    assert_eq!(elsewhere.wire().listings(), 0);
}

/// A pull can put a link in the place of the folder that this clone is bound in. What is at its other end is another workspace,
/// and goes to no other central unasked.
#[test]
fn a_link_in_the_place_of_a_workspace() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    let elsewhere = World::new();
    let evil = api.dir.join("evil/.metis");
    fs::create_dir_all(&evil).expect("temp folder is writable");
    let config = api.config().replace(&world.central.url(), &elsewhere.central.url());
    fs::write(evil.join("config.toml"), config).expect("temp folder is writable");
    fs::write(evil.join("x.md"), document("API-T-0001", "Theirs", "Theirs.")).expect("temp folder is writable");
    fs::remove_dir_all(api.metis()).expect("it is there");
    std::os::unix::fs::symlink("evil/.metis", api.metis()).expect("temp folder is writable");
    project.commit(&api.dir);
    for options in [&[][..], &["--force"], &["--pull-only"]] {
        assert_eq!(api.sync_with(options).failure(3).kind, "upstream-changed");
    }
    let mut hook = api.metis_sync(&["hooks", "run", "post-merge", "--worker", "--foreground"]);
    hook.current_dir(&api.dir);
    assert_ne!(run(hook).code, Some(0));
    assert_eq!(elsewhere.wire().listings(), 0);
    // Its user may say that it is meant.
    api.run(&["init", "--upstream", &elsewhere.central.url()]).success();
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
}

/// The database at the other end of a link is not made anew for the workspace that the link is in.
#[test]
fn a_link_and_a_rebuild() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    fs::remove_dir_all(api.metis()).expect("it is there");
    std::os::unix::fs::symlink(web.metis(), api.metis()).expect("temp folder is writable");
    let database = || fs::read(web.metis().join("metis.db")).expect("it synced");
    let before = database();
    let stopped = api.run(&["rebuild-cache"]);
    assert_eq!(stopped.code, Some(3), "{}", stopped.transcript());
    assert_eq!(database(), before);
    web.run(&["query", "workspace"]).success();
}

/// A hook that finds the workspace gone that it was installed for takes no other one for it that came with the same pull.
#[test]
fn another_workspace_in_the_place_of_a_hooks() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    let plans = api.dir.join("plans");
    fs::create_dir(&plans).expect("temp folder is writable");
    fs::rename(api.metis(), plans.join(".metis")).expect("temp folder is writable");
    Project::around(&world, &api);
    let at = |folder: &Path, args: &[&str]| {
        let mut command = api.program(env!("CARGO_BIN_EXE_git-metis-sync"));
        command.arg("-C").arg(folder).args(args);
        run(command)
    };
    at(&plans, &["sync"]).success();
    let elsewhere = World::new();
    fs::rename(plans.join(".metis"), api.metis()).expect("temp folder is writable");
    fs::remove_dir_all(api.metis().join(".sync")).expect("it synced");
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url())
            + "[sync.hooks]\nblocking = true\ndeadline_seconds = 5\n",
    );
    let hook = at(&plans, &["hooks", "run", "pre-push", "--", "origin", "url"]);
    assert_eq!(hook.code, Some(0), "{}", hook.transcript());
    assert!(
        hook.stderr.contains("was never synced in this clone"),
        "{}",
        hook.transcript()
    );
    assert!(!api.metis().join(".sync").exists(), "nothing was begun");
    assert_eq!(elsewhere.wire().listings(), 0);
    // By hand it is what the one who types it says.
    at(&api.dir, &["sync"]).success();
}
