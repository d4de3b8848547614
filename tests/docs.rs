//! What the documentation shows is what happens.
//!
//! Every `console` block is typed into a shell and its answers compared: in an answer `[..]` stands for anything, lines behind
//! `$` are typed, those behind `>` continue them. Every `sh` block is run as it is, in a project of somebody who has
//! nothing yet but a central that answers at the address that the documents use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::process::{Finished, run};

/// Where every other shown command is shown to work; by how its line begins.
const ELSEWHERE: [(&str, &str); 6] = [
    ("scripts/test", "what runs this"),
    ("scripts/install", "newcomer::installed"),
    ("scripts/quickstart", "newcomer::installed"),
    ("scripts/release", "takes a release build"),
    ("cargo nextest", "part of scripts/test"),
    (
        "git metis-sync hooks install --config",
        "hooks::installing, with a git that has them",
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

struct Step {
    typed: String,
    answers: Vec<String>,
}

/// A fenced block: its language and its lines.
struct Block {
    language: String,
    lines: Vec<String>,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(language) => {
                inside = true;
                blocks.push(Block {
                    language: language.to_owned(),
                    lines: Vec::new(),
                });
            }
            None if inside => blocks.last_mut().expect("it began").lines.push(line.to_owned()),
            None => {}
        }
    }
    assert!(!inside, "a block without an end");
    blocks
}

fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in &block.lines {
        if let Some(typed) = line.strip_prefix("$ ") {
            steps.push(Step {
                typed: typed.to_owned(),
                answers: Vec::new(),
            });
        } else if let (Some(more), Some(step)) = (line.strip_prefix("> "), steps.last_mut()) {
            step.typed += &format!("\n{more}");
        } else if let Some(step) = steps.last_mut() {
            step.answers.push(line.clone());
        }
    }
    steps
}

/// Whether `said` is what `shown` promises, `[..]` standing for anything.
fn is_shown(shown: &str, said: &str) -> bool {
    let mut rest = said;
    let parts: Vec<&str> = shown.split("[..]").collect();
    for (number, part) in parts.iter().enumerate() {
        let last = number + 1 == parts.len();
        rest = match (number, last) {
            (0, true) => return rest == *part,
            (0, false) => match rest.strip_prefix(part) {
                Some(rest) => rest,
                None => return false,
            },
            (_, true) => return rest.ends_with(part),
            (_, false) => match rest.split_once(part) {
                Some((_, rest)) => rest,
                None => return false,
            },
        };
    }
    true
}

