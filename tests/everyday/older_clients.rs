//! Clients that know nothing of this rule write into the same central: upstream's, and our first release.

use crate::support::team::{NEWEST, Team};

/// What such a client pushes: the same commit without trailers.
fn older_client_pushes(team: &Team, number: u32, text: &str) {
    let document = team.ann.document(number, text);
    let path = format!("api/{}.md", team.ann.code(number));
    team.world.central.land(&path, document);
}

/// Carl uses an old client: he commits, pushes and syncs. Everybody else is in step when they pulled, and goes on from there.
#[test]
fn an_older_client_between_two_of_ours() {
    let team = Team::new();
    team.ann.publishes(2, "ann");
    let carl = team.clone("carl", "");
    carl.pushes(1, "carl");
    older_client_pushes(&team, 1, "carl");
    let published = "1=carl 2=ann 3=v1";
    for lagging in [&team.ann, &team.bob] {
        lagging.syncs();
        assert_eq!(team.plans(), published, "central had the older version before");
        lagging.catches_up();
        assert_eq!(team.plans(), published);
    }
    team.bob.write(1, "bob");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=bob 2=ann 3=v1");
    team.bob.commit("bob");
    team.edits_get_through(&team.bob);
}

/// Its new document is not taken for one that was removed here, nor brought by force.
#[test]
fn a_new_document_of_an_older_client() {
    let team = Team::new();
    older_client_pushes(&team, 4, "carl");
    for _ in 0..2 {
        team.ann.syncs();
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1 4=carl");
    }
    team.edits_get_through(&team.ann);
}

/// What it took back (it had an older branch checked out), any clone of ours on a newer main mends: whether that clone had the
/// newer version before or not, and whether its user goes on writing or not.
#[test]
fn what_an_older_client_damaged_is_mended() {
    let team = Team::new();
    team.moves_on();
    team.bob.catches_up();
    let carl = team.clone("carl", "");
    for mends in [&team.ann, &team.bob, &carl] {
        older_client_pushes(&team, 1, "v1");
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1 4=new");
        mends.syncs();
        assert_eq!(team.plans(), NEWEST);
    }
    older_client_pushes(&team, 1, "v1");
    team.ann.write(1, "v3");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v3 2=v1 3=v1 4=new");
    older_client_pushes(&team, 1, "v1");
    team.ann.commit("v3");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v3 2=v1 3=v1 4=new");
    team.edits_get_through(&team.ann);
}

/// So is a document that it brings back, which the project has removed.
#[test]
fn what_an_older_client_brings_back_goes_again() {
    let team = Team::new();
    team.ann.remove(2);
    team.ann.commit("done");
    team.ann.git("push -q");
    team.ann.syncs();
    older_client_pushes(&team, 2, "v1");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1");
    older_client_pushes(&team, 2, "v1");
    let carl = team.clone("carl", "");
    carl.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1");
    team.edits_get_through(&carl);
}

/// It may also have taken a version back on purpose. That comes with the project's own history.
#[test]
fn what_an_older_client_takes_back_on_purpose_arrives_with_the_project() {
    let team = Team::new();
    team.moves_on();
    team.bob.git("pull -q");
    team.bob.git("revert --no-edit HEAD");
    team.bob.git("push -q");
    older_client_pushes(&team, 1, "v1");
    team.ann.sync_exits(3);
    assert_eq!(
        team.plans(),
        "1=v1 2=v1 3=v1 4=new",
        "the project's remote was asked first"
    );
    team.ann.catches_up();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.bob);
}

/// A colleague with our program went back to an older text and has not pushed that yet: only an older client's word is
/// doubted.
#[test]
fn an_older_text_with_a_trailer_stays() {
    let team = Team::publishing("worktree");
    team.moves_on();
    team.bob.catches_up();
    team.bob.git("revert --no-edit HEAD");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.bob);
}

/// A central that only older clients have written to: the first sync of a fresh clone neither stops nor floods.
#[test]
fn a_central_without_any_trailer() {
    let team = Team::new();
    let central = &team.world.central;
    central.git(&["update-ref", "-d", "refs/heads/main"]);
    for number in 1..4 {
        older_client_pushes(&team, number, "v1");
    }
    older_client_pushes(&team, 1, "v1-older-client");
    let carl = team.clone("carl", "");
    let said = carl.syncs();
    assert_eq!(team.plans(), "1=v1-older-client 2=v1 3=v1");
    for number in [2, 3] {
        assert!(!said.contains(&carl.code(number)), "{said}");
    }
    carl.write(2, "carl");
    carl.syncs();
    assert_eq!(team.plans(), "1=v1-older-client 2=carl 3=v1");
}
