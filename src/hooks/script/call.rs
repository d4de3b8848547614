//! A call of ours in a shell script, and which workspace it is for.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::super::Event;
use crate::plan::listing::is_hidden;

pub(super) const SHEBANG: &str = "#!/bin/sh\n";

/// Succeeds if git can find the program: by its name (PATH, in which git puts its own folder first) or by an alias. Asking
/// `git metis-sync` itself would have git complain, or guess what else may have been meant.
pub(super) const IS_INSTALLED: &str = "{ command -v git-metis-sync || git config --get alias.metis-sync; } >/dev/null";

/// What a hook file of ours does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// On what.
    pub event: Event,
    /// The workspace's folder relative to where git runs the hook; `None` if that is the workspace.
    pub folder: Option<PathBuf>,
}

impl Call {
    /// The command line, without the arguments that git gives to a hook.
    pub fn command(&self) -> String {
        command(self.event, &self.target())
    }

    /// The same where the program may be missing, which is then no failure. Arguments may follow.
    pub fn careful(&self) -> String {
        format!("! {IS_INSTALLED} || {} --", self.command())
    }

    /// A line for other people's scripts.
    pub fn careful_line(&self) -> String {
        format!("{} \"$@\" </dev/null", self.careful())
    }

    /// The script that is shipped in `hooks/`, for those who put hooks in place by other means.
    pub fn standalone(&self) -> String {
        format!(
            "{SHEBANG}# git-metis-sync: docs/hooks.md\n{IS_INSTALLED} || exit 0\nexec {} -- \"$@\"\n",
            self.command()
        )
    }

    /// Which workspace is meant, as the lines say it.
    pub fn target(&self) -> Target {
        Target(match &self.folder {
            None => String::new(),
            // In front of a name that begins with `-`, which would pass for an option.
            Some(folder) => format!(" -C {}", word(Path::new(".").join(folder).as_os_str().as_bytes())),
        })
    }

    /// Whether a line that somebody wrote by hand calls for this workspace.
    fn is_called_by(&self, line: &str) -> bool {
        if !line.contains("metis-sync") || !line.contains(&format!("hooks run {}", self.event)) {
            return false;
        }
        let Some(folder) = &self.folder else {
            return !line.contains(" -C ");
        };
        // However often it was quoted on its way into somebody's configuration.
        let bare = |text: &str| text.replace(['\'', '"', '\\'], "");
        let line = bare(line);
        [bare(&self.target().0[" -C ".len()..]), bare(&folder.to_string_lossy())]
            .iter()
            .any(|name| has_word(&line, name))
    }
}

/// Whether `line` has `name` as a path of its own, not as a part of another one.
fn has_word(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        (before.ends_with(char::is_whitespace) || before.ends_with(" ./"))
            && after
                .chars()
                .next()
                .is_none_or(|c| c.is_whitespace() || "/;&|)".contains(c))
    })
}

/// Which workspace a line means, in the line's own words: nothing, or ` -C ` and a word for a shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(pub(super) String);

impl Target {
    /// Taken from a line. The first version wrote the bare folder, which gets `./` in front.
    pub(super) fn read(words: &str) -> Self {
        Target(match words.strip_prefix(" -C ") {
            Some(word) if word.starts_with(|c: char| c.is_ascii_alphanumeric() || "-_@%+=:,".contains(c)) => {
                format!(" -C ./{word}")
            }
            Some(word) if word.starts_with('\'') && !word.starts_with("'./") => format!(" -C './{}", &word[1..]),
            _ => words.to_owned(),
        })
    }
}

pub(super) fn command(event: Event, target: &Target) -> String {
    format!("git metis-sync{} hooks run {event}", target.0)
}

/// Whether `text`, a script or another program's configuration, makes `call`.
pub fn calls_us(text: &[u8], call: &Call) -> bool {
    String::from_utf8_lossy(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .any(|line| call.is_called_by(line))
}

/// One word for a POSIX shell, on one line and in plain characters whatever `path` consists of: a line end would tear the marker
/// lines apart, and lefthook takes what is in braces for its own.
fn word(path: &[u8]) -> String {
    match std::str::from_utf8(path) {
        Ok(text) if !text.chars().any(|c| is_hidden(c) || "{}".contains(c)) => crate::text::shell_word(text),
        _ => {
            let mut format = String::new();
            for byte in path {
                match byte {
                    b'%' => format.push_str("%%"),
                    b'/' | b'.' | b'-' | b'_' | b' ' => format.push(char::from(*byte)),
                    _ if byte.is_ascii_alphanumeric() => format.push(char::from(*byte)),
                    _ => format.push_str(&format!("\\{byte:03o}")),
                }
            }
            // The shell takes line ends off the end of what a command says.
            format!("\"$(printf '{format}/.')\"")
        }
    }
}
