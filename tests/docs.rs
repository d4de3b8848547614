//! What the documentation shows is what happens: every `console` block is typed into a shell, and its answers compared.
//!
//! In an answer `[..]` stands for anything. Lines behind `$` are typed, those behind `>` continue them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::process::{Finished, run};

struct Step {
    typed: String,
    answers: Vec<String>,
}

fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            line => {
                if let Some(typed) = line.strip_prefix("$ ") {
                    steps.push(Step {
                        typed: typed.to_owned(),
                        answers: Vec::new(),
                    });
                } else if let (Some(more), Some(step)) = (line.strip_prefix("> "), steps.last_mut()) {
                    step.typed += &format!("\n{more}");
                } else if let Some(step) = steps.last_mut() {
                    step.answers.push(line.to_owned());
                }
            }
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

fn typed(step: &Step, folder: &Path) -> Finished {
    let program = Path::new(env!("CARGO_BIN_EXE_git-metis-sync"));
    let mut command = Command::new("sh");
    command
        .env_clear()
        .env("HOME", folder.join("home"))
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
        .current_dir(folder)
        .args(["-c", &step.typed]);
    run(command)
}

fn follow(document: &Path) -> usize {
    let text = fs::read_to_string(document).expect("the document is there");
    let folder = tempfile::tempdir().expect("temp folder");
    fs::create_dir(folder.path().join("home")).expect("temp folder is writable");
    let steps = steps(&text);
    for step in &steps {
        let finished = typed(step, folder.path());
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

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md")];
    for entry in fs::read_dir(root.join("docs")).expect("docs/ is there").flatten() {
        if entry.path().extension().is_some_and(|ext| ext == "md") {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn every_command_that_is_shown_does_what_is_shown() {
    let followed: usize = documents().iter().map(|document| follow(document)).sum();
    assert!(followed > 15, "the tutorial alone has more");
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in documents() {
        let text = fs::read_to_string(&document).expect("the document is there");
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
