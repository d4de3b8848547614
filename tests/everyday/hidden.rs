//! Not on disk, or not to be read there, is not deleted.

use std::fs;

use crate::support::team::{NEWEST, Team, exits};

const ALL: &str = "1=v1 2=v1 3=v1";

#[test]
fn by_a_sparse_checkout() {
    for patterns in ["--no-cone /* !/.metis/backlog/", "--cone src"] {
        let team = Team::new();
        for number in 11..14 {
            team.ann
                .put(format!(".metis/plan-{number}.md"), team.ann.document(number, "v1"));
        }
        team.ann.commit("more plans");
        team.ann.git("push -q");
        team.ann.syncs();
        let all = "1=v1 2=v1 3=v1 11=v1 12=v1 13=v1";
        assert_eq!(team.plans(), all);
        team.ann.git(&format!("sparse-checkout set {patterns}"));
        for _ in 0..2 {
            team.ann.syncs();
            assert_eq!(team.plans(), all, "{patterns}");
        }
        team.ann.git("sparse-checkout disable");
        team.edits_get_through(&team.ann);
    }
}

/// Hidden, and removed by a colleague: that is a removal.
#[test]
fn a_removal_of_what_is_hidden() {
    let team = Team::new();
    team.ann.git("sparse-checkout set --no-cone /* !/.metis/backlog/");
    team.bob.remove(2);
    team.bob.commit("drop it");
    team.bob.git("push -q");
    team.ann.catches_up();
    assert_eq!(team.plans(), "1=v1 3=v1");
    team.ann.git("sparse-checkout disable");
    team.edits_get_through(&team.ann);
}

/// Git was told to look away; what lies there is nobody's edit.
#[test]
fn by_skip_worktree_and_assume_unchanged() {
    for flag in ["--skip-worktree", "--assume-unchanged"] {
        let team = Team::new();
        for number in [1, 2] {
            team.ann.git(&format!("update-index {flag} {}", team.ann.path(number)));
        }
        team.ann.write(1, "private");
        team.ann.remove(2);
        assert_eq!(team.ann.git("status --porcelain"), "");
        team.ann.syncs();
        assert_eq!(team.plans(), ALL, "{flag}");
        team.edits_get_through(&team.ann);
    }
}

/// The code is in the document, so a name in other letters changes nothing.
#[test]
fn renamed_in_case() {
    let team = Team::new();
    let lower = team.ann.path(1).replace("API-T", "api-t");
    fs::rename(team.ann.dir.join(team.ann.path(1)), team.ann.dir.join(&lower)).expect("writable");
    team.ann.syncs();
    assert_eq!(team.plans(), ALL);
    team.ann.commit("lower case");
    team.ann.put(&lower, team.ann.document(1, "v2"));
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
}

/// What some editor or cloud makes of a file: no document any more to us, but not gone either.
#[test]
fn renamed_in_its_ending() {
    for ending in ["MD", "Md"] {
        let team = Team::new();
        let place = team.ann.dir.join(team.ann.path(1));
        fs::rename(&place, place.with_extension(ending)).expect("writable");
        team.ann.syncs();
        assert_eq!(team.plans(), ALL, ".{ending}");
        team.ann.commit("the file's new name");
        team.ann.syncs();
        assert_eq!(team.plans(), ALL, ".{ending}, committed");
        team.edits_get_through(&team.ann);
    }
}

/// A cloud drive keeps the file elsewhere until it is opened.
#[test]
fn moved_out_by_a_cloud_drive() {
    let team = Team::new();
    team.ann.remove(1);
    team.ann.put(".metis/backlog/.API-T-0001.md.icloud", "bplist00");
    team.ann.syncs();
    assert_eq!(team.plans(), ALL);
    team.edits_get_through(&team.ann);
}

