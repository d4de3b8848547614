//! Foreign text on a terminal and in JSON. Wherever it enters, whatever command shows it: nothing arrives that moves a
//! cursor, hides, or turns text around, and what is shown is shown escaped.

mod plants;

use std::{fs, io::Write as _, process::Stdio};

use crate::{
    scenarios::project::Project,
    support::{
        document::document,
        process::{Finished, run},
        workspace::Workspace,
        world::World,
    },
};
use plants::PLANTS;

/// Clears a screen, sets a title, is a C1 sequence, DEL, a bidi override, an isolate, a zero-width space, a line separator,
/// a selector of variants, a letter without a shape, and a line of its own.
const EVIL: &str =
    "e\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}2J\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\u{e0141}\u{3164}\r\nerror: forged";

/// What our own colours are made of.
const COLOURS: [&str; 6] = [
    "\u{1b}[m",
    "\u{1b}[1m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[36m",
];

/// Those that change something come last.
const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["status", "--porcelain"],
    &["diff"],
    &["log"],
    &["verify"],
    &["doctor"],
    &["trust"],
    &["resolve"],
    &["query", "workspace"],
    &["query", "workspace", "api"],
    &["query", "workspace", "web"],
    &["query", "progress", "API-I-0001"],
    &["query", "children", EVIL],
    &["hooks", "status"],
    &["hooks", "run", EVIL],
    &[EVIL],
    &["fetch"],
    &["init", "--dry-run"],
    &["init", "--dry-run", "--upstream", EVIL],
    &["sync", "--dry-run"],
    &["sync", "--workspace", EVIL],
    &["sync"],
    &["rebuild-cache"],
    &["query", "workspace", "api"],
    &["query", "workspace", "web"],
    &["hooks", "install"],
    &["hooks", "status"],
    &["doctor", "--fix"],
    &["hooks", "uninstall"],
    &["init"],
];

struct Stage {
    world: World,
    api: Workspace,
}

impl Stage {
    /// A workspace in a project under git, which has synced with `web/` in central.
    fn new() -> Self {
        let world = World::new();
        let api = world.workspace("api");
        Stage::with(world, api)
    }

    fn with(world: World, api: Workspace) -> Self {
        api.write("API-I-0001", "Above.");
        api.write("API-T-0001", "First.");
        Project::around(&world, &api);
        world
            .central
            .land("web/WEB-T-0001.md", document("WEB-T-0001", "Good", "Good."));
        api.sync().report();
        Stage { world, api }
    }

    fn git(&self, args: &[&str]) {
        let mut git = self.api.program("git");
        run({
            git.args(args);
            git
        })
        .success();
    }

    fn set(&self, line: &str) {
        let config = self.api.config().replace("[sync]\n", &format!("[sync]\n{line}\n"));
        self.api.put("config.toml", config);
    }

    fn upstream(&self, url: &str) {
        self.api
            .put("config.toml", self.api.config().replace(&self.world.central.url(), url));
    }

    /// Puts something in the place of a string in a file of this clone's state.
    fn forge(&self, name: &str, from: &str, to: &str) {
        let path = self.api.metis().join(".sync").join(name);
        let text = fs::read_to_string(&path).expect("it synced");
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).expect("it is ours");
    }
}

/// `text` inside of a JSON or TOML string.
fn quoted(text: &str) -> String {
    let escaped = |c: char| match c.is_ascii_graphic() || c == ' ' {
        true => c.to_string(),
        false => format!("\\u{:04x}", u32::from(c)),
    };
    text.chars().map(escaped).collect()
}

#[track_caller]
fn harmless(place: &str, ended: &Finished) {
    for (stream, bytes) in [("stdout", ended.stdout.as_slice()), ("stderr", ended.stderr.as_bytes())] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{place}: {}", ended.transcript()));
        let text = COLOURS
            .iter()
            .fold(text.to_owned(), |text, code| text.replace(code, ""));
        let bad = |c: char| c != '\n' && c != '\t' && metis_sync::text::is_hidden(c);
        assert!(!text.contains(bad), "{place}: {stream} of {}: {text:?}", ended.command);
        let forged = text.lines().any(|line| line.starts_with("error: forged"));
        assert!(!forged, "{place}: {stream} of {}: {text}", ended.command);
    }
}

/// Every command in text and JSON. `shows`: how many of them have to show the foreign text at least.
#[track_caller]
fn all_harmless(place: &str, shows: usize, api: &Workspace) {
    let mut shown = 0;
    for args in COMMANDS {
        for mode in ["--color=always", "--json"] {
            let ended = api.run(&[&[mode], *args].concat());
            harmless(place, &ended);
            let everything = format!("{}{}", String::from_utf8_lossy(&ended.stdout), ended.stderr);
            let typed = args.contains(&EVIL);
            let escaped = ["\\u{1b}", "\\u001b", "\\033"]
                .iter()
                .any(|escape| everything.contains(escape));
            shown += usize::from(escaped && !typed);
            if mode == "--json" && !ended.stdout.is_empty() && args[0] != "status" {
                for line in everything.lines().filter(|line| line.starts_with('{')) {
                    serde_json::from_str::<serde_json::Value>(line)
                        .unwrap_or_else(|err| panic!("{place}: {err}: {line}"));
                }
            }
        }
    }
    assert!(shown >= shows, "{place}: shown by {shown} commands only");
}

