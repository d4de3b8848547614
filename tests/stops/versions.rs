//! Which version is newer, and which branch it is read from.

use std::fs;

use metis_sync::sync::stop::Stop;

use super::Person;
use crate::support::{
    process::run,
    team::{Checkout, Team},
};

/// Ann's change is in the project's remote, and Bob edits something else on top of what he has.
pub fn the_remote_is_ahead(stop: Stop) {
    let team = Team::publishing("worktree");
    team.ann.pushes(1, "v2");
    team.bob.write(2, "v2");
    let stopped = team.bob.sync_stops(stop);
    stopped.advises("--force");
    team.bob.types(stopped.command("git pull"));
    team.bob.goes_through();
    assert_eq!(team.plans(), "1=v2 2=v2 3=v1");
}

fn diverged() -> Team {
    let team = Team::new();
    team.ann.publishes(1, "ann");
    team.bob.commits(1, "bob");
    team
}

/// Decided, and merged with git.
pub fn both_sides_changed(stop: Stop) {
    let team = diverged();
    let stopped = team.bob.sync_stops(stop);
    let said = team.bob.types(stopped.command("git metis-sync resolve"));
    let decides = said
        .split('`')
        .find(|line| line.contains("resolve CODE --take"))
        .expect("it says how");
    let decides = decides
        .replace("CODE", "API-T-0001")
        .replace("local|central|merge", "local");
    team.bob.types(&decides);
    team.bob.goes_through();
    assert_eq!(team.plans(), "1=bob 2=v1 3=v1");

    let team = diverged();
    team.bob.sync_stops(stop).advises("git pull");
    team.bob.git_stops("pull -q");
    team.bob.commits(1, "both");
    team.bob.goes_through();
    assert_eq!(team.plans(), "1=both 2=v1 3=v1");
}

/// Brought back, and meant to go.
pub fn most_documents_are_gone(stop: Stop) {
    let team = Team::new();
    team.ann.types("rm -r .metis/backlog");
    let stopped = team.ann.sync_stops(stop);
    stopped.advises("bring the files back");
    team.ann.git("checkout -q .");
    team.ann.goes_through();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");

    team.ann.types("rm -r .metis/backlog");
    let stopped = team.ann.sync_stops(stop);
    stopped.advises("--allow-deletes");
    assert_eq!(team.ann.asks(&["sync", "--allow-deletes"]).code, Some(0));
    team.ann.goes_through();
    assert_eq!(team.plans(), "");
}

/// Given up, or finished: the commands that the message names do it.
pub fn git_is_in_the_middle_of_something(stop: Stop) {
    type Begin = fn(&Checkout);
    let begins: [(&str, Begin); 5] = [
        ("git merge --abort", |ann| ann.git_stops("merge -q side")),
        ("git rebase --abort", |ann| ann.git_stops("rebase -q side")),
        ("git cherry-pick --abort", |ann| ann.git_stops("cherry-pick side")),
        ("git revert --abort", |ann| ann.git_stops("revert --no-edit HEAD~1")),
        ("git bisect reset", |ann| drop(ann.git("bisect start HEAD HEAD~2"))),
    ];
    for (way_out, begin) in begins {
        let team = Team::publishing("worktree");
        let ann = &team.ann;
        ann.git("checkout -q -b side");
        ann.put("code.c", "side\n");
        ann.commit("side");
        ann.git("checkout -q main");
        for text in ["one\n", "two\n"] {
            ann.put("code.c", text);
            ann.commit(text);
        }
        begin(ann);
        let stopped = ann.sync_stops(stop);
        ann.types(stopped.command(way_out));
        ann.goes_through();
    }

    let team = Team::publishing("worktree");
    let ann = &team.ann;
    ann.put("code.c", "one\n");
    ann.commit("one");
    ann.git("checkout -q -b side HEAD~1");
    ann.put("code.c", "side\n");
    ann.commit("side");
    ann.git_stops("merge -q main");
    let stopped = ann.sync_stops(stop);
    ann.put("code.c", "both\n");
    ann.git("add code.c");
    ann.types(stopped.command("git merge --continue"));
    ann.goes_through();
}

/// A clone of another branch alone.
pub fn the_source_branch_is_not_here(stop: Stop) {
    let team = Team::new();
    team.ann.git("push -q origin main:side");
    let carl = team.clone("carl", "--single-branch -b side");
    let stopped = carl.sync_stops(stop);
    carl.types(stopped.command("git fetch"));
    carl.goes_through();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

/// It was deleted there, while something else is checked out.
pub fn the_remote_has_lost_the_source_branch(stop: Stop) {
    let team = Team::new();
    team.ann.git("checkout -q -b side");
    team.ann.git("push -q origin side");
    team.ann.git(&format!(
        "-C {} config receive.denyDeleteCurrent ignore",
        team.origin.display()
    ));
    team.ann.git("push -q --delete origin main");
    let stopped = team.ann.sync_stops(stop);
    team.ann.types(stopped.command("git push"));
    team.ann.goes_through();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

/// The files of another branch are checked out, the folders of the source branch are damaged, and nobody is there to ask for
/// them.
pub fn the_source_branch_has_no_files_here(stop: Stop) {
    let team = Team::new();
    let ann = &team.ann;
    ann.git("checkout -q -b side");
    ann.put("code.c", "side\n");
    ann.commit("side");
    let tree = ann.git("rev-parse main^{tree}");
    let (folder, file) = tree.trim().split_at(2);
    fs::remove_file(ann.dir.join(".git/objects").join(folder).join(file)).unwrap();
    let aside = team.origin.with_extension("aside");
    fs::rename(&team.origin, &aside).unwrap();
    let stopped = ann.sync_stops(stop);
    fs::rename(&aside, &team.origin).unwrap();
    ann.types(stopped.command("git fetch"));
    ann.goes_through();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

/// git waits for somebody to write the list of its tables of refs.
pub fn git_does_not_answer(stop: Stop) {
    let team = Team::new();
    let carl = team.person("carl");
    let (origin, dir) = (team.origin.display(), carl.dir.display());
    let cloned = carl.try_git(&format!("clone -q --ref-format=reftable file://{origin} {dir}"));
    if cloned.code != Some(0) {
        return crate::support::servers::skip("git with reftable");
    }
    carl.syncs();
    carl.write(1, "carl");
    let list = carl.dir.join(".git/reftable/tables.list");
    let aside = list.with_extension("aside");
    fs::rename(&list, &aside).unwrap();
    let mut pipe = carl.program("mkfifo");
    pipe.arg(&list);
    run(pipe).success();
    let stopped = carl.sync_stops(stop);
    stopped.advises("what holds git up");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    fs::rename(&aside, &list).unwrap();
    carl.goes_through();
    assert_eq!(team.plans(), "1=carl 2=v1 3=v1");
}
