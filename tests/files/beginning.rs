//! What `init` accepts and writes.

use std::fs;

use super::{git, synced};
use crate::support::{process::Finished, workspace::Workspace, world::World};

/// A person with an empty folder.
fn newcomer(world: &World) -> Workspace {
    let workspace = world.workspace("new");
    fs::remove_dir_all(workspace.metis()).unwrap();
    workspace
}

fn init(workspace: &Workspace, world: &World, args: &[&str]) -> Finished {
    let url = world.central.url();
    workspace.run(&[&["init", "--upstream", &url][..], args].concat())
}

#[test]
fn a_prefix_that_nobody_could_copy_is_refused() {
    let world = World::new();
    let new = newcomer(&world);
    for prefix in [
        "adrs",
        "archived",
        "backlog",
        "initiatives",
        "specifications",
        "strategies",
        "templates",
    ] {
        let refused = init(&new, &world, &["--prefix", prefix]);
        assert_eq!(refused.code, Some(2), "{}", refused.transcript());
        assert!(
            refused.stderr.contains("Choose another: `--prefix NAME`"),
            "{}",
            refused.transcript()
        );
        assert!(!new.metis().exists());
    }
    init(&new, &world, &["--prefix", "plans"]).success();
}

#[test]
fn two_projects_never_mint_the_same_codes() {
    let world = World::new();
    let web = synced(&world, "web");
    let new = newcomer(&world);
    init(&new, &world, &["--prefix", "web-2"]).success();
    let config = new.config();
    assert!(
        config.starts_with("[project]\nprefix = \"WEBA\"\n\n[flight_levels]\nstrategies_enabled = false\n"),
        "{config}"
    );

    let other = world.workspace("other");
    other.put("config.toml", "[project]\nprefix = \"WEB\"\n");
    let refused = init(&other, &world, &["--prefix", "other"]);
    assert_eq!(refused.code, Some(2), "{}", refused.transcript());
    assert!(
        refused
            .stderr
            .contains("web/ has documents whose codes begin with WEB-"),
        "{}",
        refused.transcript()
    );
    other.put("config.toml", "[project]\nprefix = \"OTH\"\n");
    init(&other, &world, &["--prefix", "other"]).success();

    // Whoever has such a workspace already is told.
    other.put("config.toml", other.config().replace("\"OTH\"", "\"WEB\""));
    other.write("WEB-T-0009", "Minted here.");
    let report = other.sync().report();
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("another project.prefix")),
        "{:?}",
        report.warnings
    );
    let doctor = String::from_utf8(other.run(&["doctor"]).stdout).unwrap();
    assert!(doctor.contains("another project.prefix"), "{doctor}");
    // Another clone of a workspace that is there is not a second project.
    init(&web, &world, &[]).success();
}

#[test]
fn the_record_goes_where_it_was_asked_for() {
    let world = World::new();
    let new = newcomer(&world);
    init(&new, &world, &["--prefix", "new"]).success();
    assert!(!new.config().contains("record"));
    init(&new, &world, &["--record", "config"]).success();
    assert!(new.config().contains("record = \"config\""));
    init(&new, &world, &["--record", "auto"]).success();
    assert!(new.config().contains("record = \"auto\""));

    git(&new, &["init", "--quiet"]);
    let said = init(&new, &world, &["--record", "config"]).success();
    assert!(
        new.config().contains("record = \"auto\"") && said.contains("Note: no sync changes a file that git tracks."),
        "{said}"
    );
    init(&new, &world, &["--record", "local"]).success();
    assert!(new.config().contains("record = \"local\""));

    let ignored = fs::read_to_string(new.metis().join(".gitignore")).unwrap();
    for line in [
        "/.sync/",
        "/metis.db",
        "/metis.db-wal",
        "/metis.db-shm",
        "/metis.db-journal",
    ] {
        assert!(ignored.lines().any(|there| there == line), "{ignored}");
    }
}
