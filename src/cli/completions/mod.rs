//! `git metis-sync completions SHELL` prints what a shell has to know, and `complete`, which that asks, prints candidates: the
//! commands and options of the definition that parses the command line, and codes, workspaces and branches as they are.

pub mod candidates;

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use clap::{Args, ValueEnum};
use clap_complete::{CompletionCandidate, engine};

use super::{Exit, Global};
use crate::{plan::listing::printable, text::is_hidden};

/// A shell that is completed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "pwsh")]
    Powershell,
}

impl Shell {
    /// What the shell reads, from a file of its own or in its start-up file.
    pub fn script(self) -> &'static str {
        match self {
            Shell::Bash => include_str!("bash"),
            Shell::Zsh => include_str!("zsh"),
            Shell::Fish => include_str!("fish"),
            Shell::Powershell => include_str!("powershell"),
        }
    }
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
bash, in ~/.bashrc:           source <(git metis-sync completions bash)
zsh, in ~/.zshrc:             source <(git metis-sync completions zsh), after compinit
fish, in config.fish:         git metis-sync completions fish | source
PowerShell, in $PROFILE:      git metis-sync completions powershell | Out-String | Invoke-Expression")]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Args)]
pub struct CompleteArgs {
    /// Which of the words is to be completed, from 0
    #[arg(long, value_name = "N")]
    index: usize,
    /// The command line, from the program's name on
    #[arg(last = true, value_name = "WORD")]
    words: Vec<OsString>,
}

/// Prints the script for a shell.
pub fn completions(args: &CompletionsArgs) -> Exit {
    say!("{}", args.shell.script().trim_end());
    Exit::Ok
}

/// Prints candidates for a word, each in a line: the word, and behind a tab what it stands for. Where nothing is known
/// nothing is printed; a shell has no use for errors.
pub fn complete(global: &Global, args: &CompleteArgs) -> Exit {
    let mut words = args.words.clone();
    words.truncate(args.index.saturating_add(1));
    // Some shells don't hand on an empty word at the end.
    if words.len() == args.index {
        words.push(OsString::new());
    }
    if words.len() <= args.index {
        return Exit::Ok;
    }
    let folders = global
        .dir
        .iter()
        .map(|folder| folder.as_os_str())
        .chain(folders(&words[..args.index]));
    for folder in folders {
        if std::env::set_current_dir(folder).is_err() {
            return Exit::Ok;
        }
    }
    let begun = words[args.index].as_encoded_bytes().starts_with(b"-");
    let found = engine::complete(&mut super::command(), words, args.index, Some(Path::new(".")));
    let mut found = found.unwrap_or_default();
    let is_option = |candidate: &CompletionCandidate| candidate.get_value().as_encoded_bytes().starts_with(b"-");
    if !begun {
        found.retain(|candidate| !is_option(candidate));
    }
    for candidate in found {
        let value = candidate.get_value().to_string_lossy();
        // What documents and file names say may end the line, and so pass for another candidate.
        if value.contains(is_hidden) {
            continue;
        }
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        match help.lines().next() {
            Some(help) => say!("{value}\t{}", printable(help.as_bytes())),
            None => say!("{value}"),
        }
    }
    Exit::Ok
}

/// Where `-C` leads.
fn folders(words: &[OsString]) -> impl Iterator<Item = &OsStr> {
    let pairs = words.windows(2).filter(|pair| pair[0] == "-C");
    pairs.map(|pair| pair[1].as_os_str())
}
