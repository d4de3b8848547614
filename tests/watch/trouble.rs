//! What goes wrong around a watcher.

use std::{fs, process::Command};

use super::{Watching, hasty, noted};
use crate::{
    records::json,
    support::{
        point::Point,
        process::{built, eventually},
        servers::skip,
        world::World,
    },
};

/// The system has eight watches for this user: files are looked at instead.
#[test]
fn the_system_tells_of_no_more_folders() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    hasty(&api, "");
    for number in 1..=20 {
        let code = format!("API-T-{number:04}");
        api.write_at(
            format!("backlog/{number}/{code}.md"),
            &code,
            crate::support::document::document(&code, "T", "x"),
        );
    }
    let limited = "echo 8 > /proc/sys/user/max_inotify_watches && exec \"$@\"";
    let mut probe = Command::new("unshare");
    probe.args(["-Ur", "sh", "-c", limited, "sh", "true"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        return skip("no user namespace with limits of its own");
    }
    let watch = api.metis_sync(&["watch"]);
    let mut command = api.program("unshare");
    command
        .args(["-Ur", "sh", "-c", limited, "sh"])
        .arg(watch.get_program())
        .args(watch.get_args());
    let watching = Watching::start(command, &api.home.join("watch.log"));
    watching.says("fs.inotify.max_user_watches");
    eventually("the first sync", || noted(&api)["last_success"].is_string());
    api.edit("API-T-0020", "More.");
    eventually("an edit", || {
        web.sync().report();
        web.hydrated("api") == api.documents()
    });
}

/// Records that a sync could not take up are taken up later, although nothing more happens in central.
#[test]
fn records_cannot_be_kept_for_a_while() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "One.");
    api.sync().report();
    hasty(&web, "poll_seconds = 5\n");
    let watching = Watching::of(&web);
    let in_the_way = web.metis().join(".sync/records.db");
    fs::create_dir(&in_the_way).unwrap();
    json(&api, &["tag", "add", "API-T-0001", "urgent"]);
    api.sync().report();
    watching.says("records were left as they are");
    assert_eq!(watching.count("records were left as they are"), 1);
    fs::remove_dir(&in_the_way).unwrap();
    watching.says("in step again");
    let tags = json(&web, &["tag", "list"])["tags"].to_string();
    assert!(tags.contains("urgent"), "{tags}");
    watching.end();
}

/// Central goes away: that is said once, and it is found again.
#[test]
fn central_goes_and_comes_again() {
    let world = World::new();
    let api = world.workspace("api");
    hasty(&api, "");
    api.write("API-T-0001", "Mine.");
    let watching = Watching::of(&api);
    let away = world.root().join("away.git");
    fs::rename(&world.central.dir, &away).unwrap();
    api.edit("API-T-0001", "While it was away.");
    watching.says("there is no repository at");
    eventually("the failure", || noted(&api)["last_failure"]["stop"] == "no-repository");
    let said = api.run(&["watch", "--status"]).success();
    assert!(
        said.contains("last failure: ") && said.contains("tried again at"),
        "{said}"
    );
    api.edit("API-T-0001", "And more.");
    fs::rename(&away, &world.central.dir).unwrap();
    eventually("all of it", || world.central.folder("api") == api.documents());
    assert_eq!(watching.count("there is no repository at"), 1, "{}", watching.said());
}

/// Central does not answer: what is written meanwhile goes with the next sync, and whoever ends the watcher does not wait either.
#[test]
fn a_central_that_is_slow() {
    let world = World::new();
    let api = world.workspace("api");
    hasty(&api, "");
    api.write("API-T-0001", "Mine.");
    let watching = Watching::of(&api);
    let mut gate = world.points.gate(Point::BeforeFetch);
    api.edit("API-T-0001", "While it was slow.");
    gate.wait();
    api.write("API-T-0002", "And more.");
    assert!(api.run(&["watch", "--status"]).success().contains("last success: "));
    gate.open();
    eventually("all of it", || world.central.folder("api") == api.documents());
    let mut gate = world.points.gate(Point::BeforeFetch);
    api.edit("API-T-0001", "The last.");
    gate.wait();
    assert_eq!(watching.end(), Some(130));
    gate.open();
}

