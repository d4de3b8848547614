//! The commands, as people and programs use them.

use serde_json::{Value, json};

use super::{dump, json, sync, two};
use crate::support::{
    process::eventually,
    servers::{Access, Nginx},
    workspace::Workspace,
    world::World,
};

#[test]
fn tags_of_others_find_their_documents() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&api, &["tag", "add", "web-t-0001", "#Urgent"]);
    let codes = |args: &[&str]| -> Vec<String> {
        let documents = json(&api, args)["documents"].clone();
        documents
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(&["list", "--tag", "urgent"]), ["WEB-T-0001"]);
    assert_eq!(codes(&["search", "title", "--tag", "urgent"]), ["WEB-T-0001"]);
    let listed = api.run(&["list", "--tag", "urgent"]).success();
    assert!(listed.contains("Title of WEB-T-0001 #Urgent"), "{listed}");
    for (args, place) in [
        (&["list"][..], "/documents/1/shared_tags"),
        (&["search", "title", "--workspace", "web"], "/documents/0/shared_tags"),
        (&["query", "workspace", "web"], "/answer/list/0/shared_tags"),
        (&["show", "WEB-T-0001"], "/document/shared_tags"),
    ] {
        let shown = json(&api, args);
        assert_eq!(shown.pointer(place), Some(&json!(["Urgent"])), "{args:?}: {shown}");
    }
    let said = api.run(&["tag", "add", "WEB-T-0001", "Urgent"]).success();
    assert_eq!(said, "Unchanged: WEB-T-0001 has it already: #Urgent\n");
    assert_eq!(api.run(&["tag", "list", "WEB-T-0001"]).success(), "Urgent\n");
    assert_eq!(
        api.run(&["tag", "list"]).success(),
        "Urgent                   1  WEB-T-0001\n"
    );
    assert_eq!(
        api.run(&["tag", "rm", "WEB-T-0001", "Urgent"]).success(),
        "Untagged: WEB-T-0001 #Urgent\n"
    );
    sync(&api);
    sync(&web);
    assert_eq!(json(&web, &["tag", "list"])["tags"], serde_json::json!([]));
}

/// `status` says what is not in central yet, and tags beside what is to be pushed.
#[test]
fn status_tells_of_records() {
    let world = World::new();
    let (api, _) = two(&world);
    assert_eq!(json(&api, &["status"])["records"], Value::Null);
    json(&api, &["tag", "add", "API-T-0001", "urgent"]);
    api.edit("API-T-0001", "More.");
    let status = json(&api, &["status", "--offline"]);
    assert_eq!(
        (&status["records"]["unpublished"], &status["ahead"][0]["tags"]),
        (&json!(1), &json!(["urgent"]))
    );
    let said = api.run(&["status"]).success();
    assert!(
        said.contains("Shared records: 1 not in central yet") && said.contains("#urgent"),
        "{said}"
    );
    sync(&api);
    assert!(!api.run(&["status"]).success().contains("Shared records"));
}

/// git-bug#103: a note comes before its document.
#[test]
fn what_is_about_an_unknown_document_waits_for_it() {
    let world = World::new();
    let (api, web) = two(&world);
    let finished = api.run(&["tag", "add", "WEB-T-0009", "urgent"]);
    assert!(finished.stderr.contains("WEB-T-0009"), "{}", finished.transcript());
    sync(&api);
    assert_eq!(json(&api, &["record", "status"])["waiting"], 1);
    web.write("WEB-T-0009", "Here it is.");
    sync(&web);
    sync(&api);
    assert_eq!(json(&api, &["record", "status"])["waiting"], 0);
    let found = json(&api, &["list", "--tag", "urgent"])["documents"].to_string();
    assert!(found.contains("WEB-T-0009"), "{found}");
}

