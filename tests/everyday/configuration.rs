//! Which config.toml counts: that of the source branch, whatever is checked out.

use crate::support::team::{NEWEST, Team, exits};

/// A feature branch changes the prefix or central. Neither stops a sync there nor sends plans elsewhere.
#[test]
fn a_branch_with_another_configuration() {
    for change in ["prefix", "central", "source", "nothing to sync with", "broken"] {
        let team = Team::new();
        team.moves_on();
        let config = team.config(&team.ann, "api", "main");
        let other = team.world.root().join("other.git").display().to_string();
        team.ann.git(&format!("init -q --bare -b main {other}"));
        let changed = match change {
            "prefix" => config.replace("\"api\"", "\"feature\""),
            "central" => config.replace(&team.world.central.url(), &other),
            "source" => config.replace("source = \"main\"", "source = \"feature\""),
            "broken" => config + "<<<<<<< HEAD\n",
            _ => "[project]\nprefix = \"API\"\n".into(),
        };
        team.ann.git("checkout -q -b feature");
        team.ann.put(".metis/config.toml", changed);
        team.ann.write(1, "draft");
        team.ann.commit("an experiment");
        team.ann.install_hooks();
        team.bob.git("pull -q");
        team.bob.pushes(2, "bob");
        team.ann.git("fetch -q");
        team.ann.syncs();
        assert_eq!(team.plans(), NEWEST.replace("2=v1", "2=bob"), "{change}");
        team.bob.pushes(2, "again");
        team.ann.git("fetch -q");
        team.ann.git("push -q -u origin feature");
        team.ann.hooks_end();
        assert_eq!(team.plans(), NEWEST.replace("2=v1", "2=again"), "{change}: by a hook");
        assert_eq!(team.ann.git("status --porcelain"), "", "{change}");
        assert_eq!(team.ann.git(&format!("--git-dir={other} for-each-ref")), "", "{change}");
        assert_eq!(team.world.central.folder("feature").len(), 0, "{change}");
        exits(&team.ann.run(&["status"]), 0);
        team.ann.git("checkout -q main");
        team.ann.git("pull -q");
        team.edits_get_through(&team.ann);
    }
}

/// A release branch from before the project had plans: the hooks' sync, and one by hand, keep central at main. `clean` also
/// takes away what git ignores.
#[test]
fn a_branch_without_plans() {
    for clean in [false, true] {
        let team = Team::new();
        team.ann.git("checkout -q --orphan legacy");
        team.ann.git("rm -r -q --cached .");
        team.ann.git("clean -q -f -d");
        team.ann.commit_code();
        team.ann.git("checkout -q main");
        team.ann.syncs();
        team.ann.install_hooks();
        team.ann.git("checkout -q legacy");
        if clean {
            team.ann.git("clean -q -f -f -d -x");
            assert!(!team.ann.metis().exists());
        }
        team.bob.pushes(1, "v2");
        team.ann.git("fetch -q");
        let before = team.ann.metis().exists();
        exits(&team.ann.run(&["status"]), 0);
        exits(&team.ann.sync_with(&["--dry-run"]), 0);
        assert_eq!(team.ann.metis().exists(), before);
        team.ann.syncs();
        assert_eq!(team.plans(), "1=v2 2=v1 3=v1", "clean: {clean}");
        team.bob.remove(2);
        team.bob.commit("done");
        team.bob.git("push -q");
        team.ann.git("fetch -q");
        team.ann.git("push -q -u origin legacy");
        team.ann.hooks_end();
        assert_eq!(team.plans(), "1=v2 3=v1", "clean: {clean}, by a hook");
        assert_eq!(team.ann.git("status --porcelain"), "");
        assert_eq!(team.ann.metis().exists(), before);
        assert!(!team.ann.metis().join("config.toml").exists());
        team.ann.git("checkout -q main");
        team.ann.catches_up();
        team.edits_get_through(&team.ann);
    }
}