/// Central refuses what is pushed: that is said in the server's words, others' documents go on coming, and the next edit is tried
/// again.
#[test]
fn a_central_that_refuses() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    hasty(&api, "");
    api.write("API-T-0001", "Mine.");
    let watching = Watching::of(&api);
    let hook = world.central.dir.join("hooks/pre-receive");
    let passes = fs::read(&hook).unwrap();
    fs::write(&hook, "#!/bin/sh\necho not today >&2\nexit 1\n").unwrap();
    api.edit("API-T-0001", "Not taken.");
    watching.says("central refused the push: pre-receive hook declined (\"not today\")");
    eventually("a note", || noted(&api)["last_failure"].is_object());
    let told = watching.count("not today");
    fs::write(&hook, &passes).unwrap();
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    eventually("theirs", || api.hydrated("web") == web.documents());
    api.edit("API-T-0001", "Taken.");
    eventually("all of it", || world.central.folder("api") == api.documents());
    assert_eq!(watching.count("not today"), told, "{}", watching.said());
}

/// A guard's stop waits for a change, and says what to do.
#[test]
fn a_guards_stop() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    hasty(&api, "");
    for number in 1..=8 {
        api.write(&format!("API-T-{number:04}"), "Mine.");
    }
    let watching = Watching::of(&api);
    eventually("all of it", || world.central.folder("api").len() == 8);
    for number in 1..=7 {
        api.delete(&format!("API-T-{number:04}"));
    }
    watching.says("--allow-deletes");
    assert_eq!(world.central.folder("api").len(), 8);
    eventually("a note", || noted(&api)["last_failure"]["stop"] == "deletes");
    // What others do goes on coming in, and the stop is said once.
    for round in 0..3 {
        web.write("WEB-T-0001", &format!("Theirs, {round}."));
        web.sync().report();
        eventually("theirs", || api.hydrated("web") == web.documents());
    }
    assert_eq!(watching.count("--allow-deletes"), 1, "{}", watching.said());
    assert_eq!(world.central.folder("api").len(), 8);
    for number in 1..=7 {
        api.write(&format!("API-T-{number:04}"), "Back.");
    }
    eventually("what came back", || world.central.folder("api") == api.documents());
}

/// A new version of the program takes the place of the one that runs, which goes on as that one.
#[test]
fn the_program_is_replaced() {
    let world = World::new();
    let api = world.workspace("api");
    hasty(&api, "");
    let (program, new) = (api.home.join("git-metis-sync"), api.home.join("new"));
    fs::copy(built("git-metis-sync"), &program).unwrap();
    let mut command = api.program(&program);
    command.args(["watch"]);
    let watching = Watching::start(command, &api.home.join("watch.log"));
    eventually("its first sync", || noted(&api)["last_success"].is_string());
    assert_eq!(watching.count("watching "), 1);
    fs::copy(&program, &new).unwrap();
    fs::rename(&new, &program).unwrap();
    eventually("the new one", || watching.count("watching ") == 2);
    let runs = fs::read_link(format!("/proc/{}/exe", watching.pid()));
    assert_eq!(runs.unwrap(), program.canonicalize().unwrap());
    api.write("API-T-0001", "Mine.");
    eventually("an edit", || world.central.folder("api") == api.documents());
    assert_eq!(watching.end(), Some(130));
}

/// Each with its kind, and with what to do.
#[test]
fn what_cannot_be_watched() {
    let world = World::new();
    let api = world.workspace("api");
    let elsewhere = api.home.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let elsewhere = elsewhere.display().to_string();
    let config = api.config();
    let without = config.split("[sync]").next().unwrap();
    api.put("config.toml", without);
    for (arguments, stop) in [
        (&["--json", "watch"][..], "no-upstream"),
        (&["--json", "watch", "--install"], "no-upstream"),
        (&["--json", "watch", &elsewhere], "no-workspace"),
        (&["--json", "watch", "/nowhere/at/all"], "no-folder"),
    ] {
        let stopped = api.run(arguments);
        let document: serde_json::Value = serde_json::from_slice(&stopped.stdout).unwrap_or_default();
        assert_eq!(document["error"]["stop"], stop, "{}", stopped.transcript());
        assert!(document["error"]["next"].is_string(), "{}", stopped.transcript());
        assert_eq!(stopped.code, Some(1), "{}", stopped.transcript());
    }
    assert!(!api.home.join(".gitconfig").exists());
}
