//! What stops a push, or only a part of a sync: each provoked for real, the words and the exit code that a person and a
//! script get for it, and what stays.
//!
//! Keys, passwords, addresses and paths that are wrong are in `sync::input`.

mod refused;
mod warned;

use std::{fs, net::TcpListener, process::Command};

use crate::support::{
    process::{quoted, run},
    servers::Sshd,
    workspace::{Remote, Workspace},
    world::World,
};

/// A workspace with a document to push that has never synced, beside one whose documents are in central.
fn about_to_push(world: &World, remote: &Remote) -> Workspace {
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    let api = world.workspace_on("api", remote);
    api.write("API-T-0001", "Mine.");
    api
}

/// 81#19, 81#20: what a person reads without `--json`, on stderr, with nothing on stdout.
#[test]
fn errors_in_words() {
    let world = World::new();
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://ann:secret@127.0.0.1:{port}/central.git");
    let api = world.workspace_on("api", &Remote { url, env: Vec::new() });
    api.write("API-T-0001", "Mine.");
    let ended = api.run(&["sync"]);
    assert_eq!(
        (ended.code, ended.stdout.as_slice()),
        (Some(6), b"".as_slice()),
        "{}",
        ended.transcript()
    );
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(
        lines[0].starts_with(&format!("error: cannot reach http://127.0.0.1:{port}/central.git")),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("  Nothing was pushed. It took "), "{lines:?}");
    assert_eq!(&lines[2..], ["  Check the network and the address, then sync again."]);
    assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    let mut search = api.program("grep");
    search.args(["-rlF", "secret", "."]);
    assert_eq!(
        run(search).success().trim(),
        "./.metis/config.toml",
        "neither the journal nor any other state has it"
    );

    let Some(sshd) = Sshd::start(&world) else { return };
    let stranger = world.workspace_on("web", &sshd.stranger());
    stranger.write("WEB-T-0001", "Mine.");
    let ended = stranger.run(&["sync"]);
    assert_eq!(ended.code, Some(5), "{}", ended.transcript());
    // ssh's user is part of the address, and may be what is wrong with it.
    let cannot = format!("error: cannot authenticate to {} ", sshd.stranger().url);
    assert!(ended.stderr.contains(&cannot), "{}", ended.transcript());
    assert!(
        ended.stderr.contains(" — check SSH keys or credential helper\n"),
        "{}",
        ended.transcript()
    );
    assert!(
        ended.stderr.contains("remote: "),
        "ssh's own words: {}",
        ended.transcript()
    );
}

/// A URL that is not accepted may have a secret at every place where one can be.
#[test]
fn a_refused_url_is_shown_without_secrets() {
    let world = World::new();
    for (url, shown) in [
        (
            "https://ann:secret@host/central.git?token=secret",
            "https://host/central.git",
        ),
        ("https://host/central.git#x@secret", "https://host/central.git"),
        ("ftp://secret@host/central.git", "ftp://host/central.git"),
        ("https://ann:sec/ret@host:0/central.git", "https://host:0/central.git"),
    ] {
        let remote = Remote {
            url: url.into(),
            env: Vec::new(),
        };
        let api = world.workspace_on("api", &remote);
        let ended = api.run(&["--json", "sync"]);
        let transcript = String::from_utf8(ended.stdout).unwrap() + &ended.stderr;
        assert_eq!(ended.code, Some(1), "{transcript}");
        assert!(transcript.contains(&format!("{shown}: ")), "{transcript}");
        assert!(
            !transcript.contains("secret") && !transcript.contains("ret@"),
            "{transcript}"
        );
    }
}

/// 81#19: a server whose identity is not the known one is no question of keys, and is not let in.
#[test]
fn an_unknown_host_key_is_not_accepted() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let mut remote = sshd.remote();
    for (_, value) in &mut remote.env {
        *value = value.replace("HostKeyAlias=central", "HostKeyAlias=somebody-else");
    }
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "Mine.");
    let ended = api.sync();
    assert_ne!(ended.0.code, Some(0), "{}", ended.0.transcript());
    let text = String::from_utf8_lossy(&ended.0.stdout).into_owned();
    assert!(text.contains("Host key verification failed"), "{text}");
}