/// A person who follows a document from its first line to its last.
struct Reader {
    folder: tempfile::TempDir,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temp folder");
        fs::create_dir(folder.path().join("home")).expect("temp folder is writable");
        Reader { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A project under git with a plan in it, and a central at the address of the documents.
    fn with_a_project(self) -> Self {
        let central = self.path("host/central.git").display().to_string();
        let setting_up = format!(
            "set -e
            git config --global user.name Reader
            git config --global user.email reader@example.org
            git config --global url.'{central}'.insteadOf git@host:org/central.git
            git init --quiet --bare --initial-branch=main '{central}'
            git init --quiet --initial-branch=main my-project
            mkdir -p my-project/.metis/initiatives/API-I-0001
            printf -- '---\\nlevel: initiative\\ntitle: \"Plan\"\\nshort_code: \"API-I-0001\"\\n---\\n# Plan\\n' \\
                >my-project/.metis/initiatives/API-I-0001/initiative.md"
        );
        self.run("", &setting_up).success();
        self
    }

    fn run(&self, within: &str, script: &str) -> Finished {
        let program = Path::new(env!("CARGO_BIN_EXE_git-metis-sync"));
        let mut command = Command::new("sh");
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LC_ALL", "C")
            .env(
                "PATH",
                format!(
                    "{}:{}",
                    program.parent().expect("a folder").display(),
                    std::env::var("PATH").unwrap_or_default()
                ),
            )
            .current_dir(self.path(within))
            .args(["-c", script]);
        run(command)
    }

    /// Types a `console` block and compares the answers.
    fn type_in(&self, block: &Block, document: &Path) -> usize {
        let steps = steps(block);
        for step in &steps {
            let finished = self.run("", &step.typed);
            assert_eq!(
                finished.code,
                Some(0),
                "{}: {}",
                document.display(),
                finished.transcript()
            );
            let said = String::from_utf8_lossy(&finished.stdout).into_owned() + &finished.stderr;
            let mut lines = said.lines();
            for shown in &step.answers {
                assert!(
                    lines.any(|line| is_shown(shown, line)),
                    "{}: `{}` did not say {shown:?}, but:\n{said}",
                    document.display(),
                    step.typed
                );
            }
        }
        steps.len()
    }

    /// Runs the lines of an `sh` block in the project.
    fn run_lines(&self, block: &Block, document: &Path) -> usize {
        let mut count = 0;
        for line in &block.lines {
            let elsewhere = ELSEWHERE.iter().find(|(begins, _)| line.starts_with(begins));
            if elsewhere.is_some() || line.trim().is_empty() {
                continue;
            }
            let line = line.replace("scripts/", &format!("{}/scripts/", root().display()));
            let finished = self.run("my-project", &line);
            assert_eq!(
                finished.code,
                Some(0),
                "{}: {}",
                document.display(),
                finished.transcript()
            );
            count += 1;
        }
        count
    }
}

fn documents() -> Vec<PathBuf> {
    let mut found = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
    ]
    .map(|name| root().join(name))
    .to_vec();
    for entry in fs::read_dir(root().join("docs")).expect("docs/ is there").flatten() {
        if entry.path().extension().is_some_and(|ext| ext == "md") {
            found.push(entry.path());
        }
    }
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("it is text")
}

#[test]
fn every_command_that_is_shown_does_what_is_shown() {
    let (mut typed, mut ran) = (0, 0);
    for document in documents() {
        let blocks = blocks(&text(&document));
        let console = Reader::new();
        let project = Reader::new().with_a_project();
        // The README begins with this; other documents take it for granted.
        if !document.ends_with("README.md") {
            let init = "git metis-sync init -q --upstream git@host:org/central.git --prefix api";
            project.run("my-project", init).success();
        }
        for block in &blocks {
            match block.language.as_str() {
                "console" => typed += console.type_in(block, &document),
                "sh" => ran += project.run_lines(block, &document),
                // Nothing to run: that is shown where it is written to.
                "text" | "toml" | "yaml" => {}
                other => panic!("{}: what is a block of {other:?}?", document.display()),
            }
        }
        // The worker of a hook must be gone before its folder is.
        let lock = project.path("my-project/.metis/.sync/hook-running.lock");
        if let Ok(lock) = fs::File::open(lock) {
            lock.lock().expect("this system has locks");
        }
    }
    assert!(typed > 15, "the tutorial alone has more: {typed}");
    assert!(ran > 10, "{ran}");
}

