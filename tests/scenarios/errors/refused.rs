//! Central does not take the push.

use std::{fs, path::Path, process::Command};

use super::about_to_push;
use crate::support::{
    process::run,
    report::Failure,
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::{Remote, Workspace},
    world::World,
};

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
