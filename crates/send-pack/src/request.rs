//! The client's half of the conversation: a command for each ref, then the pack.
//!
//! <https://git-scm.com/docs/gitprotocol-pack#_reference_update_request_and_packfile_transfer>

use std::io;

use bstr::BString;
use gix_hash::ObjectId;
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
}

/// What holds for a push as a whole.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PushOptions {
    /// What the server may log us as, e.g. `git/2.50`.
    pub agent: String,
    /// Options for the server's hooks (`git push -o`); if there are any, a server that takes none is an error.
    pub hook_options: Vec<String>,
    /// All refs or none, which a server that cannot do that is an error for. With one ref it only hides why the server
    /// refuses it.
    pub atomic: bool,
}

impl PushOptions {
    /// A push that introduces itself as `agent`, without options.
    pub fn new(agent: impl Into<String>) -> PushOptions {
        PushOptions {
            agent: agent.into(),
            ..PushOptions::default()
        }
    }
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
    /// Several refs can be changed together or not at all.
    pub atomic: bool,
    /// The hash of the server's repository.
    pub object_hash: gix_hash::Kind,
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
        None | Some("sha1") => gix_hash::Kind::Sha1,
        Some("sha256") => gix_hash::Kind::Sha256,
        Some(other) => return Err(super::text::line(other.as_bytes(), 100)),
    };
    Ok(Negotiated {
        report_status: has("report-status"),
        sideband: has("side-band-64k"),
        quiet: has("quiet"),
        push_options: has("push-options"),
        delete_refs: has("delete-refs"),
        atomic: has("atomic"),
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

/// Writes a command for each update, their flush and, if taken, the options for hooks with theirs.
pub fn write_commands(
    updates: &[&RefUpdate],
    negotiated: &Negotiated,
    options: &PushOptions,
    mut out: impl io::Write,
) -> io::Result<()> {
    let zero = ObjectId::null(negotiated.object_hash);
    let mut capabilities = capabilities(negotiated, options);
    for update in updates {
        let mut line = format!("{} {} ", update.expected.unwrap_or(zero), update.new.unwrap_or(zero)).into_bytes();
        line.extend_from_slice(&update.name);
        // Behind the first one.
        line.append(&mut capabilities);
        encode::data_to_write(&line, &mut out)?;
    }
    encode::flush_to_write(&mut out)?;
    if sends_options(negotiated, options) {
        for option in &options.hook_options {
            encode::data_to_write(option.as_bytes(), &mut out)?;
        }
        encode::flush_to_write(&mut out)?;
    }
    Ok(())
}

fn sends_options(negotiated: &Negotiated, options: &PushOptions) -> bool {
    negotiated.push_options && !options.hook_options.is_empty()
}

/// What we make use of, behind a zero byte.
fn capabilities(negotiated: &Negotiated, options: &PushOptions) -> Vec<u8> {
    let mut words = vec!["report-status".to_owned()];
    let mut say = |is_said: bool, word: &str| {
        if is_said {
            words.push(word.to_owned());
        }
    };
    say(negotiated.sideband, "side-band-64k");
    say(negotiated.quiet, "quiet");
    say(options.atomic, "atomic");
    say(
        negotiated.object_format,
        &format!("object-format={}", negotiated.object_hash),
    );
    say(sends_options(negotiated, options), "push-options");
    // One word, as git makes one of it: a space or a line break would be another capability.
    let word = |c: char| if c.is_ascii_graphic() { c } else { '.' };
    let agent = options.agent.chars().map(word).collect::<String>();
    say(negotiated.agent, &format!("agent={agent}"));
    format!("\0 {}", words.join(" ")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(line: &str) -> Negotiated {
        let bytes = format!("{} HEAD\0{line}", "0".repeat(40));
        let (capabilities, _) = Capabilities::from_bytes(bytes.as_bytes()).unwrap();
        negotiate(&capabilities).unwrap()
    }

    fn written(offers: &str, options: &PushOptions, updates: &[RefUpdate]) -> String {
        let mut out = Vec::new();
        let updates: Vec<&RefUpdate> = updates.iter().collect();
        write_commands(&updates, &server(offers), options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn update(name: &str, expected: Option<u8>, new: Option<u8>) -> RefUpdate {
        let id = |n: u8| ObjectId::Sha1([n; 20]);
        RefUpdate {
            name: name.into(),
            expected: expected.map(id),
            new: new.map(id),
        }
    }

    const ALL: &str = "report-status side-band-64k quiet atomic push-options object-format=sha1 agent=git/2";

    #[test]
    fn says_only_what_the_server_can_do() {
        let main = [update("refs/heads/main", None, Some(1))];
        let mut options = PushOptions::new("test 1");
        options.hook_options = vec!["ci.skip".into()];
        let text = written("report-status delete-refs", &options, &main);
        assert!(text.ends_with("refs/heads/main\0 report-status0000"), "{text:?}");

        let text = written(ALL, &options, &main);
        assert!(
            text.contains("\0 report-status side-band-64k quiet object-format=sha1 push-options agent=test.10000"),
            "{text:?}"
        );
        assert!(text.ends_with("000bci.skip0000"), "{text:?}");
        options.atomic = true;
        assert!(written(ALL, &options, &main).contains(" quiet atomic object-format"));
    }

    #[test]
    fn each_ref_has_its_command_and_the_first_one_the_capabilities() {
        let updates = [
            update("refs/heads/new", None, Some(1)),
            update("refs/heads/main", Some(1), Some(2)),
            update("refs/heads/old", Some(2), None),
        ];
        let text = written("report-status", &PushOptions::default(), &updates);
        let (zero, one, two) = ("0".repeat(40), "01".repeat(20), "02".repeat(20));
        assert_eq!(
            text,
            format!(
                "0073{zero} {one} refs/heads/new\0 report-status\
                 0065{one} {two} refs/heads/main0064{two} {zero} refs/heads/old0000"
            )
        );
    }

    #[test]
    fn an_unknown_object_format_is_not_guessed_at() {
        let bytes = format!("{} HEAD\0report-status object-format=sha512", "0".repeat(40));
        let (capabilities, _) = Capabilities::from_bytes(bytes.as_bytes()).unwrap();
        assert_eq!(negotiate(&capabilities), Err("sha512".into()));
    }
}