/// A command outside of a block would not be run.
#[test]
fn commands_are_in_blocks_that_are_run() {
    for document in documents() {
        let text = text(&document);
        for line in text.lines() {
            let command = line.strip_prefix("    ").or_else(|| line.strip_prefix('\t'));
            assert!(
                !command.is_some_and(|line| line.starts_with("git ") || line.starts_with("scripts/")),
                "{}: {line}",
                document.display()
            );
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in documents() {
        let text = text(&document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let path = target.0.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let place = document.parent().expect("a folder").join(path);
            assert!(place.exists(), "{} links to {path}", document.display());
        }
    }
}

/// Who looks a message up finds it: what the first column of the troubleshooting tables quotes is what the program says.
#[test]
fn messages_that_are_explained_are_said() {
    let mut said = String::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => said += &text(&path).split("\\\n").map(str::trim).collect::<Vec<_>>().join(" "),
            }
        }
    }
    let mut looked_up = 0;
    for line in text(&root().join("docs/troubleshooting.md")).lines() {
        let Some((message, _)) = line.strip_prefix("| `").and_then(|rest| rest.split_once('`')) else {
            continue;
        };
        for part in message.split('…').map(str::trim).filter(|part| part.len() > 3) {
            assert!(said.contains(part), "nothing says {part:?}");
            looked_up += 1;
        }
    }
    assert!(looked_up > 20, "{looked_up}");

    // And the other way round: every error of a sync that has words of its own is explained.
    let explained = text(&root().join("docs/troubleshooting.md"));
    let errors = text(&root().join("src/sync/error.rs"));
    let mut own = 0;
    for attribute in errors.split("#[error(").skip(1) {
        let words = attribute.split('"').nth(1).unwrap_or_default();
        let mut parts = words.split(['{', '}', ':', '(', ',']).map(str::trim);
        let first = parts.find(|part| part.len() > 8);
        if let Some(part) = first.filter(|_| attribute.trim_start().starts_with('"')) {
            let start: Vec<&str> = part.split(' ').take(4).collect();
            assert!(explained.contains(&start.join(" ")), "{words:?} is not explained");
            own += 1;
        }
    }
    assert!(own > 10, "{own}");
}

/// The fields of a record, and those that `docs/plumbing.md` lists.
#[test]
fn the_record_is_documented() {
    let reader = Reader::new().with_a_project();
    let record = reader
        .run(
            "my-project",
            "git metis-sync init -q --upstream git@host:org/central.git --prefix api
            git metis-sync fetch | git metis-sync hydrate | git metis-sync dehydrate | git metis-sync push",
        )
        .success();
    let record: serde_json::Value = serde_json::from_str(&record).expect("one document");
    let mut there: Vec<&str> = record
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    there.sort_unstable();
    let document = text(&root().join("docs/plumbing.md"));
    let (_, table) = document.split_once("## The record").expect("it has the record");
    let (table, _) = table.split_once("\n## ").expect("more follows");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut listed: Vec<&str> = rows
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|cell| cell.split([',', '`', ' ']))
        .filter(|name| !name.is_empty())
        .collect();
    listed.sort_unstable();
    assert_eq!(there, listed);
}

/// The keys of config.toml that are explained are those that are read: each is refused by name when its value is nonsense.
#[test]
fn the_keys_of_config_toml_are_documented() {
    let document = text(&root().join("docs/configuration.md"));
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let keys: Vec<&str> = rows
        .filter_map(|row| row.split('`').next())
        .filter(|key| {
            ["project.", "workspace.", "sync."]
                .iter()
                .any(|section| key.starts_with(section))
        })
        .collect();
    assert!(keys.len() >= 14, "{keys:?}");
    let reader = Reader::new();
    fs::create_dir_all(reader.path("my-project/.metis")).expect("temp folder is writable");
    let status = |config: &str| {
        fs::write(reader.path("my-project/.metis/config.toml"), config).expect("temp folder is writable");
        reader.run("my-project", "git metis-sync status")
    };
    for key in &keys {
        let refused = status(&format!("{key} = []\n"));
        assert!(
            refused.code == Some(1) && refused.stderr.contains(key),
            "{key}: {}",
            refused.transcript()
        );
    }
    assert_eq!(
        status("sync.something_else = []\n").code,
        Some(0),
        "others' keys are theirs"
    );

    let source = text(&root().join("src/workspace/config.rs"));
    let program = source.split("#[cfg(test)]").next().unwrap_or_default();
    for reading in [".text(", ".parsed(", ".number(", ".positive(", ".flag("] {
        for rest in program.split(reading).skip(1) {
            let Some(name) = rest
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
            else {
                continue;
            };
            assert!(
                keys.iter().any(|key| key.ends_with(&format!(".{name}"))),
                "{name} is not explained"
            );
        }
    }
}
