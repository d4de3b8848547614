//! A checkout is not trusted: what came with a pull, or lies above it, neither runs nor leads elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    scenarios::project::Project,
    support::{
        document::document,
        process::run,
        report::Ended,
        servers::skip,
        workspace::{Remote, Workspace},
        world::World,
    },
};

/// A synced workspace in a project under git.
fn in_a_project(world: &World) -> (Workspace, Project) {
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    let project = Project::around(world, &api);
    api.sync().report();
    (api, project)
}

fn cursor(api: &Workspace) -> PathBuf {
    api.metis().join(".sync/cursor.json")
}

/// The cursor as the first release wrote it.
fn unsealed(text: &str) -> String {
    let (text, _) = text.split_once(",\"folder\":").expect("it is sealed");
    format!("{text}}}\n")
}

/// Bodies of the document in central.
fn body(world: &World, name: &str) -> String {
    let folder = world.central.folder("api");
    String::from_utf8_lossy(&folder[name]).into_owned()
}

/// Git overwrites ignored files on a pull, so a commit can bring the state that says which central is the right one.
#[test]
fn state_that_came_with_a_pull() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    project.commit(&api.dir);
    project.git(&api.dir, &["push", "--quiet"]);
    let elsewhere = World::new();
    let evil = elsewhere.central.url();
    let colleague = project.colleague("main");
    let config = api.config().replace(&world.central.url(), &evil);
    fs::write(colleague.join(".metis/config.toml"), config).expect("temp folder is writable");
    fs::create_dir(colleague.join(".metis/.sync")).expect("temp folder is writable");
    let forged = unsealed(&fs::read_to_string(cursor(&api)).expect("it synced")).replace(&world.central.url(), &evil);
    fs::write(colleague.join(".metis/.sync/cursor.json"), forged).expect("temp folder is writable");
    project.git(colleague, &["add", "--force", ".metis"]);
    project.commit(colleague);
    project.git(colleague, &["push", "--quiet"]);

    project.git(&api.dir, &["checkout", "--quiet", "--", "."]);
    project.git(&api.dir, &["pull", "--quiet", "--ff-only"]);
    let stopped = api.sync().failure(3);
    assert_eq!(stopped.kind, "state-tracked");
    assert!(stopped.message.contains(".metis/.sync/cursor.json"), "{stopped:?}");
    for looking in ["status", "doctor"] {
        let looked = api.run(&[looking]);
        assert!(
            String::from_utf8_lossy(&looked.stdout).contains("git tracks"),
            "{}",
            looked.transcript()
        );
    }

    let way_out = stopped.next.expect("there is one");
    assert!(way_out.contains("`git rm -r -f .metis/.sync`"), "{way_out}");
    project.git(&api.dir, &["rm", "-r", "-f", "--quiet", ".metis/.sync"]);
    project.commit(&api.dir);
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
    assert_eq!(elsewhere.wire().listings(), 0, "it was never asked");
    api.put("config.toml", api.config().replace(&evil, &world.central.url()));
    api.sync().report();
}

/// A cursor that this clone did not write, though git does not track it, says nothing: it does not lead to a push that a
/// fresh clone would not make. In a plain folder, where no pull brings anything, copies go on working.
#[test]
fn a_cursor_of_another_clone() {
    for repository in [true, false] {
        let world = World::new();
        let api = world.workspace("api");
        api.write("API-T-0001", "First.");
        let project = repository.then(|| Project::around(&world, &api));
        api.sync().report();
        let before: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(cursor(&api)).expect("it synced")).expect("JSON");
        let old = before["base"]["API-T-0001"]["blob"].as_str().expect("an id").to_owned();
        let newer = document("API-T-0001", "Newer", "By another clone.");
        world.central.land("api/API-T-0001.md", &newer);
        let new = world.central.git(&["rev-parse", "main:api/API-T-0001.md"]);
        let forged = fs::read_to_string(cursor(&api))
            .expect("it synced")
            .replace(&old, new.trim());
        fs::write(cursor(&api), &forged).expect("temp folder is writable");

        let ended = api.sync();
        match project {
            Some(_) => {
                let said = String::from_utf8_lossy(&ended.0.stdout).into_owned() + &ended.0.stderr;
                assert!(said.contains("is not by this clone"), "{}", ended.0.transcript());
                assert!(body(&world, "API-T-0001.md").contains("By another clone."));
            }
            None => {
                assert_eq!(ended.report().pushed, ["API-T-0001"]);
            }
        }
    }
}

