//! The same story with every server: the first push into an empty repository, an update, a race, a refusal by a hook,
//! a deletion, and git itself reading back what came of it. `docs/interop.md` has the results.

use std::{
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use gix_hash::Kind;
use send_pack::{Outcome, PushOptions, RefUpdate, RefusalKind};

use super::client::{Draft, Repository, applied, options, push, to_main, url};
use crate::support::{
    central::Shape,
    process::run,
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::Remote,
    world::World,
};

const WRITERS: usize = 6;
const ROUNDS: usize = 10;

/// What a server is not expected to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lacks {
    /// It runs no pre-receive hook.
    pub hooks: bool,
    /// What a hook prints does not reach the client.
    pub hook_text: bool,
    /// Deletions are not allowed.
    pub deletion: bool,
}

/// Everything that this file promises, with the server at `remote` in front of `repository`, which is empty.
pub fn interoperates(remote: &Remote, repository: &Repository, kind: Kind, lacks: Lacks) {
    let text = "a line of the plan, long enough to count\n".repeat(25_000);
    let first = Draft::first(kind, &[("plan.md", text.as_bytes())]);
    applied(push(remote, &first));
    let edited = text.replacen("a line", "one line", 1);
    let second = first.next(&[("plan.md", edited.as_bytes())], &[("plan.md", text.as_bytes())]);
    applied(push(remote, &second));
    assert_eq!(repository.tip(), Some(second.id));

    let races = race(remote, repository);
    let tip = repository.tip().expect("there is one");
    let files = repository.files(tip);
    assert_eq!(files.len(), 1 + WRITERS * ROUNDS, "nothing is lost");
    assert_eq!(repository.commits(), 2 + WRITERS * ROUNDS, "one commit for each file");
    assert!(races > 0, "nobody was ever too late");

    if !lacks.hooks {
        repository.hook("pre-receive", "echo 'not on a friday' >&2; exit 1");
        let refused = push(remote, &Draft::on(tip, files.clone(), &[("no.md", b"no\n")]));
        repository.unhook("pre-receive");
        match refused {
            Ok(Outcome::Refused(refusal)) => {
                assert_eq!(refusal.kind, RefusalKind::Hook, "{refusal:?}");
                assert!(
                    lacks.hook_text || refusal.server_text.contains("not on a friday"),
                    "{refusal:?}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(repository.tip(), Some(tip));
    }

    let aside = Draft::on(tip, files, &[("aside.md", b"aside\n")]);
    let side = |expected, new| RefUpdate {
        name: "refs/heads/side".into(),
        ..to_main(expected, new)
    };
    let objects = || Ok::<_, std::convert::Infallible>(aside.objects.clone().into_iter().map(Ok));
    let to = |update: &RefUpdate| {
        send_pack::push(
            &url(&remote.url),
            &options(remote),
            &PushOptions::new("test"),
            update,
            objects,
        )
    };
    applied(to(&side(None, Some(aside.id))));
    if !lacks.deletion {
        applied(to(&side(Some(aside.id), None)));
    }

    let clone = tempfile::tempdir().expect("temp folder is writable");
    let mut command = Command::new("git");
    command.args([
        "-c",
        "safe.directory=*",
        "clone",
        "--quiet",
        "--bare",
        "--branch=main",
        &remote.url,
    ]);
    command
        .arg(clone.path().join("back.git"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0");
    command.envs(remote.env.iter().cloned());
    run(command).success();
    let back = Repository {
        dir: clone.path().join("back.git"),
    };
    assert_eq!(back.tip(), Some(tip), "git fetches what was pushed");
    back.fsck();
    repository.fsck();
}

/// Each writer adds files of its own, one commit each, and begins anew when somebody was faster. How often that was.
fn race(remote: &Remote, repository: &Repository) -> u64 {
    let late = AtomicU64::new(0);
    let writer = |writer: usize| {
        for round in 0..ROUNDS {
            let name = format!("w{writer}-{round}.md");
            // Ends, because of those who are too late one is always in time.
            loop {
                let tip = repository.tip().expect("there is one");
                let files = repository.files(tip);
                // Somebody may have built on ours before the refs of a server that is not believed were listed.
                if files.contains_key(&name) {
                    break;
                }
                let draft = Draft::on(tip, files, &[(&name, name.as_bytes())]);
                match push(remote, &draft) {
                    Ok(Outcome::Applied) => break,
                    Ok(Outcome::Moved { .. }) => late.fetch_add(1, Ordering::Relaxed),
                    other => panic!("{name}: {other:?}"),
                };
            }
        }
    };
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(move || writer(number))).collect();
        for writer in writers {
            writer.join().expect("no writer fails");
        }
    });
    late.into_inner()
}

pub fn empty(format: &'static str) -> (World, Repository) {
    let world = World::shaped(Shape {
        born: None,
        format,
        ..Shape::default()
    });
    let repository = world.repository();
    for hook in ["pre-receive", "reference-transaction"] {
        repository.unhook(hook);
    }
    (world, repository)
}

#[test]
fn a_local_repository_interoperates() {
    let (world, repository) = empty("sha1");
    interoperates(&world.local(), &repository, Kind::Sha1, Lacks::default());
}

#[test]
fn a_local_repository_of_the_other_format_interoperates() {
    let (world, repository) = empty("sha256");
    interoperates(&world.local(), &repository, Kind::Sha256, Lacks::default());
}

#[test]
fn git_daemon_interoperates() {
    let (world, repository) = empty("sha1");
    let Some(daemon) = GitDaemon::start(&world) else { return };
    interoperates(&daemon.remote(), &repository, Kind::Sha1, Lacks::default());
}

#[test]
fn git_over_ssh_interoperates() {
    let (world, repository) = empty("sha1");
    let Some(sshd) = Sshd::start(&world) else { return };
    interoperates(&sshd.remote(), &repository, Kind::Sha1, Lacks::default());
}

#[test]
fn nginx_interoperates() {
    let (world, repository) = empty("sha1");
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    interoperates(&nginx.remote(), &repository, Kind::Sha1, Lacks::default());
}

#[test]
fn nginx_with_tls_of_ones_own_authority_interoperates_in_the_other_format() {
    let (world, repository) = empty("sha256");
    let Some(nginx) = Nginx::start(&world, Access::Tls) else {
        return;
    };
    interoperates(&nginx.remote(), &repository, Kind::Sha256, Lacks::default());
}

#[test]
fn nginx_with_passwords_interoperates() {
    let (world, repository) = empty("sha1");
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let userinfo = format!("{}:{}@", Nginx::USER, Nginx::PASSWORD.replace(' ', "%20"));
    let remote = nginx.remote();
    let remote = Remote {
        url: remote.url.replace("://", &format!("://{userinfo}")),
        ..remote
    };
    interoperates(&remote, &repository, Kind::Sha1, Lacks::default());
}
