//! Repositories at the other end that do not have everything: shallow ones and partial ones.

use std::{path::PathBuf, process::Command};

use gix_hash::Kind;
use send_pack::{Outcome, RefusalKind};

use super::client::{Draft, Repository, applied, push};
use crate::support::{process::run, servers::GitDaemon, workspace::Remote, world::World};

/// A central with three commits and a clone of it as `args` say, beside it; what the commits are, and how to reach the
/// clone.
struct Scene {
    world: World,
    drafts: [Draft; 3],
    clone: Repository,
    remote: Remote,
}

fn text(line: &str) -> String {
    format!("{}{line}\n", "a line of the plan\n".repeat(50))
}

fn scene(args: &[&str]) -> Scene {
    let world = World::unborn();
    let central = world.repository();
    central.git(&["config", "uploadpack.allowFilter", "true"]);
    let one = Draft::first(Kind::Sha1, &[("a.md", text("one").as_bytes())]);
    let two = one.next(&[("b.md", b"b\n")], &[]);
    let three = two.next(&[("c.md", b"c\n")], &[]);
    for draft in [&one, &two, &three] {
        applied(push(&world.local(), draft));
    }
    let dir = world.root().join("clone.git");
    let mut clone = Command::new("git");
    clone.args([
        "-c",
        "protocol.file.allow=always",
        "clone",
        "--quiet",
        "--bare",
        "--branch=main",
    ]);
    clone.args(args).arg(world.local().url).arg(&dir);
    clone.env("GIT_CONFIG_GLOBAL", "/dev/null");
    run(clone).success();
    let remote = Remote {
        url: format!("file://{}", dir.display()),
        ..world.local()
    };
    Scene {
        world,
        drafts: [one, two, three],
        clone: Repository { dir },
        remote,
    }
}

/// The list of refs ends with where its history does. That is nothing to a push on top of it.
#[test]
fn a_shallow_repository_takes_what_builds_on_its_tip() {
    let scene = scene(&["--depth=1"]);
    let shallow: PathBuf = scene.clone.dir.join("shallow");
    assert!(shallow.exists());
    let daemon = GitDaemon::start(&scene.world);
    let served = daemon.as_ref().map(|daemon| Remote {
        url: daemon.remote().url.replace("central.git", "clone.git"),
        ..daemon.remote()
    });
    let mut tip = scene.drafts[2].clone();
    for remote in [Some(scene.remote.clone()), served].into_iter().flatten() {
        let next = tip.next(&[("a.md", text("two").as_bytes())], &[("a.md", text("one").as_bytes())]);
        applied(push(&remote, &next));
        assert_eq!(scene.clone.tip(), Some(next.id));
        tip = next;
    }
    scene.clone.fsck();
    assert!(shallow.exists(), "it is as shallow as it was");
}

/// What a delta is made against is got by the repository from where it gets all that it lacks.
#[test]
fn a_partial_repository_gets_what_a_delta_is_made_against() {
    let scene = scene(&["--filter=blob:none"]);
    let before = text("one");
    let next = scene.drafts[2].next(&[("a.md", text("two").as_bytes())], &[("a.md", before.as_bytes())]);
    applied(push(&scene.remote, &next));
    assert_eq!(scene.clone.tip(), Some(next.id));
    scene.clone.fsck();
}

/// And if it cannot, it says so, and nothing is changed.
#[test]
fn a_repository_that_lacks_the_base_of_a_delta_refuses_it() {
    let scene = scene(&["--filter=blob:none"]);
    scene.clone.git(&["remote", "set-url", "origin", "/no/such/repository"]);
    let before = text("one");
    let next = scene.drafts[2].next(&[("a.md", text("two").as_bytes())], &[("a.md", before.as_bytes())]);
    match push(&scene.remote, &next) {
        Ok(Outcome::Refused(refusal)) => assert_eq!(refusal.kind, RefusalKind::Unpack, "{refusal:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.clone.tip(), Some(scene.drafts[2].id));
}
