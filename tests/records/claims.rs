//! Claims: of several who want one document, one gets it.

use super::two;
use crate::support::{process::Running, workspace::Workspace, world::World};

fn claim(workspace: &Workspace, args: &[&str]) -> Option<i32> {
    workspace.run(args).code
}

/// beads#4657: claimed by looking first.
#[test]
fn of_eight_that_claim_at_once_one_succeeds() {
    let world = World::new();
    let workspaces: Vec<Workspace> = (0..8).map(|n| world.workspace(&format!("ws-{n}"))).collect();
    let start = |workspace: &Workspace| Running::start(workspace.metis_sync(&["claim", "API-T-0001"]));
    let running: Vec<Running> = workspaces.iter().map(start).collect();
    let codes: Vec<Option<i32>> = running.into_iter().map(|running| running.finish().code).collect();
    let count = |code| codes.iter().filter(|found| **found == Some(code)).count();
    assert_eq!((count(0), count(3)), (1, 7), "{codes:?}");
    let winner = codes.iter().position(|code| *code == Some(0)).expect("one");
    let said = workspaces[(winner + 1) % 8].run(&["claim", "API-T-0001"]);
    assert!(
        said.stderr.contains(&format!("in ws-{winner} since")),
        "{}",
        said.transcript()
    );
    assert_eq!(
        claim(&workspaces[winner], &["claim", "API-T-0001"]),
        Some(0),
        "it is its own"
    );
    world.central.fsck_strict();
}

#[test]
fn a_claim_is_listed_and_released_by_its_holder() {
    let world = World::new();
    let (api, web) = two(&world);
    assert_eq!(api.run(&["claim", "web-t-0001"]).success(), "Claimed: WEB-T-0001\n");
    let listed = web.run(&["claim"]).success();
    assert!(listed.starts_with("WEB-T-0001  metis-sync in api since "), "{listed}");
    assert_eq!(claim(&web, &["release", "WEB-T-0001"]), Some(3));
    assert_eq!(claim(&web, &["claim", "WEB-T-0001"]), Some(3));
    assert_eq!(api.run(&["release", "WEB-T-0001"]).success(), "Released: WEB-T-0001\n");
    assert_eq!(
        api.run(&["release", "WEB-T-0001"]).success(),
        "Nobody had claimed it: WEB-T-0001\n"
    );
    assert_eq!(claim(&web, &["claim", "WEB-T-0001"]), Some(0));
    assert_eq!(claim(&api, &["release", "WEB-T-0001", "--anybodys"]), Some(0));
    assert_eq!(web.run(&["claim"]).success(), "");
}

#[test]
fn nothing_is_claimed_offline() {
    let world = World::new();
    let (api, _) = two(&world);
    std::fs::rename(&world.central.dir, world.root().join("away.git")).unwrap();
    assert_eq!(claim(&api, &["claim", "API-T-0001"]), Some(1));
    std::fs::rename(world.root().join("away.git"), &world.central.dir).unwrap();
    assert_eq!(api.run(&["claim"]).success(), "");
}
