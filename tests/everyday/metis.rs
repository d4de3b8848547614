//! Beside the Metis tools of version 2: on any branch they read the main branch's documents, write to `.metis/.pending/`, and
//! after a commit flush that into main without checking it out.

use std::{fs, path::Path};

use crate::support::{
    process::run,
    team::{Checkout, Team},
};

/// What the post-commit hook of the Metis tools does.
#[track_caller]
fn flush(clone: &Checkout) {
    const FLUSH: &str = r#"
        export GIT_INDEX_FILE="$PWD/.git/flush"
        git read-tree main
        cd .metis/.pending
        find . -type f ! -name '*.deleted' | sed 's|^\./||' | while read -r file; do
            id=$(git -C ../.. hash-object -w ".metis/.pending/$file")
            git -C ../.. update-index --add --cacheinfo "100644,$id,.metis/$file"
        done
        find . -name '*.deleted' | sed 's|^\./||; s|\.deleted$||' | while read -r file; do
            git -C ../.. update-index --force-remove ".metis/$file"
        done
        cd ../..
        commit=$(git commit-tree -p main -m 'metis: sync document changes' "$(git write-tree)")
        git update-ref refs/heads/main "$commit"
        rm -rf .metis/.pending
    "#;
    let mut shell = clone.program("sh");
    shell.args(["-e", "-c", FLUSH]);
    run(shell).success();
}

fn pending(clone: &Checkout, number: u32, text: &str) {
    let path = clone.path(number).replacen(".metis/", ".metis/.pending/", 1);
    clone.put(path, clone.document(number, text));
}

#[test]
fn planned_on_a_feature_branch() {
    let team = Team::new();
    team.ann.install_hooks();
    team.ann.git("checkout -q -b feature");
    team.ann.git("push -q -u origin feature");
    team.ann.hooks_end();
    pending(&team.ann, 1, "v2");
    pending(&team.ann, 7, "new");
    team.ann.commit_code();
    flush(&team.ann);
    team.ann.git("push -q origin main feature");
    team.ann.hooks_end();
    let planned = "1=v2 2=v1 3=v1 7=new";
    assert_eq!(team.plans(), planned);
    team.ann.syncs();
    assert_eq!(team.plans(), planned);

    team.ann.git("checkout -q main");
    team.ann.syncs();
    team.ann.git("checkout -q feature");
    team.ann.commit_code();
    team.ann.git("push -q");
    team.ann.hooks_end();
    team.ann.syncs();
    assert_eq!(team.plans(), planned, "the feature branch's own files are old");
    team.edits_get_through(&team.ann);
}

/// What waits to be flushed is published by a sync by hand, as an uncommitted edit on main is.
#[test]
fn what_waits_to_be_flushed() {
    let team = Team::new();
    team.ann.git("checkout -q -b feature");
    pending(&team.ann, 1, "v2");
    pending(&team.ann, 7, "new");
    let deleted = team.ann.path(2).replacen(".metis/", ".metis/.pending/", 1) + ".deleted";
    team.ann.put(deleted, "");
    team.ann.syncs();
    let planned = "1=v2 3=v1 7=new";
    assert_eq!(team.plans(), planned);
    flush(&team.ann);
    team.ann.syncs();
    assert_eq!(team.plans(), planned);
    team.bob.syncs();
    assert_eq!(team.plans(), planned);
    team.ann.git("checkout -q main");
    team.edits_get_through(&team.ann);
}

/// Thrown away before it was flushed.
#[test]
fn what_was_pending_and_was_given_up() {
    let team = Team::new();
    team.ann.git("checkout -q -b feature");
    pending(&team.ann, 1, "v2");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    fs::remove_dir_all(team.ann.metis().join(".pending")).expect("ours");
    team.ann.syncs();
    team.edits_get_through(&team.ann);
    assert_eq!(team.plans(), "1=v1 2=v1 3=edited");
}

/// Told to archive a hydrated document, the tools move it below `archived/`, where own documents are.
#[test]
fn a_copy_that_was_archived() {
    let team = Team::new();
    let archived = team.ann.metis().join("archived/web");
    fs::create_dir_all(&archived).expect("writable");
    let copy = team.ann.metis().join("web/WEB-T-0001.md");
    fs::rename(&copy, archived.join("WEB-T-0001.md")).expect("writable");
    let said = team.ann.syncs();
    assert!(said.contains("WEB-T-0001"), "it is named: {said}");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    assert_eq!(team.plans_of("web"), "1=v1 2=v1");
    assert!(
        Path::new(&archived).join("WEB-T-0001.md").exists(),
        "and it is not ours to remove"
    );
    team.edits_get_through(&team.ann);
}

/// Restored beside it, the tools see two documents with one code and give the one further down another.
#[test]
fn an_archived_copy_that_got_a_code_of_this_workspace() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        let copy = team.ann.metis().join("web/WEB-T-0001.md");
        let renumbered = fs::read_to_string(&copy)
            .expect("a copy")
            .replace("WEB-T-0001", &team.ann.code(9));
        let archived = ".metis/archived/web/WEB-T-0009.md";
        team.ann.put(archived, renumbered);
        for _ in 0..2 {
            let said = team.ann.syncs();
            assert!(
                said.contains("archived/web/WEB-T-0009.md: it is an archived copy"),
                "{said}"
            );
            assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
        }
        team.ann.commit("archived");
        team.ann.git("push -q");
        team.ann.syncs();
        team.bob.catches_up();
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "{source}");

        team.ann
            .put(".metis/archived/backlog/mine.md", team.ann.document(8, "done"));
        fs::remove_file(team.ann.dir.join(archived)).expect("ours");
        team.ann.commit("what is ours");
        let said = team.ann.syncs();
        assert!(!said.contains("archived copy"), "{said}");
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1 8=done");
        team.edits_get_through(&team.ann);
    }
}
