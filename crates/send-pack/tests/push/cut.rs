//! The connection is cut after every byte of the conversation, in both directions.

mod between;
mod once;

use std::{env, process::Command, time::Duration};

use gix_hash as hash;
use send_pack::{Outcome, PushError, RefusalKind, connect::ConnectOptions};

use super::client::{Draft, Repository, applied, options, push_with};
use crate::support::{
    proxy::Way,
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::Remote,
    world::World,
};
use between::{Between, Line, Pipes};

/// A world with an empty central, its first commit pushed and the second one drafted.
struct Scene {
    world: World,
    repository: Repository,
    first: Draft,
    second: Draft,
}

impl Scene {
    fn new() -> Scene {
        let world = World::unborn();
        let repository = world.repository();
        for hook in ["pre-receive", "reference-transaction"] {
            repository.unhook(hook);
        }
        let text = "a line of the plan\n".repeat(20);
        let first = Draft::first(hash::Kind::Sha1, &[("a.md", text.as_bytes())]);
        let local = world.local();
        applied(push_with(&local.url, &options(&local), &first));
        let second = first.next(
            &[("a.md", format!("{text}one more\n").as_bytes())],
            &[("a.md", text.as_bytes())],
        );
        Scene {
            world,
            repository,
            first,
            second,
        }
    }
}

/// One push, cut after every `step`th byte; afterwards the branch is what the outcome says, and pushing again, as a person
/// would, ends with exactly one new commit.
fn cut_everywhere(scene: &Scene, between: &dyn Between, step: usize) {
    let through = between.url();
    let mut options = between.options();
    options.deadlines.settle = Duration::from_millis(30);
    let measure = |way| {
        let before = between.bytes(way);
        scene.repository.reset(scene.first.id);
        applied(push_with(&through, &options, &scene.second));
        between.bytes(way) - before
    };
    let mut seen = Seen::default();
    for way in [Way::ToServer, Way::ToClient] {
        let length = measure(way);
        for at in (0..length).step_by(step) {
            scene.repository.reset(scene.first.id);
            between.cut_next(Some((way, at)));
            let context = format!("{way:?} cut after {at} of {length}");
            seen.note(scene, &through, &options, &context, || between.cut_next(None));
        }
    }
    scene.repository.fsck();
    // What a cut at every byte must have met.
    assert!(seen.applied > 0 && seen.failed > 0, "{seen:?}");
    eprintln!("{seen:?}");
}

#[derive(Debug, Default)]
struct Seen {
    applied: u64,
    failed: u64,
    refused: u64,
    unknown: u64,
}

impl Seen {
    fn note(&mut self, scene: &Scene, through: &str, options: &ConnectOptions, context: &str, mend: impl FnOnce()) {
        let pushed = push_with(through, options, &scene.second);
        mend();
        match pushed {
            Ok(Outcome::Applied) => {
                self.applied += 1;
                assert_eq!(scene.repository.tip(), Some(scene.second.id), "{context}");
            }
            // Nothing was changed, and that is said with the reason.
            Err(PushError::Connect(cause)) => {
                self.failed += 1;
                assert_eq!(scene.repository.tip(), Some(scene.first.id), "{context}: {cause:?}");
                assert!(!cause.message.is_empty(), "{context}");
            }
            // A server whose answer gets through although the pack did not says what is wrong with it.
            Ok(Outcome::Refused(refusal)) => {
                self.refused += 1;
                assert_eq!(scene.repository.tip(), Some(scene.first.id), "{context}: {refusal:?}");
                assert_eq!(refusal.kind, RefusalKind::Unpack, "{context}: {refusal:?}");
            }
            // The server had perhaps not all of it, which only the server knows.
            Ok(Outcome::Unknown { cause }) => {
                self.unknown += 1;
                assert!(!cause.message.is_empty(), "{context}");
            }
            other => panic!("{context}: {other:?}"),
        }
        // Whoever resolves an unknown outcome by the refs has one commit in the end, never two.
        match push_with(through, options, &scene.second) {
            Ok(Outcome::Applied) => {}
            other => panic!("{context}, then fair: {other:?}"),
        }
        assert_eq!(scene.repository.tip(), Some(scene.second.id), "{context}");
    }
}

