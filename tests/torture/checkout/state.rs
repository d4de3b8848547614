//! The folder of state: what comes there with a commit, or lies in its place, counts for nothing.

use std::{fs, path::Path};

use super::{cursor, in_a_project, unsealed};
use crate::support::{process::run, world::World};

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

/// A submodule in the place of the folder of state brings its files along, and none of them is in the project's own index.
#[test]
fn a_submodule_in_the_place_of_state() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    let theirs = world.root().join("theirs");
    fs::create_dir(&theirs).expect("temp folder is writable");
    project.git(&theirs, &["init", "--quiet", "--initial-branch=main"]);
    fs::write(theirs.join("config.toml"), "[sync.hooks]\nblocking = true\n").expect("temp folder is writable");
    project.commit(&theirs);
    let state = api.metis().join(".sync");
    fs::remove_dir_all(&state).expect("it synced");
    project.git(
        &api.dir,
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            "--force",
            &theirs.display().to_string(),
            ".metis/.sync",
        ],
    );
    assert!(state.join("config.toml").is_file());
    api.edit("API-T-0001", "More.");
    let stopped = api.sync().failure(3);
    assert_eq!(stopped.kind, "state-tracked");
    assert!(stopped.message.contains("git tracks .metis/.sync:"), "{stopped:?}");
    // Nor does a hook wait because of what is in it.
    fs::rename(&world.central.dir, world.root().join("away")).expect("temp folder is writable");
    let mut hook = api.metis_sync(&["hooks", "run", "pre-push", "--", "origin", "url"]);
    hook.current_dir(&api.dir);
    let hook = run(hook);
    assert_eq!(hook.code, Some(0), "{}", hook.transcript());
    fs::rename(world.root().join("away"), &world.central.dir).expect("temp folder is writable");
    // The way out that is named ends it.
    project.git(&api.dir, &["rm", "-r", "-f", "--quiet", ".metis/.sync"]);
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    // A name that merely begins like it is nobody's state.
    api.put(".sync-notes", "mine");
    project.git(&api.dir, &["add", "--force", ".metis/.sync-notes"]);
    api.sync().report();
}

/// git writes to paths below another repository like to any others, so a pull of a repository around the project's can bring state.
#[test]
fn state_from_a_repository_around() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    let around = api.dir.parent().expect("the machine").to_owned();
    let name = api.dir.file_name().expect("a name").to_string_lossy().into_owned();
    project.git(&around, &["init", "--quiet", "--initial-branch=main"]);
    api.sync().report();
    let config = api.put(".sync/config.toml", "[sync.hooks]\nblocking = true\n");
    let blob = project.git(&around, &["hash-object", "-w", &config.display().to_string()]);
    let entry = format!("100644,{},{name}/.metis/.sync/config.toml", blob.trim());
    project.git(&around, &["update-index", "--add", "--cacheinfo", &entry]);
    let stopped = api.sync().failure(3);
    assert_eq!(stopped.kind, "state-tracked");
    assert!(stopped.message.contains(".metis/.sync/config.toml"), "{stopped:?}");
    project.git(&around, &["read-tree", "--empty"]);
    api.sync().report();
}

/// Split, and with paths that are cut: git's other ways of keeping an index hide nothing.
#[test]
fn state_in_any_kind_of_index() {
    for settings in [
        &["update-index", "--index-version", "2"][..],
        &["update-index", "--index-version", "4"],
        &["update-index", "--split-index"],
    ] {
        let world = World::new();
        let (api, project) = in_a_project(&world);
        project.git(&api.dir, &["add", "--force", ".metis/.sync/cursor.json"]);
        project.git(&api.dir, settings);
        assert_eq!(api.sync().failure(3).kind, "state-tracked", "{settings:?}");
        project.git(&api.dir, &["rm", "--cached", "--quiet", ".metis/.sync/cursor.json"]);
        api.sync().report();
    }
}

