//! What is no lost race ends the sync at once.

use std::{fs, net::TcpListener};

use super::{keep_moving, two};
use crate::support::{
    point::Point,
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::Remote,
    world::World,
};

/// 82#8: the fetch is let in, the push is not.
#[test]
fn a_push_that_may_not_is_not_retried() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let remote = nginx.remote();
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "First.");
    // The password of the first request, and a wrong one after that.
    let said = api.home.join("said");
    let helper = api.home.join("helper");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = get ] || exit 0\necho >>{said}\necho username={user}\n\
         if [ $(wc -l <{said}) = 1 ]; then echo 'password={password}'; else echo password=wrong; fi\n",
        said = said.display(),
        user = Nginx::USER,
        password = Nginx::PASSWORD,
    );
    fs::write(&helper, script).unwrap();
    let config = format!("[credential]\n\thelper = \"!sh {}\"\n", helper.display());
    fs::write(api.home.join(".gitconfig"), config).unwrap();

    let failure = api.sync().failure(5);

    assert_eq!(failure.kind, "auth");
    assert!(failure.message.starts_with("cannot authenticate to"), "{failure:?}");
    assert_eq!(
        fs::read_to_string(&said).unwrap().lines().count(),
        2,
        "asked once for each connection"
    );
    let requests = nginx.requests();
    let posts = |service: &str| {
        let line = format!("POST /central.git/git-{service} ");
        requests.iter().filter(|request| request.starts_with(&line)).count()
    };
    assert_eq!(posts("upload-pack"), 2, "one listing and one fetch: {requests:?}");
    assert_eq!(posts("receive-pack"), 0, "{requests:?}");
}

/// 82#8: ssh refuses the key.
#[test]
fn a_key_that_is_not_known_is_not_retried() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let api = world.workspace_on("api", &sshd.stranger());
    api.write("API-T-0001", "First.");
    assert_eq!(api.sync().failure(5).kind, "auth");
    let tries = sshd
        .log()
        .lines()
        .filter(|line| line.contains("Connection from"))
        .count();
    assert_eq!(tries, 1, "{}", sshd.log());
}

/// 82#9: the fetch went through, then the network is gone.
#[test]
fn a_network_failure_is_not_retried() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let remote = daemon.remote();
    let port = daemon.port();
    let proxy = Proxy::to(port, |number| match number {
        0..=2 => Fate::Fair,
        _ => Fate::Cut(Way::ToClient, 0),
    });
    let remote = Remote {
        url: proxy.front(&remote.url, port),
        ..remote
    };
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "First.");
    api.sync().report();
    assert_eq!(proxy.connections(), 2, "one to fetch, one to push");
    api.edit("API-T-0001", "Changed.");
    let tip = world.central.tip();
    let failure = api.sync().failure(6);
    assert_eq!(failure.kind, "network");
    assert!(failure.message.starts_with("cannot reach"), "{failure:?}");
    assert_eq!(proxy.connections(), 4, "one more to fetch, one to push, no third");
    assert_eq!(world.central.tip(), tip);
}

/// 82#9: nobody listens at all.
#[test]
fn an_unreachable_central_is_tried_once() {
    let world = World::new();
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("git://127.0.0.1:{port}/central.git");
    let api = world.workspace_on("api", &Remote { url, env: Vec::new() });
    api.write("API-T-0001", "First.");
    assert_eq!(api.sync().failure(6).kind, "network");
}

/// 82#10: what git says and nobody foresaw is passed on in its own words.
#[test]
fn an_error_that_nobody_foresaw_is_passed_on_raw() {
    let world = World::new();
    let (api, web) = two(&world);
    web.sync().report();
    world.central.git(&["config", "receive.maxInputSize", "1"]);
    let tip = world.central.tip();
    world.wire();
    let failure = api.sync().failure(7);
    assert_eq!(failure.kind, "refused");
    assert!(failure.message.contains("unpack"), "{failure:?}");
    assert!(
        failure.server_text.contains("pack exceeds maximum allowed size"),
        "{failure:?}"
    );
    assert_eq!(world.wire().listings(), 1, "one cycle");
    assert_eq!(world.central.tip(), tip);
}

/// 82#10: a lock that somebody left on the branch is not a moved branch, however similar the server's words are.
#[test]
fn a_locked_branch_that_has_not_moved_is_not_retried() {
    let world = World::new();
    let (api, _) = two(&world);
    let lock = world.central.dir.join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    world.wire();
    let failure = api.sync().failure(7);
    assert!(failure.message.contains("failed to update ref"), "{failure:?}");
    assert!(failure.server_text.contains("main.lock"), "{failure:?}");
    assert_eq!(world.wire().listings(), 1, "one cycle");
    fs::remove_file(lock).unwrap();
    assert_eq!(api.sync().report().retries, 0);
}

/// 82#10: a hook's refusal, which says "rejected" and "non-fast-forward" on top.
#[test]
fn the_words_of_a_refusal_do_not_make_it_a_race() {
    let world = World::new();
    let (api, _) = two(&world);
    let words = "echo 'rejected: non-fast-forward, cannot lock ref, fetch first' >&2; exit 1";
    world.points.script(Point::BeforeRef, words);
    world.points.script(Point::BeforeRef, "exit 0");
    let failure = api.sync().failure(7);
    assert!(failure.server_text.contains("fetch first"), "{failure:?}");
    assert_eq!(world.points.waiting(), 1, "one attempt");
}

/// 82#11
#[test]
fn a_fetch_that_fails_in_a_retry_ends_it() {
    let world = World::new();
    let (api, _) = two(&world);
    world.points.script(Point::BeforeFetch, "true");
    keep_moving(&world, 1);
    world
        .points
        .script(Point::BeforeFetch, "echo 'disk on fire' >&2; exit 1");
    world.points.script(Point::BeforeFetch, "true");
    let ended = api.sync();
    let code = ended.0.code.unwrap();
    let failure = ended.failure(code);
    assert_ne!(code, 4, "not the retries are the trouble: {failure:?}");
    assert!(failure.server_text.contains("disk on fire"), "{failure:?}");
    assert_eq!(world.points.waiting(), 1, "no third fetch");
    assert!(!world.central.log()[0].starts_with("sync: api"));
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
}
