//! Central lost something, or its history was made anew.

use crate::support::team::{NEWEST, Team, exits};

/// The same files in one commit. Bob has not pulled that Ann removed a document: he does not bring it back.
#[test]
fn a_squashed_history_brings_nothing_back() {
    let team = Team::new();
    team.ann.remove(2);
    team.ann.commit("drop it");
    team.ann.syncs();
    let central = &team.world.central;
    let squashed = central.git(&["commit-tree", "-m", "squash", "main^{tree}"]);
    central.git(&["update-ref", "refs/heads/main", squashed.trim()]);
    for person in [&team.ann, &team.bob] {
        person.sync_exits(3);
        exits(&person.sync_with(&["--adopt-central"]), 0);
        assert_eq!(team.plans(), "1=v1 3=v1");
    }
    team.edits_get_through(&team.ann);
}

/// Somebody with the right to push deletes the folder of the project. Some way brings it back.
#[test]
fn a_folder_that_was_deleted_in_central() {
    let team = Team::new();
    let administrator = team.person("administrator");
    let (from, to) = (team.world.central.url(), administrator.dir.display());
    administrator.git(&format!("clone -q {from} {to}"));
    administrator.git("rm -q -r api");
    administrator.git("commit -q -m tidy");
    administrator.git("push -q");
    team.ann.syncs();
    exits(&team.ann.sync_with(&["--force"]), 0);
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// Central was restored from a backup: older than what was synced. Nobody goes on before they said so.
#[test]
fn a_central_from_a_backup() {
    let team = Team::new();
    let backup = team.world.central.git(&["rev-parse", "main"]);
    team.moves_on();
    team.world
        .central
        .git(&["update-ref", "refs/heads/main", backup.trim()]);
    team.ann.sync_exits(3);
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    exits(&team.ann.sync_with(&["--adopt-central"]), 0);
    assert_eq!(
        team.plans(),
        "1=v2 2=v1 3=v1",
        "shown to be newer; the new one may have been removed"
    );
    exits(&team.ann.sync_with(&["--force"]), 0);
    assert_eq!(team.plans(), NEWEST);
    team.edits_get_through(&team.ann);
}