/// The cursor of the first release has no seal. It is taken over once, where there is no guard yet.
#[test]
fn a_cursor_of_the_first_release() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let guards = api.dir.join(".git/metis-sync");
    let bare = unsealed(&fs::read_to_string(cursor(&api)).expect("it synced"));
    fs::write(cursor(&api), &bare).expect("temp folder is writable");
    fs::remove_dir_all(&guards).expect("it is there");
    api.edit("API-T-0001", "More.");
    let report = api.sync().report();
    assert_eq!((report.pushed.len(), report.warnings), (1, vec![]));
    assert!(guards.is_dir());
    assert!(
        fs::read_to_string(cursor(&api))
            .expect("it synced")
            .contains(",\"seal\":\"")
    );

    fs::write(cursor(&api), &bare).expect("temp folder is writable");
    let warnings = api.sync().report().warnings;
    assert!(warnings[0].contains("is not by this clone"), "{warnings:?}");
    assert_eq!(api.sync().report().warnings, Vec::<String>::new());
}

/// What an earlier release has remembered stops a pulled upstream at the first run of this one, too.
#[test]
fn the_upstream_that_the_first_release_knew() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let bare = unsealed(&fs::read_to_string(cursor(&api)).expect("it synced"));
    fs::write(cursor(&api), &bare).expect("temp folder is writable");
    fs::remove_dir_all(api.dir.join(".git/metis-sync")).expect("it is there");
    let elsewhere = World::new();
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url()),
    );
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
    assert_eq!(elsewhere.wire().listings(), 0);
}

/// A pulled config.toml with another workspace's prefix does not write that workspace's folder. Each way out ends it.
#[test]
fn another_prefix() {
    let world = World::new();
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    let (api, _project) = in_a_project(&world);
    let here = api.config();
    let there = |name: &str| world.central.folder(name);
    let before = there("web");
    api.put("config.toml", here.replace("prefix = \"api\"", "prefix = \"web\""));
    let stopped = api.sync().failure(3);
    assert_eq!(stopped.kind, "prefix-changed");
    assert_eq!(
        api.sync_with(&["--force", "--allow-deletes"]).failure(3).kind,
        "prefix-changed"
    );
    assert_eq!(api.sync_with(&["--pull-only"]).failure(3).kind, "prefix-changed");
    assert_eq!(there("web"), before);
    let unsaid = api.run(&["init"]);
    assert_eq!(unsaid.code, Some(3), "{}", unsaid.transcript());

    api.put("config.toml", &here);
    api.sync().report();
    api.run(&["init", "--prefix", "core"]).success();
    let report = api.sync().report();
    assert!(report.registered);
    assert_eq!(report.pushed, ["API-T-0001"]);
    assert_eq!(there("core"), api.documents());
    assert_eq!(there("api"), api.documents(), "it stays until somebody takes it away");
    assert_eq!(there("web"), before);
}

/// `init` that names no upstream takes config.toml's, but not in place of one that this clone is bound to.
#[test]
fn init_confirms_what_it_is_told() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let elsewhere = World::new();
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url()),
    );
    let unsaid = api.run(&["init"]);
    assert_eq!(unsaid.code, Some(3), "{}", unsaid.transcript());
    assert_eq!(elsewhere.wire().listings(), 0);
    api.run(&["init", "--upstream", &elsewhere.central.url()]).success();
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    assert_eq!(elsewhere.central.folder("api"), api.documents());
}

/// A copy of a plain folder goes on from what the original knew, on another machine too.
#[test]
fn a_copy_of_a_plain_folder() {
    let world = World::new();
    let api = world.workspace("api");
    for code in ["API-T-0001", "API-T-0002"] {
        api.write(code, "First.");
    }
    api.sync().report();
    let copy = world.workspace("api");
    let mut cp = api.program("cp");
    cp.arg("-a").arg(api.metis()).arg(&copy.dir);
    fs::remove_dir_all(copy.metis()).expect("it is there");
    run(cp).success();
    api.edit("API-T-0001", "By the original.");
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    let task = copy.metis().join("initiatives/API-I-0001/tasks/API-T-0002.md");
    fs::write(task, document("API-T-0002", "Copy", "By the copy.")).expect("temp folder is writable");
    let report = copy.sync().report();
    assert_eq!(report.pushed, ["API-T-0002"]);
    assert_eq!(report.behind.len(), 1, "{report:?}");
    assert!(body(&world, "API-T-0001.md").contains("By the original."));
}

