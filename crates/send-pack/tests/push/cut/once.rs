//! Cuts at one place where more is under way than a small push.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use send_pack::{Outcome, PushError};

use super::Scene;
use crate::push::client::{applied, options, push_with};
use crate::support::{
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx},
};

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
