//! No sync touches a file that git tracks, and git never sees what a sync writes.

use std::fs;

use super::{committed, git, synced};
use crate::support::{workspace::Workspace, world::World};

#[track_caller]
fn clean(workspace: &Workspace) {
    assert_eq!(git(workspace, &["status", "--porcelain"]), "");
}

#[test]
fn the_record_leaves_a_tracked_config_alone() {
    let world = World::new();
    let api = committed(&world, "api");
    clean(&api);
    let shared = api.config();
    assert!(!shared.contains("last_synced_commit"));
    let local = || fs::read_to_string(api.metis().join(".sync/config.toml")).unwrap();
    let record = || format!("last_synced_commit = \"{}\"", world.central.tip().unwrap());
    assert!(local().contains(&record()), "{}", local());

    synced(&world, "web");
    assert_eq!(api.sync().report().outcome, "synced");
    assert!(local().contains(&record()), "{}", local());
    assert_eq!(api.config(), shared);
    clean(&api);
    let before = api.snapshot();
    assert_eq!(api.sync().report().outcome, "up-to-date");
    assert_eq!(api.snapshot(), before, "a no-op writes nothing");
}

#[test]
fn the_record_is_in_config_where_git_does_not_track_that() {
    let world = World::new();
    let api = synced(&world, "api");
    let record = format!("last_synced_commit = \"{}\"", world.central.tip().unwrap());
    assert!(api.config().contains(&record));
    assert!(!api.metis().join(".sync/config.toml").exists());
}

#[test]
fn a_record_in_config_that_was_asked_for_is_written_also_where_git_tracks_it() {
    let world = World::new();
    let api = world.workspace("api");
    api.put(
        "config.toml",
        api.config().replace("[sync]\n", "[sync]\nrecord = \"config\"\n"),
    );
    git(&api, &["init", "--quiet"]);
    git(&api, &["add", "--all"]);
    git(&api, &["commit", "--quiet", "--message", "Plans"]);
    api.write("API-T-0001", "First.");
    api.sync().report();
    let record = format!("last_synced_commit = \"{}\"", world.central.tip().unwrap());
    assert!(api.config().contains(&record), "{}", api.config());
}

#[test]
fn what_this_clone_alone_wants_counts() {
    let world = World::new();
    let api = synced(&world, "api");
    api.put(".sync/config.toml", "[sync]\nupstream_url = \"--bad\"\n");
    let failure = api.sync().failure(1);
    assert!(
        failure
            .message
            .starts_with(".metis/.sync/config.toml: sync.upstream_url must be "),
        "{}",
        failure.message
    );
    api.put(".sync/config.toml", "[sync]\nrecord = \"local\"\n");
    let before = api.config();
    synced(&world, "web");
    api.sync().report();
    assert_eq!(api.config(), before, "no record");
}

/// Between two developers: whatever one of them pushes, the other one's pull, rebase, stash and checkout go through.
#[test]
fn pulling_never_stumbles_over_a_sync() {
    let world = World::new();
    let ann = committed(&world, "api");
    let origin = world.root().join("origin.git");
    git(&ann, &["clone", "--quiet", "--bare", ".", origin.to_str().unwrap()]);
    git(&ann, &["remote", "add", "origin", origin.to_str().unwrap()]);
    git(&ann, &["fetch", "--quiet"]);
    git(&ann, &["branch", "--quiet", "--set-upstream-to=origin/main"]);
    let bob = world.workspace("api");
    fs::remove_dir_all(&bob.dir).unwrap();
    fs::create_dir_all(&bob.dir).unwrap();
    git(&bob, &["clone", "--quiet", origin.to_str().unwrap(), "."]);
    bob.sync().report();
    clean(&bob);

    let web = synced(&world, "web");
    ann.sync().report();
    bob.sync().report();
    assert_eq!(
        (ann.hydrated("web"), bob.hydrated("web")),
        (web.documents(), web.documents())
    );
    ann.put("config.toml", ann.config().replace("Kept by hand", "Kept by Ann"));
    ann.put(".gitignore", "metis.db\n# Ann's\n");
    git(&ann, &["commit", "--quiet", "--all", "--message", "Ann's"]);
    git(&ann, &["push", "--quiet"]);
    bob.put("notes.txt", "Bob's.");
    git(&bob, &["add", "--all"]);
    git(&bob, &["commit", "--quiet", "--message", "Bob's"]);
    git(&bob, &["pull", "--quiet", "--rebase"]);
    assert!(bob.config().contains("Kept by Ann"));
    clean(&bob);
    assert_eq!(bob.sync().report().outcome, "up-to-date");

    git(&bob, &["checkout", "--quiet", "--orphan", "bare-beginnings"]);
    git(&bob, &["rm", "--quiet", "-r", "--force", "."]);
    bob.put("../code.c", "int main;");
    git(&bob, &["add", "--all"]);
    git(&bob, &["commit", "--quiet", "--message", "Code"]);
    let tracked = git(&bob, &["ls-files"]);
    assert_eq!(
        tracked, "code.c\n",
        "a branch without our .gitignore takes nothing of ours"
    );
    assert_eq!(bob.hydrated("web"), web.documents(), "the copies are still there");
    bob.put("../code.c", "int main(void);");
    git(&bob, &["stash", "--quiet", "--include-untracked"]);
    clean(&bob);
    git(&bob, &["checkout", "--quiet", "main"]);
    git(&bob, &["stash", "list"]);
    clean(&bob);
    assert_eq!(bob.hydrated("web"), web.documents(), "nor did the stash");
}

