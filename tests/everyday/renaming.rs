//! A workspace keeps its folder, and a folder its project.

use crate::support::team::Team;

/// Renamed in config.toml: noticed, with the command that does it.
#[test]
#[ignore = "waits for the command that renames a workspace"]
fn another_prefix_in_the_configuration() {
    let team = Team::new();
    let config = team.config(&team.ann, "platform", "main");
    team.ann.put(".metis/config.toml", config);
    team.ann.commit("a better name");
    let said = team.ann.sync_exits(3);
    assert!(said.contains("rename api platform"), "{said}");
    assert_eq!(
        (team.plans().as_str(), team.plans_of("platform").as_str()),
        ("1=v1 2=v1 3=v1", "")
    );
    team.ann.git("push -q");
    let carl = team.clone("carl", "");
    carl.sync_exits(3);
    assert_eq!(team.plans_of("platform"), "", "a fresh clone of the same project");
    team.ann.git("revert --no-edit HEAD");
    team.edits_get_through(&team.ann);
}

/// Another project takes the same prefix by mistake.
#[test]
fn two_projects_on_one_prefix() {
    let team = Team::new();
    let other = team.person("other");
    team.begin(&other, "api", "main", 5);
    for _ in 0..2 {
        let said = other.sync_exits(3);
        assert!(said.contains("another project"), "{said}");
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    }
    team.edits_get_through(&team.ann);
}
