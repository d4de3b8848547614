//! `status`: where the workspace stands.

mod trouble;

use serde_json::Value;

use super::{assert_harmless, json, second_clone, strings, text, two};
use crate::support::{process::run, workspace::Workspace, world::World};

fn state(workspace: &Workspace) -> Value {
    json(workspace, &["status"], 0)["state"].clone()
}

/// It looks, and leaves everything but its object cache as it was.
#[track_caller]
fn untouched(workspace: &Workspace, args: &[&str]) -> Value {
    let before = workspace.snapshot();
    let status = json(workspace, args, 0);
    assert_eq!(workspace.snapshot(), before);
    status
}

#[test]
fn before_the_first_sync() {
    let world = World::new();
    let web = world.workspace("web");
    web.write("WEB-T-0001", "There.");
    web.sync().report();
    let api = world.workspace("api");
    api.write("API-T-0001", "New.");
    let status = untouched(&api, &["status"]);
    assert_eq!(
        (&status["state"], &status["head"]),
        (&"never-synced".into(), &Value::Null)
    );
    assert_eq!(strings(&status["ahead"], "code"), ["API-T-0001"]);
    assert_eq!(status["ahead"][0]["change"], "added");
    assert_eq!(strings(&status["workspaces"], "prefix"), ["web"]);
    assert_eq!(
        (&status["workspaces"][0]["state"], &status["workspaces"][0]["write"]),
        (&"new".into(), &1.into())
    );
    assert!(text(&api, &["status"], 0).contains("Never synced"));

    let offline = untouched(&api, &["status", "--offline"]);
    assert_eq!(
        (&offline["state"], &offline["central"]["asked"]),
        (&"never-synced".into(), &false.into())
    );
}

#[test]
fn up_to_date_costs_one_listing() {
    let world = World::new();
    let (api, _web) = two(&world);
    world.wire();
    let status = untouched(&api, &["status"]);
    assert_eq!(
        (&status["state"], &status["head"]),
        (&"up-to-date".into(), &status["central"]["head"])
    );
    assert_eq!(
        (&status["documents"], &status["workspaces"][0]["state"]),
        (&3.into(), &"in-step".into())
    );
    assert_eq!(status["workspaces"][0]["documents"], 2);
    assert!(status["workspaces"][0]["seconds_ago"].as_i64().unwrap() >= 0);
    assert!(text(&api, &["status"], 0).contains("  web                  in step, last changed "));
    world.wire();
    let status = untouched(&api, &["status"]);
    assert_eq!(status["last_sync"]["outcome"], "synced");
    assert!(status["last_sync"]["seconds_ago"].as_i64().unwrap() >= 0);
    let wire = world.wire();
    assert_eq!((wire.listings(), wire.wants(), wire.pushes()), (1, 0, 0));

    assert_eq!(untouched(&api, &["status", "--offline"])["state"], "up-to-date");
    assert_eq!(world.wire().listings(), 0, "nobody is asked");
    assert!(text(&api, &["status"], 0).ends_with("Up to date.\n"));
    assert_eq!(text(&api, &["status", "-q"], 0), "");
}

#[test]
fn ahead() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.edit("API-T-0001", "More.");
    api.delete("API-T-0002");
    api.write("API-T-0004", "New.");
    for args in [&["status"][..], &["status", "--offline"]] {
        let status = untouched(&api, args);
        assert_eq!(status["state"], "ahead");
        assert_eq!(
            strings(&status["ahead"], "code"),
            ["API-T-0001", "API-T-0002", "API-T-0004"]
        );
        assert_eq!(strings(&status["ahead"], "change"), ["changed", "removed", "added"]);
    }
    let text = text(&api, &["status"], 0);
    assert!(text.contains("Ahead: 3 documents to push"), "{text}");
    assert!(
        text.contains("M API-T-0001   initiatives/API-I-0001/tasks/API-T-0001.md"),
        "{text}"
    );
}

/// What has moved is received once: the sync after it finds it here.
#[test]
fn behind() {
    let world = World::new();
    let (api, web) = two(&world);
    web.edit("WEB-T-0001", "More.");
    web.delete("WEB-T-0002");
    web.sync().report();
    let status = untouched(&api, &["status"]);
    assert_eq!(
        (&status["state"], &status["central"]["moved"]),
        (&"behind".into(), &true.into())
    );
    let folder = &status["workspaces"][0];
    assert_eq!(
        (&folder["state"], &folder["write"], &folder["remove"]),
        (&"outdated".into(), &1.into(), &1.into())
    );
    assert_eq!(
        untouched(&api, &["status", "--offline"])["state"],
        "up-to-date",
        "as far as it knows"
    );
    world.wire();
    assert_eq!(api.sync().report().pulled["web"].written, 1);
    assert_eq!(world.wire().wants(), 0);
    assert_eq!(state(&api), "up-to-date");
}