#[test]
fn notes_are_written_answered_changed_and_taken_away() {
    let world = World::new();
    let (api, web) = two(&world);
    let id = json(&api, &["note", "add", "WEB-T-0001", "Is this still true?"])["added"]
        .as_str()
        .unwrap()
        .to_owned();
    sync(&api);
    sync(&web);
    let reply = json(&web, &["note", "add", "WEB-T-0001", "Yes.", "--reply", &id[..4]])["added"]
        .as_str()
        .unwrap()
        .to_owned();
    json(&web, &["note", "edit", &id, "Is it?"]);
    json(&api, &["note", "edit", &id, "Is this?"]);
    for workspace in [&api, &web, &api] {
        sync(workspace);
    }
    let notes = json(&api, &["note", "list", "web-t-0001"])["notes"].clone();
    assert_eq!(notes, json(&web, &["note", "list"])["notes"]);
    let of = |id: &str| {
        notes
            .as_array()
            .unwrap()
            .iter()
            .find(|note| note["id"] == id)
            .unwrap()
            .clone()
    };
    // Who loses is shown.
    let both = format!("{} {}", of(&id)["body"], of(&id)["others"]);
    assert!(both.contains("Is it?") && both.contains("Is this?"), "{both}");
    assert_eq!(of(&reply)["parent"], id.as_str());
    json(&web, &["note", "rm", &id]);
    sync(&web);
    sync(&api);
    assert_eq!(json(&api, &["note", "list"])["notes"].as_array().unwrap().len(), 1);
    let unknown = api.run(&["note", "rm", &id]);
    assert!(
        unknown.code == Some(1) && unknown.stderr.contains("note list"),
        "{}",
        unknown.transcript()
    );
}

/// An answer comes before the note that it answers, and an item before its collection: each waits under what it needs.
#[test]
fn what_needs_a_record_waits_for_it() {
    let world = World::new();
    let (api, _) = two(&world);
    let set = |key: &[&str], field: &str, value: &str| {
        let command = [&["record", "set"], key, &["--field", field, "--value", value]].concat();
        json(&api, &command);
    };
    let shown = |command: &[&str], what: &str| json(&api, command)[what].as_array().map(Vec::len);
    let waiting = || json(&api, &["record", "status"])["waiting"].clone();
    set(&["note", "answer"], "document", "API-T-0001");
    set(&["note", "answer"], "body", "Yes.");
    set(&["note", "answer"], "parent", "question");
    set(&["collection", "list", "API-T-0001"], "", "true");
    assert_eq!((shown(&["note", "list"], "notes"), waiting()), (Some(0), json!(2)));
    assert_eq!(shown(&["collection", "show"], "collections"), Some(0));
    set(&["note", "question"], "document", "API-T-0001");
    set(&["note", "question"], "body", "Is it?");
    set(&["collection", "list"], "title", "Release");
    assert_eq!((shown(&["note", "list"], "notes"), waiting()), (Some(2), json!(0)));
    assert_eq!(shown(&["collection", "show"], "collections"), Some(1));
}

#[test]
fn records_are_read_and_written_as_they_are() {
    let world = World::new();
    let (api, _) = two(&world);
    let colour = ["tagdef", "urgent", "--field", "colour"];
    let set = |value: &str| api.run(&[&["record", "set"], &colour[..], &["--value", value]].concat());
    assert_eq!(set("red").success(), "Written: tagdef urgent .colour\n");
    assert_eq!(set("red").success(), "Unchanged: tagdef urgent .colour\n");
    let get = || api.run(&[&["record", "get"], &colour[..]].concat());
    assert_eq!(get().success(), "\"red\"\n");
    let wrong = set("7");
    assert!(
        wrong.code == Some(1) && wrong.stderr.contains("does not take this value"),
        "{}",
        wrong.transcript()
    );
    api.run(&[&["record", "set"], &colour[..], &["--remove"]].concat())
        .success();
    assert_eq!(get().code, Some(1));
    let log = api.run(&["record", "log"]).success();
    assert!(log.lines().count() == 2 && log.contains("(removed)"), "{log}");
}

