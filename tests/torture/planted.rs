//! Files of a checkout that git, or a tool that git starts, would read: they start nothing, and keep nobody waiting.

use std::{fs, path::Path};

use crate::support::{
    document::document,
    process::{Finished, run},
    workspace::Workspace,
    world::World,
};

/// Lays out a bare repository among the files of `folder`, with settings that start a program.
fn plant(folder: &Path, canary: &Path) {
    for name in ["objects", "refs"] {
        fs::create_dir(folder.join(name)).expect("temp folder is writable");
    }
    fs::write(folder.join("HEAD"), "ref: refs/heads/main\n").expect("temp folder is writable");
    let touch = format!("touch {}", canary.display());
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\teditor = {touch}; true\n\tpager = {touch}; cat\n[merge]\n\ttool = \
         theirs\n[mergetool \"theirs\"]\n\tcmd = {touch}\n\ttrustExitCode = true\n"
    );
    fs::write(folder.join("config"), config).expect("temp folder is writable");
}

/// Which editor, pager and merge tool git starts is no setting of files that look like a bare repository, wherever git is
/// asked for it.
#[test]
fn tools_are_not_those_of_a_planted_repository() {
    let world = World::new();
    let canary = world.root().join("touched");
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    api.sync().report();
    world
        .central
        .land("api/API-T-0001.md", document("API-T-0001", "Title", "By another."));
    api.edit("API-T-0001", "Mine.");
    api.sync().failure(3);
    plant(&api.dir, &canary);

    let with = |args: &[&str]| -> Finished {
        let mut command = api.metis_sync(args);
        command.env("EDITOR", "true").env("PAGER", "cat");
        run(command)
    };
    for args in [
        &["resolve", "API-T-0001", "--tool"][..],
        &["open", "API-T-0001"],
        &["show", "API-T-0001"],
        &["diff"],
        &["resolve", "API-T-0001", "--edit"],
    ] {
        let ended = with(args);
        assert!(!canary.exists(), "{args:?}: {}", ended.transcript());
    }
    // The user's own are started there.
    let without_marks = r"sed -i '/^[<=>|]\{7\}/d'";
    let ended = run({
        let mut command = api.metis_sync(&["resolve", "API-T-0001", "--edit"]);
        command.env("EDITOR", without_marks);
        command
    });
    assert_eq!(ended.code, Some(0), "{}", ended.transcript());
    world.central.land(
        "api/API-T-0001.md",
        document("API-T-0001", "Title", "By another again."),
    );
    api.edit("API-T-0001", "Mine again.");
    api.sync().failure(3);
    let cmd = format!("{without_marks} \"$MERGED\"")
        .replace('\\', r"\\")
        .replace('"', "\\\"");
    let settings = format!("[merge]\n\ttool = mine\n[mergetool \"mine\"]\n\tcmd = {cmd}\n\ttrustExitCode = true\n");
    fs::write(api.home.join(".gitconfig"), settings).expect("temp folder is writable");
    let ended = with(&["resolve", "API-T-0001", "--tool"]);
    assert_eq!(ended.code, Some(0), "{}", ended.transcript());
    let there = world.central.folder("api");
    assert!(String::from_utf8_lossy(&there["API-T-0001.md"]).contains("Mine again."));
    assert!(!canary.exists());
}

fn fifo(path: &Path) {
    let mut mkfifo = std::process::Command::new("mkfifo");
    mkfifo.arg(path);
    run(mkfifo).success();
}

fn git(api: &Workspace, args: &[&str]) {
    let mut git = api.program("git");
    git.args(args);
    run(git).success();
}

/// A pipe in the place of attributes has no sync wait for somebody to write to it: what git would commit cannot be told, so
/// central's copy stays.
#[test]
fn attributes_that_are_a_pipe() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    git(&api, &["init", "--quiet"]);
    git(&api, &["config", "core.autocrlf", "input"]);
    api.sync().report();
    for (number, place) in [
        ".gitattributes",
        ".metis/.gitattributes",
        ".metis/initiatives/.gitattributes",
    ]
    .iter()
    .enumerate()
    {
        let pipe = api.dir.join(place);
        fifo(&pipe);
        let addition = format!("Addition {number}.");
        api.edit("API-T-0001", &addition);
        let report = api.sync().report();
        assert!(report.pushed.is_empty(), "{place}: {report:?}");
        let warned = |warning: &String| warning.contains(".gitattributes is not a file");
        assert!(report.warnings.iter().any(warned), "{place}: {report:?}");
        fs::remove_file(pipe).expect("it is there");
        assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    }
}

/// Patterns that came with a commit cost little, whatever they are made of: a document is compared with as much of each as
/// there is time for, and what is not compared excludes.
#[test]
fn patterns_that_would_take_for_ever() {
    let world = World::new();
    let api = world.workspace("api");
    let folders = vec!["a"; 50].join("/");
    api.write_at(
        format!("backlog/{folders}/API-T-0001.md"),
        "API-T-0001",
        document("API-T-0001", "Title", "Deep."),
    );
    api.write("API-T-0002", "Not so deep.");
    api.sync().report();
    api.put(".syncignore", "**/a/".repeat(2000) + "b\n");
    api.edit("API-T-0001", "More.");
    api.edit("API-T-0002", "More.");
    let report = api.sync().report();
    assert_eq!(report.pushed, ["API-T-0002"], "{report:?}");
    api.put(".syncignore", "# a comment\n".repeat(10_000));
    let stopped = api.sync().failure(1);
    assert!(stopped.message.contains(".syncignore"), "{stopped:?}");
    fs::remove_file(api.metis().join(".syncignore")).expect("it is there");
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
}
