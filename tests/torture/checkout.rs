//! A checkout is not trusted: what came with a pull, or lies above it, neither runs nor leads elsewhere.

mod database;
mod links;
mod owners;
mod state;

use std::{fs, path::PathBuf};

use crate::{
    scenarios::project::Project,
    support::{
        document::document,
        process::run,
        report::Ended,
        servers::{Access, Nginx, skip},
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
            // It may be a copy of another folder: what central had before is older, whatever the cursor says.
            None => {
                let report = ended.report();
                assert!(report.pushed.is_empty());
                assert_eq!(report.behind[0]["code"], "API-T-0001");
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
pub fn as_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip("only root can make another user's files");
    }
    root
}

/// Files of a checkout that look like a bare repository are none: below its top, beside its `.git`, or where a checkout has
/// no `.git`, as exported ones have none. Neither ssh nor a credential helper of theirs is run.
#[test]
fn a_planted_bare_repository() {
    let world = World::new();
    let canary = world.root().join("touched");
    let ssh = Remote {
        url: "ssh://nowhere.invalid/c.git".into(),
        env: Vec::new(),
    };
    let https = Nginx::start(&world, Access::Password);
    let remotes = [Some(ssh), https.as_ref().map(Nginx::remote)];
    for (remote, place) in remotes
        .iter()
        .flatten()
        .flat_map(|remote| (0..3).map(move |place| (remote, place)))
    {
        let api = world.workspace_on("api", remote);
        api.write("API-T-0001", "Mine.");
        match place {
            0 => {
                let mut git = api.program("git");
                git.args(["init", "--quiet"])
                    .current_dir(api.dir.parent().expect("the machine"));
                run(git).success();
            }
            1 => {
                let mut git = api.program("git");
                git.args(["init", "--quiet"]);
                run(git).success();
            }
            _ => {}
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
        assert!(!canary.exists(), "{place} {}", remote.url);
    }
}

/// Guards had short names once. One goes on counting under its own, is renamed by the next sync, and counts on.
#[test]
fn a_guard_under_an_earlier_name() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let guards = api.dir.join(".git/metis-sync");
    let names = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&guards).expect("it synced");
        entries.map(|entry| entry.expect("readable").path()).collect()
    };
    let [whole] = names().try_into().expect("one guard");
    let short = guards.join(&whole.file_name().and_then(|name| name.to_str()).expect("hex")[..16]);
    fs::rename(&whole, &short).expect("temp folder is writable");
    let config = api.config();
    let elsewhere = World::new();
    api.put(
        "config.toml",
        config.replace(&world.central.url(), &elsewhere.central.url()),
    );
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
    assert_eq!(names(), [short.as_path()], "a sync that stops renames nothing");
    api.put("config.toml", config);
    api.edit("API-T-0001", "More.");
    assert_eq!(api.sync().report().pushed.len(), 1);
    assert_eq!(names(), [whole.as_path()]);
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url()),
    );
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
}
