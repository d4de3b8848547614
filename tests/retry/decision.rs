//! What is tried again and what is not: METIS-T-0082's scenarios one by one, each forced and counted.

mod not_retried;

use std::fs;

use crate::support::{
    point::Point,
    process::{as_shell, run},
    report::Ended,
    servers::{Access, Nginx},
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
