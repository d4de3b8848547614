//! What a push costs: bytes on the wire, and memory, which must not grow with the pack.

use std::{convert::Infallible, fs, process::Command};

use gix_hash::Kind;
use gix_object as objs;
use send_pack::{Outcome, PackObject, PushOptions};

use super::client::{Draft, applied, options, push, push_with, to_main, url};
use crate::support::{
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx},
    workspace::Remote,
    world::World,
};

#[test]
fn one_line_changed_in_a_megabyte_sends_less_than_two_kilobytes() {
    let world = World::unborn();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let text: String = (0..50_000).map(|n| format!("line {n} of the plan\n")).collect();
    assert!(text.len() > 1 << 20);
    let first = Draft::first(Kind::Sha1, &[("plan.md", text.as_bytes())]);
    applied(push(&daemon.remote(), &first));
    let edited = text.replacen("line 25000 of", "line 25000, rewritten, of", 1);
    let second = first.next(&[("plan.md", edited.as_bytes())], &[("plan.md", text.as_bytes())]);
    let proxy = Proxy::to(daemon.port(), |_| Fate::Fair);
    applied(push_with(
        &proxy.front(&daemon.remote().url, daemon.port()),
        &options(&daemon.remote()),
        &second,
    ));
    let sent = proxy.bytes(Way::ToServer);
    assert!(sent < 2_000, "{sent} bytes");
    world.repository().fsck();
}

/// Of one document, which does not compress.
const BYTES: usize = 2_000;
/// How much memory a push may take, in KiB, however large it is.
const MEMORY: u64 = 24 << 10;

/// A document that nothing can be said about.
fn document(number: u32) -> PackObject {
    let mut seed = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let noise = std::iter::repeat_with(|| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    });
    let data: Vec<u8> = noise.take(BYTES).collect();
    PackObject {
        id: objs::compute_hash(Kind::Sha1, objs::Kind::Blob, &data).expect("bounded data"),
        kind: objs::Kind::Blob,
        data,
        delta_base: None,
    }
}

/// Runs in a process of its own, so that nothing else is measured: documents that are made as they are sent.
#[test]
#[ignore = "the other half of `documents_are_pushed_in_little_memory`"]
fn pushes_documents() {
    let Ok(at) = std::env::var("METIS_TEST_PUSH_TO") else {
        return;
    };
    let count = std::env::var("METIS_TEST_PUSH_COUNT").expect("set with the other");
    let count: u32 = count.parse().expect("a number");
    let mut tree = Vec::new();
    for number in 0..count {
        tree.extend_from_slice(format!("100644 {number:06}.md\0").as_bytes());
        tree.extend_from_slice(document(number).id.as_slice());
    }
    let compute = |kind, data: &[u8]| objs::compute_hash(Kind::Sha1, kind, data).expect("bounded data");
    let root = compute(objs::Kind::Tree, &tree);
    let who = "A <a@example.org> 1772069400 +0000";
    let text = format!("tree {root}\nauthor {who}\ncommitter {who}\n\nall of them\n").into_bytes();
    let commit = compute(objs::Kind::Commit, &text);
    let whole = |id, kind, data: &[u8]| PackObject {
        id,
        kind,
        data: data.to_vec(),
        delta_base: None,
    };
    let before = resident_peak();
    let remote = Remote {
        url: at.clone(),
        env: Vec::new(),
    };
    let pushed = send_pack::push(
        &url(&at),
        &options(&remote),
        &PushOptions::new("test"),
        &to_main(None, Some(commit)),
        || {
            let documents: Box<dyn Fn(u32) -> PackObject> = Box::new(|number| match number {
                n if n == count => whole(root, objs::Kind::Tree, &tree),
                n if n > count => whole(commit, objs::Kind::Commit, &text),
                n => document(n),
            });
            Ok::<_, Infallible>((0..count as usize + 2).map(move |n| Ok(documents(n as u32))))
        },
    );
    assert!(matches!(pushed, Ok(Outcome::Applied)), "{pushed:?}");
    let grown = resident_peak() - before;
    println!("grown: {grown} KiB");
    assert!(grown < MEMORY, "{grown} KiB more than before the push");
}

/// In KiB.
fn resident_peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("Linux");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn a_pack_larger_than_the_limit_is_pushed_in_less_memory() {
    documents_are_pushed_in_little_memory(20_000);
}

#[test]
#[ignore = "takes a minute: scripts/test --servers"]
fn a_hundred_thousand_documents_are_pushed_in_the_same_memory() {
    documents_are_pushed_in_little_memory(100_000);
}

fn documents_are_pushed_in_little_memory(count: usize) {
    assert!(count * BYTES > MEMORY as usize * 1024, "the pack would fit");
    for over_http in [false, true] {
        let world = World::unborn();
        let nginx = if over_http {
            Nginx::start(&world, Access::Open)
        } else {
            None
        };
        let remote = match (over_http, &nginx) {
            (false, _) => world.local(),
            (true, Some(nginx)) => nginx.remote(),
            (true, None) => return,
        };
        let mut half = Command::new(std::env::current_exe().expect("this program"));
        half.args(["--exact", "push::memory::pushes_documents", "--ignored", "--nocapture"]);
        half.env("METIS_TEST_PUSH_TO", &remote.url)
            .env("METIS_TEST_PUSH_COUNT", count.to_string());
        // Without a deadline of its own: on a busy machine this takes minutes.
        let half = half.output().expect("it runs");
        let said = String::from_utf8_lossy(&half.stdout).into_owned() + &String::from_utf8_lossy(&half.stderr);
        assert!(half.status.success() && said.contains("grown: "), "{said}");
        let repository = world.repository();
        assert_eq!(repository.files(repository.tip().expect("pushed")).len(), count);
    }
}
