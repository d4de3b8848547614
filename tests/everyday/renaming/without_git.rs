//! A folder gets another name where there is no git.

use super::{ALL, has, workspace};
use crate::support::{process::run, team::Team, world::World};

/// Without git the commit in central says what became of the folder.
#[test]
fn copies_of_a_plain_folder() {
    let team = Team::new();
    let (one, other) = (team.person("one"), team.person("other"));
    for person in [&one, &other] {
        person.put(".metis/config.toml", team.config(person, "plain", "worktree"));
        person.write(7, "v1");
        person.syncs();
    }
    workspace(&one, "rename plain platform", 0);
    has(&team, ALL, "7=v1");
    other.write(7, "v2");
    other.write(8, "new");
    let said = other.sync_exits(3);
    assert!(said.contains("workspace rename plain platform"), "{said}");
    assert_eq!(team.plans_of("plain"), "");
    workspace(&other, "rename plain platform", 0);
    other.syncs();
    has(&team, ALL, "7=v2 8=new");
}

/// Without git: documents of the folder that the same clone had before are its own, not another workspace's.
#[test]
fn a_plain_folder_begins_another_name() {
    let world = World::new();
    let api = world.workspace("api");
    for code in ["API-T-0001", "API-T-0002"] {
        api.write(code, "first");
    }
    api.sync().report();
    run(api.metis_sync(&["init", "--prefix", "core"])).success();
    api.sync().report();
    assert_eq!(world.central.folder("core"), api.documents());
    assert_eq!(world.central.folder("core").len(), 2);
    api.write("API-T-0001", "second");
    api.sync().report();
    assert_eq!(world.central.folder("core"), api.documents());
}