/// What a clone notes for itself is told to its user, so what a commit brings in its place would be a stranger's words in this
/// program's mouth.
#[test]
fn words_that_came_with_a_commit() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    let time = "2026-01-01T00:00:00Z";
    for (file, text) in [
        (
            "hook.json",
            format!(r#"{{"schema":1,"event":"pre-push","ended_at":"{time}","ended":"failed","message":"FORGED"}}"#),
        ),
        (
            "journal.jsonl",
            format!(r#"{{"schema":1,"started":"{time}","outcome":"FORGED","trigger":"FORGED","error":"FORGED"}}"#),
        ),
        (
            "last.json",
            format!(
                r#"{{"schema":1,"completed":"{time}","head":null,"trigger":"FORGED","seconds":1.0,"outcome":"FORGED"}}"#
            ),
        ),
        (
            "conduits/notes/generations/9.json",
            r#"{"schema":1,"generation":9,"started":"FORGED"}"#.to_owned(),
        ),
    ] {
        api.put(format!(".sync/{file}"), text);
    }
    let said = |asked: &[&str]| {
        let finished = api.run(asked);
        let page = fs::read_to_string(api.metis().join(".sync/board.html")).unwrap_or_default();
        finished.transcript() + &page
    };
    assert!(
        said(&["log"]).contains("FORGED"),
        "it is this clone's own as long as git does not track it"
    );
    let files = ["hook.json", "journal.jsonl", "last.json", "conduits"].map(|file| format!(".metis/.sync/{file}"));
    for file in &files {
        project.git(&api.dir, &["add", "--force", file]);
    }
    for asked in [
        &["log"][..],
        &["status"],
        &["--json", "status"],
        &["list"],
        &["--json", "list"],
        &["board"],
        &["hooks", "status"],
        &["doctor"],
        &["undo", "--dry-run"],
        &["conduit", "list"],
    ] {
        let said = said(asked);
        assert!(!said.contains("FORGED"), "{asked:?}: {said}");
    }
    let dir = api.dir.display().to_string();
    let watch = said(&["watch", "--status", &dir]);
    assert!(!watch.contains("FORGED"), "{watch}");
    let mut hook = api.metis_sync(&["hooks", "run", "post-merge", "--", "0"]);
    hook.current_dir(&api.dir);
    let hook = run(hook).transcript();
    assert!(!hook.contains("FORGED"), "{hook}");
    assert!(said(&["log"]).contains("git tracks"));
}

/// Settings for this clone alone that came with a commit are nobody's word: a hook neither waits nor fails because of them.
#[test]
fn settings_of_this_clone_that_came_with_a_commit() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    api.put(
        ".sync/config.toml",
        "[sync.hooks]\nblocking = true\ndeadline_seconds = 86000\n",
    );
    api.edit("API-T-0001", "More.");
    fs::rename(&world.central.dir, world.root().join("away")).expect("temp folder is writable");
    let hook = || {
        let mut hook = api.metis_sync(&["hooks", "run", "pre-push", "--", "origin", "url"]);
        hook.current_dir(&api.dir);
        run(hook)
    };
    let waited = hook();
    assert_ne!(waited.code, Some(0), "{}", waited.transcript());
    project.git(&api.dir, &["add", "--force", ".metis/.sync/config.toml"]);
    let calm = hook();
    assert_eq!(calm.code, Some(0), "{}", calm.transcript());
    assert_eq!(api.sync().failure(3).kind, "state-tracked");
}

/// Whatever lies in the place of the folder of state, or of a file in it, is neither followed nor waited for.
#[test]
fn something_else_in_the_place_of_state() {
    let fifo = |path: &Path| {
        let mut mkfifo = std::process::Command::new("mkfifo");
        mkfifo.arg(path);
        run(mkfifo).success();
    };
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let (state, aside) = (api.metis().join(".sync"), api.metis().join(".aside"));
    fs::rename(&state, &aside).expect("it is there");
    let outside = world.root().join("outside");
    fs::create_dir(&outside).expect("temp folder is writable");
    std::os::unix::fs::symlink(&outside, &state).expect("temp folder is writable");
    api.sync().failure(1);
    assert!(fs::read_dir(&outside).expect("it is there").next().is_none());
    fs::remove_file(&state).expect("it is there");
    fs::write(&state, "a file").expect("temp folder is writable");
    api.sync().failure(1);
    fs::remove_file(&state).expect("it is there");
    fifo(&state);
    api.sync().failure(1);
    fs::remove_file(&state).expect("it is there");
    fs::rename(&aside, &state).expect("it is there");

    for (name, exit) in [("cursor.json", 0), ("stat-cache", 0), ("lock", 1), ("config.toml", 1)] {
        let path = state.join(name);
        let _ = fs::rename(&path, world.root().join("kept"));
        fifo(&path);
        let ended = api.sync();
        assert_eq!(ended.0.code, Some(exit), "{name}: {}", ended.0.transcript());
        let _ = fs::remove_file(&path);
        let _ = fs::rename(world.root().join("kept"), &path);
    }
    // Numbers that no sync ever wrote.
    let text = fs::read_to_string(cursor(&api)).expect("it synced");
    for absurd in [
        "\"schema\":18446744073709551616",
        "\"schema\":-1",
        "\"schema\":1e999",
        "\"schema\":4294967295",
    ] {
        fs::write(cursor(&api), text.replace("\"schema\":1", absurd)).expect("temp folder is writable");
        let report = api.sync().report();
        assert_eq!(report.warnings.len(), 1, "{absurd}: {report:?}");
    }
}
