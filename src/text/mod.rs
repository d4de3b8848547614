//! Text from elsewhere (paths, documents, servers, state that was read), made fit for terminals and JSON documents.

mod untrusted;

use std::{borrow::Cow, fmt, path::Path};

use serde::Serialize;

pub use self::untrusted::{Untrusted, UntrustedName};
pub use crate::send_pack::is_hidden;
use crate::send_pack::is_selector;

/// The characters of a text, each with whether it is hidden where it stands.
fn seen(text: &str) -> impl Iterator<Item = (char, bool)> {
    // A space in front of all: nothing can be said of what is not there.
    let mut before = ' ';
    text.chars().map(move |c| {
        let behind = std::mem::replace(&mut before, c);
        let says_nothing = || is_hidden(behind) || is_selector(behind) || behind.is_whitespace() || is_letter(behind);
        (c, is_hidden(c) || (is_selector(c) && says_nothing()))
    })
}

/// A letter that is no picture as well.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !matches!(c, 'ℹ' | 'Ⓜ' | '\u{1F170}'..='\u{1F189}')
}

/// A name made fit for terminals and JSON: anything that could move a cursor, turn text around or hide is escaped,
/// and no more than 80 characters are kept.
pub fn printable(name: &[u8]) -> String {
    let mut out = String::new();
    for (count, (c, hidden)) in seen(&String::from_utf8_lossy(name)).enumerate() {
        if count == 80 {
            out.push('…');
            break;
        }
        if hidden {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Text made fit for terminals like [`printable()`], but whole; tabs stay.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (c, hidden) in seen(text) {
        if hidden && c != '\t' {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A path as it may be shown. `Path::display()` is not allowed outside of tests: a folder's name may be anybody's.
pub fn shown(path: &Path) -> Shown<'_> {
    Shown(path.to_string_lossy())
}

/// See [`shown()`].
#[derive(Debug, Clone)]
pub struct Shown<'a>(Cow<'a, str>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.0))
    }
}

/// The first `limit` of `items`, and how many more there are.
pub fn first_of<S: AsRef<str>>(items: &[S], limit: usize, between: &str) -> String {
    let shown: Vec<&str> = items.iter().take(limit).map(AsRef::as_ref).collect();
    let shown = shown.join(between);
    match items.len().saturating_sub(limit) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// One word for a POSIX shell, quoted where it has to be: what a person copies into a terminal runs nothing of its own.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@%+=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What is about to be printed, whatever it is made of: like [`escaped()`], but line breaks stay.
pub fn printed(text: &str) -> Cow<'_, str> {
    let stays = |(c, hidden): (char, bool)| c == '\n' || c == '\t' || !hidden;
    if seen(text).all(stays) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (c, hidden) in seen(text) {
        match stays((c, hidden)) {
            true => out.push(c),
            false => out.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(out)
}

/// A JSON document of one line, with everything hidden written as `\u` escapes. What reads it gets the same strings.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string(value)?;
    if !seen(&text).any(|(_, hidden)| hidden) {
        return Ok(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for (c, hidden) in seen(&text) {
        // Outside of its strings a document of one line has nothing of the kind.
        if hidden {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const HOSTILE: &str = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}\u{200b}\u{e0041}\n\tß😀";

    #[test]
    fn paths_keep_to_one_line_and_hide_nothing() {
        assert_eq!(
            shown(Path::new(HOSTILE)).to_string(),
            "a\\u{1b}[2J\\u{7f}\\u{9b}\\u{202e}\\u{2028}\\u{200b}\\u{e0041}\\u{a}\tß😀"
        );
    }

    #[test]
    fn what_is_printed_keeps_its_lines() {
        assert_eq!(printed("plain\n\tß"), "plain\n\tß");
        assert_eq!(printed("a\r\n\u{1b}b\0"), "a\\u{d}\n\\u{1b}b\\u{0}");
    }

    /// Each byte as a selector of variants, or two bits of it as one of those that go with emoji.
    #[test]
    fn what_is_shown_as_nothing_is_shown() {
        let said = |byte: u8| match byte {
            0..=15 => char::from_u32(0xFE00 + u32::from(byte)),
            _ => char::from_u32(0xE0100 + u32::from(byte) - 16),
        };
        let sentence: String = "push it all".bytes().filter_map(said).collect();
        let fillers = "\u{34f}\u{115f}\u{3164}\u{ffa0}\u{180b}\u{1d173}\u{e0fff}";
        for hostile in [&sentence, fillers] {
            let text = format!("Fine{hostile}");
            let shown = printed(&text);
            assert!(!shown.contains(is_hidden), "{shown}");
            assert_eq!(shown.matches("\\u{").count(), hostile.chars().count(), "{shown}");
        }
        for (text, shown) in [
            ("⚠\u{fe0f} ℹ\u{fe0f} ☎\u{fe0e} 1\u{fe0f}\u{20e3}", None),
            ("⚠\u{fe0f}\u{fe0e}", Some("⚠\u{fe0f}\\u{fe0e}")),
            ("a\u{fe0f}", Some("a\\u{fe0f}")),
            ("\u{fe0e}", Some("\\u{fe0e}")),
        ] {
            assert_eq!(printed(text), shown.unwrap_or(text));
            assert_eq!(escaped(text), printed(text));
            assert_eq!(printable(text.as_bytes()), printed(text));
        }
    }

    #[test]
    fn json_is_escaped_and_says_the_same() {
        let text = json(&serde_json::json!({ HOSTILE: [HOSTILE] })).unwrap();
        assert!(!text.contains(is_hidden), "{text:?}");
        assert!(
            text.contains(r"\u007f\u009b\u202e\u2028\u200b\udb40\udc41\n\tß😀"),
            "{text}"
        );
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read[HOSTILE][0], HOSTILE);
    }
}
