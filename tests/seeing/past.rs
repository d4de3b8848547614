//! `show`, `open`, `log CODE` and `blame`: one document, now and before.

use std::fs;

use serde_json::Value;

use super::{json, strings, text};
use crate::support::{process::run, workspace::Workspace, world::World};

/// `api` with three versions of a document, and `web`, which joined after the second and has none of the older history.
fn two(world: &World) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write_at("API-T-0001.md", "API-T-0001", "---\nshort_code: API-T-0001\n---\none\n");
    api.sync().report();
    api.edit("API-T-0001", "two");
    api.sync().report();
    web.write("WEB-T-0001", "Ours.");
    web.sync().report();
    api.edit("API-T-0001", "three");
    api.sync().report();
    web.sync().report();
    (api, web)
}

const FIRST: &str = "---\nshort_code: API-T-0001\n---\none\n";

fn versions(workspace: &Workspace) -> Vec<Value> {
    let log = json(workspace, &["log", "API-T-0001"], 0);
    assert_eq!((&log["complete"], &log["total"]), (&true.into(), &3.into()), "{log}");
    log["versions"].as_array().expect("a list").clone()
}

#[test]
fn what_became_of_a_document() {
    let world = World::new();
    let (api, web) = two(&world);
    for workspace in [&api, &web] {
        let versions = versions(workspace);
        assert_eq!(
            strings(&Value::from(versions.clone()), "change"),
            ["changed", "changed", "added"]
        );
        let author = &versions[0]["author"];
        assert!(author.is_string(), "{author}");
    }
    // The older commits were asked for, and are kept nowhere: they are asked for again.
    world.wire();
    let shown = text(&web, &["log", "-n", "1", "api-t-0001"], 0);
    assert!(
        shown.contains("  changed in api/ by ") && shown.lines().count() == 1,
        "{shown}"
    );
    assert_eq!(world.wire().listings(), 1);

    // A bound is kept, and said.
    let bounded = web.run(&["log", "--depth", "2", "API-T-0001"]);
    assert!(
        bounded.code == Some(0)
            && bounded
                .stderr
                .ends_with("Looked back through 2 commits of central; --depth N looks further.\n"),
        "{}",
        bounded.transcript()
    );
    let log = json(&web, &["log", "--depth", "2", "API-T-0001"], 0);
    assert_eq!((&log["complete"], &log["commits"]), (&false.into(), &2.into()), "{log}");
    assert_eq!(strings(&log["versions"], "change"), ["changed", "earlier"]);

    let unknown = web.run(&["log", "API-T-0009"]);
    assert!(
        unknown.code == Some(1) && unknown.stderr.contains("central's history has no document API-T-0009"),
        "{}",
        unknown.transcript()
    );
    api.delete("API-T-0001");
    api.sync_with(&["--allow-deletes"]).report();
    let log = json(&api, &["log", "API-T-0001"], 0);
    assert_eq!(
        strings(&log["versions"], "change"),
        ["removed", "changed", "changed", "added"]
    );
}

#[test]
fn a_document_as_it_is_and_was() {
    let world = World::new();
    let (api, web) = two(&world);
    let now = fs::read_to_string(web.metis().join("api/API-T-0001.md")).expect("it was hydrated");
    assert_eq!(text(&web, &["show", "api-t-0001"], 0), now, "byte for byte");
    let json_now = json(&web, &["show", "API-T-0001"], 0);
    assert_eq!(
        (&json_now["text"], &json_now["document"]["workspace"]),
        (&now.clone().into(), &"api".into())
    );

    let versions = versions(&web);
    let first = versions[2]["commit"].as_str().expect("an id");
    for workspace in [&web, &api] {
        for when in [first, &first[..10]] {
            assert_eq!(text(workspace, &["show", &format!("API-T-0001@{when}")], 0), FIRST);
        }
        assert_eq!(text(workspace, &["show", "API-T-0001@2099-01-01"], 0), now);
    }
    let failed = |when: &str, says: &str| {
        let ended = web.run(&["show", &format!("API-T-0001@{when}")]);
        assert!(
            ended.code == Some(1) && ended.stderr.contains(says),
            "{}",
            ended.transcript()
        );
    };
    failed("1999-12-31", "central's history begins later than that");
    failed(
        "sometime",
        "sometime is neither a commit in central's history nor a time",
    );
    let before = world.central.git(&["rev-list", "--max-parents=0", "main"]);
    failed(before.trim(), "api/ had no API-T-0001 in commit");
    let unknown = web.run(&["show", "API-T-0009"]);
    assert!(
        unknown.code == Some(1) && unknown.stderr.contains("no workspace has a document"),
        "{}",
        unknown.transcript()
    );
    assert_eq!(web.run(&["show", "API-T-0001@"]).code, Some(2));
}

