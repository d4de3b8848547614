//! Claims: of several who want one document, one gets it.

use serde_json::Value;

use super::{beginning::goes_to_a_branch, json, log_refs, over_every_transport, sync, two, two_on};
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

/// A host that takes the refs of claims and lists them to nobody: the second one hears whose the claim is all the same, the holder can
/// let go of it, and whoever takes the next task gets another one. First nobody has written a record, then they lie as branches.
#[test]
fn a_claim_counts_where_its_ref_is_hidden_from_those_who_fetch() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        world.central.git(&["config", "uploadpack.hideRefs", "refs/metis"]);
        assert_eq!(api.run(&["claim", "API-T-0001"]).success(), "Claimed: API-T-0001\n");
        let said = web.run(&["claim", "API-T-0001"]);
        assert_eq!(said.code, Some(3), "over {}: {}", remote.url, said.transcript());
        let holder = "metis-sync in api since ";
        assert!(
            said.stderr.contains(&format!("is claimed by {holder}")),
            "{}",
            said.transcript()
        );
        assert_eq!(
            api.run(&["claim", "API-T-0001"]).success(),
            "It is yours already: API-T-0001\n"
        );
        let next = json(&web, &["claim", "--next"]);
        assert_eq!(next["document"]["code"], "WEB-T-0001", "{next}");
        write_as_a_branch(&api);
        let listed = web.run(&["claim"]).success();
        assert!(
            listed.starts_with(&format!("API-T-0001  {holder}")) && listed.lines().count() == 2,
            "{listed}"
        );
        assert_eq!(json(&web, &["query", "ready"])["answer"], Value::Array(Vec::new()));
        assert_eq!(claim(&api, &["claim", "--next"]), Some(1));
        assert_eq!(claim(&web, &["release", "API-T-0001"]), Some(3));
        assert_eq!(api.run(&["release", "API-T-0001"]).success(), "Released: API-T-0001\n");
        assert_eq!(
            api.run(&["release", "API-T-0001"]).success(),
            "Nobody had claimed it: API-T-0001\n"
        );
        assert_eq!(claim(&api, &["release", "WEB-T-0001", "--anybodys"]), Some(0));
        let start = |workspace: &Workspace| Running::start(workspace.metis_sync(&["claim", "API-T-0001"]));
        let mut codes = [start(&api), start(&web)].map(|running| running.finish().code);
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(3)], "over {}", remote.url);
        world.central.fsck_strict();
    });
}

/// Writes a record, which reaches central as a branch.
fn write_as_a_branch(workspace: &Workspace) {
    json(workspace, &["tag", "add", "API-T-0001", "urgent"]);
    assert!(goes_to_a_branch(workspace));
}

/// A host that takes no such ref from anybody says so to both, and neither has a claim, be records there or not.
#[test]
fn nobody_has_a_claim_where_its_ref_is_refused() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        for setting in ["receive.hideRefs", "transfer.hideRefs"] {
            world.central.git(&["config", setting, "refs/metis"]);
            for workspace in [&api, &web] {
                let said = workspace.run(&["claim", "API-T-0001"]);
                assert_eq!(
                    said.code,
                    Some(7),
                    "{setting} over {}: {}",
                    remote.url,
                    said.transcript()
                );
                assert!(said.stderr.contains("hidden ref"), "{}", said.transcript());
            }
            assert_eq!(web.run(&["claim"]).success(), "");
            if log_refs(world).is_empty() {
                write_as_a_branch(&api);
            }
            world.central.git(&["config", "--unset", setting]);
        }
        let claims = [&api, &web].map(|workspace| claim(workspace, &["claim", "API-T-0001"]));
        assert_eq!(claims, [Some(0), Some(3)]);
    });
}

/// A host that hides claims alone: what is listed of records does not speak for them.
#[test]
fn a_claim_counts_where_claims_alone_are_hidden() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&api, &["tag", "add", "API-T-0001", "urgent"]);
    sync(&api);
    world
        .central
        .git(&["config", "uploadpack.hideRefs", "refs/metis/claim"]);
    assert_eq!(claim(&api, &["claim", "API-T-0001"]), Some(0));
    let said = web.run(&["claim", "API-T-0001"]);
    assert!(
        said.code == Some(3) && said.stderr.contains("is claimed by metis-sync in api since "),
        "{}",
        said.transcript()
    );
    assert_eq!(json(&web, &["claim", "--next"])["document"]["code"], "WEB-T-0001");
    assert_eq!(api.run(&["release", "API-T-0001"]).success(), "Released: API-T-0001\n");
    assert_eq!(claim(&web, &["claim", "API-T-0001"]), Some(0));
}
