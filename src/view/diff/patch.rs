//! One document's two versions as a unified diff, in git's form. Pure.

use similar::ChangeTag;

use crate::{
    names::ObjectId,
    plan::listing::escaped,
    view::{lines::Patience, short},
};

/// Larger documents are summed up.
pub const SHOWN_BYTES: u64 = 1 << 20;
/// No line on a terminal is longer; documents have paragraphs for lines.
const SHOWN_CHARS: usize = 4000;

/// One version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its blob.
    pub id: ObjectId,
    /// Its bytes, unless there are more than [`SHOWN_BYTES`].
    pub bytes: Option<Vec<u8>>,
}

/// What a line of a diff is, for colouring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What is compared.
    Header,
    /// Where a stretch of changes begins.
    Hunk,
    /// The same on both sides.
    Context,
    /// On the old side only.
    Removed,
    /// On the new side only.
    Added,
}

/// A line without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub kind: Kind,
    /// Fit for a terminal.
    pub text: String,
}

/// The diff of the document `name` (as central calls it), control characters escaped.
pub fn lines(name: &str, old: Option<&Version>, new: Option<&Version>, patience: &mut Patience) -> Vec<Line> {
    let mut out = Vec::new();
    let mut push = |kind, text: String| out.push(Line { kind, text });
    push(Kind::Header, format!("diff --git a/{name} b/{name}"));
    match (old, new) {
        (None, _) => push(Kind::Header, "new file mode 100644".into()),
        (_, None) => push(Kind::Header, "deleted file mode 100644".into()),
        _ => {}
    }
    let id = |version: Option<&Version>| match version {
        Some(version) => short(version.id),
        None => "0".repeat(10),
    };
    let mode = if old.is_some() && new.is_some() { " 100644" } else { "" };
    push(Kind::Header, format!("index {}..{}{mode}", id(old), id(new)));

    let empty = Vec::new();
    let bytes = |version: Option<&Version>| match version {
        Some(version) => version.bytes.clone(),
        None => Some(empty.clone()),
    };
    let (Some(before), Some(after)) = (bytes(old), bytes(new)) else {
        push(
            Kind::Header,
            format!("a/{name} and b/{name} differ; they are too large to be shown, or not at hand"),
        );
        return out;
    };
    if is_binary(&before) || is_binary(&after) {
        push(Kind::Header, format!("Binary files a/{name} and b/{name} differ"));
        return out;
    }
    if before == after {
        return out;
    }
    let (before, after) = (String::from_utf8_lossy(&before), String::from_utf8_lossy(&after));
    if before == after {
        push(
            Kind::Header,
            format!("Documents a/{name} and b/{name} differ in bytes that are no text"),
        );
        return out;
    }
    let side = |letter: &str, version: Option<&Version>| match version {
        Some(_) => format!("{letter}/{name}"),
        None => "/dev/null".into(),
    };
    push(Kind::Header, format!("--- {}", side("a", old)));
    push(Kind::Header, format!("+++ {}", side("b", new)));
    let diff = patience.compare(&before, &after);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        push(Kind::Hunk, hunk.header().to_string());
        for change in hunk.iter_changes() {
            let (kind, sign) = match change.tag() {
                ChangeTag::Equal => (Kind::Context, ' '),
                ChangeTag::Delete => (Kind::Removed, '-'),
                ChangeTag::Insert => (Kind::Added, '+'),
            };
            push(kind, format!("{sign}{}", shown(change.value())));
            if !change.value().ends_with('\n') {
                push(Kind::Context, "\\ No newline at end of file".into());
            }
        }
    }
    out
}

/// As git decides it.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8000).any(|byte| *byte == 0)
}

/// A line without its end and fit for a terminal. A carriage return at the end shows as `^M`.
fn shown(line: &str) -> String {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let (line, end) = match line.strip_suffix('\r') {
        Some(line) => (line, "^M"),
        None => (line, ""),
    };
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((cut, _)) => {
            let more = line[cut..].chars().count();
            format!("{}… ({more} more characters){end}", escaped(&line[..cut]))
        }
        None => format!("{}{end}", escaped(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(n: u8, bytes: &[u8]) -> Version {
        Version {
            id: ObjectId::from_bytes(&[n; 20]).unwrap(),
            bytes: Some(bytes.to_vec()),
        }
    }

    fn text(old: Option<&Version>, new: Option<&Version>) -> Vec<String> {
        lines("api/A-T-0001.md", old, new, &mut Patience::default())
            .into_iter()
            .map(|line| line.text)
            .collect()
    }

    #[test]
    fn a_change_looks_as_git_shows_it() {
        let (one, two) = ("01".repeat(5), "02".repeat(5));
        assert_eq!(
            text(Some(&version(1, b"a\nb\nc\n")), Some(&version(2, b"a\nB\nc"))),
            [
                "diff --git a/api/A-T-0001.md b/api/A-T-0001.md",
                &format!("index {one}..{two} 100644"),
                "--- a/api/A-T-0001.md",
                "+++ b/api/A-T-0001.md",
                "@@ -1,3 +1,3 @@",
                " a",
                "-b",
                "-c",
                "+B",
                "+c",
                "\\ No newline at end of file",
            ]
        );
    }

    #[test]
    fn what_comes_and_goes_has_one_side() {
        let new = text(None, Some(&version(2, b"a\n")));
        assert!(new.contains(&"--- /dev/null".to_owned()) && new.contains(&"new file mode 100644".to_owned()));
        let gone = text(Some(&version(1, b"a\n")), None);
        assert!(gone.contains(&"+++ /dev/null".to_owned()) && gone.contains(&"-a".to_owned()));
        assert_eq!(
            text(None, Some(&version(2, b""))).len(),
            3,
            "an empty document has no lines to show"
        );
    }

    #[test]
    fn nothing_that_moves_a_cursor_comes_through() {
        let hostile = version(2, "\x1b[2Jgone\u{202e}\u{9b}\ta\r\n".as_bytes());
        let shown = text(None, Some(&hostile)).pop().unwrap();
        assert_eq!(shown, "+\\u{1b}[2Jgone\\u{202e}\\u{9b}\ta^M");
    }

    #[test]
    fn what_is_no_text_or_too_much_is_summed_up() {
        let binary = text(Some(&version(1, b"a\0b")), Some(&version(2, b"a\n")));
        assert!(binary.last().unwrap().starts_with("Binary files"));
        let huge = Version {
            bytes: None,
            ..version(2, b"")
        };
        assert!(text(None, Some(&huge)).last().unwrap().contains("too large"));
        let latin = text(Some(&version(1, b"caf\xe9\n")), Some(&version(2, b"caf\xe8\n")));
        assert!(latin.last().unwrap().contains("no text"), "{latin:?}");
        let long = text(None, Some(&version(2, "ä".repeat(5000).as_bytes())));
        assert!(long.iter().any(|line| line.ends_with("… (1000 more characters)")));
    }
}
