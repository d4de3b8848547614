//! Without git around it a folder has its own memory only: three versions, and what was synced last.

use std::fs;

use crate::support::{
    process::run,
    team::{Checkout, Team},
};

/// A folder without git, with three documents, synced as `notes/`.
fn folder(team: &Team) -> Checkout {
    let folder = team.stranger("folder", "NOTE");
    let config = team.config(&folder, "notes", "main").replace("source = \"main\"\n", "");
    folder.put(".metis/config.toml", config);
    for number in 1..4 {
        folder.write(number, "v1");
    }
    folder.syncs();
    assert_eq!(team.plans_of("notes"), "1=v1 2=v1 3=v1");
    folder
}

/// Everything, the memory of the last sync included.
fn copied(folder: &Checkout, program: &[&str]) -> Checkout {
    let copy = folder.elsewhere(folder.dir.with_extension("copy"));
    let mut command = folder.program(program[0]);
    command.args(&program[1..]);
    // rsync copies what is in a folder whose name ends in a slash.
    command.arg(format!("{}/.", folder.dir.display())).arg(&copy.dir);
    run(command).success();
    copy
}

#[test]
fn a_copied_folder() {
    let team = Team::new();
    let first = folder(&team);
    let second = copied(&first, &["cp", "-a"]);
    first.write(1, "v2");
    first.syncs();
    second.syncs();
    assert_eq!(team.plans_of("notes"), "1=v2 2=v1 3=v1", "the copy is behind");
    second.write(2, "v2");
    second.syncs();
    assert_eq!(team.plans_of("notes"), "1=v2 2=v2 3=v1");
    first.write(1, "v1");
    first.syncs();
    assert_eq!(team.plans_of("notes"), "1=v1 2=v2 3=v1", "changed back by hand");
    first.remove(3);
    first.syncs();
    second.syncs();
    assert_eq!(team.plans_of("notes"), "1=v1 2=v2", "it stays removed");
}

#[test]
fn two_copies_that_both_went_on() {
    let team = Team::new();
    let first = folder(&team);
    let second = copied(&first, &["cp", "-a"]);
    first.write(1, "first");
    second.write(1, "second");
    second.write(2, "second");
    first.syncs();
    second.sync_exits(3);
    assert_eq!(team.plans_of("notes"), "1=first 2=second 3=v1");
}

/// A backup is put in the place of the folder: older texts, and a memory that fits them.
#[test]
fn a_restored_backup() {
    let team = Team::new();
    let folder = folder(&team);
    let backup = copied(&folder, &["cp", "-a"]);
    folder.write(1, "v2");
    folder.write(4, "new");
    folder.syncs();
    let newest = "1=v2 2=v1 3=v1 4=new";
    fs::remove_dir_all(&folder.dir).expect("ours");
    fs::rename(&backup.dir, &folder.dir).expect("ours");
    for _ in 0..2 {
        folder.syncs();
        assert_eq!(team.plans_of("notes"), newest);
    }
    folder.write(3, "edited");
    folder.syncs();
    assert_eq!(team.plans_of("notes"), "1=v2 2=v1 3=edited 4=new");
}

/// The other way round: older documents are copied over a folder whose memory is of the newer ones. That is what it holds now,
/// and what an edit looks like; but central had these versions before, and the memory is another folder's.
#[test]
fn a_memory_from_another_folder() {
    let team = Team::new();
    let first = folder(&team);
    let older = copied(&first, &["cp", "-a"]);
    first.write(1, "v2");
    first.write(4, "new");
    first.syncs();
    fs::remove_dir_all(older.metis().join(".sync")).expect("ours");
    let mut copy = first.program("cp");
    copy.arg("-a")
        .arg(first.metis().join(".sync"))
        .arg(older.metis().join(".sync"));
    run(copy).success();
    older.sync();
    let plans = team.plans_of("notes");
    assert!(plans.starts_with("1=v2 "), "what was older is not newer: {plans}");
}

#[test]
fn a_folder_kept_in_step_by_rsync() {
    if which_rsync().is_none() {
        return crate::support::servers::skip("rsync");
    }
    let team = Team::new();
    let first = folder(&team);
    let second = copied(&first, &["rsync", "-a", "--checksum"]);
    for text in ["v2", "v3"] {
        first.write(1, text);
        first.syncs();
        second.syncs();
        assert_eq!(team.plans_of("notes"), format!("1={text} 2=v1 3=v1"));
        // By content: two texts of one size that were written in one second look alike to rsync.
        copied(&first, &["rsync", "-a", "--checksum", "--delete"]);
        second.syncs();
        assert_eq!(team.plans_of("notes"), format!("1={text} 2=v1 3=v1"));
    }
    second.write(2, "second");
    second.syncs();
    assert_eq!(team.plans_of("notes"), "1=v3 2=second 3=v1");
}

fn which_rsync() -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join("rsync"))
        .find(|program| program.exists())
}