/// Who deletes the folder on the source branch itself is not taken to have no plans any more, nor to be elsewhere.
#[test]
fn plans_that_are_gone_from_the_source_branch() {
    let team = Team::new();
    std::fs::rename(team.ann.metis(), team.ann.dir.join("moved-away")).expect("temp folder is writable");
    team.ann.sync_exits(1);
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

/// What this clone alone wants lies on top of whichever counts, and nothing is recorded in another branch's file.
#[test]
fn this_clones_own_words_and_the_record() {
    let team = Team::new();
    let config = |record: &str| {
        let config = team.config(&team.ann, "api", "main");
        config.replace("record = \"local\"", &format!("record = \"{record}\""))
    };
    for record in ["config", "auto"] {
        team.ann.git("checkout -q main");
        team.ann.put(".metis/config.toml", config(record));
        team.ann.commit("record");
        team.ann.syncs();
        team.ann.commit_code();
        team.ann.git("add --all");
        team.ann.try_git("commit -q -m recorded");
        team.ann.git(&format!("checkout -q -b feature-{record}"));
        team.ann.put(".metis/config.toml", config("config") + "# a draft\n");
        team.ann.commit("a draft");
        team.ann.git("branch -f main main");
        team.bob.git("pull -q");
        team.web.write(1, record);
        team.web.syncs();
        team.ann.syncs();
        assert_eq!(team.ann.git("status --porcelain"), "", "{record}");
        team.ann.put(".metis/.sync/config.toml", "[sync]\nbranch = \"plans\"\n");
        let said = team.ann.sync().stderr;
        assert!(said.contains("plans"), "{said}");
        std::fs::remove_file(team.ann.metis().join(".sync/config.toml")).expect("it is there");
    }
}

/// A pulled configuration needs the same word wherever it is read from.
#[test]
fn a_committed_configuration_is_not_trusted_more_than_a_pulled_one() {
    let team = Team::new();
    team.ann.git("checkout -q -b feature");
    let config = team.config(&team.bob, "api", "main") + "branch = \"elsewhere\"\n[sync.limits]\nworkspaces = 9000\n";
    team.bob.put(".metis/config.toml", config);
    team.bob.commit("another branch");
    team.bob.git("push -q");
    team.ann.git("fetch -q");
    let said = team.ann.sync_exits(3);
    assert!(said.contains("git metis-sync trust sync.branch"), "{said}");
    let renamed = team.ann.run(&["workspace", "rename", "api", "new"]);
    assert!(exits(&renamed, 1).contains("Check it out"), "{}", renamed.transcript());
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

/// Bob's config.toml names the new branch: Ann gets it by a pull, and both go on.
fn takes_over(team: &Team) {
    team.bob.commit("trunk");
    team.bob.git("push -q");
    team.ann.git("pull -q");
    team.ann.write(3, "ann");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2 2=bob 3=ann 4=new");
}

/// The project's default branch gets another name: config.toml follows, and each clone when it has pulled that.
#[test]
fn a_source_branch_that_gets_another_name() {
    let team = Team::new();
    team.moves_on();
    let origin = team.origin.display();
    team.ann.git(&format!("-C {origin} branch -m main trunk"));
    for person in [&team.bob, &team.ann] {
        person.git("fetch -q --prune");
        person.git("branch -m main trunk");
        person.git("branch -q -u origin/trunk");
    }
    team.bob.git("pull -q");
    let said = team.bob.sync_exits(3);
    assert!(
        said.contains("let [sync] source in .metis/config.toml name the branch"),
        "{said}"
    );
    let doctor = exits(&team.bob.run(&["doctor"]), 1);
    assert!(doctor.contains("[sync] source names the branch main"), "{doctor}");
    let verify = exits(&team.bob.run(&["verify"]), 1);
    assert!(
        verify.contains("Blocked: [sync] source names the branch main"),
        "{verify}"
    );
    assert!(!verify.contains("pushes them"), "{verify}");
    let status = exits(&team.bob.run(&["status"]), 0);
    assert!(status.contains("documents not read"), "{status}");
    let config = team.config(&team.bob, "api", "trunk");
    team.bob.put(".metis/config.toml", config);
    team.bob.write(2, "bob");
    team.bob.syncs();
    assert_eq!(team.plans(), NEWEST.replace("2=v1", "2=bob"));
    takes_over(&team);
}

/// The same in clones that keep the old branch, as everybody has it who merely checks out the new one: nothing arrives in it.
#[test]
fn an_old_source_branch_that_stays_behind() {
    let team = Team::new();
    team.moves_on();
    team.ann
        .git(&format!("-C {} branch -m main trunk", team.origin.display()));
    for person in [&team.bob, &team.ann] {
        person.git("fetch -q --prune");
        person.git("checkout -q trunk");
    }
    team.bob.write(2, "bob");
    let said = team.bob.sync_exits(3);
    assert!(said.contains("the project's remote origin does not have"), "{said}");
    let doctor = exits(&team.bob.run(&["doctor"]), 1);
    assert!(doctor.contains("[sync] source names the branch main"), "{doctor}");
    assert_eq!(team.plans(), NEWEST);
    team.bob
        .put(".metis/config.toml", team.config(&team.bob, "api", "trunk"));
    team.bob.syncs();
    assert_eq!(team.plans(), NEWEST.replace("2=v1", "2=bob"));
    takes_over(&team);
    // What is left of the old branch takes nothing back.
    team.ann.git("stash -q");
    team.ann.git("checkout -q main");
    team.ann.sync();
    assert_eq!(team.plans(), "1=v2 2=bob 3=ann 4=new");
}
