//! Copies of other workspaces' documents never become the project's own, nor part of its history by accident.

use std::fs;

use crate::support::team::Team;

/// A branch that has no `.metis/.gitignore`: `git add --all` there commits none of what a sync has left.
#[test]
fn on_a_branch_from_before_the_workspace() {
    let team = Team::new();
    team.ann.git("checkout -q --orphan before");
    team.ann.git("rm -r -q --cached .");
    fs::remove_dir_all(team.ann.metis().join("backlog")).expect("writable");
    for file in ["config.toml", ".gitignore"] {
        fs::remove_file(team.ann.metis().join(file)).expect("writable");
    }
    team.ann.put("readme", "before\n");
    team.ann.commit("before");
    assert_eq!(team.ann.git("ls-files"), "readme\n");
}

/// The copies were committed where no ignore rule held them back, without their marker; a clone has them as plain files.
#[test]
fn committed_without_their_marker() {
    let team = Team::new();
    team.ann.git("checkout -q -b mistake");
    let web = team.ann.metis().join("web");
    for entry in fs::read_dir(&web).expect("hydrated") {
        let path = entry.expect("readable").path();
        if path.extension().is_none_or(|ending| ending != "md") {
            fs::remove_file(path).expect("ours");
        }
    }
    team.ann.put(".metis/.gitignore", "/.sync/\n/metis.db\n");
    team.ann.git("add --force .metis/web");
    team.ann.commit("all of it");
    team.ann.git("push -q origin mistake mistake:main");
    let carl = team.clone("carl", "");
    let said = carl.syncs();
    assert!(said.contains("WEB-T-0001"), "it is named: {said}");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    assert_eq!(team.plans_of("web"), "1=v1 2=v1");
    team.edits_get_through(&carl);
}

/// Somebody copies a document of another team over, to begin their own with it, and forgets the code.
#[test]
fn copied_into_the_backlog() {
    let team = Team::new();
    team.ann.put(".metis/backlog/begun.md", team.web.document(1, "v1"));
    let said = team.ann.syncs();
    assert!(said.contains("WEB-T-0001"), "it is named: {said}");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.ann.put(".metis/backlog/begun.md", team.web.document(1, "edited"));
    let said = team.ann.syncs();
    assert!(said.contains("WEB-T-0001"), "it is named: {said}");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "edited it is still web's");
    assert_eq!(team.plans_of("web"), "1=v1 2=v1");
    team.edits_get_through(&team.ann);
}

/// A sync leaves the project's work tree as clean as it was.
#[test]
fn a_sync_leaves_nothing_for_git_to_see() {
    let team = Team::new();
    for clone in [&team.ann, &team.bob, &team.web] {
        assert_eq!(
            clone.git("status --porcelain --untracked-files=all"),
            "",
            "{}",
            clone.dir.display()
        );
    }
    team.moves_on();
    team.web.syncs();
    assert_eq!(team.web.git("status --porcelain --untracked-files=all"), "");
}
