//! Which locations are one central, and which are two.

use std::fs;

use super::{git, project, set_upstream};
use crate::support::{process::run, workspace::Workspace, world::World};

/// Two projects of one user name their centrals by the same text, and mean two.
#[test]
fn the_same_relative_path_in_two_places_is_two_centrals() {
    let world = World::new();
    let one = project(&world, "../central.git");
    let two = project(&world, "../central.git").beside(&one);
    for (project, text) in [(&one, "of one"), (&two, "of two")] {
        let central = project.dir.parent().unwrap().join("central.git");
        git(
            project,
            &["init", "-q", "--bare", "-b", "main", &central.display().to_string()],
        );
        project.edit("API-T-0001", text);
        assert!(project.sync().report().registered);
    }
    let stores = fs::read_dir(one.home.join(".cache/git-metis-sync")).unwrap();
    let stores = stores
        .filter(|entry| entry.as_ref().unwrap().file_name() != "aside")
        .count();
    assert_eq!(stores, 2, "each has a store of its own");
}

/// A server on which each ssh user has a home, with a central of the same name in it, and a project of alice's.
fn with_homes(world: &World) -> Workspace {
    let api = project(world, "alice@host:central.git");
    for user in ["alice", "mallory"] {
        let home = api.home.join("server").join(user);
        fs::create_dir_all(&home).unwrap();
        git(
            &api,
            &[
                "init",
                "-q",
                "--bare",
                "-b",
                "main",
                &home.join("central.git").display().to_string(),
            ],
        );
    }
    let ssh = api.home.join("ssh-program");
    let script = format!(
        "for command; do case $command in *@*) user=${{command%%@*}};; esac; done\ncd {}/$user && exec sh -c \"$command\"\n",
        api.home.join("server").display()
    );
    fs::write(&ssh, script).unwrap();
    git(&api, &["config", "core.sshCommand", &format!("sh {}", ssh.display())]);
    git(&api, &["config", "ssh.variant", "ssh"]);
    api
}

fn documents(api: &Workspace, user: &str) -> String {
    let central = api.home.join("server").join(user).join("central.git");
    let mut git = api.program("git");
    git.arg("-C").arg(central).args(["grep", "-h", "Mine", "main"]);
    String::from_utf8(run(git).stdout).unwrap()
}

/// Whoever pushes a config.toml that names another user of the same server means another repository.
#[test]
fn another_ssh_user_is_another_central() {
    let world = World::new();
    let api = with_homes(&world);
    assert!(api.sync().report().registered);
    api.edit("API-T-0001", "Mine alone.");
    for url in [
        "mallory@host:central.git",
        "host:central.git",
        "ssh://alice@host/central.git",
    ] {
        set_upstream(&api, url);
        let failure = api.sync().failure(3);
        assert_eq!(failure.kind, "upstream-changed");
        assert!(failure.message.contains("alice@host:central.git so far"), "{failure:?}");
        assert_eq!(
            run(api.metis_sync(&["init"])).code,
            Some(3),
            "what a pull brought is not confirmed by itself"
        );
    }
    assert_eq!(documents(&api, "mallory"), "");
    run(api.metis_sync(&["init", "--upstream", "mallory@host:central.git"])).success();
    let report = api.sync().report();
    assert!(report.registered, "nothing of the other is taken over");
    assert!(documents(&api, "mallory").contains("Mine alone."));
    assert!(!documents(&api, "alice").contains("Mine alone."));
}

/// The first release noted central without its user. Its clones go on, once, and their object store is kept.
#[test]
fn a_clone_of_the_first_release_goes_on_and_is_bound_to_its_user() {
    let world = World::new();
    let api = with_homes(&world);
    api.sync().report();
    let cursor = api.metis().join(".sync/cursor.json");
    let text = fs::read_to_string(&cursor).unwrap();
    let (unsealed, _) = text.split_once(",\"folder\":\"").expect("it is sealed");
    assert!(unsealed.contains("\"upstream\":\"host:central.git\""), "{unsealed}");
    fs::write(&cursor, format!("{unsealed}}}\n")).unwrap();
    fs::remove_dir_all(api.dir.join(".git/metis-sync")).unwrap();
    api.edit("API-T-0001", "Mine, too.");
    let report = api.sync().report();
    assert_eq!(
        (report.pushed.len(), report.registered, report.warnings),
        (1, false, vec![])
    );
    assert!(documents(&api, "alice").contains("Mine, too."));
    set_upstream(&api, "mallory@host:central.git");
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
    assert_eq!(documents(&api, "mallory"), "");
}

/// What differs where a message would be cut is another place, and so is the same text somewhere else.
#[test]
fn a_location_is_compared_whole_and_from_where_it_counts() {
    let world = World::new();
    let long = |name: &str| format!("../{}../{name}.git", "./".repeat(600));
    let api = project(&world, &long("one"));
    let machine = api.dir.parent().unwrap();
    for name in ["one", "two"] {
        let at = machine
            .parent()
            .unwrap()
            .join(format!("{name}.git"))
            .display()
            .to_string();
        git(&api, &["init", "-q", "--bare", "-b", "main", &at]);
    }
    api.sync().report();
    set_upstream(&api, &long("two"));
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
    // However it is written, it is the place that counts.
    set_upstream(&api, "../../one.git");
    assert_eq!(api.sync().report().outcome, "up-to-date");
    // From elsewhere the same text means something else.
    let moved = machine.join("deeper");
    fs::create_dir(&moved).unwrap();
    fs::rename(&api.dir, moved.join("project")).unwrap();
    let mut elsewhere = api.program(env!("CARGO_BIN_EXE_git-metis-sync"));
    elsewhere.current_dir(moved.join("project"));
    let ended = run(elsewhere);
    assert_eq!(ended.code, Some(3), "{}", ended.transcript());
}