/// 81#23: where one workspace's folder cannot be written, the others' are; it is named, and comes as soon as it can.
#[test]
fn one_folder_that_cannot_be_written_stops_no_other() {
    let world = World::new();
    let (web, ops) = (world.workspace("web"), world.workspace("ops"));
    web.write("WEB-T-0001", "First.");
    web.write("WEB-T-0002", "Second.");
    ops.write("OPS-T-0001", "First.");
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    for workspace in [&web, &ops, &api] {
        workspace.sync().report();
    }
    web.edit("WEB-T-0002", "Changed.");
    ops.edit("OPS-T-0001", "Changed.");
    web.sync().report();
    ops.sync().report();
    let obstacle = api.metis().join("web/WEB-T-0002.md");
    fs::remove_file(&obstacle).unwrap();
    fs::create_dir(&obstacle).unwrap();
    fs::write(obstacle.join("mine"), "").unwrap();
    api.edit("API-T-0001", "Changed.");

    let report = api.sync().report();
    assert_eq!(report.pulled.keys().collect::<Vec<_>>(), ["ops"]);
    assert_eq!(report.pushed, ["API-T-0001"], "own documents are pushed all the same");
    assert_eq!(
        report.warnings,
        ["web/ could not be hydrated: web/WEB-T-0002.md is not a regular file; move it away, then sync again"]
    );
    assert_eq!(api.hydrated("ops"), ops.documents());
    assert!(obstacle.join("mine").exists());
    assert_eq!(api.sync().report().warnings.len(), 1, "as long as it is so, it is said");

    fs::remove_dir_all(obstacle).unwrap();
    let report = api.sync().report();
    assert_eq!((report.warnings.len(), report.pulled["web"].written), (0, 1));
    for workspace in [&web, &ops] {
        workspace.sync().report();
    }
    world.assert_converged(&[api, web, ops]);
}

/// 81#23: bytes that are no Metis document are central's, and come as they are; the cache says what it cannot read.
#[test]
fn a_document_without_sense_is_copied_like_any_other() {
    let world = World::new();
    let api = about_to_push(&world, &world.local());
    world
        .central
        .land("ops/OPS-T-0001.md", [0xff, 0xfe, 0, b'-', b'-', b'-', b'\n', 0x80]);
    world.central.land("ops/OPS-T-0002.md", "---\nshort_code: [unclosed\n");
    let report = api.sync().report();
    assert_eq!((report.pulled["ops"].written, report.pulled["web"].written), (2, 1));
    assert_eq!(api.hydrated("ops"), world.central.folder("ops"));
    assert_eq!(api.sync().report().outcome, "up-to-date");
}

/// 81#22, 81#23: an object that central itself lost. Nothing of half a history is applied.
#[test]
fn central_lost_an_object() {
    let world = World::new();
    let api = about_to_push(&world, &world.local());
    let blob = world.central.git(&["rev-parse", "main:web/WEB-T-0001.md"]);
    // Loose, so that exactly this one can be lost.
    let packs = world.central.dir.join("objects/pack");
    for entry in fs::read_dir(&packs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pack") {
            let moved = world.root().join("moved.pack");
            fs::rename(&path, &moved).unwrap();
            fs::remove_file(path.with_extension("idx")).unwrap();
            let mut unpack = Command::new("sh");
            let git_dir = quoted(&world.central.dir.display().to_string());
            unpack.arg("-c").arg(format!(
                "git --git-dir={git_dir} unpack-objects -q < {}",
                moved.display()
            ));
            run(unpack).success();
        }
    }
    let blob = blob.trim();
    let object = world.central.dir.join("objects").join(&blob[..2]).join(&blob[2..]);
    let kept = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();

    let tip = world.central.tip();
    let failure = api.sync().failure(1);
    assert!(!failure.message.is_empty() && failure.next.is_some(), "{failure:?}");
    assert_eq!(failure.state, "Nothing was pushed.");
    assert!(api.hydrated("web").is_empty());
    assert_eq!(world.central.tip(), tip);

    fs::write(&object, kept).unwrap();
    let report = api.sync().report();
    assert_eq!((report.pulled["web"].written, report.pushed.len()), (1, 1));
}
