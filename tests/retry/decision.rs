//! What is tried again and what is not: METIS-T-0082's scenarios one by one, each forced and counted.

use std::{fs, net::TcpListener};

use crate::support::{
    point::Point,
    process::{as_shell, run},
    proxy::{Fate, Proxy, Way},
    report::Ended,
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::{Remote, Workspace},
    world::World,
};

/// `api` has synced and then changed a document; `web` too.
fn two(world: &World) -> (Workspace, Workspace) {
    two_on(world, &world.local())
}

fn two_on(world: &World, remote: &Remote) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace_on("api", remote), world.workspace("web"));
    api.write("API-T-0001", "First.");
    web.write("WEB-T-0001", "First.");
    for workspace in [&api, &web, &api] {
        workspace.sync().report();
    }
    api.edit("API-T-0001", "Changed.");
    web.write("WEB-T-0002", "New.");
    (api, web)
}

/// Central moves so many times, each time between a fetch and the push that follows it.
fn keep_moving(world: &World, times: usize) {
    for time in 0..times {
        let path = format!("busy/BUSY-T-000{time}.md");
        let landing = world.central.landing(&path, "No document, but a commit.");
        world.points.command(Point::BeforePush, &landing);
    }
}

/// 82#1
#[test]
fn a_push_that_lands_at_once_has_no_retries() {
    let world = World::new();
    let (api, _) = two(&world);
    world.wire();
    let report = api.sync().report();
    assert_eq!((report.retries, report.outcome.as_str()), (0, "synced"));
    assert_eq!(report.pushed, ["API-T-0001"]);
    assert_eq!(world.wire().listings(), 1, "one cycle");
}

/// 82#2
#[test]
fn the_second_attempt_lands() {
    let world = World::new();
    let (api, _) = two(&world);
    keep_moving(&world, 1);
    let report = api.sync().report();
    assert_eq!((report.retries, world.points.waiting()), (1, 0));
    assert_eq!(world.central.folder("api"), api.documents());
}

/// 82#3
#[test]
fn the_fifth_attempt_lands() {
    let world = World::new();
    let (api, _) = two(&world);
    keep_moving(&world, 4);
    let report = api.sync().report();
    assert_eq!((report.retries, world.points.waiting()), (4, 0));
    assert_eq!(world.central.folder("api"), api.documents());
}

/// 82#4
#[test]
fn six_attempts_are_all() {
    let world = World::new();
    let (api, _) = two(&world);
    keep_moving(&world, 7);
    let failure = api.sync().failure(4);
    assert_eq!(failure.kind, "moved");
    assert_eq!(
        failure.message,
        "sync failed after 5 retries — another workspace is pushing frequently, try again"
    );
    assert!(failure.next.unwrap().contains("Sync again"));
    assert_eq!(world.points.waiting(), 1, "the seventh push was not tried");
}

/// 82#5: everything is done again: listing, fetching, hydrating, reading the own documents, making the tree.
#[test]
fn each_retry_is_a_whole_cycle() {
    let world = World::new();
    let (api, web) = two(&world);
    web.sync().report();
    api.sync().report();
    api.edit("API-T-0001", "Known to the first attempt.");
    let mine = api.metis().join("initiatives/API-I-0001/tasks/API-T-0001.md");
    for attempt in 1..=2 {
        let path = format!("web/WEB-T-001{attempt}.md");
        let theirs = world.central.landing(&path, "---\nshort_code: \"WEB-T-0010\"\n---\n");
        let script = format!(
            "{} && echo 'Written during attempt {attempt}.' >>{}",
            as_shell(&theirs),
            mine.display()
        );
        world.points.script(Point::BeforePush, &script);
    }
    world.wire();

    let report = api.sync().report();

    assert_eq!(report.retries, 2);
    let wire = world.wire();
    assert_eq!(
        (wire.listings(), wire.wants()),
        (3, 2),
        "a listing for each, and what the two landings brought"
    );
    assert_eq!(report.pulled["web"].written, 2, "hydrated by each retry");
    let pushed = String::from_utf8(world.central.folder("api").remove("API-T-0001.md").unwrap()).unwrap();
    assert!(
        pushed.ends_with("Written during attempt 1.\nWritten during attempt 2.\n"),
        "{pushed}"
    );
    let parent = world.central.git(&["ls-tree", "--name-only", "main~1", "web/"]);
    assert!(
        parent.contains("WEB-T-0012.md"),
        "on top of the newest commit: {parent}"
    );
}

