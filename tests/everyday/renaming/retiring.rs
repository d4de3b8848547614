//! A folder is taken out of central, and not registered again by mistake.

use super::{ALL, has, message, workspace};
use crate::support::{
    team::{Team, exits},
    terminal::{at_terminal, plain},
    world::World,
};

/// Taken out of central, and not registered again by any clone until somebody says so.
#[test]
fn a_retired_workspace() {
    let team = Team::new();
    let said = workspace(&team.ann, "retire api", 2);
    assert!(said.contains("--yes"), "{said}");
    has(&team, ALL, "");
    workspace(&team.ann, "retire api --yes", 0);
    has(&team, "", "");
    assert!(message(&team).contains("Workspace-Left: api"));
    assert_eq!(team.ann.read(1), "v1");
    team.web.syncs();
    assert!(!team.web.metis().join("api").exists());
    team.web.write(1, "v2");
    team.web.syncs();
    team.ann.write(1, "v2");
    for _ in 0..2 {
        let said = team.ann.syncs();
        assert!(said.contains("api/ was retired from central"), "{said}");
    }
    assert!(
        std::fs::read_to_string(team.ann.metis().join("web/WEB-T-0001.md"))
            .unwrap()
            .contains("v2")
    );
    has(&team, "", "");

    let said = team.bob.sync_exits(3);
    assert!(said.contains("workspace retire api"), "{said}");
    workspace(&team.bob, "retire api --yes", 0);
    team.bob.syncs();
    has(&team, "", "");

    exits(&team.ann.run(&["init"]), 0);
    let said = team.ann.syncs();
    assert!(said.contains("Registered: api/"), "{said}");
    has(&team, "1=v2 2=v1 3=v1", "");
}

/// Chosen with `init`, the new folder begins beside the old one, which can be taken away afterwards.
#[test]
fn another_name_by_init() {
    let team = Team::new();
    let said = exits(&team.ann.run(&["init", "--prefix", "platform"]), 0);
    assert!(said.contains("workspace rename api platform"), "{said}");
    team.ann.syncs();
    has(&team, ALL, ALL);
    workspace(&team.ann, "retire api --yes", 0);
    has(&team, "", ALL);
    team.ann.write(1, "v2");
    team.ann.syncs();
    has(&team, "", "1=v2 2=v1 3=v1");
}

/// A person is asked before anything goes.
#[test]
fn retiring_at_a_terminal() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "first");
    api.sync().report();
    let mut command = api.metis_sync(&["workspace", "retire", "api"]);
    command.env("TERM", "xterm").env("GIT_TERMINAL_PROMPT", "1");
    for (typed, left) in [("\n", 1), ("n\n", 1), ("y\n", 0)] {
        let Some(finished) = at_terminal(&api, &command, typed) else {
            return;
        };
        let text = plain(&finished);
        assert!(text.contains("Take api/ out of"), "{text}");
        assert_eq!(world.central.folder("api").len(), left, "{text}");
    }
}
