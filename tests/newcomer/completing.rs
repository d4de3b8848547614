//! Completion: what the program offers for a word, and that it knows the workspace that the words lead to.

use crate::support::{
    document::document,
    process::{built, run},
    workspace::Workspace,
    world::World,
};

/// `api`, which has seen two documents of `web`'s.
fn two(world: &World) -> (Workspace, Workspace) {
    let api = world.workspace("api");
    let web = world.workspace("web").beside(&api);
    api.write("API-T-0001", "Ours.");
    let odd = document("WEB-T-0001", "Tab\\tand \\u202e colour", "Theirs.");
    web.write_at("backlog/WEB-T-0001.md", "WEB-T-0001", odd);
    web.write("WEB-I-0001", "Theirs.");
    web.sync().report();
    api.sync().report();
    (api, web)
}

/// What is offered for the last word.
fn offered(workspace: &Workspace, words: &[&str]) -> Vec<(String, String)> {
    let index = words.len().to_string();
    let args = [&["complete", "--index", &index, "--", "git-metis-sync"], words].concat();
    let said = workspace.run(&args).success();
    let split = |line: &str| {
        let (value, help) = line.split_once('\t').unwrap_or((line, ""));
        (value.to_owned(), help.to_owned())
    };
    said.lines().map(split).collect()
}

fn values(workspace: &Workspace, words: &[&str]) -> Vec<String> {
    offered(workspace, words).into_iter().map(|(value, _)| value).collect()
}

#[test]
fn commands_options_and_values() {
    let world = World::new();
    let (api, _) = two(&world);
    assert_eq!(values(&api, &["stat"]), ["status"]);
    assert_eq!(values(&api, &["hooks", "un"]), ["uninstall"]);
    assert_eq!(values(&api, &["sync", "--max-r"]), ["--max-retries"]);
    assert_eq!(values(&api, &["--color", "al"]), ["always"]);
    assert_eq!(values(&api, &["--color=al"]), ["--color=always"]);
    assert_eq!(values(&api, &["completions", "p"]), ["powershell"]);
    assert!(values(&api, &["trust", "sync.hooks."]).contains(&"sync.hooks.blocking".to_owned()));
    let commands = values(&api, &[""]);
    assert!(
        commands.contains(&"status".into()) && !commands.contains(&"complete".into()),
        "{commands:?}"
    );
}

#[test]
fn codes_and_workspaces() {
    let world = World::new();
    let (api, web) = two(&world);
    let titled = |code: &str, title: &str| (code.to_owned(), title.to_owned());
    assert_eq!(
        offered(&api, &["query", "children", "w"]),
        [
            titled("WEB-I-0001", "Title of WEB-I-0001"),
            titled("WEB-T-0001", "Tab\\u{9}and \\u{202e} colour"),
        ],
        "small letters will do, and titles are anybody's"
    );
    assert_eq!(values(&api, &["resolve", "API-T-0001", "A"]), ["API-T-0001"]);
    assert_eq!(values(&api, &["resolve", "W"]), [""; 0], "only what is decided here");
    assert_eq!(
        offered(&api, &["query", "workspace", ""]),
        [titled("api", "1 document, own"), titled("web", "2 documents")]
    );
    assert_eq!(values(&api, &["hydrate", "--workspace", "w"]), ["web"]);

    // Where the words lead, and not where the shell is.
    let there = api.dir.display().to_string();
    assert_eq!(values(&web, &["-C", &there, "resolve", ""]), ["API-T-0001"]);
    assert_eq!(values(&web, &["-C", "/nowhere", "resolve", ""]), [""; 0]);
    let alone = world.workspace("ops");
    assert_eq!(values(&alone, &["resolve", ""]), [""; 0], "no database, no word");
}

/// What is there by shared records is offered like what documents say.
#[test]
fn tags_collections_and_people() {
    let world = World::new();
    let (api, _) = two(&world);
    for args in [
        &["tag", "add", "WEB-T-0001", "urgent"][..],
        &["collection", "new", "Release"],
        &["assign", "WEB-T-0001", "ann"],
    ] {
        api.run(args).success();
    }
    assert_eq!(values(&api, &["tag", "rm", "WEB-T-0001", "ur"]), ["urgent"]);
    assert_eq!(values(&api, &["list", "--tag", "ur"]), ["urgent"]);
    assert_eq!(values(&api, &["collection", "add", "R"]), ["Release"]);
    assert_eq!(values(&api, &["collection", "add", "Release", "WEB-T"]), ["WEB-T-0001"]);
    assert_eq!(values(&api, &["search", "x", "--collection", ""]), ["Release"]);
    assert_eq!(values(&api, &["assign", "API-T-0001", "a"]), ["ann"]);
    assert_eq!(values(&api, &["query", "ready", "--assigned", ""]), ["ann"]);
    assert_eq!(values(&api, &["star", "API"]), ["API-T-0001"]);
    assert_eq!(values(&api, &["link", "API-T-0001", "WEB-I"]), ["WEB-I-0001"]);
}