#[test]
fn where_each_line_comes_from() {
    let world = World::new();
    let (_api, web) = two(&world);
    let versions = versions(&web);
    let commit = |n: usize| versions[n]["commit"].as_str().expect("an id").to_owned();
    let blame = json(&web, &["blame", "API-T-0001"], 0);
    assert_eq!(
        strings(&blame["lines"], "text"),
        ["---", "short_code: API-T-0001", "---", "one", "", "two", "", "three"]
    );
    let expected = [2, 2, 2, 2, 1, 1, 0, 0].map(commit);
    assert_eq!(strings(&blame["lines"], "commit"), expected);
    let shown = text(&web, &["blame", "API-T-0001"], 0);
    let last = shown.lines().last().expect("it has lines");
    assert!(
        last.starts_with(&expected[7][..10]) && last.ends_with(" 8) three"),
        "{shown}"
    );
    // Where looking ended, the line is older than that.
    let bounded = text(&web, &["blame", "--depth", "1", "API-T-0001"], 0);
    assert!(bounded.lines().all(|line| line.starts_with('^')), "{bounded}");
}

/// A document is anybody's: one with lone carriage returns, one made to be compared for hours, and one of lines without end.
#[test]
fn a_document_that_was_made_to_be_blamed() {
    let world = World::new();
    let (api, web) = two(&world);
    let mixed = |from: usize| -> String {
        let lines = (from..from + 60_000).map(|n| format!("{}\n", n * n % 59_999));
        format!("{FIRST}a\rb\n{}", lines.collect::<String>())
    };
    for text in [mixed(1), mixed(31_337), mixed(7_777)] {
        api.write_at("API-T-0001.md", "API-T-0001", text);
        api.sync().report();
    }
    web.sync().report();
    let blame = json(&web, &["blame", "API-T-0001"], 0);
    let lines = strings(&blame["lines"], "text");
    assert_eq!((lines[4], lines.len()), ("a\rb", 60_005));
    let diff = json(&web, &["diff", "--central"], 0);
    assert_eq!(diff["documents"].as_array().map(Vec::len), Some(0));

    api.write_at(
        "API-T-0001.md",
        "API-T-0001",
        format!("{FIRST}{}", "\n".repeat(200_000)),
    );
    api.sync().report();
    web.sync().report();
    let stopped = web.run(&["blame", "API-T-0001"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.transcript());
    assert!(stopped.stderr.contains("too large for its lines"), "{}", stopped.stderr);
}

#[test]
fn an_own_document_is_edited_and_a_copy_shown() {
    let world = World::new();
    let (api, web) = two(&world);
    let with_editor = |workspace: &Workspace, editor: &str, code: &str| {
        let mut open = workspace.metis_sync(&["open", code]);
        open.env("GIT_EDITOR", editor);
        run(open)
    };
    assert_eq!(with_editor(&api, "printf 'four\\n' >>", "api-t-0001").code, Some(0));
    let path = api.metis().join("API-T-0001.md");
    assert!(
        fs::read_to_string(&path)
            .expect("it is there")
            .ends_with("three\nfour\n")
    );
    let copy = with_editor(&web, "false", "API-T-0001");
    assert!(
        copy.stderr.contains("API-T-0001 is a copy of api/'s"),
        "{}",
        copy.transcript()
    );
    assert!(copy.success().ends_with("three\n"));
    let failed = with_editor(&api, "exit 3; :", "API-T-0001");
    assert!(
        failed.code == Some(1) && failed.stderr.contains("the editor exit 3; : ended with"),
        "{}",
        failed.transcript()
    );
    fs::remove_file(&path).expect("it is ours");
    let gone = with_editor(&api, "true", "API-T-0001");
    assert!(
        gone.code == Some(1) && gone.stderr.contains("is gone since metis.db was built"),
        "{}",
        gone.transcript()
    );
}

/// Commits compress well, so a name may be as long as a file: no more of it is held than fits into a line or two.
#[test]
fn an_author_with_a_name_without_end() {
    let world = World::new();
    let (_, web) = two(&world);
    let mut landing = world.central.landing("api/API-T-0001.md", FIRST);
    landing.env("GIT_AUTHOR_NAME", "x".repeat(100_000));
    run(landing).success();
    web.sync().report();
    let log = json(&web, &["log", "API-T-0001"], 0);
    let names = strings(&log["versions"], "author");
    assert_eq!(names.iter().map(|name| name.len()).max(), Some(200), "{}", names.len());
}
