//! What went wrong beside a sync is a warning.

use std::{fs, process::Command};

use super::about_to_push;
use crate::support::{
    process::{quoted, run},
    report::Ended,
    servers::skip,
    workspace::Workspace,
    world::World,
};

/// The program in a world of its own where nobody can replace `config.toml`: it is a mount point there.
fn with_pinned_config(workspace: &Workspace) -> Option<Ended> {
    let config = quoted(&workspace.metis().join("config.toml").display().to_string());
    let mut probe = Command::new("unshare");
    probe.args(["--map-root-user", "--mount", "true"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        skip("no mount namespaces here");
        return None;
    }
    let mut command = workspace.program("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .arg(format!(
            "mount --bind {config} {config} && exec \"$0\" --json -C \"$1\""
        ))
        .arg(env!("CARGO_BIN_EXE_git-metis-sync"))
        .arg(&workspace.dir);
    Some(Ended(run(command)))
}

/// 81#24
#[test]
fn a_config_that_cannot_be_replaced_is_a_warning() {
    let world = World::new();
    let api = about_to_push(&world, &world.local());
    let config = api.config();
    let Some(ended) = with_pinned_config(&api) else { return };
    let report = ended.report();
    assert_eq!((report.outcome.as_str(), report.pushed.len()), ("synced", 1));
    assert_eq!(report.pulled["web"].written, 1);
    let [warning] = report.warnings.as_slice() else {
        panic!("{:?}", report.warnings)
    };
    assert!(
        warning.starts_with("last_synced_commit could not be written: ")
            && warning.ends_with("; the sync itself is complete"),
        "{warning}"
    );
    assert_eq!(api.config(), config);
    let left: Vec<_> = fs::read_dir(api.metis())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains("tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // This clone knows all the same what it has synced: nothing is done twice, only the record is made good.
    let report = api.sync().report();
    assert_eq!(
        (report.pulled.len(), report.commit, report.warnings.len()),
        (0, None, 0)
    );
    assert!(api.config().contains(&world.central.tip().unwrap()));
}

/// 81#25: something that is no database of ours, or no database at all, is where ours should be.
#[test]
fn a_cache_that_cannot_be_rebuilt_is_a_warning() {
    for obstacle in ["folder", "text"] {
        let world = World::new();
        let api = about_to_push(&world, &world.local());
        let db = api.metis().join("metis.db");
        match obstacle {
            "folder" => {
                fs::create_dir(&db).unwrap();
                fs::write(db.join("mine"), "").unwrap();
            }
            _ => fs::write(&db, "These are my notes, in a file of an unlucky name.\n".repeat(100)).unwrap(),
        }
        let report = api.sync().report();
        assert_eq!((report.outcome.as_str(), report.pushed.len()), ("synced", 1));
        let [warning] = report.warnings.as_slice() else {
            panic!("{obstacle}: {:?}", report.warnings)
        };
        assert!(
            warning.starts_with("metis.db could not be rebuilt: ")
                && warning.ends_with("or run `git metis-sync rebuild-cache`"),
            "{warning}"
        );
        assert!(match obstacle {
            "folder" => db.join("mine").exists(),
            _ => fs::read_to_string(&db).unwrap().starts_with("These are my notes"),
        });
        assert_eq!(api.run(&["rebuild-cache"]).code, Some(1));

        // The next sync makes it good, although there is nothing else to do.
        fs::rename(&db, api.metis().join("aside")).unwrap();
        assert_eq!(api.sync().report().warnings, Vec::<String>::new());
        assert!(db.is_file());
    }
}
