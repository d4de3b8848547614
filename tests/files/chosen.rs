//! What is published is chosen: by patterns, and by what git ignores. Nothing that central has goes for that.

use std::fs;

use crate::support::{process::run, workspace::Workspace, world::World};

fn central(world: &World) -> Vec<String> {
    world.central.folder("api").into_keys().collect()
}

fn workspace(world: &World) -> Workspace {
    let api = world.workspace("api");
    let text = |code: &str| format!("---\nshort_code: {code}\n---\n{code}\n");
    api.write_at("drafts/API-T-0001.md", "API-T-0001", text("API-T-0001"));
    api.write_at("backlog/API-T-0002.md", "API-T-0002", text("API-T-0002"));
    api.write_at("backlog/API-T-0003.md", "API-T-0003", text("API-T-0003"));
    api
}

const ALL: [&str; 3] = ["API-T-0001.md", "API-T-0002.md", "API-T-0003.md"];

#[test]
fn what_patterns_exclude_is_not_published() {
    let world = World::new();
    let api = workspace(&world);
    api.put(".syncignore", "# not yet\ndrafts/\n");
    api.put(
        "config.toml",
        api.config().replace("[sync]\n", "[sync]\nexclude = [\"*-0003.md\"]\n"),
    );
    assert_eq!(api.sync().report().pushed, ["API-T-0002"]);
    assert_eq!(central(&world), ["API-T-0002.md"]);
    // It is here all the same, and an edit of it changes nothing.
    assert!(api.run(&["show", "API-T-0001"]).success().ends_with("API-T-0001\n"));
    api.edit("API-T-0001", "More.");
    assert_eq!(api.sync().report().outcome, "up-to-date");
    let status = api.run(&["status"]).success();
    assert!(
        status.contains(
            "not published, because of .metis/.syncignore, [sync] exclude or what git ignores: API-T-0001, API-T-0003"
        ),
        "{status}"
    );
    fs::remove_file(api.metis().join(".syncignore")).expect("it is ours");
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
}

/// Also where the pattern comes with a pull, and says everything.
#[test]
fn excluding_takes_nothing_out_of_central_and_withdrawing_does() {
    let world = World::new();
    let api = workspace(&world);
    api.sync().report();
    assert_eq!(central(&world), ALL);
    for pattern in ["*", "drafts/"] {
        api.put(".syncignore", pattern);
        api.edit("API-T-0001", "Private.");
        let synced = api.run(&["sync"]);
        assert_eq!(synced.code, Some(0), "{}", synced.transcript());
        assert!(
            synced.stderr.contains("warning: central still has API-T-0001"),
            "{}",
            synced.transcript()
        );
        assert_eq!(central(&world), ALL, "{pattern}");
        assert!(!String::from_utf8_lossy(&world.central.folder("api")["API-T-0001.md"]).contains("Private."));
    }

    let unasked = api.run(&["withdraw", "API-T-0001"]);
    assert_eq!(unasked.code, Some(2), "{}", unasked.transcript());
    let published = api.run(&["withdraw", "--yes", "API-T-0001", "API-T-0002"]);
    assert!(
        published.code == Some(1)
            && published
                .stderr
                .contains("API-T-0002 is published, so the next sync would bring it back"),
        "{}",
        published.transcript()
    );
    assert_eq!(central(&world), ALL);

    let withdrawn = api.run(&["withdraw", "--yes", "api-t-0001"]);
    assert!(
        String::from_utf8_lossy(&withdrawn.stdout).contains("Removed: 1 document (API-T-0001)"),
        "{}",
        withdrawn.transcript()
    );
    assert_eq!(central(&world), &ALL[1..]);
    assert!(api.metis().join("drafts/API-T-0001.md").is_file());
    let next = api.run(&["sync"]);
    assert!(next.code == Some(0) && next.stderr.is_empty(), "{}", next.transcript());
    assert_eq!(central(&world), &ALL[1..]);
    let again = api.run(&["withdraw", "--yes", "API-T-0001"]);
    assert!(
        again.code == Some(1) && again.stderr.contains("central does not have API-T-0001"),
        "{}",
        again.transcript()
    );
    world.central.fsck_strict();
}

#[test]
fn what_git_ignores_is_published_only_if_asked_for() {
    let world = World::new();
    let api = workspace(&world);
    let git = |args: &[&str]| {
        let mut git = api.program("git");
        git.args(["-c", "user.name=x", "-c", "user.email=x"]).args(args);
        run(git).success()
    };
    git(&["init", "--quiet", "--initial-branch=main", "."]);
    fs::write(api.dir.join(".gitignore"), "drafts/\n*-0003.md\n").expect("it is ours");
    git(&["add", "--force", ".gitignore", ".metis/config.toml", ".metis/backlog"]);
    git(&["commit", "--quiet", "-m", "plans"]);
    assert_eq!(
        api.sync().report().pushed,
        ["API-T-0002", "API-T-0003"],
        "what git tracks it does not ignore"
    );
    api.put(
        "config.toml",
        api.config().replace("[sync]\n", "[sync]\npublish_ignored = true\n"),
    );
    assert_eq!(api.sync().report().pushed, [""; 0], "it may have come with a pull");
    api.run(&["trust", "sync.publish_ignored"]).success();
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    // What central has goes on being published, whatever git ignores.
    api.put("config.toml", api.config().replace("publish_ignored = true\n", ""));
    api.edit("API-T-0001", "More.");
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
}

/// A branch that is not checked out is read with its own patterns and with those that are here.
#[test]
fn a_branch_brings_its_patterns() {
    let world = World::new();
    let api = workspace(&world);
    let git = |args: &[&str]| {
        let mut git = api.program("git");
        git.args(["-c", "user.name=x", "-c", "user.email=x"]).args(args);
        run(git).success()
    };
    api.put(
        "config.toml",
        api.config().replace("[sync]\n", "[sync]\nsource = \"main\"\n"),
    );
    api.put(".syncignore", "drafts/\n");
    git(&["init", "--quiet", "--initial-branch=main", "."]);
    git(&["add", ".metis"]);
    git(&["commit", "--quiet", "-m", "plans"]);
    git(&["switch", "--quiet", "-c", "topic"]);
    git(&["rm", "--quiet", ".metis/.syncignore"]);
    git(&["commit", "--quiet", "-m", "no patterns here"]);
    api.sync().report();
    assert_eq!(central(&world), &ALL[1..]);
}
