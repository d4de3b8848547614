//! What the help, the manual and the messages say about the command line is so.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use metis_sync::cli;

use crate::support::{
    terminal::{at_terminal, plain},
    world::World,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` with this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("it is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("it is text")
}

/// Every command there is, as words: `["hooks", "install"]`.
fn commands(of: &clap::Command, above: &[String]) -> Vec<Vec<String>> {
    let mut found = vec![above.to_vec()];
    for command in of.get_subcommands() {
        let words = [above, &[command.get_name().to_owned()]].concat();
        found.extend(commands(command, &words));
    }
    found
}

/// On a terminal of 80 by 24, with a line for the prompt.
#[test]
fn each_help_fits_a_screen() {
    let world = World::new();
    let workspace = world.workspace("api");
    let all = commands(&cli::command(), &[]);
    assert!(all.len() > 20);
    for words in all {
        let mut command = workspace.metis_sync(&[]);
        command.args(&words).arg("-h").env("TERM", "xterm");
        let Some(finished) = at_terminal(&workspace, &command, "") else {
            return;
        };
        let shown = plain(&finished);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            finished.code == Some(0) && lines.len() < 24 && lines.len() > 5,
            "{} lines of help:\n{shown}",
            lines.len()
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{shown}");
    }
}

/// What people type who look for help.
#[test]
fn help_is_found_by_all_its_names() {
    let world = World::new();
    let workspace = world.workspace("api");
    let say = |args: &[&str]| workspace.run(args).success();
    assert_eq!(say(&["help"]), say(&["-h"]));
    assert_eq!(say(&["help", "hooks", "install"]), say(&["hooks", "install", "-h"]));
    let in_full = say(&["--help"]);
    for word in ["rebuild-cache", "--max-retries", "--no-progress", "--version"] {
        assert!(in_full.contains(word), "{in_full}");
    }
    assert_eq!(
        say(&["-V"]),
        concat!("git-metis-sync ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let unknown = workspace.run(&["help", "me"]);
    assert!(
        unknown.code == Some(2) && unknown.stderr.contains("'me'"),
        "{}",
        unknown.transcript()
    );
}

/// The codes of `src/sync/stop/exit.rs` are those of the manual and of the README.
#[test]
fn all_exit_codes_are_listed() {
    let source = text(&root().join("src/sync/stop/exit.rs"));
    let (_, body) = source.split_once("pub enum Exit {").expect("the codes are there");
    let (body, _) = body.split_once("\n}").expect("it ends");
    let codes: BTreeSet<&str> = body
        .lines()
        .filter_map(|line| line.split_once(" = ")?.1.strip_suffix(','))
        .collect();
    assert!(codes.len() >= 10, "{codes:?}");
    let (_, manual) = cli::MAN_EXTRA.split_once("EXIT STATUS").expect("it has them");
    let (manual, _) = manual.split_once(".SH").expect("more follows");
    let listed: BTreeSet<&str> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR"))
        .collect();
    assert_eq!(listed, codes);
    let readme = text(&root().join("README.md"));
    let (_, readme) = readme.split_once("Exit codes:").expect("it has them");
    let (readme, _) = readme.split_once("\n\n").expect("more follows");
    for code in codes {
        assert!(
            readme.split(|c: char| !c.is_ascii_digit()).any(|word| word == code),
            "the README lacks exit code {code}"
        );
    }
}

/// The names of environment variables that the program asks for.
fn variables() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut sources = files(&root().join("src"), "rs");
    sources.extend(files(&root().join("crates/send-pack/src"), "rs"));
    for file in sources {
        let source = text(&file);
        // Tests come last in a file, or have one or a folder, and ask for whatever they like.
        if file.ends_with("tests.rs") || file.iter().any(|part| part == "tests") {
            continue;
        }
        let program = source.split("#[cfg(test)]").next().unwrap_or_default();
        for asking in [
            " env(\"",
            "var_os(\"",
            "var(\"",
            "text(\"",
            "set(\"",
            "either(\"",
            "(env(\"",
        ] {
            for rest in program.split(asking).skip(1) {
                let name = rest.split('"').next().unwrap_or_default();
                let shouted = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
                if name.ends_with("_proxy") || (shouted && !name.ends_with("_PROXY")) {
                    names.insert(name.to_owned());
                }
            }
        }
    }
    names
}

#[test]
fn all_environment_variables_are_listed() {
    let variables = variables();
    for known in ["NO_COLOR", "GIT_SSL_CAPATH", "GIT_TERMINAL_PROMPT", "http_proxy"] {
        assert!(variables.contains(known), "the search finds {variables:?} only");
    }
    let documents = [
        cli::MAN_EXTRA.to_owned(),
        text(&root().join("docs/configuration.md")).replace(
            "GIT_SSL_*",
            "GIT_SSL_CAINFO GIT_SSL_CAPATH GIT_SSL_CERT GIT_SSL_KEY GIT_SSL_NO_VERIFY",
        ),
    ];
    for name in &variables {
        for document in &documents {
            assert!(
                document.contains(name.as_str()),
                "{name} is not explained in {document}"
            );
        }
    }
}

/// Every `git metis-sync …` that a message or a document names is understood by the program.
#[test]
fn commands_that_are_named_exist() {
    let mut sources = files(&root().join("src"), "rs");
    sources.extend(files(&root().join("docs"), "md"));
    for file in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        sources.push(root().join(file));
    }
    let mut named = 0;
    for file in sources {
        // A string may go on in the next line.
        let source: String = text(&file)
            .split("\\\n")
            .map(|part| format!("{} ", part.trim()))
            .collect();
        for span in source.split('`').filter(|span| span.starts_with("git metis-sync")) {
            let first = span.split(['|', '\n', '\\']).next().unwrap_or_default();
            let words = first
                .split_whitespace()
                .skip(1)
                .filter(|word| *word != "…" && !word.starts_with('['));
            named += 1;
            if let Err(err) = cli::command().try_get_matches_from(words) {
                use clap::error::ErrorKind;
                assert!(
                    !matches!(
                        err.kind(),
                        ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict
                    ),
                    "{} names `{first}`: {err}",
                    file.display()
                );
            }
        }
    }
    assert!(named > 50, "{named}");
}
