//! What stops a push, or only a part of a sync: each provoked for real, the words and the exit code that a person and a
//! script get for it, and what stays.
//!
//! Keys, passwords, addresses and paths that are wrong are in `sync::input`.

use std::{fs, net::TcpListener, path::Path, process::Command};

use crate::support::{
    process::{quoted, run},
    report::{Ended, Failure},
    servers::{Access, GitDaemon, Nginx, Sshd, skip},
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

/// A script that git runs as one of central's hooks.
fn hook(central: &Path, name: &str, script: &str) {
    let path = central.join("hooks").join(name);
    let draft = path.with_extension("draft");
    fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(draft).arg(path);
    run(install).success();
}

/// 81#22: the push fails for good at the first attempt; what was hydrated stays and central is as it was. Once `mended`,
/// the next sync pushes.
#[track_caller]
fn pushing_fails(world: &World, api: &Workspace, exit: i32, mended: impl FnOnce()) -> Failure {
    let tip = world.central.tip();
    let ended = api.sync();
    let failure = ended.failure(exit);
    let report: serde_json::Value = serde_json::from_slice(&ended.0.stdout).unwrap();
    assert_eq!(report["outcome"], "failed");
    assert_eq!(report["retries"], 0, "no retry can help: {failure:?}");
    assert_eq!(report["pushed"].as_array().map(Vec::len), Some(0));
    assert_eq!(report["pulled"]["web"]["written"], 1);
    assert_eq!(world.central.tip(), tip);
    assert_eq!(api.hydrated("web").len(), 1, "what was pulled stays");
    assert_eq!(
        failure.state,
        "Nothing was pushed. One document of another workspace was hydrated before that."
    );
    assert!(failure.next.as_ref().is_some_and(|next| !next.is_empty()));

    mended();
    let report = api.sync().report();
    assert_eq!(
        (report.pushed.len(), report.registered, report.pulled.len()),
        (1, true, 0),
        "the next sync goes on from there"
    );
    world.central.fsck_strict();
    failure
}

/// 81#22, 82#10
#[test]
fn the_update_hook_says_no() {
    let world = World::new();
    let api = about_to_push(&world, &world.local());
    let protection = "echo 'GH006: Protected branch update failed for refs/heads/main.' >&2; exit 1";
    hook(&world.central.dir, "update", protection);
    let failure = pushing_fails(&world, &api, 7, || hook(&world.central.dir, "update", "exit 0"));
    assert_eq!(failure.kind, "refused");
    assert_eq!(failure.message, "central refused the push: hook declined");
    assert_eq!(
        failure.server_text,
        "GH006: Protected branch update failed for refs/heads/main.\nerror: hook declined to update refs/heads/main"
    );
}

/// 81#22, 82#10: over each transport the hook's words arrive.
#[test]
fn the_pre_receive_hook_says_no() {
    let refuse = "echo 'only the release train may push' >&2; exit 1";
    let told = |world: &World, remote: Remote| {
        let api = about_to_push(world, &remote);
        hook(&world.central.dir, "pre-receive", refuse);
        let failure = pushing_fails(world, &api, 7, || hook(&world.central.dir, "pre-receive", "exit 0"));
        assert_eq!(failure.message, "central refused the push: pre-receive hook declined");
        assert_eq!(failure.server_text, "only the release train may push", "{}", remote.url);
    };
    let world = World::new();
    told(&world, world.local());
    let world = World::new();
    if let Some(sshd) = Sshd::start(&world) {
        told(&world, sshd.remote());
    }
    let world = World::new();
    if let Some(nginx) = Nginx::start(&world, Access::Open) {
        told(&world, nginx.remote());
    }
    let world = World::new();
    if let Some(daemon) = GitDaemon::start(&world) {
        told(&world, daemon.remote());
    }
}

/// 81#22: a hook at which git's server itself breaks off, without a report. That it has given up is told by its exit code, or by
/// a web server's answer that is complete without one; central is asked again, and found as it was.
#[test]
fn the_reference_transaction_hook_says_no() {
    let aborted = "fatal: ref updates aborted by hook";
    let world = World::new();
    git_gives_up(&world, world.local(), aborted);
    let world = World::new();
    if let Some(sshd) = Sshd::start(&world) {
        git_gives_up(&world, sshd.remote(), aborted);
    }
}

/// 81#22: the hook's words go to the web server's log.
#[test]
fn the_reference_transaction_hook_says_no_behind_a_web_server() {
    let world = World::new();
    if let Some(nginx) = Nginx::start(&world, Access::Open) {
        git_gives_up(&world, nginx.remote(), "");
    }
}

fn git_gives_up(world: &World, remote: Remote, words: &str) {
    let api = about_to_push(world, &remote);
    hook(&world.central.dir, "reference-transaction", "[ \"$1\" != prepared ]");
    let failure = pushing_fails(world, &api, 7, || {
        hook(&world.central.dir, "reference-transaction", "exit 0");
    });
    assert!(failure.message.starts_with("central refused the push: "), "{failure:?}");
    assert_eq!(failure.server_text, words, "{}", remote.url);
}

/// 81#22: central is somebody's checkout, and its branch is checked out.
#[test]
fn central_is_a_checkout() {
    let world = World::new();
    let checkout = world.clone_central();
    let url = format!("file://{}", checkout.display());
    let api = world.workspace_on("api", &Remote { url, env: Vec::new() });
    api.write("API-T-0001", "Mine.");
    let failure = api.sync().failure(7);
    assert_eq!(
        failure.message,
        "central refused the push: branch is currently checked out"
    );
    assert!(failure.server_text.contains("receive.denyCurrentBranch"), "{failure:?}");
    assert!(
        !format!("{:?}{:?}", failure.next, failure.state).contains("denyCurrentBranch"),
        "how to make it dangerous is git's to say, not ours"
    );

    let mut git = world.workspace("other").program("git");
    git.current_dir(&checkout).args(["checkout", "--quiet", "--detach"]);
    run(git).success();
    assert!(api.sync().report().registered);
}

/// 81#22: a lock that a crashed git left. Nobody moved the branch, so it is no race, and the words name the file.
#[test]
fn centrals_branch_is_locked() {
    let world = World::new();
    let api = about_to_push(&world, &world.local());
    let lock = world.central.dir.join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let failure = pushing_fails(&world, &api, 7, || fs::remove_file(&lock).unwrap());
    assert_eq!(failure.kind, "refused");
    assert_eq!(failure.message, "central refused the push: failed to update ref");
    assert!(failure.server_text.contains("main.lock"), "{failure:?}");
}

/// 81#22: hidden from those who push, the branch looks gone. It is not, and "somebody was faster" would be a lie.
#[test]
fn centrals_branch_is_hidden() {
    let world = World::new();
    let api = about_to_push(&world, &world.local());
    world.central.git(&["config", "receive.hideRefs", "refs/heads/main"]);
    let failure = pushing_fails(&world, &api, 7, || {
        world.central.git(&["config", "--unset", "receive.hideRefs"]);
    });
    assert_eq!(failure.message, "central refused the push: deny updating a hidden ref");
}

/// 81#22: the same for the first push of all.
#[test]
fn an_unborn_branch_is_hidden() {
    let world = World::unborn();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    world.central.git(&["config", "receive.hideRefs", "refs/heads"]);
    let failure = api.sync().failure(7);
    assert_eq!(failure.message, "central refused the push: deny updating a hidden ref");
    assert_eq!(world.central.tip(), None);
}

/// 81#22
#[test]
fn central_takes_no_packs_of_that_size() {
    let world = World::new();
    let api = about_to_push(&world, &world.local());
    world.central.git(&["config", "receive.maxInputSize", "100"]);
    let failure = pushing_fails(&world, &api, 7, || {
        world.central.git(&["config", "--unset", "receive.maxInputSize"]);
    });
    assert_eq!(failure.kind, "refused");
    assert!(
        format!("{} {}", failure.message, failure.server_text).contains("pack exceeds maximum allowed size"),
        "{failure:?}"
    );
}

/// 81#22: 403 for the push, 200 for the fetch.
#[test]
fn central_is_read_only_over_http() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let remote = nginx.remote();
    let api = about_to_push(&world, &remote);
    world.central.git(&["config", "http.receivepack", "false"]);
    let failure = pushing_fails(&world, &api, 7, || {
        world.central.git(&["config", "http.receivepack", "true"]);
    });
    assert_eq!(failure.kind, "refused");
    assert!(
        failure
            .message
            .starts_with(&format!("{} does not allow it: ", remote.url)),
        "{failure:?}"
    );
    assert!(failure.message.contains("403"), "{failure:?}");
}

