//! The `config.toml` that people have: other tools' sections, comments, habits of editors. `init`, a sync and its record
//! add their lines and leave every other byte alone.

use std::fs;

use super::variants::{OLD, VARIANTS};
use crate::support::{document::document, world::World};

#[test]
fn every_other_byte_stays() {
    assert_eq!(VARIANTS.len(), 27);
    let world = World::new();
    let url = world.central.url();
    for (number, variant) in VARIANTS.iter().enumerate() {
        let prefix = format!("w{number:02}");
        let file = |kinds: &str, commit: &str| {
            let values = [("{url}", url.as_str()), ("{prefix}", &prefix), ("{commit}", commit)];
            String::from_utf8(variant.with(kinds, values)).expect("variants are text")
        };
        let begun = file(" ", OLD);
        let workspace = world.workspace_with_config(&prefix, &world.local(), &begun);
        let code = format!("VAR-T-{:04}", number + 1);
        workspace.write_at(
            format!("backlog/{code}.md"),
            &code,
            document(&code, variant.name, "Text."),
        );

        let init = ["-q", "init", "--upstream", &url, "--prefix", &prefix];
        workspace.run(&init).success();
        assert_eq!(workspace.config(), file(" +", OLD), "after init: {}", variant.name);
        let stamp = || {
            fs::metadata(workspace.metis().join("config.toml"))
                .and_then(|m| m.modified())
                .expect("it is there")
        };
        let before = stamp();
        workspace.run(&init).success();
        assert_eq!(stamp(), before, "nothing is missing any more: {}", variant.name);

        assert_eq!(workspace.sync().report().pushed, [code.as_str()], "{}", variant.name);
        let tip = world.central.tip().expect("it was pushed");
        assert_eq!(workspace.config(), file(" +*", &tip), "after a sync: {}", variant.name);
        workspace.edit(&code, "More.");
        workspace.sync().report();
        let tip = world.central.tip().expect("it was pushed");
        assert_eq!(
            workspace.config(),
            file(" +*", &tip),
            "after the next: {}",
            variant.name
        );
        let before = stamp();
        workspace.sync().report();
        assert_eq!(stamp(), before, "nothing to record: {}", variant.name);
    }
    world.central.fsck_strict();
}

/// `[sync] record = "local"`, as `init --record local` writes it, ends the recording, and the rest stays.
#[test]
fn without_a_record_in_it_a_sync_leaves_it_alone() {
    let world = World::new();
    let workspace = world.workspace("api");
    workspace.write("API-T-0001", "Text.");
    let init = |record| workspace.run(&["init", "--record", record]).success();
    let (begun, said) = (workspace.config(), init("local"));
    assert!(said.contains("  sync.record = \"local\"\n"), "{said}");
    let local = begun.clone() + "record = \"local\"\n";
    assert_eq!(workspace.config(), local);
    workspace.sync().report();
    assert_eq!(workspace.config(), local);
    init("config");
    workspace.edit("API-T-0001", "More.");
    workspace.sync().report();
    let recorded = format!(
        "record = \"config\"\nlast_synced_commit = \"{}\"\n",
        world.central.tip().unwrap()
    );
    assert_eq!(workspace.config(), begun + &recorded);
}

/// A typo that would turn sync off is told by every command that then has nothing to do; what is not ours is left alone.
#[test]
fn a_misspelled_key_is_told() {
    let world = World::new();
    let config = |sync: &str| {
        let url = world.central.url();
        format!(
            "[project]\nprefix = \"API\"\ncolour = 1\n[flight_levels]\nx = 1\n[workspace]\nprefix = \"api\"\n[sync]\n{sync} = \"{url}\"\n"
        )
    };
    let alone = world.workspace_with_config("api", &world.local(), &config("upsteam_url"));
    let warned =
        ".metis/config.toml: sync.upsteam_url is not a known key and sets nothing; did you mean sync.upstream_url?";
    for command in ["sync", "status", "diff", "verify", "resolve"] {
        let ended = alone.run(&[command]);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), format!("warning: {warned}\n").as_str()),
            "{command}"
        );
        assert!(String::from_utf8_lossy(&ended.stdout).starts_with("No central repository is configured"));
        let json: serde_json::Value = serde_json::from_str(&alone.run(&["--json", command]).success()).expect("JSON");
        assert_eq!(json["warnings"], serde_json::json!([warned]), "{command}");
    }

    let synced = world.workspace_with_config("api", &world.local(), &config("upstream_url"));
    synced.write("API-T-0001", "Text.");
    synced.put(".sync/config.toml", "[sync.hook]\nblocking = true\n");
    let ended = synced.run(&["sync"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (
            Some(0),
            "warning: .metis/.sync/config.toml: sync.hook is not a known key and sets nothing; did you mean sync.hooks?\n"
        )
    );
    let doctor = synced.run(&["doctor"]).success();
    assert!(doctor.contains("sync.hook is not a known key"), "{doctor}");
}
