//! `~/.netrc`: user names and passwords by host, as git reads them through curl.
//!
//! Only the file in the home directory counts: git names no other to curl. The format is curl's: words with white space
//! between them, `"` around a word that has some in it, and `#` at the beginning of a line that is a comment.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use gix_sec::identity::Account;
use rustix::fs::OFlags;

/// Beyond this it is no file of passwords.
const MAX_FILE: u64 = 1 << 20;

/// What the file at `path` has for `host`, and for `user` if the URL names one.
///
/// A file that is missing, cannot be read, or is not a regular one has nothing, as with curl: the server then says that
/// it wants a password.
pub(super) fn look_up(path: &Path, host: &str, user: Option<&str>) -> Option<Account> {
    // A FIFO would be waited for.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits() as i32)
        .open(path)
        .ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > MAX_FILE {
        return None;
    }
    chosen(std::str::from_utf8(&bytes).ok()?, host, user)
}

/// The first entry for `host` (or for every host: `default`) that has a password, and the right user if one is asked for.
fn chosen(text: &str, host: &str, user: Option<&str>) -> Option<Account> {
    entries(text).into_iter().find_map(|entry| {
        let for_host = entry
            .host
            .as_deref()
            .is_none_or(|named| named.eq_ignore_ascii_case(host));
        let login = match user {
            // An entry without a login is for whoever the URL names.
            Some(user) => entry.login.is_none_or(|login| login == user).then(|| user.to_owned()),
            None => entry.login,
        };
        let account = for_host.then_some(()).and(login).zip(entry.password);
        account.map(|(username, password)| Account {
            username,
            password,
            oauth_refresh_token: None,
        })
    })
}

/// One `machine` or `default`.
#[derive(Default)]
struct Entry {
    /// `None`: every host.
    host: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut words = Words { rest: text };
    while let Some(word) = words.next() {
        let entry = entries.last_mut();
        match (word.as_str(), entry) {
            ("machine", _) => entries.extend(words.next().map(|host| Entry {
                host: Some(host),
                ..Entry::default()
            })),
            ("default", _) => entries.push(Entry::default()),
            ("macdef", _) => words.skip_macro(),
            ("login", Some(entry)) => entry.login = words.next(),
            ("password", Some(entry)) => entry.password = words.next(),
            // Of a kind that http has no use for; the word after it is its value.
            ("account", _) => drop(words.next()),
            _ => {}
        }
    }
    entries
}

struct Words<'t> {
    rest: &'t str,
}

impl Words<'_> {
    fn next(&mut self) -> Option<String> {
        loop {
            let trimmed = self.rest.trim_start();
            let skipped = &self.rest[..self.rest.len() - trimmed.len()];
            let starts_a_line = skipped.contains('\n') || skipped.len() == self.rest.len();
            self.rest = trimmed;
            // The first line has no line break before it.
            if !(trimmed.starts_with('#') && (starts_a_line || skipped.is_empty())) {
                break;
            }
            self.rest = trimmed.find('\n').map_or("", |end| &trimmed[end..]);
        }
        match self.rest.strip_prefix('"') {
            Some(quoted) => self.quoted(quoted.len()),
            None => {
                let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                (!word.is_empty()).then(|| word.to_owned())
            }
        }
    }

    /// A word up to its closing quote. One that is never closed ends the file.
    fn quoted(&mut self, length: usize) -> Option<String> {
        let text = &self.rest[self.rest.len() - length..];
        let mut word = String::new();
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &text[at + 1..];
                    return Some(word);
                }
                '\\' => match chars.next()?.1 {
                    'n' => word.push('\n'),
                    'r' => word.push('\r'),
                    't' => word.push('\t'),
                    other => word.push(other),
                },
                c => word.push(c),
            }
        }
        self.rest = "";
        None
    }

    /// A macro for ftp goes to the next empty line.
    fn skip_macro(&mut self) {
        let end = ["\n\n", "\r\n\r\n"].iter().filter_map(|gap| self.rest.find(gap)).min();
        self.rest = end.map_or("", |end| &self.rest[end..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# passwords\n\
        machine h.org login ann password s3cret account x\n\
        machine h.org\n\tlogin bob\n\tpassword \"two words \\\"\"\n\
        machine nobody.org login carl\n\
        macdef init\nmachine evil.org login e password e\n\n\
        machine key.org password token\n\
        default login anybody password pw\n";

    fn found(host: &str, user: Option<&str>) -> Option<(String, String)> {
        chosen(FILE, host, user).map(|account| (account.username, account.password))
    }

    fn pair(login: &str, password: &str) -> Option<(String, String)> {
        Some((login.to_owned(), password.to_owned()))
    }

    #[test]
    fn an_entry_is_chosen_by_host_and_user() {
        assert_eq!(found("H.org", None), pair("ann", "s3cret"));
        assert_eq!(found("h.org", Some("bob")), pair("bob", "two words \""));
        assert_eq!(found("key.org", Some("ann")), pair("ann", "token"));
    }

    #[test]
    fn what_no_entry_has_comes_from_the_default_if_it_fits() {
        for host in ["elsewhere.org", "nobody.org", "evil.org", "key.org"] {
            assert_eq!(found(host, None), pair("anybody", "pw"), "{host}");
        }
        assert_eq!(found("h.org", Some("stranger")), None);
        let unfinished = "machine h.org login ann password \"never closed";
        assert!(chosen(unfinished, "h.org", None).is_none());
        assert!(chosen("machine h.org login a password #b", "h.org", None).is_some_and(|a| a.password == "#b"));
        assert!(chosen("machine h.org login a password p", "h.org.evil", None).is_none());
    }

    #[test]
    fn what_is_no_regular_file_has_nothing_and_is_not_waited_for() {
        let dir = tempfile::tempdir().expect("a temp folder");
        let path = dir.path().join(".netrc");
        let look = || look_up(&path, "h.org", None).map(|account| account.username);
        assert_eq!(look(), None);
        let fifo = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(fifo.is_ok_and(|made| made.success()));
        assert_eq!(look(), None);
        std::fs::remove_file(&path).expect("just made");
        std::fs::write(&path, FILE).expect("writable");
        assert_eq!(look().as_deref(), Some("ann"));
        std::fs::write(&path, vec![b' '; MAX_FILE as usize + 1]).expect("writable");
        assert_eq!(look(), None);
    }
}
