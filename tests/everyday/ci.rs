//! Jobs that sync after each push, in clones that are fresh, shallow, partial, detached or late.

use crate::support::team::{Checkout, NEWEST, Team};

/// What `actions/checkout` makes: nothing but the newest commit of main, and no branch.
fn fresh_job(team: &Team) -> Checkout {
    let job = team.person("ci");
    let _ = std::fs::remove_dir_all(&job.dir);
    job.git(&format!("init -q {}", job.dir.display()));
    job.git(&format!("remote add origin file://{}", team.origin.display()));
    job.git("fetch -q --no-tags --depth 1 origin +refs/heads/main:refs/remotes/origin/main");
    job.git("checkout -q --detach origin/main");
    job
}

#[test]
fn a_job_without_memory() {
    let team = Team::new();
    fresh_job(&team).syncs();
    team.bob.pushes(1, "v2");
    fresh_job(&team).syncs();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.bob.remove(3);
    team.bob.write(4, "new");
    team.bob.commit("remove and add");
    team.bob.git("push -q");
    fresh_job(&team).syncs();
    assert_eq!(team.plans(), "1=v2 2=v1 4=new");
    team.bob.git("revert --no-edit HEAD");
    team.bob.git("push -q");
    fresh_job(&team).syncs();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
}

/// A failed pipeline is run again after a newer one.
#[test]
fn an_older_pipeline_after_a_newer_one() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        team.moves_on();
        let runner = team.clone("ci", "");
        runner.git("checkout -q --detach origin/main");
        runner.syncs();
        runner.git("checkout -q --detach HEAD~1");
        runner.syncs();
        assert_eq!(team.plans(), NEWEST, "source {source}");
        team.edits_get_through(&team.ann);
    }
}

/// The same for a job that knows nothing but its own, older, commit.
#[test]
fn an_older_pipeline_in_a_fresh_clone() {
    let team = Team::publishing("worktree");
    team.moves_on();
    team.world.central.fsck_strict();
    let old = team.ann.git("rev-parse v1.0");
    let job = team.person("ci");
    job.git(&format!("init -q {}", job.dir.display()));
    job.git(&format!("remote add origin file://{}", team.origin.display()));
    job.git(&format!("fetch -q --no-tags --depth 1 origin {old}"));
    job.git("checkout -q --detach FETCH_HEAD");
    for _ in 0..2 {
        job.syncs();
        assert_eq!(team.plans(), NEWEST);
    }
    team.edits_get_through(&team.ann);
}

/// The pipeline of a release branch ends after that of main, in one work folder.
#[test]
fn two_branches_out_of_order() {
    let team = Team::new();
    team.moves_on();
    team.ann.git("checkout -q old");
    team.ann.commits(2, "hotfix");
    team.ann.git("push -q origin old");
    let runner = team.clone("ci", "");
    for branch in ["main", "old", "main", "old"] {
        runner.git(&format!("checkout -q --detach origin/{branch}"));
        runner.syncs();
        assert_eq!(team.plans(), NEWEST, "the pipeline of {branch}");
    }
    team.edits_get_through(&team.ann);
}

/// Each publishes what is checked out: the one's changes and the other's, nobody's old texts.
#[test]
fn two_branches_out_of_order_publishing_what_is_checked_out() {
    let team = Team::publishing("worktree");
    team.moves_on();
    team.ann.git("checkout -q old");
    team.ann.commits(2, "hotfix");
    team.ann.git("push -q origin old");
    let runner = team.clone("ci", "");
    for branch in ["main", "old", "main", "old"] {
        runner.git(&format!("checkout -q --detach origin/{branch}"));
        runner.syncs();
        assert!(
            team.plans().starts_with("1=v2 ") && team.plans().ends_with(" 4=new"),
            "{}",
            team.plans()
        );
    }
    assert_eq!(team.plans(), "1=v2 2=hotfix 3=v1 4=new");
}

/// A job for a pull request has a merge commit that no branch has.
#[test]
fn a_pull_request() {
    let team = Team::new();
    team.ann.git("checkout -q -b feature");
    team.ann.write(1, "feature");
    team.ann.write(5, "made");
    team.ann.commit("a feature");
    team.ann.git("push -q origin feature:refs/pull/1/head");
    let job = team.person("ci");
    job.git(&format!("init -q {}", job.dir.display()));
    job.git(&format!("remote add origin file://{}", team.origin.display()));
    job.git("fetch -q --no-tags --depth 1 origin +refs/pull/1/head:refs/remotes/pull/1/head");
    job.git("checkout -q --detach refs/remotes/pull/1/head");
    job.sync();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "not merged");
    team.edits_get_through(&team.ann);
}

/// A shallow clone from before Bob's edit: it lacks the history that shows which is newer.
#[test]
fn a_shallow_clone_that_lags() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        let carl = team.clone("carl", "--depth 1");
        team.bob.write(1, "v2");
        team.bob.remove(2);
        team.bob.commit("v2");
        team.bob.git("push -q");
        team.bob.syncs();
        for _ in 0..2 {
            carl.syncs();
            assert_eq!(team.plans(), "1=v2 3=v1", "source {source}");
        }
        carl.git("pull -q");
        carl.write(1, "v3");
        carl.syncs();
        assert_eq!(team.plans(), "1=v3 3=v1", "source {source}");
        carl.commit("v3");
        team.edits_get_through(&carl);
    }
}

/// Neither in the clone nor to be had without asking: the texts of older commits.
#[test]
fn a_partial_clone() {
    let team = Team::new();
    team.ann.git(&format!(
        "-C {} config uploadpack.allowFilter true",
        team.origin.display()
    ));
    team.moves_on();
    let carl = team.clone("carl", "--filter=blob:none");
    carl.git("checkout -q old");
    for _ in 0..2 {
        carl.syncs();
        assert_eq!(team.plans(), NEWEST);
    }
    carl.git("checkout -q main");
    team.bob.git("pull -q");
    team.bob.publishes(1, "v3");
    carl.syncs();
    assert_eq!(team.plans(), "1=v3 2=v1 3=v1 4=new");
    carl.catches_up();
    team.edits_get_through(&carl);
}