#[test]
fn both() {
    let world = World::new();
    let (api, web) = two(&world);
    web.edit("WEB-T-0001", "More.");
    web.sync().report();
    api.edit("API-T-0001", "More.");
    assert_eq!(state(&api), "ahead-and-behind");
}

/// Another clone of the same workspace was faster: in other documents, then in the same one.
#[test]
fn own_documents_that_are_behind_and_in_conflict() {
    let world = World::new();
    let (api, _web) = two(&world);
    let clone = second_clone(&world);
    clone.edit("API-T-0001", "By the clone.");
    clone.sync().report();
    let status = untouched(&api, &["status"]);
    assert_eq!(
        (&status["state"], &status["behind"][0]["code"]),
        (&"behind".into(), &"API-T-0001".into())
    );

    api.edit("API-T-0001", "Here.");
    let status = untouched(&api, &["status"]);
    assert_eq!(status["state"], "stopped");
    assert_eq!(strings(&status["conflicts"], "code"), ["API-T-0001"]);
    assert_eq!(strings(&status["obstacles"], "kind"), ["diverged"]);
    let text = text(&api, &["status"], 0);
    assert!(
        text.contains("Blocked: conflict: changed here and in central"),
        "{text}"
    );
    api.sync().failure(3);
}

#[test]
fn a_workspace_on_its_own() {
    let world = World::new();
    let alone = world.workspace_with_config("api", &world.local(), "[project]\nprefix = \"API\"\n");
    for command in ["status", "diff", "verify"] {
        assert_eq!(json(&alone, &[command], 0)["state"], "not-configured");
        assert!(text(&alone, &[command], 0).starts_with("No central repository is configured"));
    }
}

/// The lines that `src/cli/status/porcelain.rs` promises, to the letter.
#[test]
fn porcelain_is_stable() {
    let world = World::new();
    let (api, web) = two(&world);
    web.edit("WEB-T-0001", "More.");
    web.sync().report();
    api.edit("API-T-0001", "More.");
    api.delete("API-T-0002");
    api.write_at(
        "adrs/a \"b\"\n.md",
        "API-A-0001",
        crate::support::document::document("API-A-0001", "x", "y"),
    );
    let synced = json(&api, &["status"], 0)["last_sync"]["started"]
        .as_str()
        .unwrap()
        .to_owned();
    let head = json(&api, &["status"], 0)["head"].as_str().unwrap().to_owned();
    let expected = format!(
        "#\tworkspace\tapi\n#\tupstream\t{url}\n#\tbranch\tmain\n#\tstate\tahead-and-behind\n#\thead\t{head}\n\
         #\tcentral\t{tip}\n#\tasked\tyes\n#\tsynced\t{synced}\n\
         A\tAPI-A-0001\t\"adrs/a \\\"b\\\"\\n.md\"\n\
         M\tAPI-T-0001\tinitiatives/API-I-0001/tasks/API-T-0001.md\n\
         D\tAPI-T-0002\tinitiatives/API-I-0001/tasks/API-T-0002.md\n\
         W\tweb\toutdated\t2\n",
        url = world.central.url(),
        tip = world.central.tip().unwrap(),
    );
    for flag in ["--porcelain", "--porcelain=v1"] {
        assert_eq!(text(&api, &["status", flag], 0), expected);
    }
    let nul = text(&api, &["status", "-z"], 0);
    assert_eq!(
        nul,
        expected
            .replace("\"adrs/a \\\"b\\\"\\n.md\"", "adrs/a \"b\"@.md")
            .replace('\n', "\0")
            .replace('@', "\n")
    );
    assert_eq!(api.run(&["status", "--porcelain=v2"]).code, Some(2));
}

/// However much there is to say: one screen, and nothing that moves a cursor.
#[test]
fn never_more_than_a_screen() {
    let world = World::new();
    let (api, web) = two(&world);
    for number in 10..40 {
        api.write_at(
            format!("backlog/\u{1b}[2J\u{202e}{number}.md"),
            &format!("API-T-00{number}"),
            crate::support::document::document(&format!("API-T-00{number}"), "x", "y"),
        );
        api.put(
            format!("backlog/API-T-01{number}.md"),
            "---\nshort_code: \"API\nbroken\n",
        );
        let other = world.workspace(&format!("web-{number}")).beside(&web);
        other.write(&format!("W-T-00{number}"), "New.");
        let mut sync = other.sync_command(&[]);
        sync.arg("--max-retries=0");
        run(sync).success();
    }
    let text = text(&api, &["status"], 0);
    assert_harmless(&text);
    assert!(text.lines().count() <= 24, "{text}");
    assert!(text.contains("… and 27 more"), "{text}");
}