#[test]
fn branches() {
    let world = World::new();
    let (api, _) = two(&world);
    for args in [
        ["init", "--quiet"].as_slice(),
        &["commit", "--quiet", "--allow-empty", "-m", "x"],
        &["branch", "plans/new"],
    ] {
        let mut git = api.program("git");
        git.args([
            "-c",
            "user.name=x",
            "-c",
            "user.email=x",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args);
        run(git).success();
    }
    assert_eq!(
        values(&api, &["init", "--source", ""]),
        ["main", "plans/new", "worktree"]
    );
    assert_eq!(values(&api, &["init", "--source=pl"]), ["--source=plans/new"]);
}

#[test]
fn each_shell_has_a_script() {
    let world = World::new();
    let api = world.workspace("api");
    for (shell, first) in [
        ("bash", "# Completes git-metis-sync"),
        ("zsh", "#compdef git-metis-sync\n"),
        ("fish", "# Completes git-metis-sync"),
        ("powershell", "# Completes git-metis-sync"),
        ("pwsh", "# Completes git-metis-sync"),
    ] {
        let script = api.run(&["completions", shell]).success();
        assert!(
            script.starts_with(first) && script.contains("complete --index"),
            "{shell}: {script}"
        );
    }
    assert_eq!(api.run(&["completions", "tcsh"]).code, Some(2));
    // Cut-off and nonsensical questions get no answer and no error.
    for args in [
        ["complete", "--index", "9", "--", "x"].as_slice(),
        &["complete", "--index", "0"],
    ] {
        assert_eq!(api.run(args).success(), "", "{args:?}");
    }
}

/// Words that end their line, or what a shell puts around them.
#[test]
fn what_documents_say_is_no_command() {
    let world = World::new();
    let (api, web) = two(&world);
    let tags = [
        "a$(touch pwned)`touch pwned`",
        "b'; touch pwned; '\\\"\\\"",
        "c\u{2019}; touch pwned; \u{2019}",
    ];
    let lines = ["d\\n--allow-deletes", "e\\r", "f\\e[2J", "g\\tfine", "h\u{202e}"];
    let all = tags.iter().chain(&lines).map(|tag| format!("  - \"{tag}\"\n"));
    let text = document("WEB-T-0001", "Theirs", "Theirs.");
    let text = text.replacen("tags:\n", &format!("tags:\n{}", all.collect::<String>()), 1);
    web.write_at("backlog/WEB-T-0001.md", "WEB-T-0001", text);
    web.sync().report();
    api.sync().report();

    let meant = tags.map(|tag| tag.replace("\\\"", "\""));
    let others = ["initiative", "phase/todo", "task"].map(String::from);
    assert_eq!(
        values(&api, &["list", "--tag", ""]),
        [meant.as_slice(), &others].concat(),
        "whatever ends a line is not offered"
    );

    // What bash puts into the command line is one word of just these letters.
    for typed in ["a", "b", "c"] {
        let mut bash = api.program("bash");
        let program = built("git-metis-sync");
        let path = program.parent().expect("it lies in a folder").display().to_string();
        bash.env("PATH", format!("{path}:/usr/bin:/bin")).arg("-c").arg(
            r#"source <(git-metis-sync completions bash)
            COMP_WORDS=(git-metis-sync list --tag "$1") COMP_CWORD=3
            _git-metis-sync
            eval "printf '%s\\n' ${COMPREPLY[0]}""#,
        );
        let said = run({
            bash.args(["bash", typed]);
            bash
        });
        let said = said.success();
        assert!(meant.contains(&said.trim_end_matches('\n').to_owned()), "{said}");
        assert!(!api.dir.join("pwned").exists());
    }
    // There is no PowerShell to ask: to that, typographic quotes are quotes.
    let script = api.run(&["completions", "powershell"]).success();
    assert!(script.contains("EscapeSingleQuotedStringContent($value)"), "{script}");
}
