//! The name of a renamed workspace goes to another one before all its clones have heard of it.

use crate::support::team::{Checkout, Team, exits};

fn workspace(person: &Checkout, arguments: &str) -> String {
    let words: Vec<&str> = ["workspace"].into_iter().chain(arguments.split(' ')).collect();
    exits(&person.run(&words), 0)
}

/// Another workspace begins in central.
fn begins(team: &Team, prefix: &str) -> Checkout {
    let other = team.stranger("other", "NEW");
    team.begin(&other, prefix, "main", 1);
    other.syncs();
    other
}

/// A clone that lags pushes nothing to the other one's folder, takes nothing out of it, and is told the new name.
#[test]
fn a_new_workspace_gets_the_old_name() {
    let team = Team::new();
    workspace(&team.ann, "rename api tmp");
    workspace(&team.ann, "rename tmp platform");
    team.ann.commit("renamed");
    team.ann.git("push -q");
    begins(&team, "api");
    team.bob.write(1, "by bob");
    team.bob.write(7, "new");
    team.bob.commit("by bob");
    for options in [&[][..], &["--force"]] {
        let said = exits(&team.bob.sync_with(options), 3);
        assert!(said.contains("workspace rename api platform"), "{said}");
        assert_eq!(team.plans(), "1=v1", "the other workspace's");
    }
    team.bob.git("pull -q --no-edit");
    let said = team.bob.sync_exits(3);
    assert!(said.contains("workspace rename api platform"), "{said}");
    workspace(&team.bob, "rename api platform");
    team.bob.syncs();
    assert_eq!(team.plans_of("platform"), "1=by bob 2=v1 3=v1 7=new");
    assert_eq!(team.plans(), "1=v1");
    assert!(
        team.bob.metis().join("api/NEW-T-0001.md").exists(),
        "a copy like any other"
    );
}

#[test]
fn two_workspaces_change_names() {
    let team = Team::new();
    let webs = team.plans_of("web");
    workspace(&team.ann, "rename api tmp");
    workspace(&team.web, "rename web api");
    workspace(&team.ann, "rename tmp web");
    team.ann.commit("renamed");
    team.ann.git("push -q");
    let said = team.bob.sync_exits(3);
    assert!(said.contains("workspace rename api web"), "{said}");
    workspace(&team.bob, "rename api web");
    team.bob.write(2, "by bob");
    for everybody in [&team.bob, &team.ann, &team.web] {
        everybody.syncs();
    }
    assert_eq!(team.plans_of("web"), "1=v1 2=by bob 3=v1");
    assert_eq!(team.world.central.folder("api").len(), webs.split(' ').count());
    assert!(team.ann.metis().join("api/WEB-T-0001.md").exists());
    assert!(team.web.metis().join("web/API-T-0002.md").exists());
}

/// Without a history only central's commits tell whose the folder is.
#[test]
fn copies_of_a_plain_folder() {
    let team = Team::new();
    let (one, other) = (team.person("one"), team.person("lagging"));
    for person in [&one, &other] {
        person.put(".metis/config.toml", team.config(person, "plain", "worktree"));
        person.write(7, "v1");
        person.syncs();
    }
    workspace(&one, "rename plain platform");
    begins(&team, "plain");
    other.write(8, "new");
    let said = other.sync_exits(3);
    assert!(said.contains("workspace rename plain platform"), "{said}");
    assert_eq!(team.plans_of("plain"), "1=v1");
    workspace(&other, "rename plain platform");
    other.syncs();
    assert_eq!(team.plans_of("plain"), "1=v1");
    assert_eq!(team.plans_of("platform"), "7=v1 8=new");
}
