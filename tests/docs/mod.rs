//! What the documentation shows is what happens.
//!
//! Every `console` block is typed into a shell and its answers compared: in an answer `[..]` stands for anything, lines behind
//! `$` are typed, those behind `>` continue them. Every `sh` block is run as it is, in a project of somebody who has
//! nothing yet but a central that answers at the address that the documents use.

mod dependencies;
mod guaranteed;
mod looked_up;
mod provoked;
mod rooms;
mod started;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::process::{Finished, run};

/// Where every other shown command is shown to work; by how its line begins.
const ELSEWHERE: [(&str, &str); 10] = [
    ("scripts/test", "what runs this"),
    ("scripts/install", "newcomer::installed"),
    ("scripts/quickstart", "newcomer::installed"),
    ("scripts/get", "newcomer::pipelines"),
    ("scripts/release", "takes a release build"),
    ("scripts/bench", "takes minutes"),
    ("scripts/mutants", "takes minutes"),
    ("scripts/screenshots", "seeing::browser"),
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

    /// Types what `document` shows, which must succeed.
    fn shown(&self, folder: &str, line: &str, document: &Path) -> Finished {
        let finished = self.run(folder, line);
        let place = document.display();
        assert_eq!(finished.code, Some(0), "{place}: {}", finished.transcript());
        finished
    }

    /// Types a `console` block and compares the answers.
    fn type_in(&self, block: &Block, document: &Path) -> usize {
        let steps = steps(block);
        for step in &steps {
            let finished = self.shown("", &step.typed, document);
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
            self.shown("my-project", &line, document);
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
