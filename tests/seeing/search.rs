//! `search`: documents of all workspaces by their words, for people and for pipes.

use super::{json, strings, text};
use crate::support::{terminal::at_terminal, workspace::Workspace, world::World};

fn document(code: &str, title: &str, phase: &str, tag: &str, body: &str) -> String {
    format!(
        "---\nlevel: task\ntitle: \"{title}\"\nshort_code: \"{code}\"\nblocked_by: []\n\
         tags:\n  - \"#task\"\n  - \"#phase/{phase}\"\n  - \"#{tag}\"\n---\n\n# {title}\n\n{body}\n"
    )
}

fn put(workspace: &Workspace, code: &str, [title, phase, tag, body]: [&str; 4]) {
    workspace.write_at(format!("{code}.md"), code, document(code, title, phase, tag, body));
}

/// `web`, which has a document of its own and two of `api`'s.
fn web(world: &World) -> Workspace {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    put(
        &api,
        "API-T-0001",
        ["Rotate keys", "todo", "keys", "All of them, one by one."],
    );
    put(
        &api,
        "API-T-0002",
        ["Logout", "active", "ui", "Drop the session,\nthen rotate its keys."],
    );
    put(
        &web,
        "WEB-T-0001",
        [
            "Form",
            "todo",
            "ui",
            "Überprüfung der Eingaben: rotate \u{1b}[31m keys\u{202e}!",
        ],
    );
    api.sync().report();
    web.sync().report();
    web
}

fn codes(web: &Workspace, args: &[&str]) -> String {
    let found = json(web, &[&["search", "--json"], args].concat(), 0);
    strings(&found["documents"], "code").join(" ")
}

fn nothing(web: &Workspace, args: &[&str]) {
    let found = web.run(&[&["search"], args].concat());
    assert!(
        found.code == Some(1)
            && found.stdout.is_empty()
            && found.stderr.starts_with("Nothing found as of the last sync"),
        "{}",
        found.transcript()
    );
}

#[test]
fn words_of_all_workspaces_best_first() {
    let world = World::new();
    let web = web(&world);
    assert_eq!(codes(&web, &["rotate", "keys"]), "API-T-0001 WEB-T-0001 API-T-0002");
    assert_eq!(codes(&web, &["\"its keys\""]), "API-T-0002");
    assert_eq!(codes(&web, &["sess*", "rotate"]), "API-T-0002");
    assert_eq!(codes(&web, &["uberprufung"]), "WEB-T-0001");
    assert_eq!(codes(&web, &["api-t-0002"]), "API-T-0002");
    assert_eq!(
        codes(&web, &["keys", "--workspace", "api", "--phase", "active"]),
        "API-T-0002"
    );
    assert_eq!(
        codes(&web, &["keys", "--tag", "#UI", "--type", "task"]),
        "WEB-T-0001 API-T-0002"
    );
    nothing(&web, &["keys", "elsewhere"]);
    nothing(&web, &["\"keys rotate\""]);
    let found = json(&web, &["search", "keys", "--limit", "1"], 0);
    assert_eq!(
        (&found["total"], found["documents"].as_array().unwrap().len()),
        (&3.into(), 1)
    );
    assert!(
        found["documents"][0]["snippet"]
            .as_str()
            .unwrap()
            .starts_with("# Rotate keys"),
        "{found}"
    );
    assert!(
        found["as_of"]["head"].is_string() && found["as_of"]["seconds_ago"].is_u64(),
        "{found}"
    );
    let unknown = web.run(&["search", "keys", "--workspace", "ops"]);
    assert!(
        unknown.code == Some(1) && unknown.stderr.contains("there is no workspace ops"),
        "{}",
        unknown.transcript()
    );
    assert_eq!(web.run(&["search"]).code, Some(2));
}

#[test]
fn no_text_is_a_syntax_error() {
    let world = World::new();
    let web = web(&world);
    for typed in [
        "AND",
        "NOT",
        "(((",
        "\"",
        "title:x",
        "^",
        "NEAR(a b)",
        "*",
        "--",
        "%",
        "😀",
        "' OR 1 --",
    ] {
        let found = web.run(&["search", "--", typed]);
        let told = found.stderr.lines().last().unwrap_or_default();
        assert!(
            found.code == Some(1) && told.starts_with("Nothing found"),
            "{typed}: {}",
            found.transcript()
        );
    }
    assert!(web.run(&["search", "?!"]).stderr.contains("only letters and digits"));
}

#[test]
fn foreign_text_is_escaped() {
    let world = World::new();
    let web = web(&world);
    let shown = text(&web, &["search", "eingaben"], 0);
    assert_eq!(
        shown,
        "WEB-T-0001     task         todo         web          Form\n    \
         # Form Überprüfung der Eingaben: rotate [31m keys\\u{202e}!\n"
    );
    let found = web.run(&["search", "eingaben", "--json"]);
    let out = String::from_utf8_lossy(&found.stdout);
    assert!(
        out.contains("\\u202e") && !out.contains('\u{202e}'),
        "{}",
        found.transcript()
    );
}

#[test]
fn a_person_sees_what_fits_in_colour() {
    let world = World::new();
    let web = web(&world);
    let search = web.metis_sync(&["--no-pager", "--color=always", "search", "session"]);
    let Some(shown) = at_terminal(&web, &search, "") else {
        return;
    };
    let shown = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.contains("Drop the \u{1b}[31msession\u{1b}[m, then"), "{shown:?}");
    assert!(text(&web, &["--quiet", "search", "session"], 0).is_empty());
}

/// What changed is found by its new words at once, and by its old ones no more; what a sync did not see yet is as it was.
#[test]
fn what_is_found_follows_the_documents() {
    let world = World::new();
    let web = web(&world);
    assert_eq!(codes(&web, &["eingaben"]), "WEB-T-0001");
    put(&web, "WEB-T-0001", ["Form", "todo", "ui", "Something about pelicans"]);
    nothing(&web, &["pelicans"]);
    text(&web, &["rebuild-cache"], 0);
    assert_eq!(codes(&web, &["pelicans"]), "WEB-T-0001");
    nothing(&web, &["eingaben"]);
    // Its snippet is from the file of now.
    put(&web, "WEB-T-0001", ["Form", "todo", "ui", "Something about ducks"]);
    let found = json(&web, &["search", "pelicans"], 0);
    assert_eq!(
        (&found["documents"][0]["code"], &found["documents"][0]["snippet"]),
        (&"WEB-T-0001".into(), &"".into())
    );
}

/// A colleague's document that was made to be searched for ever: it is found, and so are the others.
#[test]
fn a_document_that_fits_half_a_million_times() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    put(&api, "API-T-0001", ["Keys", "todo", "ui", &"|key".repeat(500_000)]);
    put(&api, "API-T-0002", ["Keys", "todo", "ui", &"key ".repeat(500_000)]);
    put(&web, "WEB-T-0001", ["Form", "todo", "ui", "One key."]);
    api.sync().report();
    web.sync().report();
    for sought in [&["key"][..], &["key", "todo"], &["key*", "ui*"], &["\"key key\""]] {
        let found = web.run(&[&["search", "--"], sought].concat()).success();
        assert!(
            found.contains("API-T-0001") && found.contains("API-T-0002"),
            "{sought:?}: {found:.2000}"
        );
        assert!(found.len() < 100_000, "{sought:?}");
    }
    assert_eq!(codes(&web, &["one", "key"]), "WEB-T-0001");
}
