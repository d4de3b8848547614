//! The client's half of the conversation: one command, then the pack.
//!
//! <https://git-scm.com/docs/gitprotocol-pack#_reference_update_request_and_packfile_transfer>

use std::io;

use gix::{ObjectId, bstr::BString};
use gix_transport::{client::Capabilities, packetline::blocking_io::encode};

/// What a packet can carry beside its length.
const MAX_DATA_LEN: usize = 65516;

/// One ref and what it shall become.
#[derive(Debug, Clone)]
pub struct RefUpdate {
    /// The full name, e.g. `refs/heads/main`.
    pub name: BString,
    /// The value the ref must have now. `None`: it must not exist.
    pub expected: Option<ObjectId>,
    /// The value it shall get. `None`: it shall be deleted.
    pub new: Option<ObjectId>,
    /// Options for the server's hooks (`git push -o`); if there are any, a server that takes none is an error.
    pub options: Vec<String>,
}

/// What both sides can do, read off the server's advertisement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiated {
    /// The server says what became of the push. Without it no push is made: an outcome could only be guessed.
    pub report_status: bool,
    /// The answer comes in bands, progress and errors apart from the report.
    pub sideband: bool,
    /// Keeps the server's own progress meter quiet.
    pub quiet: bool,
    /// Options for hooks are taken.
    pub push_options: bool,
    /// Refs can be deleted.
    pub delete_refs: bool,
    /// The hash of the server's repository.
    pub object_hash: gix::hash::Kind,
    /// Whether the server wants to know what the client is.
    pub agent: bool,
    /// Whether the server announced its object format, so that it may be repeated.
    pub object_format: bool,
    /// The server takes packs whose deltas are against objects that it has and the pack has not.
    pub thin: bool,
}

/// Reads the capabilities that matter. `Err` carries an object format that is not known.
pub fn negotiate(capabilities: &Capabilities) -> Result<Negotiated, String> {
    let has = |name: &str| capabilities.contains(name);
    let format = capabilities
        .capability("object-format")
        .and_then(|c| c.value().map(|v| v.to_string()));
    let object_hash = match format.as_deref() {
        None | Some("sha1") => gix::hash::Kind::Sha1,
        Some("sha256") => gix::hash::Kind::Sha256,
        Some(other) => return Err(super::text::line(other.as_bytes(), 100)),
    };
    Ok(Negotiated {
        report_status: has("report-status"),
        sideband: has("side-band-64k"),
        quiet: has("quiet"),
        push_options: has("push-options"),
        delete_refs: has("delete-refs"),
        object_hash,
        agent: has("agent"),
        object_format: format.is_some(),
        thin: !has("no-thin"),
    })
}

/// Whether `option` can be sent to a server's hooks: one line, as git sends them, that fits into a packet.
pub fn is_option(option: &str) -> bool {
    !option.is_empty() && option.len() <= MAX_DATA_LEN && !option.contains(['\n', '\r', '\0'])
}

/// Writes the command, its flush and, if taken, the push options with theirs.
pub fn write_command(
    update: &RefUpdate,
    negotiated: &Negotiated,
    agent: &str,
    mut out: impl io::Write,
) -> io::Result<()> {
    let zero = ObjectId::null(negotiated.object_hash);
    let mut line = format!("{} {} ", update.expected.unwrap_or(zero), update.new.unwrap_or(zero)).into_bytes();
    line.extend_from_slice(&update.name);
    line.push(0);
    let mut say = |word: &str| {
        line.push(b' ');
        line.extend_from_slice(word.as_bytes());
    };
    say("report-status");
    if negotiated.sideband {
        say("side-band-64k");
    }
    if negotiated.quiet {
        say("quiet");
    }
    if negotiated.object_format {
        say(&format!("object-format={}", negotiated.object_hash));
    }
    let options = negotiated.push_options && !update.options.is_empty();
    if options {
        say("push-options");
    }
    if negotiated.agent {
        // One word, as git makes one of it: a space or a line break would be another capability.
        let word = |c: char| if c.is_ascii_graphic() { c } else { '.' };
        say(&format!("agent={}", agent.chars().map(word).collect::<String>()));
    }
    encode::data_to_write(&line, &mut out)?;
    encode::flush_to_write(&mut out)?;
    if options {
        for option in &update.options {
            encode::data_to_write(option.as_bytes(), &mut out)?;
        }
        encode::flush_to_write(&mut out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(line: &str) -> Negotiated {
        let bytes = format!("{} HEAD\0{line}", "0".repeat(40));
        let (capabilities, _) = Capabilities::from_bytes(bytes.as_bytes()).unwrap();
        negotiate(&capabilities).unwrap()
    }

    #[test]
    fn says_only_what_the_server_can_do() {
        let update = RefUpdate {
            name: "refs/heads/main".into(),
            expected: None,
            new: Some(ObjectId::Sha1([1; 20])),
            options: vec!["ci.skip".into()],
        };
        let mut out = Vec::new();
        write_command(&update, &server("report-status delete-refs"), "test/1", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("refs/heads/main\0 report-status0000"), "{text:?}");

        let mut out = Vec::new();
        let all = "report-status side-band-64k quiet push-options object-format=sha1 agent=git/2";
        write_command(&update, &server(all), "test 1", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("\0 report-status side-band-64k quiet object-format=sha1 push-options agent=test.10000"),
            "{text:?}"
        );
        assert!(text.ends_with("000bci.skip0000"), "{text:?}");
    }

    #[test]
    fn an_unknown_object_format_is_not_guessed_at() {
        let bytes = format!("{} HEAD\0report-status object-format=sha512", "0".repeat(40));
        let (capabilities, _) = Capabilities::from_bytes(bytes.as_bytes()).unwrap();
        assert_eq!(negotiate(&capabilities), Err("sha512".into()));
    }
}