/// A folder of documents that is a mount of its own, not mounted.
#[test]
fn below_an_emptied_folder() {
    let team = Team::new();
    for number in 11..14 {
        team.ann.put(
            format!(".metis/shared/plan-{number}.md"),
            team.ann.document(number, "v1"),
        );
    }
    team.ann.commit("shared plans");
    team.ann.git("push -q");
    team.ann.syncs();
    let all = "1=v1 2=v1 3=v1 11=v1 12=v1 13=v1";
    assert_eq!(team.plans(), all);
    for number in 11..14 {
        fs::remove_file(team.ann.metis().join(format!("shared/plan-{number}.md"))).expect("writable");
    }
    team.ann.syncs();
    assert_eq!(team.plans(), all);
    team.edits_get_through(&team.ann);
}

/// Documents in a submodule below `.metis`; Bob's clone has the gitlink and not what it names.
#[test]
fn below_a_submodule_that_is_not_there() {
    let team = Team::new();
    let shared = team.person("shared");
    for number in 11..13 {
        shared.put(format!("plan-{number}.md"), team.ann.document(number, "v1"));
    }
    shared.git("init -q -b main");
    shared.commit("shared plans");
    team.ann.git(&format!(
        "submodule --quiet add file://{} .metis/shared",
        shared.dir.display()
    ));
    team.ann.commit("link them");
    team.ann.git("push -q");
    team.ann.syncs();
    let published = team.plans();
    assert!(published.starts_with(ALL), "{published}");
    team.bob.git("pull -q");
    for _ in 0..2 {
        team.bob.syncs();
        assert_eq!(team.plans(), published);
    }
    team.edits_get_through(&team.bob);
}

/// A template is no document: what somebody removes beside it is removed.
#[test]
fn a_template_holds_no_removal_back() {
    let team = Team::new();
    let template = team.ann.document(1, "").replace("API-T-0001", "{{ short_code }}");
    team.ann.put(".metis/templates/task.md", template);
    team.ann.commit("a template");
    team.ann.syncs();
    team.ann.remove(2);
    let said = team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1", "{said}");
    team.edits_get_through(&team.ann);
}

/// The folder of plans is outside of the cone, its configuration too: what is committed is published, and nothing is put there.
#[test]
fn all_of_the_plans_by_a_sparse_checkout() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        let carl = team.clone("carl", "--sparse");
        assert!(!carl.metis().exists());
        carl.syncs();
        team.moves_on();
        carl.syncs();
        assert_eq!(team.plans(), NEWEST, "source {source}: Carl lags behind");
        carl.git("pull -q");
        carl.git("sparse-checkout set .metis");
        carl.write(2, "carl");
        carl.commit("carl");
        carl.git("sparse-checkout set src");
        let status = exits(&carl.run(&["status"]), 0);
        assert!(
            status.contains("whose files are not checked out here") || source == "worktree",
            "{status}"
        );
        carl.syncs();
        assert_eq!(team.plans(), NEWEST.replace("2=v1", "2=carl"), "source {source}");
        carl.install_hooks();
        carl.git("push -q");
        carl.hooks_end();
        assert!(!carl.metis().exists(), "source {source}");
        assert_eq!(carl.git("status --porcelain"), "");
        carl.git("sparse-checkout disable");
        team.edits_get_through(&carl);
    }
}

/// A partial clone that lacks the file as well.
#[test]
fn a_configuration_that_is_not_even_in_the_clone() {
    let team = Team::new();
    team.ann.git(&format!(
        "-C {} config uploadpack.allowFilter true",
        team.origin.display()
    ));
    let carl = team.clone("carl", "--sparse --filter=blob:none");
    let said = carl.sync_exits(1);
    let command = said.split('`').nth(1).expect("it says what to do");
    carl.git(command.strip_prefix("git ").expect("with git"));
    carl.syncs();
    team.edits_get_through(&carl);
}

/// git takes a file back in that somebody writes where a sparse checkout leaves it out.
#[test]
fn written_where_it_is_left_out() {
    let team = Team::new();
    team.ann.git("sparse-checkout set --no-cone /* !/.metis/backlog/");
    team.ann.write(2, "written");
    assert!(team.ann.git("status --porcelain").contains(&team.ann.path(2)));
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=written 3=v1");
    team.ann.git("config sparse.expectFilesOutsideOfPatterns true");
    team.ann.git("sparse-checkout reapply");
    team.ann.git("sparse-checkout disable");
    team.edits_get_through(&team.ann);
}
