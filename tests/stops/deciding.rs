//! Documents that `resolve` cannot decide as it was told to.

use metis_sync::sync::stop::Stop;

use super::Person;
use crate::support::team::Team;

/// Both changed the same document.
fn diverged(ann: &str, bob: &str) -> Team {
    let team = Team::new();
    team.ann.write(1, ann);
    team.ann.syncs();
    team.bob.commits(1, bob);
    team.bob.sync_exits(3);
    team
}

pub fn it_waits_for_no_decision(stop: Stop) {
    let team = diverged("ann", "bob");
    let stopped = team.bob.stops(&["resolve", "API-T-0002", "--take", "local"], stop);
    let said = team.bob.types(stopped.command("git metis-sync resolve"));
    assert!(said.contains("API-T-0001") && !said.contains("API-T-0002"), "{said}");
    team.bob.types("git metis-sync resolve API-T-0001 --take local");
    team.bob.goes_through();
}

pub fn the_source_branch_is_not_checked_out(stop: Stop) {
    let team = diverged("ann", "bob");
    team.bob.git("checkout -q -b side");
    let take = ["resolve", "API-T-0001", "--take", "central"];
    let stopped = team.bob.stops(&take, stop);
    team.bob.types(stopped.command("git checkout"));
    assert_eq!(team.bob.asks(&take).code, Some(0));
    team.bob.goes_through();
    assert_eq!(team.bob.read(1), "ann");
}

/// Somebody else's new document, of which this clone's branch knows nothing.
pub fn it_is_there_on_one_side_only(stop: Stop) {
    let team = Team::new();
    team.ann.write(9, "only there");
    team.ann.syncs();
    team.bob.syncs();
    let stopped = team.bob.stops(&["resolve", "API-T-0009", "--take", "merge"], stop);
    team.bob.types(stopped.command("git metis-sync resolve API-T-0009"));
    team.bob.goes_through();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

/// It has bytes that make it binary to git.
pub fn git_cannot_merge_it(stop: Stop) {
    let team = diverged("ann\0", "bob\0");
    let stopped = team.bob.stops(&["resolve", "API-T-0001", "--take", "merge"], stop);
    team.bob.types(stopped.command("git metis-sync resolve API-T-0001"));
    team.bob.goes_through();
    assert_eq!(team.plans(), "1=bob\\x00 2=v1 3=v1");
}
