//! `status --porcelain=v1`: lines for scripts.
//!
//! This format does not change. A later one gets another number; new kinds of lines may be added to this one, and are to
//! be passed over by those who do not know them. Fields are separated by one tab. Lines end with LF, with `-z` with NUL.
//! A path or a message with a tab, LF, CR, `"`, `\` or another control or hidden character in it is written in double quotes with
//! `\t`, `\n`, `\r`, `\"`, `\\` or `\ooo` (octal, byte by byte), as git quotes paths; with `-z` it is written as it is.
//! What is not known is `-`. The lines come in this order:
//!
//! ```text
//! # workspace <prefix>            # lines: one key and its value, the separator between them a tab as well
//! # upstream  <url>
//! # branch    <name>
//! # state     never-synced|up-to-date|ahead|behind|ahead-and-behind|stopped
//! # head      <commit>            central's commit that this clone dealt with last; "-": none
//! # central   <commit>            central's commit now; "-": not asked, unreachable, or central is empty
//! # asked     yes|no|unreachable  whether central answered
//! # synced    <time>              when the last sync began that changed something, RFC 3339
//! A <code> <path>                 an own document that central has not; a sync pushes it
//! M <code> <path>                 one that differs from central's; a sync pushes it
//! D <code> <path>                 one that is gone here; a sync removes it from central
//! U <code> <path>                 one that was changed on both sides; it stops a sync
//! B <code> added|changed|removed  central has a newer version; it comes with `git pull`
//! W <prefix> <state> <documents>  another workspace: in-step|outdated|new|missing|unfinished|gone|blocked
//! K <name> <state> <words>        a conduit: enabled|changed|not-enabled, and where it stands, for people
//! ! <kind> <message>              what would stop a sync; the kinds are those of `error.kind` in JSON
//! ? <message>                     what deserves a look
//! ```

use std::io::{self, Write};

use crate::cli::{conduit::overview::Looked, output};
use crate::plan::{dehydrate::CentralChange, listing::is_hidden};
use crate::view::Status;

pub fn print(status: &Status, conduits: &Looked, nul: bool) {
    let to = if nul { output::bytes() } else { output::stdout() };
    let mut out = io::BufWriter::new(to);
    let _ = write(status, conduits, nul, &mut out).and_then(|()| out.flush());
}

fn write(status: &Status, conduits: &Looked, nul: bool, out: &mut dyn Write) -> io::Result<()> {
    let end = if nul { '\0' } else { '\n' };
    let text = |text: &str| if nul { text.to_owned() } else { quoted(text) };
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let mut line = |fields: &[&str]| write!(out, "{}{end}", fields.join("\t"));

    let central = &status.central;
    let asked = match central.reachable {
        None => "no",
        Some(true) => "yes",
        Some(false) => "unreachable",
    };
    let synced = status.last_sync.as_ref().map(|sync| sync.started.to_string());
    let state = serde_json::to_value(status.state).unwrap_or_default();
    for (key, value) in [
        ("workspace", or_dash(status.workspace.as_ref().map(ToString::to_string))),
        ("upstream", text(status.upstream.raw())),
        (
            "branch",
            or_dash(status.branch.as_ref().map(|branch| text(branch.raw()))),
        ),
        ("state", or_dash(state.as_str().map(str::to_owned))),
        ("head", or_dash(status.head.map(|id| id.to_string()))),
        ("central", or_dash(central.head.map(|id| id.to_string()))),
        ("asked", asked.to_owned()),
        ("synced", or_dash(synced)),
    ] {
        line(&["#", key, &value])?;
    }
    for ahead in &status.ahead {
        let letter = match ahead.change {
            CentralChange::Added => "A",
            CentralChange::Changed => "M",
            CentralChange::Removed => "D",
        };
        line(&[
            letter,
            ahead.code.as_str(),
            &or_dash(ahead.path.as_ref().map(|path| text(path.raw()))),
        ])?;
    }
    for conflict in &status.conflicts {
        line(&[
            "U",
            conflict.code.as_str(),
            &or_dash(conflict.path.as_ref().map(|path| text(path.raw()))),
        ])?;
    }
    for behind in &status.behind {
        let word = match behind.change {
            CentralChange::Added => "added",
            CentralChange::Changed => "changed",
            CentralChange::Removed => "removed",
        };
        line(&["B", behind.code.as_str(), word])?;
    }
    for folder in &status.workspaces {
        line(&[
            "W",
            folder.prefix.as_str(),
            folder.standing.word(),
            &folder.documents.to_string(),
        ])?;
    }
    for (name, state, words) in conduits.rows() {
        line(&["K", &name, state, &text(&words)])?;
    }
    for obstacle in &status.obstacles {
        line(&["!", obstacle.kind, &text(obstacle.message.raw())])?;
    }
    for warning in &status.warnings {
        line(&["?", &text(warning.raw())])?;
    }
    Ok(())
}

/// As git quotes a path, with `core.quotePath` off.
fn quoted(text: &str) -> String {
    let plain = |c: char| !is_hidden(c) && c != '"' && c != '\\';
    if text.chars().all(plain) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '"' | '\\' => out.extend(['\\', c]),
            c if is_hidden(c) => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    out.push_str(&format!("\\{byte:03o}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_breaks_a_line_is_quoted() {
        assert_eq!(quoted("initiatives/Über uns.md"), "initiatives/Über uns.md");
        assert_eq!(
            quoted("a\tb\n\"c\"\\\u{1b}\u{85}"),
            "\"a\\tb\\n\\\"c\\\"\\\\\\033\\302\\205\""
        );
    }
}