#[test]
fn what_sqlite_keeps_beside_the_database_is_ignored_on_every_branch() {
    let world = World::new();
    let api = committed(&world, "api");
    fs::remove_file(api.metis().join(".gitignore")).unwrap();
    git(&api, &["commit", "--quiet", "--all", "--message", "No list"]);
    for beside in [
        "metis.db-wal",
        "metis.db-shm",
        "metis.db-journal",
        "metis.db.sync-build-1-0",
    ] {
        api.put(beside, "x");
    }
    clean(&api);
    let exclude = fs::read_to_string(api.dir.join(".git/info/exclude")).unwrap();
    assert!(exclude.contains("**/.metis/metis.db-wal\n"), "{exclude}");

    let worktree = world.root().join("linked");
    git(
        &api,
        &["worktree", "add", "--quiet", worktree.to_str().unwrap(), "-b", "other"],
    );
    let before = exclude;
    let linked = api.dir.clone();
    assert_ne!(linked, worktree);
    let mut sync = api.program(env!("CARGO_BIN_EXE_git-metis-sync"));
    sync.arg("-C").arg(&worktree);
    crate::support::process::run(sync).success();
    let exclude = fs::read_to_string(api.dir.join(".git/info/exclude")).unwrap();
    assert_eq!(exclude, before, "one list for all work trees");
    assert!(worktree.join(".metis/metis.db").exists());
    let mut status = api.program("git");
    status.arg("-C").arg(&worktree).args(["status", "--porcelain"]);
    assert_eq!(crate::support::process::run(status).success(), "");
}

/// Folders that an earlier version hydrated listed in `.metis/.gitignore` ignore themselves after the next sync, which
/// leaves that list alone; `doctor --fix` shortens it.
#[test]
fn folders_of_earlier_versions_learn_to_ignore_themselves() {
    let world = World::new();
    synced(&world, "web");
    let api = synced(&world, "api");
    let list = "metis.db\n# >>> git-metis-sync: written by the program, changes in here are lost >>>\n/.sync/\n/metis.db\n\
                /web/\n# <<< git-metis-sync <<<\n";
    api.put(".gitignore", list);
    fs::remove_file(api.metis().join("web/.gitignore")).unwrap();
    let cursor = fs::read_to_string(api.metis().join(".sync/cursor.json")).unwrap();
    assert!(cursor.contains("\"folders_ignored\":true,"));
    api.put(".sync/cursor.json", cursor.replace("\"folders_ignored\":true,", ""));
    api.sync().report();
    let ignored = |path: &str| fs::read_to_string(api.metis().join(path)).unwrap();
    assert_eq!(
        (ignored("web/.gitignore").as_str(), ignored(".gitignore").as_str()),
        ("*\n", list)
    );

    // Also where this clone has lost what it knew.
    fs::remove_file(api.metis().join("web/.gitignore")).unwrap();
    fs::remove_file(api.metis().join(".sync/cursor.json")).unwrap();
    api.sync().report();
    assert_eq!(ignored("web/.gitignore"), "*\n");

    fs::remove_file(api.metis().join("web/.gitignore")).unwrap();
    api.run(&["doctor", "--fix"]).success();
    assert_eq!(ignored(".gitignore"), list.replace("/web/\n", ""));
    assert_eq!(ignored("web/.gitignore"), "*\n");
}

#[test]
fn what_git_tracks_is_never_hydrated_into() {
    let world = World::new();
    let web = synced(&world, "web");
    let api = committed(&world, "api");
    git(&api, &["add", "--force", ".metis/web"]);
    git(&api, &["commit", "--quiet", "--message", "Copies, by accident"]);
    assert!(git(&api, &["ls-files"]).contains(".metis/web/WEB-T-0001.md"));
    web.edit("WEB-T-0001", "Second.");
    web.sync().report();

    let report = api.sync().report();
    let way_out = "git rm --cached -r .metis/web";
    assert!(
        report.warnings.iter().any(|warning| warning.contains(way_out)),
        "{:?}",
        report.warnings
    );
    assert_ne!(api.hydrated("web"), web.documents(), "what git tracks stays as it is");
    clean(&api);
    let doctor = String::from_utf8(api.run(&["doctor"]).stdout).unwrap();
    assert!(doctor.contains(way_out), "{doctor}");

    git(&api, &["rm", "--quiet", "--cached", "-r", ".metis/web"]);
    git(&api, &["commit", "--quiet", "--message", "Take the copies out"]);
    let report = api.sync().report();
    assert_eq!(report.warnings, Vec::<String>::new());
    assert_eq!(api.hydrated("web"), web.documents());
    clean(&api);
}

/// Copies without a marker, as they come where hidden files are left out, are taken up again where nobody wrote in them.
#[test]
fn copies_without_a_marker_are_taken_up_if_they_are_central_s() {
    let world = World::new();
    let web = synced(&world, "web");
    let api = synced(&world, "api");
    fs::remove_file(api.metis().join("web/.hydrated")).unwrap();
    fs::remove_file(api.metis().join(".sync/cursor.json")).unwrap();
    assert_eq!(api.sync().report().warnings, Vec::<String>::new());
    assert!(api.metis().join("web/.hydrated").exists());
    assert_eq!(world.central.folder("api").len(), 1);

    fs::remove_file(api.metis().join("web/.hydrated")).unwrap();
    fs::remove_file(api.metis().join(".sync/cursor.json")).unwrap();
    let copy = api.metis().join("web/WEB-T-0001.md");
    api.put("web/WEB-T-0001.md", "my own");
    let report = api.sync().report();
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("web/ could not be hydrated")),
        "{:?}",
        report.warnings
    );
    assert_eq!(fs::read(&copy).unwrap(), b"my own");
    assert_eq!(world.central.folder("web"), web.documents());
}
