//! Text of another hand as types that come out escaped.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::{escaped, printable};

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
/// but serialised as it is: programs look things up by it, and state has to be read again as it was written. [`json()`](super::json) then
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{is_hidden, json, tests::HOSTILE};

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
}
