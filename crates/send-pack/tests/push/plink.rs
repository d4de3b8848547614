//! Programs in the place of ssh that take other options: PuTTY's, and those that take none.

use std::{fs, path::PathBuf, process::Command};

use super::{
    client::{Draft, Pushed, applied, options_with, push, push_with},
    program::{Machine, draft},
};
use crate::support::{
    process::run,
    servers::{Sshd, installed},
    workspace::Remote,
    world::World,
};
use send_pack::{PushError, connect::FailureKind};

/// A program that understands what PuTTY's programs do, and reaches the server with ssh. What it was told is in the log.
fn stand_in(machine: &Machine, sshd: &Sshd, name: &str) -> (PathBuf, PathBuf) {
    let log = machine.script("log", ":");
    fs::write(&log, "").expect("writable");
    let body = format!(
        "echo \"$*\" >> {}\nwhile :; do case $1 in -batch) shift;; -P) shift 2;; *) break;; esac; done\nexec {} \"$@\"",
        log.display(),
        sshd.remote().env[0].1
    );
    (machine.script(name, &body), log)
}

#[test]
fn plink_and_its_like_are_given_their_own_options() {
    let world = World::unborn();
    let Some(sshd) = Sshd::start(&world) else { return };
    let machine = Machine::new(&world.root());
    let remote = sshd.remote();
    let port = remote
        .url
        .split(':')
        .nth(2)
        .and_then(|rest| rest.split('/').next())
        .expect("a port");
    let mut next: Draft = draft();
    let mut told_by = |program: &str, env: &[(&str, &str)], config: &str| {
        let (path, log) = stand_in(&machine, &sshd, program);
        let mut env: Vec<_> = env
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        env.push(("GIT_SSH".into(), path.display().to_string()));
        let options = options_with(&Remote { env, ..remote.clone() }, config);
        applied(push_with(&remote.url, &options, &next));
        next = next.next(&[(&format!("{program}{}.md", config.len()), b"x\n")], &[]);
        fs::read_to_string(log).expect("it was run")
    };
    let wanted = format!("-batch -P {port} ");
    assert!(told_by("plink", &[], "").starts_with(&wanted), "known by its name");
    assert!(told_by("tortoiseplink", &[], "").starts_with(&wanted));
    assert!(told_by("mine", &[("GIT_SSH_VARIANT", "plink")], "").starts_with(&wanted));
    assert!(told_by("mine", &[], "[ssh]\nvariant = putty").starts_with(&wanted));
    let (simple, _) = stand_in(&machine, &sshd, "simple");
    let remote = |url: String| Remote {
        url,
        env: vec![
            ("GIT_SSH".into(), simple.display().to_string()),
            ("GIT_SSH_VARIANT".into(), "simple".into()),
        ],
    };
    match push(&remote(sshd.remote().url), &next) {
        Err(PushError::Connect(cause)) => assert!(cause.message.contains("port"), "{cause:?}"),
        other => panic!("{other:?}"),
    }
    applied(push(&remote(sshd.scp_like().url), &next));
}

/// With PuTTY's own program.
#[test]
#[ignore = "scripts/test --servers"]
fn plink_itself_pushes_and_is_never_asked() {
    let world = World::unborn();
    let Some([plink, puttygen]) = installed(["plink", "puttygen"]) else {
        return;
    };
    let Some(sshd) = Sshd::start(&world) else { return };
    let keys = world.root().join("ssh");
    let mut convert = Command::new(puttygen);
    convert
        .arg(keys.join("user"))
        .args(["-O", "private", "-o"])
        .arg(keys.join("user.ppk"));
    run(convert).success();
    let mut fingerprint = Command::new("ssh-keygen");
    fingerprint.arg("-lf").arg(keys.join("host.pub"));
    let fingerprint = run(fingerprint).success();
    let host_key = fingerprint.split(' ').nth(1).expect("SHA256:…");
    let with = |options: &str| Remote {
        env: vec![(
            "GIT_SSH_COMMAND".into(),
            format!("{} -i {}/user.ppk {options}", plink.display(), keys.display()),
        )],
        ..sshd.remote()
    };
    let first = draft();
    // It would ask whether to trust the key.
    let stranger: Pushed = push(&with(""), &first);
    match stranger {
        Err(PushError::Connect(cause)) => assert_ne!(cause.kind, FailureKind::TimedOut, "{cause:?}"),
        other => panic!("{other:?}"),
    }
    applied(push(&with(&format!("-hostkey {host_key}")), &first));
    applied(push(
        &with(&format!("-hostkey {host_key}")),
        &first.next(&[("b.md", b"b\n")], &[]),
    ));
}
