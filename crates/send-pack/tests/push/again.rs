//! Pushing until it succeeds: what a lost race leaves for the next attempt, and what that may not take for granted.

use gix_hash::Kind;
use send_pack::{
    Outcome, PushOptions, RefusalKind,
    connect::{ConnectOptions, Greeting},
};

use super::client::{Draft, Pushed, Repository, applied, options, push, to_main, url};
use crate::support::{
    point::Point,
    process::eventually,
    proxy::{Fate, Proxy},
    servers::{Access, Nginx, Sshd},
    workspace::Remote,
    world::World,
};

/// Somebody who pushes more than once over the same connection settings.
pub(super) struct Writer {
    at: String,
    options: ConnectOptions,
    met: Option<Greeting>,
}

impl Writer {
    fn new(remote: &Remote) -> Self {
        Writer::with(remote, options(remote))
    }

    pub(super) fn with(remote: &Remote, options: ConnectOptions) -> Self {
        Writer {
            at: remote.url.clone(),
            options,
            met: None,
        }
    }

    pub(super) fn push(&mut self, draft: &Draft) -> Pushed {
        let update = to_main(draft.parent, Some(draft.id));
        let objects = || Ok(draft.objects.clone().into_iter().map(Ok));
        send_pack::push_again(
            &mut self.met,
            &url(&self.at),
            &self.options,
            &PushOptions::new("test/1.0"),
            &update,
            objects,
        )
    }

    /// A push that comes too late, because of `winner`.
    #[track_caller]
    fn lose(&mut self, draft: &Draft, winner: &Draft) {
        match self.push(draft) {
            Ok(Outcome::Moved { actual }) => assert_eq!(actual, Some(winner.id)),
            other => panic!("not moved: {other:?}"),
        }
    }
}

/// A central behind nginx with one commit in it, of which everybody knows.
struct Scene {
    world: World,
    nginx: Nginx,
    first: Draft,
}

impl Scene {
    fn new(access: Access) -> Option<Self> {
        let world = World::unborn();
        let nginx = Nginx::start(&world, access)?;
        let first = Draft::first(Kind::Sha1, &[("a.md", b"one\n")]);
        let scene = Scene { world, nginx, first };
        // Not over http, so that no request is counted.
        scene.land(&scene.first);
        Some(scene)
    }

    fn land(&self, draft: &Draft) {
        applied(push(&self.world.local(), draft));
    }

    /// Somebody lands a commit, so that a push of `writer`'s comes too late. Returns that commit.
    fn overtake(&self, writer: &mut Writer) -> Draft {
        let theirs = self.first.next(&[("b.md", b"b\n")], &[]);
        self.land(&theirs);
        writer.lose(&self.first.next(&[("c.md", b"c\n")], &[]), &theirs);
        theirs
    }

    fn repository(&self) -> Repository {
        self.world.repository()
    }

    /// These requests are what `action` makes.
    #[track_caller]
    fn requests(&self, expected: &[&str], action: impl FnOnce()) {
        let before = self.nginx.requests().len();
        action();
        assert_eq!(self.nginx.requests_since(before, expected.len()), expected);
    }
}

const LIST: &str = "GET /central.git/info/refs?service=git-receive-pack";
const SEND: &str = "POST /central.git/git-receive-pack";

#[test]
fn after_a_lost_race_over_http_the_next_push_is_one_request() {
    let Some(scene) = Scene::new(Access::Open) else { return };
    let mut writer = Writer::new(&scene.nginx.remote());
    let mut theirs = None;
    // What was told sufficed.
    scene.requests(&[LIST], || theirs = Some(scene.overtake(&mut writer)));

    let ours = theirs.expect("it was overtaken").next(&[("c.md", b"c\n")], &[]);
    scene.requests(&[SEND], || applied(writer.push(&ours)));
    assert!(writer.met.is_none(), "it is over");
    assert_eq!(scene.repository().tip(), Some(ours.id));
    scene.repository().fsck();
}

