//! Central's branch was rewound, rewritten or removed: nothing goes on by itself, at rest and between two attempts.

use std::{fs, process::Command};

use crate::support::{
    document::document,
    point::Point,
    process::{as_shell, run},
    servers::{Access, Nginx},
    workspace::Workspace,
    world::World,
};

/// Three commits by `web` and one by `api`, both in step.
fn two(world: &World) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "First.");
    api.sync().report();
    web.write("WEB-T-0001", "First.");
    web.sync().report();
    for time in 1..=2 {
        web.edit("WEB-T-0001", &format!("Change {time}."));
        web.sync().report();
    }
    api.sync().report();
    (api, web)
}

/// How somebody may rewrite central.
#[derive(Debug, Clone, Copy)]
enum Rewrite {
    /// Back to an older commit.
    Rewound,
    /// To a sibling of the newest commit.
    Amended,
    /// The same files in one commit without parents.
    Squashed,
    /// The branch is gone.
    Deleted,
}

const REWRITES: [Rewrite; 4] = [Rewrite::Rewound, Rewrite::Amended, Rewrite::Squashed, Rewrite::Deleted];

/// A shell script that does it, for any place.
fn script(world: &World, how: Rewrite) -> String {
    let update = match how {
        Rewrite::Rewound => "git update-ref refs/heads/main refs/heads/main~1",
        Rewrite::Amended => "git update-ref refs/heads/main $(git commit-tree -p main~1 -m amended 'main^{tree}')",
        Rewrite::Squashed => "git update-ref refs/heads/main $(git commit-tree -m squashed 'main^{tree}')",
        Rewrite::Deleted => "git update-ref -d refs/heads/main",
    };
    let mut command = Command::new("sh");
    command
        .env_clear()
        .envs(world.server_env())
        .current_dir(&world.central.dir);
    command.args([
        "-c",
        &format!("git config core.hooksPath /dev/null; {update}; git config --unset core.hooksPath"),
    ]);
    as_shell(&command)
}

fn rewrite(world: &World, how: Rewrite) {
    let mut command = Command::new("sh");
    command.args(["-c", &script(world, how)]);
    run(command).success();
}