/// Albums, hidden documents and read marks have no command of their own: `record set` writes them, at once in two clones, and each
/// is merged by its model's rule.
#[test]
fn models_without_a_command_are_written_as_they_are() {
    let world = World::new();
    let (api, web) = two(&world);
    let set = |workspace: &Workspace, key: &[&str], rest: &[&str]| {
        json(workspace, &[&["record", "set"], key, rest].concat());
    };
    let (album, item) = (["album", "a1"], ["album", "a1", "API-T-0001"]);
    let own = ["meta", "metis-sync", "API-T-0001"];
    set(&api, &album, &["--field", "title", "--value", "Holiday"]);
    set(&api, &item, &["--value", "true"]);
    sync(&api);
    sync(&web);
    set(&api, &own, &["--field", "read", "--value", "7"]);
    // Taken out and put in again: that is an item which web does not know when it takes its own out.
    set(&api, &item, &["--remove"]);
    set(&api, &item, &["--value", "true"]);
    set(&api, &own, &["--field", "hidden", "--value", "false"]);
    set(&web, &own, &["--field", "read", "--value", "3"]);
    set(&web, &item, &["--remove"]);
    set(&web, &["album", "a1", "WEB-T-0001"], &["--value", "true"]);
    set(&web, &own, &["--field", "hidden", "--value", "true"]);
    for workspace in [&api, &web, &api] {
        sync(workspace);
    }
    assert_eq!(dump(&api), dump(&web));
    let records = json(&web, &["record", "list"])["records"].clone();
    let shown: Vec<String> = records
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| format!("{} {} {} {}", it["model"], it["key"], it["field"], it["value"]).replace('"', ""))
        .collect();
    assert_eq!(
        shown,
        [
            "album [a1] title Holiday",
            "album [a1,API-T-0001]  true",
            "album [a1,WEB-T-0001]  true",
            "meta [metis-sync,API-T-0001] hidden true",
            "meta [metis-sync,API-T-0001] read 7",
        ]
    );
}

/// Where there are no records, nothing is asked for and nothing is made.
#[test]
fn without_records_a_sync_costs_what_it_did() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let (api, web) = super::two_on(&world, &nginx.remote());
    assert!(!api.metis().join(".sync/records.db").exists());
    assert_eq!(json(&api, &["record", "status"])["written"], 0);
    assert_eq!(json(&api, &["record", "list"])["records"], serde_json::json!([]));
    assert!(!api.metis().join(".sync/records.db").exists(), "looking makes nothing");
    let requests = || nginx.requests().len();
    let before = requests();
    api.sync().report();
    let without = requests() - before;
    json(&web, &["tag", "add", "WEB-T-0001", "urgent"]);
    sync(&web);
    sync(&api);
    let before = requests();
    assert_eq!(sync(&api), (0, 0));
    assert_eq!(requests() - before, without);
}

/// What several wrote, documents and records, comes in one listing and one fetch.
#[test]
fn new_documents_and_logs_come_in_three_exchanges() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    // What is asked before a push is noted late, and does not count.
    let asked = || {
        nginx
            .requests()
            .iter()
            .filter(|line| line.contains("upload-pack"))
            .count()
    };
    let (api, web) = super::two_on(&world, &nginx.remote());
    let ops = world.workspace_on("ops", &nginx.remote());
    sync(&ops);
    for (round, tag) in ["first", "second"].into_iter().enumerate() {
        for workspace in [&api, &ops] {
            json(workspace, &["tag", "add", "API-T-0001", tag]);
            workspace.write(
                &format!("{}-T-000{}", workspace.prefix.to_uppercase(), round + 2),
                "One.",
            );
            json(workspace, &["sync"]);
        }
        let before = asked();
        json(&web, &["sync", "--pull-only"]);
        eventually("the server noted all requests", || asked() >= before + 3);
        assert_eq!(asked() - before, 3, "{:?}", nginx.requests());
        assert_eq!(json(&web, &["tag", "list"])["tags"][0]["documents"][0], "API-T-0001");
    }
    assert_eq!(dump(&web), dump(&ops));
}