/// Only root can make another user's files; elsewhere these tests have nothing to look at.
fn as_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip("only root can make another user's files");
    }
    root
}

fn give_away(path: &Path) {
    let mut chown = std::process::Command::new("chown");
    chown.args(["-R", "65534"]).arg(path);
    run(chown).success();
}

fn git_config(api: &Workspace, args: &[&str]) {
    let mut git = api.program("git");
    git.args(["config", "--global"]).args(args);
    run(git).success();
}

/// Another user's `.metis` above one's own folder counts for nothing, nor does the configuration of the repository around it.
#[test]
fn another_users_folder_above() {
    if !as_root() {
        return;
    }
    let world = World::new();
    let canary = world.root().join("touched");
    let remote = Remote {
        url: "ssh://nowhere.invalid/c.git".into(),
        env: Vec::new(),
    };
    let theirs = world.workspace_on("api", &remote);
    theirs.write("API-T-0001", "Theirs.");
    let project = Project::around(&world, &theirs);
    let run_it = format!("touch {}; false", canary.display());
    project.git(&theirs.dir, &["config", "core.sshCommand", &run_it]);
    let mine = theirs.dir.join("mine");
    give_away(&theirs.dir);
    fs::create_dir(&mine).expect("temp folder is writable");
    let at = |args: &[&str]| {
        let mut command = theirs.metis_sync(args);
        command.current_dir(&mine).arg("-C").arg(&mine);
        let mut here = theirs.program(command.get_program().to_str().expect("a plain path"));
        here.current_dir(&mine).args(args);
        run(here)
    };
    for args in [
        &["sync"][..],
        &["status"],
        &["doctor"],
        &["sync", "--dry-run"],
        &["log"],
    ] {
        let ended = at(args);
        assert_eq!(ended.code, Some(1), "{}", ended.transcript());
        let said = ended.stderr.clone() + &String::from_utf8_lossy(&ended.stdout);
        assert!(said.contains("another user"), "{}", ended.transcript());
    }
    assert!(!canary.exists());

    // One's own workspace in there is one's own; the repository around it still is not.
    let own = mine.join(".metis");
    fs::create_dir(&own).expect("temp folder is writable");
    fs::copy(theirs.metis().join("config.toml"), own.join("config.toml")).expect("temp folder is writable");
    let ended = at(&["sync"]);
    assert!(
        ended.stderr.contains("belongs to another user"),
        "{}",
        ended.transcript()
    );
    assert!(!canary.exists());

    // Declared safe, as for git, it counts.
    git_config(&theirs, &["safe.directory", &theirs.dir.display().to_string()]);
    fs::remove_dir_all(&mine).expect("temp folder is writable");
    let ended = theirs.run(&["sync"]);
    assert!(canary.exists(), "{}", ended.transcript());
    assert!(!ended.stderr.contains("another user"), "{}", ended.transcript());
}

/// Files of a checkout that look like a bare repository are none, however deep or high they lie.
#[test]
fn a_planted_bare_repository() {
    let world = World::new();
    let canary = world.root().join("touched");
    for nested in [true, false] {
        let remote = Remote {
            url: "ssh://nowhere.invalid/c.git".into(),
            env: Vec::new(),
        };
        let api = world.workspace_on("api", &remote);
        api.write("API-T-0001", "Mine.");
        if nested {
            let mut git = api.program("git");
            git.args(["init", "--quiet"])
                .current_dir(api.dir.parent().expect("the machine"));
            run(git).success();
        } else {
            Project::around(&world, &api);
        }
        for folder in ["objects", "refs"] {
            fs::create_dir(api.dir.join(folder)).expect("temp folder is writable");
        }
        fs::write(api.dir.join("HEAD"), "ref: refs/heads/main\n").expect("temp folder is writable");
        let config = format!(
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tsshCommand = touch {0}\n[credential]\n\thelper = \"!touch \
             {0}; :\"\n",
            canary.display()
        );
        fs::write(api.dir.join("config"), config).expect("temp folder is writable");
        let ended: Ended = api.sync();
        assert_ne!(ended.0.code, Some(0), "{}", ended.0.transcript());
        for args in [&["status"][..], &["doctor"], &["hooks", "status"]] {
            api.run(args);
        }
        assert!(!canary.exists(), "nested {nested}");
    }
}
