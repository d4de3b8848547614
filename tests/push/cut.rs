//! The connection is cut after every byte of the conversation, in both directions.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use gix::hash;
use metis_sync::send_pack::{Outcome, PushError, connect::ConnectOptions};

use super::client::{Draft, Repository, applied, options, push_with};
use crate::support::{
    central::Shape,
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx},
    workspace::Remote,
    world::World,
};

/// A world with an empty central, its first commit pushed and the second one drafted.
struct Scene {
    world: World,
    repository: Repository,
    first: Draft,
    second: Draft,
}

impl Scene {
    fn new() -> Scene {
        let world = World::shaped(Shape {
            born: None,
            ..Shape::default()
        });
        let repository = Repository {
            dir: world.central.dir.clone(),
        };
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

/// One push to the server at `remote`, cut after every `step`th byte; afterwards the branch is what the outcome says, and
/// pushing again, as a person would, ends with exactly one new commit.
fn cut_everywhere(scene: &Scene, remote: &Remote, port: u16, step: usize) {
    let plan = Arc::new(Mutex::new(None));
    let proxy = {
        let plan = Arc::clone(&plan);
        Proxy::to(port, move |_| {
            match plan.lock().expect("nobody panics with it").take() {
                Some((way, at)) => Fate::Cut(way, at),
                None => Fate::Fair,
            }
        })
    };
    let through = proxy.front(&remote.url, port);
    let mut options = options(remote);
    options.deadlines.settle = Duration::from_millis(30);
    let measure = |way| {
        let before = proxy.bytes(way);
        scene.repository.reset(scene.first.id);
        applied(push_with(&through, &options, &scene.second));
        proxy.bytes(way) - before
    };
    let mut seen = Seen::default();
    for way in [Way::ToServer, Way::ToClient] {
        let length = measure(way);
        for at in (0..length).step_by(step) {
            scene.repository.reset(scene.first.id);
            *plan.lock().expect("nobody panics with it") = Some((way, at));
            seen.note(
                scene,
                &through,
                &options,
                &format!("{way:?} cut after {at} of {length}"),
            );
            plan.lock().expect("nobody panics with it").take();
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
    unknown: u64,
}

impl Seen {
    fn note(&mut self, scene: &Scene, through: &str, options: &ConnectOptions, context: &str) {
        match push_with(through, options, &scene.second) {
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
    cut_everywhere(&scene, &daemon.remote(), daemon.port(), 1);
}

#[test]
fn nginx_cut_after_every_eleventh_byte() {
    let scene = Scene::new();
    let Some(nginx) = Nginx::start(&scene.world, Access::Open) else {
        return;
    };
    cut_everywhere(&scene, &nginx.remote(), nginx.port(), 11);
}

#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn nginx_cut_after_every_byte() {
    let scene = Scene::new();
    let Some(nginx) = Nginx::start(&scene.world, Access::Open) else {
        return;
    };
    cut_everywhere(&scene, &nginx.remote(), nginx.port(), 1);
}

/// A cut under the pack of a push that streams, and one under TLS, where the layers above see no clean end.
#[test]
fn a_streamed_upload_cut_in_the_middle_leaves_the_branch_alone() {
    for access in [Access::Open, Access::Tls] {
        let scene = Scene::new();
        let Some(nginx) = Nginx::start(&scene.world, access) else {
            return;
        };
        let remote = nginx.remote();
        let mut seed = 7u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .take(4 << 20)
        .collect();
        let large = scene.first.next(&[("large.md", &noise)], &[]);
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        let proxy = Proxy::to(nginx.port(), move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 => Fate::Cut(Way::ToServer, 3 << 20),
            _ => Fate::Fair,
        });
        let mut options = options(&remote);
        options.deadlines.settle = Duration::from_millis(200);
        match push_with(&proxy.front(&remote.url, nginx.port()), &options, &large) {
            Err(PushError::Connect(_)) | Ok(Outcome::Unknown { .. }) => {}
            other => panic!("{access:?}: {other:?}"),
        }
        assert_eq!(scene.repository.tip(), Some(scene.first.id), "{access:?}");
        applied(push_with(&remote.url, &options, &large));
        scene.repository.fsck();
    }
}

/// The answer is lost while a hook thinks; the refs show the commit a little later, and that is waited for.
#[test]
fn an_answer_lost_while_the_server_still_works_is_found_out() {
    let scene = Scene::new();
    let Some(daemon) = GitDaemon::start(&scene.world) else {
        return;
    };
    let remote = daemon.remote();
    let flag = scene.world.root().join("thinking");
    scene.repository.hook(
        "pre-receive",
        &format!(
            ": > {}; while [ -e {} ]; do sleep 0.01; done",
            flag.display(),
            flag.display()
        ),
    );
    let proxy = Proxy::to(daemon.port(), {
        let mut first = true;
        move |_| match std::mem::take(&mut first) {
            // The advertisement and nothing of the answer.
            true => Fate::Silent(Way::ToClient, 400),
            false => Fate::Fair,
        }
    });
    let through = proxy.front(&remote.url, daemon.port());
    let mut options = options(&remote);
    options.deadlines.idle = Duration::from_millis(500);
    options.deadlines.settle = Duration::from_secs(20);
    let pushed = thread::scope(|scope| {
        let push = scope.spawn(|| push_with(&through, &options, &scene.second));
        while proxy.connections() < 2 {
            thread::sleep(Duration::from_millis(5));
        }
        std::fs::remove_file(&flag).expect("the hook made it");
        push.join().expect("no panic")
    });
    applied(pushed);
    assert_eq!(scene.repository.tip(), Some(scene.second.id));
}