/// Lost at the server, again and again: each loss is known for certain, and leaves the next attempt what it needs.
#[test]
fn who_is_overtaken_without_a_listing_is_told_so_by_one() {
    let Some(scene) = Scene::new(Access::Open) else { return };
    let mut writer = Writer::new(&scene.nginx.remote());
    let mut theirs = scene.overtake(&mut writer);
    for round in 0..3 {
        let ours = theirs.next(&[("c.md", b"c\n")], &[]);
        theirs = theirs.next(&[("b.md", format!("b {round}\n").as_bytes())], &[]);
        scene.land(&theirs);
        scene.requests(&[SEND, LIST], || writer.lose(&ours, &theirs));
    }
    let ours = theirs.next(&[("c.md", b"c\n")], &[]);
    scene.requests(&[SEND], || applied(writer.push(&ours)));
    scene.repository().fsck();
}

/// The server's objection is about objects that are gone with the old history: that is no refusal.
#[test]
fn a_ref_that_was_rewound_or_removed_meanwhile_has_moved() {
    for gone in [false, true] {
        let Some(scene) = Scene::new(Access::Open) else { return };
        let mut writer = Writer::new(&scene.nginx.remote());
        let theirs = scene.overtake(&mut writer);
        let git = scene.repository();
        match gone {
            true => git.git(&["update-ref", "-d", "refs/heads/main"]),
            false => git.git(&["update-ref", "refs/heads/main", &scene.first.id.to_string()]),
        };
        git.git(&["-c", "gc.pruneExpire=now", "gc", "-q", "--prune=now"]);
        let pushed = writer.push(&theirs.next(&[("c.md", b"c\n")], &[("b.md", b"b\n")]));
        let expected = (!gone).then_some(scene.first.id);
        assert!(
            matches!(pushed, Ok(Outcome::Moved { actual }) if actual == expected),
            "gone: {gone}: {pushed:?}"
        );
    }
}

#[test]
fn a_refusal_stays_one() {
    let Some(scene) = Scene::new(Access::Open) else { return };
    let mut writer = Writer::new(&scene.nginx.remote());
    let theirs = scene.overtake(&mut writer);
    scene
        .world
        .points
        .script(Point::BeforeRef, "echo not today >&2; exit 1\n");
    let ours = theirs.next(&[("c.md", b"c\n")], &[]);
    match writer.push(&ours) {
        Ok(Outcome::Refused(refusal)) => {
            assert_eq!(refusal.kind, RefusalKind::Hook);
            assert!(refusal.server_text.contains("not today"), "{refusal:?}");
        }
        other => panic!("{other:?}"),
    }
    assert!(writer.met.is_none());
    applied(writer.push(&ours));
}

#[test]
fn what_was_pushed_already_is_applied() {
    let Some(scene) = Scene::new(Access::Open) else { return };
    let mut writer = Writer::new(&scene.nginx.remote());
    let theirs = scene.overtake(&mut writer);
    let ours = theirs.next(&[("c.md", b"c\n")], &[]);
    scene.land(&ours);
    applied(writer.push(&ours));
}

/// Servers that serve one connection at a time exist: nothing is kept open for later.
#[test]
fn no_connection_is_kept_between_attempts() {
    let Some(scene) = Scene::new(Access::Open) else { return };
    let proxy = Proxy::to(scene.nginx.port(), |_| Fate::Fair);
    let mut writer = Writer::new(&scene.nginx.remote());
    writer.at = proxy.front(&writer.at, scene.nginx.port());
    let theirs = scene.overtake(&mut writer);
    assert!(writer.met.is_some());
    eventually("all connections are closed", || proxy.open() == 0);
    applied(writer.push(&theirs.next(&[("c.md", b"c\n")], &[])));
    assert_eq!(proxy.connections(), 2);
}

/// Where a conversation is one process at the other end, that ends, and each push begins anew.
#[test]
fn other_transports_keep_nothing() {
    let world = World::unborn();
    let first = Draft::first(Kind::Sha1, &[("a.md", b"one\n")]);
    applied(push(&world.local(), &first));
    let sshd = Sshd::start(&world);
    let mut base = first.clone();
    for remote in [Some(world.local()), sshd.as_ref().map(Sshd::remote)]
        .into_iter()
        .flatten()
    {
        let mut writer = Writer::new(&remote);
        let theirs = base.next(&[("b.md", remote.url.as_bytes())], &[]);
        applied(push(&world.local(), &theirs));
        writer.lose(&base.next(&[("c.md", b"c\n")], &[]), &theirs);
        assert!(writer.met.is_none());
        base = theirs.next(&[("c.md", remote.url.as_bytes())], &[]);
        applied(writer.push(&base));
    }
}