#[test]
fn git_daemon_cut_after_every_byte() {
    let scene = Scene::new();
    let Some(daemon) = GitDaemon::start(&scene.world) else {
        return;
    };
    cut_everywhere(&scene, &Line::to(daemon.remote(), daemon.port()), 1);
}

#[test]
fn nginx_cut_after_every_eleventh_byte() {
    let scene = Scene::new();
    let Some(nginx) = Nginx::start(&scene.world, Access::Open) else {
        return;
    };
    cut_everywhere(&scene, &Line::to(nginx.remote(), nginx.port()), 11);
}

#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn nginx_cut_after_every_byte() {
    let scene = Scene::new();
    let Some(nginx) = Nginx::start(&scene.world, Access::Open) else {
        return;
    };
    cut_everywhere(&scene, &Line::to(nginx.remote(), nginx.port()), 1);
}

/// Under the encryption: most of these bytes are the greeting of two ssh.
#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn ssh_cut_after_every_fiftieth_byte() {
    let scene = Scene::new();
    let Some(sshd) = Sshd::start(&scene.world) else {
        return;
    };
    cut_everywhere(&scene, &Line::to(sshd.remote(), sshd.port()), 50);
}

/// As ssh cuts it: what has arrived is handed on, and the program ends with 255.
fn ssh_pipes_cut(step: usize) {
    let scene = Scene::new();
    let dir = scene.world.root().join("pipes");
    let remote = Remote {
        url: format!("ssh://central{}", scene.world.central.dir.display()),
        env: vec![
            ("GIT_SSH".into(), dir.join("ssh").display().to_string()),
            ("GIT_SSH_VARIANT".into(), "ssh".into()),
        ],
    };
    cut_everywhere(&scene, &Pipes::new(&dir, "ssh", "sh -c", remote), step);
}

#[test]
fn the_pipes_of_ssh_cut_after_every_thirtieth_byte() {
    ssh_pipes_cut(30);
}

#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn the_pipes_of_ssh_cut_after_every_byte() {
    ssh_pipes_cut(1);
}

const STEP: &str = "METIS_TEST_CUT_STEP";

/// Runs in a process of its own, whose PATH has a `git-receive-pack` with scissors in it.
#[test]
#[ignore = "the other half of the tests that need a process"]
fn cuts_its_own_server() {
    let Ok(step) = env::var(STEP) else { return };
    let scene = Scene::new();
    let path = env::split_paths(&env::var_os("PATH").expect("there is one")).next();
    let dir = path.expect("the folder of the program");
    let pipes = Pipes::new(&dir, "git-receive-pack", "git receive-pack", scene.world.local());
    cut_everywhere(&scene, &pipes, step.parse().expect("a number"));
}

fn a_local_server_cut(step: usize) {
    let dir = tempfile::tempdir().expect("temp folder is writable");
    let mut path = vec![dir.path().join("bin")];
    path.extend(env::split_paths(&env::var_os("PATH").expect("there is one")));
    let mut inner = Command::new(env::current_exe().expect("this program"));
    inner.args(["--exact", "push::cut::cuts_its_own_server", "--ignored", "--nocapture"]);
    inner.env("PATH", env::join_paths(path).expect("no colon"));
    inner.env(STEP, step.to_string());
    let said = inner.output().expect("it runs");
    let (out, err) = (
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr),
    );
    assert!(said.status.success() && out.contains("1 passed"), "{out}{err}");
    assert!(err.contains("Seen {"), "{err}");
    eprintln!("{err}");
}

#[test]
fn a_local_server_cut_after_every_fiftieth_byte() {
    a_local_server_cut(50);
}

#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn a_local_server_cut_after_every_byte() {
    a_local_server_cut(1);
}
