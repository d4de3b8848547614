//! How often a line's length is waited for: connections and exchanges, ours beside git's.

use std::time::Duration;

use crate::support::{
    process::{Finished, run},
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::{Remote, Workspace},
    world::World,
};

/// What one program's conversations cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    connections: u64,
    exchanges: u64,
}

/// A central behind a line on which each answer takes 50 ms.
struct FarAway {
    world: World,
    proxy: Proxy,
    remote: Remote,
}

const ANSWER: Duration = Duration::from_millis(50);

impl FarAway {
    fn new(world: World, remote: Remote) -> Self {
        let port = remote.url.rsplit(':').next().and_then(|rest| rest.split('/').next());
        let port: u16 = port.and_then(|port| port.parse().ok()).expect("the URL has a port");
        let proxy = Proxy::to(port, |_| Fate::Delay(Way::ToClient, ANSWER));
        let url = proxy.front(&remote.url, port);
        let near = |value: String| value.replace(&format!("-p {port} "), "");
        let env = remote
            .env
            .into_iter()
            .map(|(name, value)| (name, near(value)))
            .collect();
        FarAway {
            world,
            proxy,
            remote: Remote { url, env },
        }
    }

    fn cost(&self, action: impl FnOnce() -> Finished) -> Cost {
        let count = || (self.proxy.connections(), self.proxy.exchanges());
        let before = count();
        let finished = action();
        assert_eq!(finished.code, Some(0), "{}", finished.transcript());
        let after = count();
        Cost {
            connections: after.0 - before.0,
            exchanges: after.1 - before.1,
        }
    }

    fn of_git(&self, someone: &Workspace, args: &[&str]) -> Cost {
        let mut git = someone.program("git");
        git.current_dir(&someone.dir).args(args);
        self.cost(|| run(git))
    }
}

/// Nothing changed: one connection and no exchange more than `git ls-remote`. Something new there: one connection. An own
/// change: two, as fetching and pushing are different services. Neither needs more exchanges than git with a kept clone.
///
/// `leeway`: by how many exchanges two runs of the same conversation differ.
fn no_more_than_git(far: &FarAway, name: &str, leeway: u64) {
    let api = far.world.workspace_on("api", &far.remote);
    api.write("API-T-0001", "Mine.");
    let first = far.cost(|| run(api.sync_command(&[])));

    let no_op = far.cost(|| run(api.sync_command(&[])));
    let listing = far.of_git(&api, &["ls-remote", &far.remote.url, "HEAD", "refs/heads/main"]);
    let clone = far.world.root().join("kept");
    let clone = clone.to_str().expect("the folder's name is text");
    run({
        let mut git = api.program("git");
        git.args(["clone", "-q", &far.remote.url, clone]);
        git
    })
    .success();

    far.world.central.land("web/WEB-T-0001.md", "Theirs.\n");
    let pulled = far.cost(|| run(api.sync_command(&[])));
    let fetch = far.of_git(&api, &["-C", clone, "fetch", "-q"]);

    api.edit("API-T-0001", "More.");
    let pushed = far.cost(|| run(api.sync_command(&[])));
    let refetch = far.of_git(&api, &["-C", clone, "fetch", "-q"]);
    far.of_git(&api, &["-C", clone, "reset", "-q", "--hard", "origin/main"]);
    far.of_git(
        &api,
        &[
            "-C",
            clone,
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "more",
        ],
    );
    let push = far.of_git(&api, &["-C", clone, "push", "-q"]);

    println!(
        "{name}: first {first:?}; nothing {no_op:?}, ls-remote {listing:?}; pulled {pulled:?}, fetch {fetch:?}; pushed {pushed:?}, fetch {refetch:?} and push {push:?}"
    );
    assert_eq!(no_op.connections, 1);
    assert!(
        no_op.exchanges <= listing.exchanges + leeway,
        "{no_op:?}, git {listing:?}"
    );
    assert_eq!(pulled.connections, 1);
    assert!(
        pulled.exchanges <= fetch.exchanges + leeway,
        "{pulled:?}, git {fetch:?}"
    );
    for cost in [first, pushed] {
        assert!(cost.connections <= 2);
        assert!(
            cost.exchanges <= refetch.exchanges + push.exchanges + 2 * leeway,
            "{cost:?}, git {refetch:?} and {push:?}"
        );
    }
}

#[test]
fn a_long_line_over_http() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    no_more_than_git(&FarAway::new(world, nginx.remote()), "http", 0);
}

#[test]
fn a_long_line_over_ssh() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    // Both sides of ssh speak when they like; what crosses on the way counts as an answer.
    no_more_than_git(&FarAway::new(world, sshd.remote()), "ssh", 2);
}

#[test]
fn a_long_line_over_gits_own_protocol() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    no_more_than_git(&FarAway::new(world, daemon.remote()), "git", 0);
}
