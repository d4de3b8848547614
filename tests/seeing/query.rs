//! Questions across workspaces: tables for people, lines for pipes, JSON for programs.

use super::{json, text};
use crate::support::{
    terminal::{at_terminal, plain},
    workspace::Workspace,
    world::World,
};

fn document(code: &str, kind: &str, phase: &str, parent: &str, blocked_by: &str) -> String {
    format!(
        "---\nlevel: {kind}\ntitle: \"Title of {code}\"\nshort_code: \"{code}\"\nparent: {parent}\nblocked_by: [{blocked_by}]\ntags:\n  - \
         \"#{kind}\"\n  - \"#phase/{phase}\"\n---\n\n# {code}\n"
    )
}

/// `web`, which sees a vision and an initiative of `api`'s, and works on it.
fn web(world: &World) -> Workspace {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    let put = |workspace: &Workspace, code: &str, [kind, phase, parent, blocked_by]: [&str; 4]| {
        workspace.write_at(
            format!("{code}.md"),
            code,
            document(code, kind, phase, parent, blocked_by),
        );
    };
    put(&api, "API-V-0001", ["vision", "published", "", ""]);
    put(&api, "API-I-0001", ["initiative", "active", "API-V-0001", ""]);
    put(&api, "API-T-0001", ["task", "completed", "API-I-0001", ""]);
    put(&web, "WEB-T-0001", ["task", "todo", "API-I-0001", "API-T-0001"]);
    api.sync().report();
    web.sync().report();
    web
}

#[test]
fn answers_in_lines() {
    let world = World::new();
    let web = web(&world);
    let ask = |question: &[&str]| text(&web, &[&["query"], question].concat(), 0);
    let api_task = "API-T-0001     task         completed    api          Title of API-T-0001\n";
    let web_task = "WEB-T-0001     task         todo         web          Title of WEB-T-0001\n";
    assert_eq!(ask(&["children", "API-I-0001"]), [api_task, web_task].concat());
    assert_eq!(
        ask(&["blocks", "API-T-0001"]),
        format!("API-T-0001 blocks:\n{web_task}API-T-0001 is blocked by nothing\n")
    );
    assert_eq!(
        ask(&["blocks", "WEB-T-0001"]),
        format!("WEB-T-0001 blocks nothing\nWEB-T-0001 is blocked by:\n{api_task}")
    );
    let progress = ask(&["progress", "API-I-0001"]);
    assert!(progress.starts_with("1/2 completed\n"), "{progress}");
    let chain: Vec<String> = ask(&["upstream", "WEB-T-0001"])
        .lines()
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(chain, ["API-I-0001", "API-V-0001"]);
    assert_eq!(
        ask(&["workspace"]),
        "web                          1  (own)\napi                          3\n"
    );
    assert_eq!(ask(&["workspace", "web"]), web_task);
}

#[test]
fn answers_in_json() {
    let world = World::new();
    let web = web(&world);
    let ask = |question: &[&str]| json(&web, &[&["query"], question].concat(), 0);
    let children = ask(&["children", "API-I-0001"]);
    assert_eq!(children["question"], "children");
    assert_eq!(children["answer"][1]["code"], "WEB-T-0001");
    let progress = ask(&["progress", "API-I-0001"]);
    assert_eq!(
        (&progress["answer"]["completed"], &progress["answer"]["total"]),
        (&1.into(), &2.into())
    );
    let blocks = ask(&["blocks", "WEB-T-0001"]);
    assert_eq!(blocks["answer"]["blocked_by"][0]["code"], "API-T-0001");
    assert_eq!(ask(&["workspace"])["answer"][0]["documents"], 1);
    let unknown = json(&web, &["query", "children", "NO-T-0001"], 1);
    assert!(
        unknown["error"]["message"]
            .as_str()
            .is_some_and(|it| it.contains("NO-T-0001")),
        "{unknown}"
    );
}

/// The Metis tools give each document an id made from its title, and write that as the parent of others.
#[test]
fn parents_by_the_id_that_they_have_in_their_workspace() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    for (workspace, project) in [(&api, "API"), (&web, "WEB")] {
        for (code, id, parent, blocked_by) in [
            ("V-0001", "shop", "", ""),
            ("I-0001", "ship-it", "shop", ""),
            ("T-0001", "first", "ship-it", ""),
            ("T-0002", "second", "ship-it", "first"),
        ] {
            let code = format!("{project}-{code}");
            let text = document(&code, "task", "todo", parent, blocked_by);
            let text = text.replacen("---\n", &format!("---\nid: {id}\n"), 1);
            workspace.write_at(format!("{code}.md"), &code, text);
        }
    }
    api.sync().report();
    web.sync().report();
    for project in ["API", "WEB"] {
        let named = |code: &str| format!("{project}-{code}");
        let children = json(&web, &["query", "children", &named("I-0001")], 0);
        let codes: Vec<_> = children["answer"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| &it["code"])
            .collect();
        assert_eq!(codes, [&named("T-0001"), &named("T-0002")]);
        let blocks = json(&web, &["query", "blocks", &named("T-0002")], 0);
        assert_eq!(blocks["answer"]["blocked_by"][0]["document"]["code"], named("T-0001"));
        let progress = json(&web, &["query", "progress", &named("V-0001")], 0);
        assert_eq!(progress["answer"]["total"], 3);
        let upstream = json(&web, &["query", "upstream", &named("T-0001")], 0);
        let chain: Vec<_> = upstream["answer"]["chain"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| &it["code"])
            .collect();
        assert_eq!(chain, [&named("I-0001"), &named("V-0001")]);
        assert_eq!(upstream["answer"]["end"], "root");
    }
}

/// On a terminal with headings; wherever it is, no more lines than were asked for.
#[test]
fn tables_have_headings_and_an_end() {
    let world = World::new();
    let web = web(&world);
    let mut command = web.metis_sync(&["query", "children", "API-I-0001", "--lines", "1"]);
    command.env("TERM", "xterm");
    if let Some(finished) = at_terminal(&web, &command, "") {
        let shown = plain(&finished);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].starts_with("code           type "), "{shown}");
        assert!(lines[1].starts_with("API-T-0001 "), "{shown}");
        assert_eq!(lines[2..], ["… and 1 more; --lines N shows more, --json all"]);
    }
    let short = web.run(&["query", "children", "API-I-0001", "--lines", "1"]);
    assert_eq!(short.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
}
