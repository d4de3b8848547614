//! Many workspaces in one process.

use super::{Watching, hasty, noted};
use crate::support::{process::eventually, world::World};

/// They share one question to their central, and what one pushes the others have at once.
#[test]
fn several_in_one_process() {
    let world = World::new();
    let first = world.workspace("first");
    let all: Vec<_> = (0..4)
        .map(|number| world.workspace(&format!("ws{number}")).beside(&first))
        .collect();
    for workspace in &all {
        hasty(workspace, "");
    }
    let dirs: Vec<String> = all
        .iter()
        .map(|workspace| workspace.dir.display().to_string())
        .collect();
    let mut command = first.metis_sync(&["watch"]);
    command.args(&dirs);
    let watching = Watching::start(command, &first.home.join("watch.log"));
    eventually("their first syncs", || {
        all.iter().all(|workspace| noted(workspace)["last_success"].is_string())
    });
    for (number, workspace) in all.iter().enumerate() {
        workspace.write(&format!("WS-T-{number:04}"), "Mine.");
    }
    eventually("everybody's with everybody", || {
        all.iter().all(|reader| {
            let others = all.iter().filter(|writer| writer.prefix != reader.prefix);
            others
                .into_iter()
                .all(|writer| reader.hydrated(&writer.prefix) == writer.documents())
        })
    });
    assert_eq!(watching.end(), Some(130));
}
