//! Syncs in repositories without a work tree: a server's, a mirror's, one that only has worktrees beside it.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::support::{
    process::{Finished, Running, run},
    team::{Checkout, Team, exits},
};

/// `git --git-dir=… metis-sync` somewhere else, as a cron job does it.
fn named(person: &Checkout, repository: &str, arguments: &[&str]) -> Finished {
    let mut command = person.program("git");
    command
        .current_dir(&person.home)
        .arg(format!("--git-dir={repository}"))
        .args(["metis-sync", "--no-progress"])
        .args(arguments);
    run(command)
}

/// Everything below a folder, with what is in it.
fn snapshot(folder: &str) -> String {
    let mut command = std::process::Command::new("sh");
    let script = "cd \"$0\" && find . | LC_ALL=C sort && find . -type f | LC_ALL=C sort | xargs cat | cksum";
    command.args(["-c", script, folder]);
    String::from_utf8(command.output().expect("a shell").stdout).expect("text")
}

/// A server has the repository alone: what is published is its main.
#[test]
fn a_servers_repository_publishes_its_main() {
    let team = Team::new();
    team.bob.pushes(1, "v2");
    let server = team.origin.display().to_string();
    let first = exits(&named(&team.ann, &server, &["sync"]), 0);
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    assert!(first.contains("nothing is hydrated"), "{first}");
    assert!(!first.contains("warning"), "{first}");
    team.bob.git("checkout -q -b topic HEAD~1");
    team.bob.commits(2, "draft");
    team.bob.git("push -q -u origin topic");
    exits(&named(&team.ann, &server, &[]), 0);
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.bob.git("checkout -q main");
    team.bob.remove(3);
    team.bob.write(4, "new");
    team.bob.commit("remove and add");
    team.bob.git("push -q");
    let later = exits(&named(&team.ann, &server, &[]), 0);
    assert_eq!(team.plans(), "1=v2 2=v1 4=new");
    assert!(!later.contains("hydrated"), "it is said once: {later}");
    assert!(!team.origin.join(".metis").exists() && !team.origin.join(".sync").exists());
    assert!(
        team.origin.join("metis-sync").exists(),
        "state lies in the git directory"
    );
    team.world.central.fsck_strict();
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_would_happen() {
    let team = Team::new();
    team.bob.pushes(1, "v2");
    let server = team.origin.display().to_string();
    let before = snapshot(&server);
    let planned = named(&team.ann, &server, &["--json", "sync", "--dry-run"]).success();
    let planned: serde_json::Value = serde_json::from_str(&planned).expect("JSON");
    assert_eq!(planned["pushed"], serde_json::json!([team.ann.code(1)]));
    assert_eq!(planned["documents_only"], true);
    assert_eq!(planned["pulled"], serde_json::json!({}));
    named(&team.ann, &server, &["status"]).success();
    named(&team.ann, &server, &["diff"]);
    assert_eq!(snapshot(&server), before);
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

/// `git push` runs the hook in the repository, with `GIT_DIR=.`.
#[test]
fn a_post_receive_hook_publishes_what_was_pushed() {
    let team = Team::new();
    let hook = team.origin.join("hooks/post-receive");
    fs::create_dir_all(hook.parent().expect("it is below")).expect("temp folder is writable");
    fs::write(&hook, "#!/bin/sh\nexec git metis-sync --no-progress\n").expect("temp folder is writable");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("ours");
    team.bob.pushes(1, "v2");
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.bob.git("checkout -q -b topic");
    team.bob.commits(2, "draft");
    team.bob.git("push -q -u origin topic");
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.bob.git("push -q origin topic:main");
    assert_eq!(team.plans(), "1=v2 2=draft 3=v1");
}

/// A job mirrors the repository and syncs, again and again, and two of them at once.
#[test]
fn a_mirror_and_two_jobs_at_once() {
    let team = Team::new();
    let job = team.person("ci");
    let mirror = job.home.join("mirror.git").display().to_string();
    job.git(&format!("clone -q --mirror file://{} {mirror}", team.origin.display()));
    exits(&named(&job, &mirror, &[]), 0);
    for round in 2..4 {
        team.bob.write(1, &format!("v{round}"));
        team.bob.commit("change");
        team.bob.git("push -q");
        job.git(&format!("--git-dir={mirror} fetch -q"));
        let jobs: Vec<_> = (0..2)
            .map(|_| {
                let mut command = job.program("git");
                command.current_dir(&job.home).arg(format!("--git-dir={mirror}"));
                command.args(["metis-sync", "--no-progress"]);
                Running::start(command)
            })
            .collect();
        for job in jobs {
            job.finish().success();
        }
        assert_eq!(team.plans(), format!("1=v{round} 2=v1 3=v1"));
    }
    team.ann.git("pull -q");
    team.edits_get_through(&team.ann);
}

/// Files of a checkout may look like a bare repository, so one counts only where it is named.
#[test]
fn a_repository_that_nobody_named() {
    let team = Team::new();
    let server = team.ann.elsewhere(&team.origin);
    for arguments in [&["sync"][..], &["status"], &["init", "--upstream", "x"]] {
        let said = exits(&server.run(arguments), 1);
        assert!(said.contains("git --git-dir="), "{arguments:?}: {said}");
    }
    assert!(!team.origin.join(".metis").exists());
    let empty = team.ann.home.join("empty.git").display().to_string();
    team.ann.git(&format!("init -q --bare -b main {empty}"));
    let said = exits(&named(&team.ann, &empty, &[]), 1);
    assert!(
        said.contains("the branch main") && said.contains("git metis-sync init"),
        "{said}"
    );
}

/// `.bare` with a `.git` that names it, and a worktree for each branch.
#[test]
fn worktrees_beside_a_bare_repository() {
    for names_it in [true, false] {
        let team = Team::new();
        let carl = team.person("carl");
        fs::create_dir_all(&carl.dir).expect("temp folder is writable");
        let bare = carl.dir.join(".bare").display().to_string();
        carl.git(&format!("clone -q --bare file://{} {bare}", team.origin.display()));
        if names_it {
            fs::write(carl.dir.join(".git"), "gitdir: ./.bare\n").expect("temp folder is writable");
        }
        let main = carl.elsewhere(carl.dir.join("main"));
        carl.git(&format!("--git-dir={bare} worktree add -q {} main", main.dir.display()));
        main.write(1, "v2");
        main.syncs();
        assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
        assert!(main.metis().join("web/WEB-T-0001.md").exists());
        main.commit("v2");
        main.syncs();
        match names_it {
            true => exits(&carl.sync(), 0),
            false => exits(&carl.sync(), 1),
        };
        exits(&named(&carl, &bare, &[]), 0);
        assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
        team.edits_get_through(&main);
    }
}

/// Each command works, or says what it would need.
#[test]
fn every_command_works_or_says_what_it_needs() {
    let team = Team::new();
    let server = team.origin.display().to_string();
    exits(&named(&team.ann, &server, &[]), 0);
    for works in [
        &["status"][..],
        &["diff"],
        &["verify"],
        &["doctor"],
        &["log"],
        &["trust"],
        &["verify", "--fetch"],
    ] {
        let said = exits(&named(&team.ann, &server, works), 0);
        assert!(!said.contains("WEB-T"), "{works:?}: {said}");
    }
    for needs in [
        &["resolve"][..],
        &["query", "workspace"],
        &["rebuild-cache"],
        &["fetch"],
        &["init", "--prefix", "other"],
    ] {
        let said = exits(&named(&team.ann, &server, needs), 1);
        assert!(said.contains("git worktree add"), "{needs:?}: {said}");
    }
    assert!(!team.origin.join(".metis").exists());
}

/// Where config.toml of the branch leads elsewhere, the sync stops, and what the message names ends that.
#[test]
fn a_branch_that_leads_elsewhere_is_confirmed() {
    let team = Team::new();
    let server = team.origin.display().to_string();
    exits(&named(&team.ann, &server, &[]), 0);
    let other = team.world.root().join("other.git").display().to_string();
    team.bob.git(&format!("init -q --bare -b main {other}"));
    let config = team
        .config(&team.bob, "api", "main")
        .replace(&team.world.central.url(), &other);
    team.bob.put(".metis/config.toml", config);
    team.bob.commit("another central");
    team.bob.git("push -q");
    let said = exits(&named(&team.ann, &server, &[]), 3);
    assert!(said.contains("git metis-sync init --upstream URL"), "{said}");
    exits(&named(&team.ann, &server, &["init", "--upstream", &other]), 0);
    exits(&named(&team.ann, &server, &[]), 0);
    let pushed = team
        .bob
        .git(&format!("--git-dir={other} ls-tree --name-only main api/"));
    assert_eq!(pushed.lines().count(), 3, "{pushed}");
}

/// What comes with a commit is no central there either: the repository itself, and what lies in a work tree of it.
#[test]
fn the_repository_itself_is_no_central() {
    let team = Team::new();
    let server = team.origin.display().to_string();
    let tree = team.ann.home.join("tree");
    team.ann.git(&format!(
        "--git-dir={server} worktree add -q -b side {} main",
        tree.display()
    ));
    let planted = tree.join("planted.git").display().to_string();
    team.ann.git(&format!("init -q --bare -b main {planted}"));
    for central in [&server, &planted] {
        let config = team
            .config(&team.bob, "api", "main")
            .replace(&team.world.central.url(), central);
        team.bob.put(".metis/config.toml", config);
        team.bob.commit("another central");
        team.bob.git("push -q");
        let said = exits(&named(&team.ann, &server, &[]), 1);
        assert!(said.contains("leads into this project"), "{said}");
    }
    assert_eq!(team.ann.git(&format!("--git-dir={planted} for-each-ref")), "");
}

/// Another user's repository gives neither plans nor configuration, though git itself would run in one that is named.
#[test]
fn another_users_repository() {
    let team = Team::new();
    let server = team.origin.display().to_string();
    let chown = run({
        let mut command = team.ann.program("chown");
        command.args(["-R", "12345", &server]);
        command
    });
    if chown.code != Some(0) {
        return;
    }
    let said = exits(&named(&team.ann, &server, &[]), 1);
    assert!(said.contains("safe.directory"), "{said}");
    team.ann.git(&format!("config --global --add safe.directory {server}"));
    exits(&named(&team.ann, &server, &[]), 0);
}
