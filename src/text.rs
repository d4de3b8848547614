//! Text from elsewhere (paths, documents, servers, state that was read), made fit for terminals and JSON documents.

use std::{borrow::Cow, fmt, path::Path};

use serde::{Deserialize, Serialize, Serializer};

pub use crate::send_pack::is_hidden;

/// Text of another hand: names in central and in git, what servers and other programs say, values of configuration, state that
/// was read. However it is printed or serialised, it is escaped; what is put together with it is fit for a terminal.
///
/// Fields that hold such text have this type, so that nobody prints them as they came.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// A name, of which no more than 80 characters are kept.
    pub fn name(bytes: &[u8]) -> Self {
        Untrusted(printable(bytes))
    }

    /// The same as a [`name()`](Self::name), for where a line is short.
    pub fn brief(&self) -> Self {
        Untrusted::name(self.0.as_bytes())
    }

    /// As it came: to compare it, to look something up by it, or to take it apart; not to print it.
    pub fn raw(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Untrusted(text.to_owned())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Untrusted(text)
    }
}

impl From<&String> for Untrusted {
    fn from(text: &String) -> Self {
        Untrusted(text.clone())
    }
}

impl<T: AsRef<str> + ?Sized> PartialEq<T> for Untrusted {
    fn eq(&self, other: &T) -> bool {
        *self.raw() == *other.as_ref()
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escaped(&self.0))
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", escaped(&self.0))
    }
}

impl Serialize for Untrusted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&escaped(&self.0))
    }
}

/// The name of something that another hand made, such as a path or a branch. It is printed escaped, like all that is [`Untrusted`],
/// but serialised as it is: programs look things up by it, and state has to be read again as it was written. [`json()`] then
/// escapes it as JSON does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(transparent)]
pub struct UntrustedName(Untrusted);

impl UntrustedName {
    /// See [`Untrusted::raw()`].
    pub fn raw(&self) -> &str {
        self.0.raw()
    }

    /// See [`Untrusted::brief()`].
    pub fn brief(&self) -> Untrusted {
        self.0.brief()
    }
}

impl From<&str> for UntrustedName {
    fn from(name: &str) -> Self {
        UntrustedName(name.into())
    }
}

impl From<String> for UntrustedName {
    fn from(name: String) -> Self {
        UntrustedName(name.into())
    }
}

impl From<UntrustedName> for Untrusted {
    fn from(name: UntrustedName) -> Self {
        name.0
    }
}

impl From<&UntrustedName> for Untrusted {
    fn from(name: &UntrustedName) -> Self {
        name.0.clone()
    }
}

impl<T: AsRef<str> + ?Sized> PartialEq<T> for UntrustedName {
    fn eq(&self, other: &T) -> bool {
        *self.raw() == *other.as_ref()
    }
}

impl fmt::Display for UntrustedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for UntrustedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for UntrustedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.raw())
    }
}

/// A name made fit for terminals and JSON: anything that could move a cursor, turn text around or hide is escaped,
/// and no more than 80 characters are kept.
pub fn printable(name: &[u8]) -> String {
    let mut out = String::new();
    for (count, c) in String::from_utf8_lossy(name).chars().enumerate() {
        if count == 80 {
            out.push('…');
            break;
        }
        if is_hidden(c) {
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
    for c in text.chars() {
        if is_hidden(c) && c != '\t' {
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
    let stays = |c: char| c == '\n' || c == '\t' || !is_hidden(c);
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| match stays(c) {
        true => c.to_string(),
        false => c.escape_unicode().to_string(),
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// A JSON document of one line, with everything hidden written as `\u` escapes. What reads it gets the same strings.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string(value)?;
    if !text.chars().any(is_hidden) {
        return Ok(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        // Outside of its strings a document of one line has nothing of the kind.
        if is_hidden(c) {
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

    const HOSTILE: &str = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}\u{200b}\u{e0041}\n\tß😀";

    #[test]
    fn paths_keep_to_one_line_and_hide_nothing() {
        assert_eq!(
            shown(Path::new(HOSTILE)).to_string(),
            "a\\u{1b}[2J\\u{7f}\\u{9b}\\u{202e}\\u{2028}\\u{200b}\\u{e0041}\\u{a}\tß😀"
        );
    }

    #[test]
    fn untrusted_text_comes_out_escaped_whatever_one_does() {
        let read: Untrusted = serde_json::from_value(HOSTILE.into()).unwrap();
        assert_eq!(read, Untrusted::from(HOSTILE));
        assert_eq!(read.raw(), HOSTILE);
        let written = serde_json::to_value(&read).unwrap();
        let padded = format!("{:>90}", Untrusted::from("\u{1b}"));
        assert_eq!((padded.len(), padded.trim()), (90, "\\u{1b}"));
        let ways = [
            read.to_string(),
            format!("{read:?}"),
            format!("{:?}", Some(&read)),
            written.as_str().unwrap().to_owned(),
            Untrusted::name(HOSTILE.as_bytes()).to_string(),
        ];
        for text in ways {
            assert!(!text.contains(|c| is_hidden(c) && c != '\t'), "{text:?}");
            assert!(text.contains("u{1b}[2J"), "{text}");
        }
        // Once more changes nothing.
        let once = Untrusted::from(read.to_string());
        assert_eq!(once.to_string(), read.to_string());
    }

    #[test]
    fn a_name_is_printed_escaped_and_read_again_as_it_was() {
        let name = UntrustedName::from(HOSTILE);
        for text in [name.to_string(), format!("{name:?}"), name.brief().to_string()] {
            assert!(!text.contains(|c| is_hidden(c) && c != '\t'), "{text:?}");
        }
        let written = json(&name).unwrap();
        assert!(!written.contains(is_hidden), "{written:?}");
        assert_eq!(serde_json::from_str::<UntrustedName>(&written).unwrap(), name);
        assert_eq!(name, HOSTILE);
    }

    #[test]
    fn what_is_printed_keeps_its_lines() {
        assert_eq!(printed("plain\n\tß"), "plain\n\tß");
        assert_eq!(printed("a\r\n\u{1b}b\0"), "a\\u{d}\n\\u{1b}b\\u{0}");
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
