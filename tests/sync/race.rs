//! Somebody else is faster: at each point where that can be, forced, and counted.

use crate::support::{
    point::Point,
    process::Running,
    report::Ended,
    servers::{Access, Nginx},
    workspace::Workspace,
    world::World,
};

/// Two who have both synced, and both have something new.
fn two(world: &World) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "First.");
    web.write("WEB-T-0001", "First.");
    for workspace in [&api, &web, &api] {
        workspace.sync().report();
    }
    api.edit("API-T-0001", "Changed in the race.");
    web.write("WEB-T-0002", "Made in the race.");
    (api, web)
}

/// 82#2, 82#5–7, 82#12, 82#15
#[track_caller]
fn the_overtaken_one_retries_once(point: Point) {
    let world = World::new();
    let (api, web) = two(&world);
    world.points.command(point, &web.sync_command(&[]));

    let report = api.sync().report();

    assert_eq!(report.retries, 1);
    assert_eq!(world.points.waiting(), 0, "the race was run");
    assert_eq!(report.pushed, ["API-T-0001"]);
    assert_eq!(
        report.pulled["web"].written, 1,
        "the retry is a whole cycle: it hydrates what the faster one pushed"
    );
    assert_eq!(world.central.log().len(), 5, "the loser's first commit is not there");
    web.sync().report();
    world.assert_converged(&[api, web]);
}

#[test]
fn overtaken_before_the_push() {
    the_overtaken_one_retries_once(Point::BeforePush);
}

#[test]
fn overtaken_at_the_lock() {
    the_overtaken_one_retries_once(Point::BeforeRef);
}

#[test]
fn overtaken_at_the_lock_over_http() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let api = world.workspace_on("api", &nginx.remote());
    api.write("API-T-0001", "First.");
    let web = world.workspace("web");
    web.write("WEB-T-0001", "First.");
    world.points.command(Point::BeforeRef, &web.sync_command(&[]));
    assert_eq!(api.sync().report().retries, 1);
    web.sync().report();
    world.assert_converged(&[api, web]);
}

/// An empty central: both would make the branch.
#[test]
fn overtaken_in_making_the_branch() {
    let world = World::shaped(crate::support::central::Shape {
        born: None,
        ..Default::default()
    });
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "First.");
    web.write("WEB-T-0001", "First.");
    world.points.command(Point::BeforeRef, &web.sync_command(&[]));
    let report = api.sync().report();
    assert_eq!((report.retries, report.registered), (1, true));
    web.sync().report();
    world.assert_converged(&[api, web]);
    assert_eq!(world.central.log().len(), 2);
}

/// Central moves this many times, each time between a fetch and the push that follows it.
fn keep_moving(world: &World, times: usize) {
    for time in 0..times {
        let landing = world
            .central
            .landing(&format!("busy/BUSY-T-000{time}.md"), "no document, but a commit");
        world.points.command(Point::BeforePush, &landing);
    }
}

/// 82#3, 82#19
#[test]
fn the_fifth_attempt_succeeds() {
    let world = World::new();
    let (api, _) = two(&world);
    keep_moving(&world, 4);
    assert_eq!(api.sync().report().retries, 4);
    assert_eq!(world.points.waiting(), 0);
}

/// 82#4
#[test]
fn retries_run_out() {
    let world = World::new();
    let (api, _) = two(&world);
    keep_moving(&world, 7);
    let failure = api.sync().failure(4);
    assert_eq!(
        failure.message,
        "sync failed after 5 retries — another workspace is pushing frequently, try again"
    );
    assert_eq!(world.points.waiting(), 1, "six attempts");
    assert!(
        !world.central.log()[0].starts_with("sync: api"),
        "nothing of it is in central"
    );
    assert_eq!(
        api.sync().report().retries,
        1,
        "the next sync goes on as if nothing had been"
    );
}

/// 82#18
#[test]
fn no_retries_means_one_attempt() {
    let world = World::new();
    let (api, _) = two(&world);
    keep_moving(&world, 2);
    api.sync_with(&["--max-retries", "0"]).failure(4);
    assert_eq!(world.points.waiting(), 1);
}

/// 82#13, 82#14: five at the lock with the same old commit in hand. One gets through; four begin again, all arrive.
#[test]
fn five_at_once() {
    let world = World::new();
    let workspaces: Vec<_> = ["aa", "bb", "cc", "dd", "ee"]
        .map(|prefix| world.workspace(prefix))
        .into();
    for workspace in &workspaces {
        workspace.write(&format!("{}-T-0001", workspace.prefix.to_uppercase()), "Mine.");
    }
    let mut gates: Vec<_> = workspaces.iter().map(|_| world.points.gate(Point::BeforeRef)).collect();
    let running: Vec<_> = workspaces.iter().map(Workspace::start_sync).collect();
    for gate in &mut gates {
        gate.wait();
    }
    gates.into_iter().for_each(|gate| gate.open());

    let retries: Vec<_> = running
        .into_iter()
        .map(|sync| Ended(Running::finish(sync)).report().retries)
        .collect();

    assert_eq!(
        retries.iter().filter(|retries| **retries == 0).count(),
        1,
        "{retries:?}"
    );
    assert_eq!(world.central.log().len(), 6);
    workspaces.iter().for_each(|workspace| {
        workspace.sync().report();
    });
    world.assert_converged(&workspaces);
}

/// 81#22, 82#10: a refusal is not a race.
#[test]
fn a_refusal_is_not_retried() {
    let world = World::new();
    let (api, web) = two(&world);
    web.sync().report();
    world
        .points
        .script(Point::BeforeRef, "printf 'central is \\033[31mfrozen\\n' >&2; exit 1");
    world.points.script(Point::BeforeRef, "exit 0");
    let failure = api.sync().failure(7);
    assert_eq!(failure.kind, "refused");
    let words = &failure.server_text;
    assert!(words.contains("central is") && words.contains("frozen"), "{words:?}");
    assert!(
        !words.contains('\u{1b}'),
        "no escape of theirs reaches a terminal: {words:?}"
    );
    assert!(failure.next.is_some());
    assert_eq!(world.points.waiting(), 1, "one attempt");
    assert_eq!(api.hydrated("web").len(), 2, "what was pulled stays");
    assert_eq!(api.sync().report().retries, 0);
}

/// 82#16
#[test]
fn a_rewound_central_ends_the_retries() {
    let world = World::new();
    let (api, _) = two(&world);
    let root = world.central.git(&["rev-list", "--max-parents=0", "main"]);
    world.points.script(
        Point::BeforePush,
        &format!(
            "git --git-dir={} update-ref refs/heads/main {root}",
            world.central.dir.display()
        ),
    );
    let before = api.snapshot();
    let failure = api.sync().failure(3);
    assert!(failure.message.contains("rewound"), "{failure:?}");
    assert_eq!(
        world.central.tip().as_deref(),
        Some(root.trim()),
        "central is left as it is"
    );
    assert!(
        !api.snapshot()
            .since(&before)
            .iter()
            .any(|path| path.starts_with(".metis/web"))
    );
}