fn planted(part: usize) {
    for (place, shows, plant) in PLANTS.iter().skip(part).step_by(3) {
        let stage = Stage::new();
        plant(&stage);
        all_harmless(place, *shows, &stage.api);
    }
}

#[test]
fn foreign_text_is_shown_escaped_wherever_it_enters() {
    planted(0);
}

#[test]
fn foreign_text_is_shown_escaped_wherever_it_enters_2() {
    planted(1);
}

#[test]
fn foreign_text_is_shown_escaped_wherever_it_enters_3() {
    planted(2);
}

#[test]
fn a_project_in_a_folder_of_any_name() {
    let world = World::new();
    let mut api = world.workspace("api");
    let dir = world.root().join(EVIL).join("project");
    fs::create_dir(world.root().join(EVIL)).expect("temp folder is writable");
    fs::rename(&api.dir, &dir).expect("temp folder is writable");
    api.dir = dir;
    let stage = Stage::with(world, api);
    all_harmless("the project's own path", 8, &stage.api);
    fs::remove_file(stage.api.metis().join("config.toml")).expect("it is ours");
    all_harmless("a path without a workspace", 20, &stage.api);
}

/// What a hook says while git runs, and what the next one tells of it.
#[test]
fn what_hooks_say_is_shown_escaped() {
    let mut shown = 0;
    for (place, _, plant) in PLANTS {
        let stage = Stage::new();
        // The sync is not left to a worker that nobody waits for.
        stage.api.put(".sync/config.toml", "[sync.hooks]\nblocking = true\n");
        plant(&stage);
        for args in [
            &["pre-push", "--", "origin", EVIL][..],
            &["post-merge", "--", "0"],
            &["post-rewrite", "--", "rebase"],
            &["post-commit"],
        ] {
            for mode in ["--color=always", "--json"] {
                let mut hook = stage.api.metis_sync(&[&[mode, "hooks", "run"], args].concat());
                hook.current_dir(&stage.api.dir);
                let ended = run(hook);
                harmless(place, &ended);
                shown += usize::from(ended.stderr.contains("\\u{1b}"));
            }
        }
        harmless(place, &stage.api.run(&["--color=always", "hooks", "status"]));
    }
    assert!(shown >= 10, "shown by {shown} hooks only");
}

/// Before there is anything, and where a lock is held by somebody with an odd name.
#[test]
fn holders_of_a_lock_are_shown_escaped() {
    let stage = Stage::new();
    let lock = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(stage.api.metis().join(".sync/lock"))
        .expect("it is ours");
    lock.lock().expect("nobody has it");
    let evil = quoted(EVIL);
    writeln!(
        &lock,
        r#"{{"pid":1,"host":"{evil}","started":"{evil}","command":"{evil}"}}"#
    )
    .expect("it is ours");
    for args in [["status"], ["doctor"]] {
        for mode in ["--color=always", "--json"] {
            let ended = stage.api.run(&[mode, args[0]]);
            harmless("a lock's holder", &ended);
            assert!(
                String::from_utf8_lossy(&ended.stdout).contains("\\u{1b}[2J"),
                "{}",
                ended.transcript()
            );
        }
    }
}

/// A stage reads what the one before printed, or something else.
#[test]
fn records_are_shown_escaped() {
    let stage = Stage::new();
    let evil = quoted(EVIL);
    let records = [
        EVIL.to_owned(),
        format!(r#"{{"schema":1,"command":"{evil}","error":{{"kind":"{evil}","message":"{evil}","exit":3}}}}"#),
        format!(r#"{{"schema":1,"stage":"fetch","branch":"{evil}","head":"{evil}","warnings":["{evil}"]}}"#),
        format!(r#"{{"schema":1,"stage":"{evil}","branch":"{evil}","head":null,"warnings":["{evil}"]}}"#),
    ];
    for record in records {
        for name in ["hydrate", "dehydrate", "push", "rebuild-cache"] {
            let mut command = stage.api.metis_sync(&[name]);
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = command.spawn().expect("it was built");
            // One that does not read it has ended.
            let _ = child.stdin.take().expect("piped").write_all(record.as_bytes());
            let output = child.wait_with_output().expect("it ends");
            let ended = Finished {
                command: format!("{name} <<< {record}"),
                code: output.status.code(),
                stdout: output.stdout,
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            };
            harmless("a record", &ended);
            assert!(
                !ended.stdout.is_empty() || !ended.stderr.is_empty(),
                "{}",
                ended.transcript()
            );
        }
    }
}