/// The sync stops and neither central nor anything here but our own notes is touched.
#[track_caller]
fn stops(world: &World, workspace: &Workspace, tip: Option<String>) {
    let before = workspace.snapshot();
    let failure = workspace.sync().failure(3);
    assert_eq!(failure.kind, "rewound");
    assert!(failure.message.contains("rewound or force-pushed"), "{failure:?}");
    assert!(failure.next.unwrap().contains("--adopt-central"));
    assert_eq!(world.central.tip(), tip, "central is left as it is");
    let after = workspace.snapshot();
    let touched = after.since(&before);
    let foreign: Vec<_> = touched
        .iter()
        .filter(|path| !path.starts_with(".metis/.sync"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// 82#16
#[test]
fn a_rewritten_central_stops_every_sync_until_it_is_adopted() {
    for how in REWRITES {
        for cache in ["kept", "deleted"] {
            let world = World::new();
            let (api, web) = two(&world);
            api.edit("API-T-0001", "Not pushed yet.");
            rewrite(&world, how);
            if cache == "deleted" {
                fs::remove_dir_all(api.home.join(".cache")).unwrap();
            }
            let tip = world.central.tip();
            stops(&world, &api, tip.clone());
            stops(&world, &api, tip.clone());
            api.sync_with(&["--force"]).failure(3);
            assert_eq!(world.central.tip(), tip, "force is for other things");

            let ended = api.sync_with(&["--adopt-central"]);
            let report = ended.report();
            assert!(
                report.warnings.iter().any(|warning| warning.contains("rew")),
                "{report:?}"
            );
            assert_eq!(report.pushed, ["API-T-0001"], "{how:?}, cache {cache}");
            assert_eq!(report.retries, 0);
            let options: &[_] = match how {
                // Central is back at an older version of web's document: which is right, a person has to say.
                Rewrite::Rewound => &["--adopt-central", "--force"],
                _ => &["--adopt-central"],
            };
            web.sync_with(options).report();
            api.sync().report();
            web.sync().report();
            world.assert_converged(&[api, web]);
        }
    }
}

/// 82#16: between our fetch and our push, and between the first attempt and the second.
#[test]
fn a_rewrite_between_two_attempts_ends_the_retries() {
    for how in REWRITES {
        for point in [Point::BeforePush, Point::BeforeRef] {
            let world = World::new();
            let (api, _) = two(&world);
            api.edit("API-T-0001", "Changed in the race.");
            world.points.script(point, &script(&world, how));
            let failure = api.sync().failure(3);
            assert_eq!(
                (failure.kind.as_str(), world.points.waiting()),
                ("rewound", 0),
                "{how:?} {point:?}"
            );
            let tip = world.central.tip();
            let ours = tip.is_some() && world.central.log()[0].starts_with("sync: api");
            assert!(!ours, "nothing of ours is pushed");
            api.sync_with(&["--adopt-central"]).report();
            let mine = api.documents();
            assert_eq!(world.central.folder("api"), mine, "{how:?} {point:?}");
            world.central.fsck_strict();
        }
    }
}

/// 82#16: overtaken fairly first, then rewritten before the retry's push: the first retry's commit counts as seen.
#[test]
fn a_rewrite_to_where_the_sync_began_is_noticed_too() {
    let world = World::new();
    let (api, _) = two(&world);
    let tip = world.central.tip().unwrap();
    api.edit("API-T-0001", "Changed in the race.");
    let landing = world
        .central
        .landing("busy/BUSY-T-0001.md", "No document, but a commit.");
    world.points.command(Point::BeforePush, &landing);
    world
        .points
        .script(Point::BeforePush, &script(&world, Rewrite::Rewound));
    let failure = api.sync().failure(3);
    assert_eq!(failure.kind, "rewound");
    assert_eq!(
        world.central.tip(),
        Some(tip),
        "back at what the sync began with, and left there"
    );
    assert_eq!(world.points.waiting(), 0);
}

/// A central that only moved on is not taken for rewound, however little of its history is here.
#[test]
fn moving_on_is_no_rewinding() {
    let world = World::new();
    let (api, web) = two(&world);
    let other = world.workspace("ops").beside(&api);
    other.write("OPS-T-0001", "On api's machine.");
    for time in 0..3 {
        web.edit("WEB-T-0001", &format!("Later change {time}."));
        web.sync().report();
    }
    // Fetches the newest commit into the cache that both use; api saw an older one.
    other.sync().report();
    web.edit("WEB-T-0001", "The last change.");
    web.sync().report();
    assert_eq!(api.sync().report().pulled["web"].written, 1);

    web.edit("WEB-T-0001", "One more.");
    web.sync().report();
    fs::remove_dir_all(api.home.join(".cache")).unwrap();
    other.sync().report();
    assert_eq!(
        api.sync().report().pulled["web"].written,
        1,
        "the cache was lost, another one fetched anew"
    );
    for workspace in [&other, &web] {
        workspace.sync().report();
    }
    world.assert_converged(&[api, web, other]);
}

/// With the cache gone, the history has to be asked for.
#[test]
fn moving_on_is_no_rewinding_without_a_cache_either() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    for remote in [world.local(), nginx.remote()] {
        let api = world.workspace_on("api", &remote);
        api.write("API-T-0001", "First.");
        api.sync().report();
        for time in 0..3 {
            world
                .central
                .land("busy/BUSY-T-0001.md", format!("Change {time} to {}.", remote.url));
        }
        fs::remove_dir_all(api.home.join(".cache")).unwrap();
        assert_eq!(api.sync().report().outcome, "synced");
    }
}

/// Two on one machine share what was fetched, but not what they have seen.
#[test]
fn a_rewind_is_noticed_by_each_of_two_with_one_cache() {
    for order in 0..2 {
        let world = World::new();
        let (api, web) = two(&world);
        let ops = world.workspace("ops").beside(&api);
        ops.write("OPS-T-0001", "On api's machine.");
        ops.sync().report();
        api.sync().report();
        web.sync().report();
        web.edit("WEB-T-0001", "Only ops sees this one.");
        web.sync().report();
        ops.sync().report();
        rewrite(&world, Rewrite::Rewound);
        let tip = world.central.tip();
        // What api saw is still there: for it, nothing was lost.
        let sync_api = || assert_eq!(api.sync().report().retries, 0);
        let sync_ops = || stops(&world, &ops, tip.clone());
        if order == 0 {
            sync_api();
            sync_ops();
        } else {
            sync_ops();
            sync_api();
        }
        ops.sync_with(&["--adopt-central"]).report();
        assert_eq!(ops.sync().report().outcome, "up-to-date");
    }
}

/// Adopting decides nothing about documents that central has otherwise: whoever changed nothing here is behind, until a
/// person says what counts.
#[test]
fn adopting_does_not_overwrite_what_central_has_otherwise() {
    let world = World::new();
    let (api, _) = two(&world);
    let bytes = document("API-T-0001", "Title of API-T-0001", "Rewritten by somebody.");
    world.central.land("api/API-T-0001.md", &bytes);
    rewrite(&world, Rewrite::Squashed);
    let tip = world.central.tip();
    let report = api.sync_with(&["--adopt-central"]).report();
    assert_eq!(report.behind[0]["code"], "API-T-0001");
    assert_eq!(world.central.tip(), tip);
    api.sync_with(&["--adopt-central", "--force"]).report();
    assert_eq!(world.central.folder("api"), api.documents());
}
