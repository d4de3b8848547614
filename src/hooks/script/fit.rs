//! Whether our lines fit into a script of somebody else's, and where.

use super::lines;

/// Why a hook file cannot take our lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Unfit {
    #[error("it is no shell script but one for {0}")]
    OtherLanguage(String),
    #[error("it is a compiled program")]
    Program,
    #[error("its first line has a Windows line end, with which no system can run it")]
    WindowsLineEnd,
    #[error(
        "line {line} takes its end away from us (`{text}`), so nothing can run after it; without --after it can run before"
    )]
    NoEnd { line: usize, text: String },
    #[error("the marker lines of git-metis-sync in it are incomplete: take what is between them out by hand")]
    TornMarkers,
}

/// Behind the `#!` line of a shell script. Without such a line git has `sh` run it.
pub(super) fn insertion_point(file: &[u8]) -> Result<usize, Unfit> {
    if !file.starts_with(b"#!") {
        return match file.iter().take(8000).any(|byte| *byte == 0) {
            true => Err(Unfit::Program),
            false => Ok(0),
        };
    }
    let end = lines(file).next().map_or(file.len(), |(_, end)| end);
    let line = String::from_utf8_lossy(&file[2..end]);
    let line = line.trim_end_matches('\n');
    if line.ends_with('\r') {
        return Err(Unfit::WindowsLineEnd);
    }
    let mut words = line
        .split_whitespace()
        .map(|word| word.rsplit('/').next().unwrap_or(word));
    let mut name = words.next().unwrap_or_default();
    if name == "env" || name == "busybox" {
        name = words
            .find(|word| !word.starts_with('-') && !word.contains('='))
            .unwrap_or_default();
    }
    match name {
        "sh" | "bash" | "dash" | "ash" | "ksh" | "ksh93" | "mksh" | "zsh" | "yash" => Ok(end),
        other => Err(Unfit::OtherLanguage(
            other.chars().filter(|c| !c.is_control()).take(40).collect(),
        )),
    }
}

/// A trap for the exit is lost when the script sets one of its own or becomes another program.
pub(super) fn check_end(file: &[u8]) -> Result<(), Unfit> {
    let text = String::from_utf8_lossy(file);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let mut words = line
            .split(|c: char| c.is_whitespace() || ";|&(){}'\"".contains(c))
            .filter(|word| !word.is_empty())
            .peekable();
        while let Some(word) = words.next() {
            let only_redirects = |next: &&str| next.starts_with(|c: char| "<>".contains(c) || c.is_ascii_digit());
            let takes_the_end = match word {
                "exec" => words.peek().is_some_and(|next| !only_redirects(next)),
                "trap" => words.clone().any(|word| matches!(word, "EXIT" | "0")),
                _ => false,
            };
            if takes_the_end {
                return Err(Unfit::NoEnd {
                    line: number + 1,
                    text: line.chars().filter(|c| !c.is_control()).take(60).collect(),
                });
            }
        }
    }
    Ok(())
}