/// Over http the later cycles spare what a handshake would tell once more: the refs are listed, the objects fetched and the
/// commit sent, and that is all. A password that was asked for is given with each request.
#[test]
fn a_retry_over_http_shakes_no_hands() {
    for access in [Access::Open, Access::Password] {
        let world = World::new();
        let Some(nginx) = Nginx::start(&world, access) else {
            return;
        };
        let api = world.workspace_on("api", &nginx.remote());
        // A handshake is turned away first where a password is wanted.
        let handshakes = match access {
            Access::Password => {
                let helper = format!(
                    "[credential]\n\thelper = \"!f() {{ echo username={}; echo 'password={}'; }}; f\"\n",
                    Nginx::USER,
                    Nginx::PASSWORD
                );
                fs::write(api.home.join(".gitconfig"), helper).unwrap();
                2
            }
            _ => 1,
        };
        api.write("API-T-0001", "First.");
        api.sync().report();
        api.edit("API-T-0001", "Changed.");
        let landings = 3;
        for time in 0..landings {
            let landing = world.central.landing(&format!("busy/BUSY-T-000{time}.md"), "Not ours.");
            world.points.command(Point::BeforeRef, &landing);
        }
        let before = nginx.requests().len();
        let report = api.sync().report();
        assert_eq!(report.retries, landings);
        let (list, fetch) = ("POST /central.git/git-upload-pack", "POST /central.git/git-upload-pack");
        let push = "POST /central.git/git-receive-pack";
        let greet = |service: &'static str| std::iter::repeat_n(service, handshakes);
        let to_fetch = "GET /central.git/info/refs?service=git-upload-pack";
        let to_push = "GET /central.git/info/refs?service=git-receive-pack";
        // Nothing is new at first.
        let mut expected: Vec<&str> = greet(to_fetch)
            .chain([list])
            .chain(greet(to_push))
            .chain([push])
            .collect();
        for _ in 0..landings {
            expected.extend(greet(to_push));
            expected.extend([list, fetch, push]);
        }
        assert_eq!(nginx.requests_since(before, expected.len()), expected, "{access:?}");
        assert_eq!(world.central.folder("api").len(), 1);
        world.central.fsck_strict();
    }
}

/// 82#6
#[test]
fn a_retry_hydrates_before_it_pushes() {
    let world = World::new();
    let (api, web) = two(&world);
    world.points.command(Point::BeforePush, &web.sync_command(&[]));
    let mut second = world.points.gate(Point::BeforePush);
    let sync = api.start_sync();
    second.wait();
    assert_eq!(api.hydrated("web"), web.documents(), "theirs is here");
    assert!(
        !world.central.log()[0].starts_with("sync: api"),
        "ours is not there yet"
    );
    second.open();
    assert_eq!(Ended(sync.finish()).report().retries, 1);
}

/// 82#7: seen before anything is sent, at the lock of the server, and in creating the branch.
#[test]
fn a_moved_branch_is_what_is_retried() {
    for point in [Point::BeforePush, Point::BeforeRef] {
        let world = World::new();
        let (api, _) = two(&world);
        let landing = world
            .central
            .landing("busy/BUSY-T-0001.md", "No document, but a commit.");
        world.points.command(point, &landing);
        assert_eq!(api.sync().report().retries, 1, "{point:?}");
        assert_eq!(world.points.waiting(), 0);
    }
}

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

/// 82#17: what the first attempt hydrated stays, and the retry brings it to what central has by then.
#[test]
fn a_retry_goes_on_from_what_was_hydrated() {
    let world = World::new();
    let (api, web) = two(&world);
    web.write("WEB-T-0003", "Stays.");
    web.sync().report();
    let copy = |code: &str| api.metis().join(format!("web/{code}.md"));
    web.edit("WEB-T-0001", "Changed after the first attempt hydrated it.");
    web.delete("WEB-T-0002");
    let mut first = world.points.gate(Point::BeforePush);
    let sync = api.start_sync();
    first.wait();
    assert!(copy("WEB-T-0002").exists(), "the first attempt hydrated");
    let untouched = fs::metadata(copy("WEB-T-0003")).unwrap().modified().unwrap();
    // The held push is the only one to pass the point; web's goes straight to central.
    run(web.sync_command(&[])).success();
    first.open();
    let report = Ended(sync.finish()).report();
    assert_eq!(report.retries, 1);
    assert_eq!(api.hydrated("web"), web.documents());
    assert_eq!(fs::metadata(copy("WEB-T-0003")).unwrap().modified().unwrap(), untouched);
    web.sync().report();
    world.assert_converged(&[api, web]);
}

/// 82#18: by option and by config.toml.
#[test]
fn without_a_budget_one_refused_push_is_the_end() {
    for by_option in [true, false] {
        let world = World::new();
        let (api, _) = two(&world);
        if !by_option {
            let config = api.config().replace("[sync]\n", "[sync]\nmax_retries = 0\n");
            api.put("config.toml", config);
        }
        keep_moving(&world, 2);
        let options: &[_] = if by_option { &["--max-retries", "0"] } else { &[] };
        let failure = api.sync_with(options).failure(4);
        assert!(failure.message.contains("after 0 retries"), "{failure:?}");
        assert_eq!(world.points.waiting(), 1);
    }
}

/// 82#19: for programs, for people, and in the log.
#[test]
fn the_number_of_retries_is_reported_everywhere() {
    let world = World::new();
    let (api, _) = two(&world);
    keep_moving(&world, 3);
    assert_eq!(api.sync().report().retries, 3);
    let journal = fs::read_to_string(api.metis().join(".sync/journal.jsonl")).unwrap();
    assert!(journal.lines().last().unwrap().contains("\"retries\":3"), "{journal}");

    api.edit("API-T-0001", "Once more.");
    keep_moving(&world, 1);
    let said = api.run(&["sync"]).success();
    assert!(said.contains("1 retry") || said.contains("retries: 1"), "{said}");
}
