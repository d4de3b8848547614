//! What the project's repository does under a watcher.

use std::fs;

use super::Watching;
use crate::{
    everyday::unfinished::{HalfWay, with_a_slow_filter},
    support::{
        process::{built, eventually},
        team::{Checkout, NEWEST, Team},
    },
};

fn watch(person: &Checkout) -> Watching {
    // As this clone alone wants it, so that it is the same on every branch.
    let config = person.metis().join(".sync/config.toml");
    let text = fs::read_to_string(&config).unwrap_or_default();
    fs::write(&config, format!("{text}\n[sync.watch]\nsettle_seconds = 0\n")).unwrap();
    let mut command = person.program(built("git-metis-sync"));
    command.args(["watch"]);
    let watching = Watching::start(command, &person.home.join("watch.log"));
    let note = person.metis().join(".sync/watch.json");
    eventually("its first sync", || {
        fs::read_to_string(&note).is_ok_and(|note| note.contains("\"last_success\":\""))
    });
    watching
}

/// What changes with each sync that went well.
fn last(person: &Checkout) -> String {
    fs::read_to_string(person.metis().join(".sync/last.json")).unwrap()
}

fn others_come_in(team: &Team, text: &str) {
    team.web.write(1, text);
    team.web.syncs();
    let copy = team.ann.metis().join("web/WEB-T-0001.md");
    eventually("theirs", || {
        fs::read_to_string(&copy).is_ok_and(|copy| copy.contains(text))
    });
}

/// Main was pushed; an older branch is checked out while the watcher runs, back and forth: central keeps what is newer.
fn switches(source: &str) {
    let team = Team::publishing(source);
    team.moves_on();
    let newest = team.plans();
    let watching = watch(&team.ann);
    for _ in 0..5 {
        for branch in ["old", "main"] {
            let before = last(&team.ann);
            team.ann.git(&format!("checkout -q {branch}"));
            eventually("a sync after the checkout", || last(&team.ann) != before);
            assert_eq!(team.plans(), newest, "{branch}: {}", watching.said());
        }
    }
    team.ann.write(2, "v2");
    eventually("an edit afterwards", || team.plans() == "1=v2 2=v2 3=v1 4=new");
}

#[test]
fn a_branch_switch_publishes_no_old_plans() {
    switches("main");
}

#[test]
fn nor_where_the_work_tree_is_published() {
    switches("worktree");
}

/// What a rebase has in its hands is not pushed; afterwards all is as if there had been no watcher.
#[test]
fn nothing_is_pushed_in_the_middle_of_a_rebase() {
    let team = Team::new();
    team.ann.git("checkout -q -b topic");
    team.ann.commits(1, "topic");
    team.ann.git("checkout -q main");
    team.ann.pushes(1, "main");
    let watching = watch(&team.ann);
    eventually("main's text", || team.plans() == "1=main 2=v1 3=v1");
    team.ann.git("checkout -q topic");
    team.ann.git_stops("rebase main");
    // Something of another workspace comes in all the same, and shows that the watcher lives.
    others_come_in(&team, "more of theirs");
    assert_eq!(team.plans(), "1=main 2=v1 3=v1", "{}", watching.said());
    team.ann.git("rebase --abort");
    team.ann.git("checkout -q main");
    team.ann.write(3, "v2");
    eventually("an edit afterwards", || team.plans() == "1=main 2=v1 3=v2");
}

/// A git that holds its index may be in the middle of a checkout. That it lets go of it is no event.
#[test]
fn nothing_is_pushed_while_git_holds_its_index() {
    let team = Team::new();
    let watching = watch(&team.ann);
    let lock = team.ann.dir.join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    team.ann.write(1, "half way");
    others_come_in(&team, "more of theirs");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "{}", watching.said());
    fs::remove_file(&lock).unwrap();
    eventually("the edit", || team.plans() == "1=half way 2=v1 3=v1");
}

/// Half of a checkout is neither an edit nor a removal, however often the watcher looks.
#[test]
fn half_of_a_checkout_is_not_pushed() {
    for source in ["main", "worktree"] {
        let team = with_a_slow_filter(source);
        let watching = watch(&team.ann);
        let half_way = HalfWay::begin(&team.ann, "old");
        // It pulls meanwhile, which shows that it lives.
        others_come_in(&team, "more of theirs");
        assert_eq!(team.plans(), NEWEST, "{source}: {}", watching.said());
        half_way.go_on();
        others_come_in(&team, "still more");
        assert_eq!(team.plans(), NEWEST, "{source}: {}", watching.said());
    }
}

/// A branch without any plans is checked out: the workspace has no folder then, and has one again.
#[test]
fn a_branch_without_plans() {
    let team = Team::new();
    let watching = watch(&team.ann);
    team.ann.git("checkout -q --orphan empty");
    team.ann.git("rm -r -q -f .");
    team.ann.git("commit -q --allow-empty -m empty");
    let before = team.plans();
    team.ann.git("checkout -q main");
    team.ann.write(1, "afterwards");
    eventually("an edit afterwards", || team.plans() == "1=afterwards 2=v1 3=v1");
    assert_eq!(before, "1=v1 2=v1 3=v1", "{}", watching.said());
}
