//! Numbers, times and reasons as people say them. JSON has them as they are.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};

use crate::plan::listing::printable;
pub use crate::view::{seconds_since, short};

/// A number with its thousands set apart.
pub fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 document`, `1,234 documents`.
pub fn count(n: usize) -> String {
    match n {
        1 => "1 document".into(),
        n => format!("{} documents", number(n)),
    }
}

/// An RFC 3339 time to the second, by the clock on the wall.
pub fn time(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => local(time, &TimeZone::system()),
        Err(_) => printable(time.as_bytes()),
    }
}

/// The same of a time that was parsed.
pub fn local(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long ago, as people say it.
pub fn ago(seconds: i64) -> String {
    let (n, unit) = match seconds {
        ..0 => return "in the future, by this clock".into(),
        0..=9 => return "just now".into(),
        10..=59 => (seconds, "second"),
        60..=3599 => (seconds / 60, "minute"),
        3600..=86_399 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" })
}

/// Text in lines of no more than `columns`, broken between words, all indented by `indent`.
pub fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let options = textwrap::Options::new(columns)
        .initial_indent(&indent)
        .subsequent_indent(&indent)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    textwrap::fill(text, options)
}

/// The advice that one output has given. Advice names a command, and stands at the end of what is said.
#[derive(Default)]
pub struct Given(BTreeSet<String>);

impl Given {
    /// `line` without advice that was given before.
    pub fn once<'a>(&mut self, line: &'a str) -> &'a str {
        let ends = line.match_indices([';', '.']);
        let breaks = ends.filter(|(at, _)| line[at + 1..].starts_with(' ') && line[*at..].contains("`git "));
        for (at, _) in breaks {
            if !self.0.insert(line[at + 2..].trim_end_matches('.').to_owned()) {
                return &line[..at];
            }
        }
        line
    }

    /// Whether `advice`, which stands alone, is given for the first time.
    pub fn is_new(&mut self, advice: &str) -> bool {
        self.0.insert(advice.trim_end_matches('.').to_owned())
    }
}

/// What the journal's word for a failure means. An unknown one, of another version, is said as it is.
pub fn reason(word: &str) -> String {
    let said = match word {
        "auth" => "central did not let this user in",
        "branch-gone" => "central's branch is gone",
        "cache" => "metis.db could not be rebuilt",
        "died" => "its process was ended before it was done",
        "deletes" => "too many documents would have been removed",
        "diverged" => "conflicting changes",
        "io" => "files could not be read or written",
        "locked" => "another sync was running",
        "moved" => "other workspaces were pushing all the time",
        "network" => "central could not be reached",
        "no-branch" => "central does not have the branch",
        "no-repository" => "no repository at central's address",
        "no-source" => "the source branch is not here",
        "other-project" => "central's folder belongs to another project",
        "prefix-changed" => "config.toml names another prefix",
        "refused" => "central refused the push",
        "renamed" => "the workspace was renamed",
        "rewound" => "central was rewound",
        "stale" => "this checkout is older than the project's remote",
        "timeout" => "it did not end in time",
        "unconfirmed" => "a setting waits for confirmation",
        "unfinished" => "git is in the middle of something",
        "upstream-changed" => "config.toml names another central",
        other => return printable(other.replace('-', " ").as_bytes()),
    };
    said.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_set_apart() {
        let said = [0, 1, 999, 1000, 12_345, 999_999, 1_000_000].map(number);
        assert_eq!(said, ["0", "1", "999", "1,000", "12,345", "999,999", "1,000,000"]);
        assert_eq!(
            [0, 1, 1000].map(count),
            ["0 documents", "1 document", "1,000 documents"]
        );
    }

    #[test]
    fn times_are_those_of_the_wall() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let noon = "2026-02-26T12:00:00.5Z".parse().unwrap();
        assert_eq!(local(noon, &zone), "2026-02-26 14:00:00");
        assert_eq!(time("\u{1b}[2J"), "\\u{1b}[2J");
        let said = [-1, 0, 9, 10, 60, 7200, 86_400].map(ago);
        assert_eq!(
            said,
            [
                "in the future, by this clock",
                "just now",
                "just now",
                "10 seconds ago",
                "1 minute ago",
                "2 hours ago",
                "1 day ago"
            ]
        );
    }

    #[test]
    fn advice_is_given_once() {
        let mut given = Given::default();
        let said = [
            "A is newer in central; it comes with `git pull`",
            "B is newer in central; it comes with `git pull`",
            "C is odd; see there. `git metis-sync doctor --fix` mends it.",
            "D is odd; see here. `git metis-sync doctor --fix` mends it",
            "E; nothing to be done",
            "F; nothing to be done",
        ]
        .map(|line| given.once(line));
        assert_eq!(
            said,
            [
                "A is newer in central; it comes with `git pull`",
                "B is newer in central",
                "C is odd; see there. `git metis-sync doctor --fix` mends it.",
                "D is odd; see here",
                "E; nothing to be done",
                "F; nothing to be done",
            ]
        );
        assert!(!given.is_new("it comes with `git pull`.") && given.is_new("Wait."));
    }

    #[test]
    fn words_of_other_versions_are_said_as_they_are() {
        assert_eq!(reason("diverged"), "conflicting changes");
        assert_eq!(reason("too-\u{1b}new"), "too \\u{1b}new");
    }
}
