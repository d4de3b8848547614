//! Kinds of repositories in which the project's remote may have newer documents: either that is seen, or it is said that it was not.

use std::{fs, os::unix::fs::symlink};

use crate::support::{
    process::run,
    team::{Checkout, Team},
};

const UNKNOWN: &str = "could not be asked for newer documents";

/// Bob has pushed another version of the first document and not synced; Ann edits the second one and syncs here.
#[track_caller]
fn is_seen_or_said(team: &Team, clone: &Checkout, kind: &str) {
    let synced = clone.sync();
    let said = String::from_utf8_lossy(&synced.stdout).into_owned() + &synced.stderr;
    let told = synced.code == Some(0) && said.contains(UNKNOWN);
    assert!(synced.code == Some(3) || told, "{kind}: {}", synced.transcript());
    assert!(team.plans().contains("1=v1"), "{kind}: {}", team.plans());
}

fn bob_pushes(team: &Team) {
    team.bob.pushes(1, "bob");
}

#[test]
fn an_ordinary_clone() {
    let team = Team::new();
    bob_pushes(&team);
    team.ann.write(2, "ann");
    is_seen_or_said(&team, &team.ann, "files");
    team.ann.git("pull -q");
    team.edits_get_through(&team.ann);
}

/// The format of refs that git will use by default.
#[test]
fn refs_as_tables() {
    let team = Team::new();
    let carl = team.person("carl");
    let (origin, dir) = (team.origin.display(), carl.dir.display());
    if carl
        .try_git(&format!("clone -q --ref-format=reftable file://{origin} {dir}"))
        .code
        != Some(0)
    {
        return crate::support::servers::skip("git with reftable");
    }
    carl.syncs();
    bob_pushes(&team);
    carl.write(2, "carl");
    is_seen_or_said(&team, &carl, "reftable");
    carl.git("pull -q");
    team.edits_get_through(&carl);
}

/// `.metis` is a link into another repository.
#[test]
fn documents_in_another_repository() {
    let team = Team::new();
    let code = team.person("code");
    code.git(&format!("init -q {}", code.dir.display()));
    symlink(team.ann.metis(), code.metis()).expect("writable");
    code.syncs();
    bob_pushes(&team);
    team.ann.write(2, "ann");
    is_seen_or_said(&team, &code, "link");
}

/// `.metis` is a submodule: its remote counts, not the code's.
#[test]
fn documents_in_a_submodule() {
    let team = Team::new();
    let plans = team.stranger("plans", "PLAN");
    plans.put("config.toml", team.config(&plans, "plans", "main"));
    for number in 1..4 {
        plans.put(format!("plan-{number}.md"), plans.document(number, "v1"));
    }
    plans.git("init -q -b main");
    plans.commit("plans");
    let code = team.stranger("code", "PLAN");
    code.git(&format!("init -q {}", code.dir.display()));
    code.git(&format!(
        "submodule --quiet add -b main file://{} .metis",
        plans.dir.display()
    ));
    code.syncs();
    assert_eq!(team.plans_of("plans"), "1=v1 2=v1 3=v1");
    plans.put("plan-1.md", plans.document(1, "newer"));
    plans.commit("newer");
    code.put(".metis/plan-2.md", code.document(2, "code"));
    is_seen_or_said(&team, &code, "submodule");
    assert!(team.plans_of("plans").starts_with("1=v1 "));
}

/// The home folder as the work tree of a bare repository, found through the environment only.
#[test]
fn a_work_tree_apart_from_its_repository() {
    let team = Team::new();
    let carl = team.person("carl");
    let repository = carl.dir.with_extension("git");
    fs::create_dir_all(&carl.dir).expect("writable");
    let apart = |line: &str| {
        let mut command = carl.program("git");
        command.env("GIT_DIR", &repository).env("GIT_WORK_TREE", &carl.dir);
        command.args(line.split_whitespace());
        run(command).success()
    };
    carl.git(&format!(
        "clone -q --bare file://{} {}",
        team.origin.display(),
        repository.display()
    ));
    apart("config remote.origin.fetch +refs/heads/*:refs/remotes/origin/*");
    apart("fetch -q");
    apart("branch -q -u origin/main");
    apart("checkout -q -f main");
    carl.syncs();
    bob_pushes(&team);
    carl.write(2, "carl");
    let mut sync = carl.program(env!("CARGO_BIN_EXE_git-metis-sync"));
    sync.env("GIT_DIR", &repository)
        .env("GIT_WORK_TREE", &carl.dir)
        .arg("sync");
    let synced = run(sync);
    let said = String::from_utf8_lossy(&synced.stdout).into_owned() + &synced.stderr;
    assert!(
        synced.code == Some(3) || synced.code == Some(0) && said.contains(UNKNOWN),
        "{}",
        synced.transcript()
    );
}
