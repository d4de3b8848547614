//! `list`: documents by what they say, for people and for pipes.

use super::{json, strings, text};
use crate::support::{
    process::run,
    terminal::{at_terminal, plain},
    workspace::Workspace,
    world::World,
};

fn document(code: &str, kind: &str, phase: &str, blocked_by: &str, tag: &str) -> String {
    format!(
        "---\nlevel: {kind}\ntitle: \"What {code} is about, in a good many words\"\nshort_code: \"{code}\"\nblocked_by: [{blocked_by}]\n\
         tags:\n  - \"#{kind}\"\n  - \"#phase/{phase}\"\n  - \"#{tag}\"\n---\n\n# {code}\n"
    )
}

/// `web`, with two tasks of its own that wait for each other, and `api`'s, one of which can be begun.
fn web(world: &World) -> Workspace {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    let put = |workspace: &Workspace, code: &str, [kind, phase, blocked_by, tag]: [&str; 4]| {
        workspace.write_at(format!("{code}.md"), code, document(code, kind, phase, blocked_by, tag));
    };
    put(&api, "API-I-0001", ["initiative", "active", "", "keys"]);
    put(&api, "API-T-0001", ["task", "completed", "", "keys"]);
    put(&api, "API-T-0002", ["task", "todo", "API-T-0001", "ui"]);
    put(&web, "WEB-T-0001", ["task", "todo", "API-T-0002", "ui"]);
    put(&web, "WEB-T-0002", ["task", "active", "WEB-T-0001", "ui"]);
    api.sync().report();
    web.sync().report();
    web
}

#[test]
fn by_what_documents_say() {
    let world = World::new();
    let web = web(&world);
    let codes = |args: &[&str]| {
        let listed = json(&web, &[&["list"], args].concat(), 0);
        assert_eq!(listed["total"], strings(&listed["documents"], "code").len());
        strings(&listed["documents"], "code").join(" ")
    };
    assert_eq!(
        codes(&[]),
        "WEB-T-0001 WEB-T-0002 API-I-0001 API-T-0001 API-T-0002",
        "the own ones first"
    );
    assert_eq!(codes(&["--ready"]), "API-T-0002");
    assert_eq!(
        codes(&["--workspace", "api", "--type", "task"]),
        "API-T-0001 API-T-0002"
    );
    assert_eq!(
        codes(&["--phase", "todo", "--phase", "active", "--tag", "UI"]),
        "WEB-T-0001 WEB-T-0002 API-T-0002"
    );
    assert_eq!(codes(&["--tag", "#ui", "--tag", "keys"]), "");
    // A pipe gets a line for each and nothing else.
    let lines = text(&web, &["list", "--ready"], 0);
    assert_eq!(
        lines,
        "API-T-0002     task         todo         api          What API-T-0002 is about, in a good many words\n"
    );
    let unknown = web.run(&["list", "--workspace", "ops"]);
    assert!(
        unknown.code == Some(1) && unknown.stderr.contains("there is no workspace ops"),
        "{}",
        unknown.transcript()
    );
}

#[test]
fn narrow_terminals_wrap_by_words() {
    let world = World::new();
    let web = web(&world);
    let list = web.metis_sync(&["--no-pager", "--color=never", "list", "--workspace", "web"]);
    let Some(shown) = at_terminal(&web, &list, "") else {
        return;
    };
    let below = " ".repeat(54);
    let title = |code: &str| format!("What {code} is about,\n{below}in a good many words\n");
    assert_eq!(
        plain(&shown),
        format!(
            "2 documents in 1 workspace\n\
             code           type         phase        workspace    title\n\
             WEB-T-0001     task         todo         web          {}\
             WEB-T-0002     task         active       web          {}",
            title("WEB-T-0001"),
            title("WEB-T-0002"),
        )
    );
}

/// As git chooses it, for a person alone.
#[test]
fn long_output_goes_through_gits_pager() {
    let world = World::new();
    let web = web(&world);
    let pager = "sed 's/^/paged: /'";
    let shown = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = web.metis_sync(args);
        command
            .env("TERM", "xterm")
            .env_remove("GIT_PAGER")
            .envs(env.iter().copied());
        at_terminal(&web, &command, "").map(|shown| (shown.code, plain(&shown)))
    };
    let Some((code, paged)) = shown(&["list"], &[("GIT_PAGER", pager), ("PAGER", "false")]) else {
        return;
    };
    assert!(
        code == Some(0) && paged.starts_with("paged: 5 documents in 2 workspaces\n"),
        "{paged}"
    );
    assert_eq!(
        paged.lines().filter(|line| line.starts_with("paged: ")).count(),
        paged.lines().count()
    );
    for args in [
        ["log"].as_slice(),
        &["show", "API-T-0001"],
        &["query", "workspace"],
        &["log", "WEB-T-0001"],
    ] {
        let (code, paged) = shown(args, &[("PAGER", pager)]).expect("there is a terminal");
        assert!(code == Some(0) && paged.starts_with("paged: "), "{args:?}: {paged}");
    }
    let env = [("GIT_PAGER", pager)];
    for args in [["--no-pager", "list"].as_slice(), &["--json", "list"], &["status"]] {
        let (_, shown) = shown(args, &env).expect("there is a terminal");
        assert!(!shown.contains("paged: "), "{args:?}: {shown}");
    }
    // One that leaves at once, one that is not there, and git's configuration.
    let (code, _) = shown(&["list"], &[("GIT_PAGER", "true")]).expect("there is a terminal");
    assert_eq!(code, Some(0));
    let mut set = web.program("git");
    set.args(["config", "--global", "core.pager", pager]);
    run(set).success();
    let (_, paged) = shown(&["list"], &[("PAGER", "false")]).expect("there is a terminal");
    assert!(paged.starts_with("paged: "), "{paged}");
    let mut piped = web.metis_sync(&["list"]);
    piped.env("GIT_PAGER", pager);
    assert!(run(piped).success().starts_with("WEB-T-0001 "), "a pipe needs no pager");
}
