//! Ways to a server and their settings: ssh programs, proxies, addresses, names that need quoting.

use std::{
    fs,
    net::TcpStream,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use send_pack::connect::FailureKind;

use super::client::{Repository, applied, failed, first, options, options_with, push, push_with};
use crate::support::{
    access_proxy::relay,
    process::run,
    servers::{Access, GitDaemon, Nginx, Sshd, skip},
    workspace::Remote,
    world::World,
};

#[test]
fn a_local_path_may_be_relative_and_a_missing_one_is_named() {
    let world = World::unborn();
    let mut here = options(&world.local());
    here.cwd = world.root().join("bin");
    applied(push_with("../central.git", &here, &first()));
    let cause = failed(push_with("../nothing.git", &here, &first()));
    assert_eq!(cause.kind, FailureKind::NoRepository, "{cause:?}");
    assert!(cause.server_text.contains("nothing.git"), "{cause:?}");
    fs::create_dir(world.root().join("empty")).expect("writable");
    assert_eq!(
        failed(push_with("../empty", &here, &first())).kind,
        FailureKind::NoRepository
    );
}

#[test]
fn a_git_daemon_that_does_not_let_us_write_says_so() {
    let world = World::unborn();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    world.central.git(&["config", "daemon.receivepack", "false"]);
    let cause = failed(push(&daemon.remote(), &first()));
    // Which of the two it is, a daemon says only with --informative-errors.
    assert_eq!(cause.kind, FailureKind::NoRepository, "{cause:?}");
    assert!(cause.server_text.starts_with("access denied or"), "{cause:?}");
    let nothing = daemon.remote().url.replace("central", "nothing");
    assert_eq!(
        failed(push_with(&nothing, &options(&daemon.remote()), &first())).kind,
        FailureKind::NoRepository
    );
}

#[test]
fn ssh_takes_scp_like_urls_odd_paths_and_wrappers() {
    let world = World::unborn();
    let Some(sshd) = Sshd::start(&world) else { return };
    applied(push(&sshd.scp_like(), &first()));
    let odd = world.root().join("it's a \"dir\"! $(x)");
    fs::create_dir(&odd).expect("writable");
    let mut init = Command::new("git");
    init.args(["init", "-q", "--bare"]).arg(odd.join("r.git"));
    run(init).success();
    let remote = sshd.remote();
    let base = remote.url.split('/').take(3).collect::<Vec<_>>().join("/");
    let path = format!("{}/r.git", odd.display())
        .replace(' ', "%20")
        .replace('"', "%22");
    applied(push_with(&format!("{base}{path}"), &options(&remote), &first()));
    assert!(Repository { dir: odd.join("r.git") }.tip().is_some());
    // GIT_SSH names a program of unknown dialect, which is asked what it is.
    let wrapper = world.root().join("wrapper");
    let draft = world.root().join("draft");
    fs::write(&draft, format!("#!/bin/sh\nexec {} \"$@\"\n", remote.env[0].1)).expect("writable");
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(draft).arg(&wrapper);
    run(install).success();
    let wrapped = Remote {
        env: vec![("GIT_SSH".into(), wrapper.display().to_string())],
        ..remote.clone()
    };
    let two = first().next(&[("b.md", b"b\n")], &[]);
    applied(push(&wrapped, &two));
    let by_config = options_with(
        &Remote {
            env: Vec::new(),
            ..remote.clone()
        },
        &format!("[core]\nsshCommand = \"{}\"", remote.env[0].1.replace('"', "\\\"")),
    );
    applied(push_with(&remote.url, &by_config, &two.next(&[("c.md", b"c\n")], &[])));
}

#[test]
fn what_ssh_and_the_server_behind_it_refuse_is_understood() {
    let world = World::unborn();
    let Some(sshd) = Sshd::start(&world) else { return };
    let cause = failed(push(&sshd.stranger(), &first()));
    assert_eq!(cause.kind, FailureKind::Unauthenticated, "{cause:?}");
    assert!(cause.server_text.contains("Permission denied"), "{cause:?}");
    let remote = sshd.remote();
    let distrust = remote.env[0].1.replace("HostKeyAlias=central", "HostKeyAlias=stranger");
    let distrust = Remote {
        env: vec![("GIT_SSH_COMMAND".into(), distrust)],
        ..remote.clone()
    };
    let cause = failed(push(&distrust, &first()));
    assert_eq!(cause.kind, FailureKind::Unauthenticated, "{cause:?}");
    assert!(cause.server_text.contains("Host key verification failed"), "{cause:?}");
    let nothing = remote.url.replace("central.git", "nothing.git");
    let cause = failed(push_with(&nothing, &options(&remote), &first()));
    assert_eq!(cause.kind, FailureKind::NoRepository, "{cause:?}");
    let missing = Remote {
        env: vec![
            ("GIT_SSH".into(), "/no/such/ssh".into()),
            ("GIT_SSH_VARIANT".into(), "ssh".into()),
        ],
        ..remote
    };
    assert!(failed(push(&missing, &first())).message.contains("/no/such/ssh"));
}

/// `git`, `http` and `ssh` to an address in brackets.
#[test]
fn an_address_of_the_new_kind_is_as_good() {
    let world = World::unborn();
    let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else {
        return skip("there is no IPv6 on loopback");
    };
    let (daemon, sshd, nginx) = (
        GitDaemon::start(&world),
        Sshd::start(&world),
        Nginx::start(&world, Access::Open),
    );
    let port_of = |remote: &Remote| {
        remote
            .url
            .split(':')
            .nth(2)
            .and_then(|rest| rest.split('/').next()?.parse().ok())
    };
    let here = listener.local_addr().expect("it is bound").port();
    let target = Arc::new(Mutex::new(0u16));
    let to = Arc::clone(&target);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let port = *to.lock().expect("nobody panics with it");
            let server = TcpStream::connect(("127.0.0.1", port)).expect("it is there");
            thread::spawn(move || relay(client, server));
        }
    });
    let remotes = [
        daemon.as_ref().map(GitDaemon::remote),
        nginx.as_ref().map(Nginx::remote),
        sshd.as_ref().map(Sshd::remote),
    ];
    let mut next = first();
    for remote in remotes.into_iter().flatten() {
        let port: u16 = port_of(&remote).expect("every URL of the tests has one");
        *target.lock().expect("nobody panics with it") = port;
        let at = remote
            .url
            .replace(&format!("127.0.0.1:{port}"), &format!("[::1]:{here}"));
        let env = remote.env.iter();
        let remote = Remote {
            // The first port on a command line counts for ssh.
            env: env
                .map(|(name, value)| (name.clone(), value.replace(&format!("-p {port} "), "")))
                .collect(),
            ..remote
        };
        applied(push_with(&at, &options(&remote), &next));
        next = next.next(&[(&format!("{port}.md"), b"x\n")], &[]);
    }
    // As people write it, which has no place for a port.
    if let Some(sshd) = &sshd {
        let short = sshd.scp_like();
        let port = format!("-p {} ", sshd.port());
        let env = short.env.iter();
        let remote = Remote {
            url: short.url.replace("127.0.0.1", "[::1]"),
            env: env
                .map(|(name, value)| (name.clone(), value.replace(&port, &format!("-p {here} "))))
                .collect(),
        };
        applied(push(&remote, &next));
    }
}

#[test]
fn a_transport_that_the_user_forbids_is_not_used() {
    let world = World::unborn();
    let local = world.local();
    let with = |env: &[(&str, &str)], config: &str| {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let remote = Remote {
            env: env.collect(),
            ..local.clone()
        };
        options_with(&remote, config)
    };
    for forbidding in [
        with(&[], "[protocol \"file\"]\nallow = never"),
        with(&[], "[protocol]\nallow = never"),
        with(&[("GIT_ALLOW_PROTOCOL", "https:ssh")], ""),
        with(&[("GIT_PROTOCOL_FROM_USER", "0")], ""),
    ] {
        let cause = failed(push_with(&local.url, &forbidding, &first()));
        assert_eq!(cause.kind, FailureKind::Refused, "{cause:?}");
        assert!(cause.message.contains("protocol.allow"), "{cause:?}");
    }
    applied(push_with(
        &local.url,
        &with(&[("GIT_ALLOW_PROTOCOL", "file")], "[protocol]\nallow = never"),
        &first(),
    ));
}