/// 81#22: a daemon that serves reads only.
#[test]
fn central_is_read_only_over_git() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let api = about_to_push(&world, &daemon.remote());
    world.central.git(&["config", "daemon.receivepack", "false"]);
    let failure = pushing_fails(&world, &api, 7, || {
        world.central.git(&["config", "--unset", "daemon.receivepack"]);
    });
    assert_eq!(failure.kind, "refused");
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

/// The program in a world of its own where nobody can replace `config.toml`: it is a mount point there.
fn with_pinned_config(workspace: &Workspace) -> Option<Ended> {
    let config = quoted(&workspace.metis().join("config.toml").display().to_string());
    let mut probe = Command::new("unshare");
    probe.args(["--map-root-user", "--mount", "true"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        skip("no mount namespaces here");
        return None;
    }
    let mut command = workspace.program("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .arg(format!(
            "mount --bind {config} {config} && exec \"$0\" --json -C \"$1\""
        ))
        .arg(env!("CARGO_BIN_EXE_git-metis-sync"))
        .arg(&workspace.dir);
    Some(Ended(run(command)))
}

/// 81#24
#[test]
fn a_config_that_cannot_be_replaced_is_a_warning() {
    let world = World::new();
    let api = about_to_push(&world, &world.local());
    let config = api.config();
    let Some(ended) = with_pinned_config(&api) else { return };
    let report = ended.report();
    assert_eq!((report.outcome.as_str(), report.pushed.len()), ("synced", 1));
    assert_eq!(report.pulled["web"].written, 1);
    let [warning] = report.warnings.as_slice() else {
        panic!("{:?}", report.warnings)
    };
    assert!(
        warning.starts_with("last_synced_commit could not be written: ")
            && warning.ends_with("; the sync itself is complete"),
        "{warning}"
    );
    assert_eq!(api.config(), config);
    let left: Vec<_> = fs::read_dir(api.metis())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains("tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // This clone knows all the same what it has synced: nothing is done twice, only the record is made good.
    let report = api.sync().report();
    assert_eq!(
        (report.pulled.len(), report.commit, report.warnings.len()),
        (0, None, 0)
    );
    assert!(api.config().contains(&world.central.tip().unwrap()));
}

/// 81#25: something that is no database of ours, or no database at all, is where ours should be.
#[test]
fn a_cache_that_cannot_be_rebuilt_is_a_warning() {
    for obstacle in ["folder", "text"] {
        let world = World::new();
        let api = about_to_push(&world, &world.local());
        let db = api.metis().join("metis.db");
        match obstacle {
            "folder" => {
                fs::create_dir(&db).unwrap();
                fs::write(db.join("mine"), "").unwrap();
            }
            _ => fs::write(&db, "These are my notes, in a file of an unlucky name.\n".repeat(100)).unwrap(),
        }
        let report = api.sync().report();
        assert_eq!((report.outcome.as_str(), report.pushed.len()), ("synced", 1));
        let [warning] = report.warnings.as_slice() else {
            panic!("{obstacle}: {:?}", report.warnings)
        };
        assert!(
            warning.starts_with("metis.db could not be rebuilt: ")
                && warning.ends_with("or run `git metis-sync rebuild-cache`"),
            "{warning}"
        );
        assert!(match obstacle {
            "folder" => db.join("mine").exists(),
            _ => fs::read_to_string(&db).unwrap().starts_with("These are my notes"),
        });
        assert_eq!(api.run(&["rebuild-cache"]).code, Some(1));

        // The next sync makes it good, although there is nothing else to do.
        fs::rename(&db, api.metis().join("aside")).unwrap();
        assert_eq!(api.sync().report().warnings, Vec::<String>::new());
        assert!(db.is_file());
    }
}
