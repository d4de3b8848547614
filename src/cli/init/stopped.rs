//! Why `init` writes nothing, and what to do then.

use std::path::PathBuf;

use crate::{
    names::Prefix,
    send_pack::connect::FailureKind,
    sync::{
        SyncErrorKind,
        stop::{self, Exit, Hint, Stop},
    },
    text,
};

/// What was changed by then.
const NOTHING: &str = "Nothing was written.";

pub enum Stopped {
    /// Before anything was written; central's name, as far as it is known.
    Kind(SyncErrorKind, String),
    /// The same, where a relative path counts from that folder.
    Counted(Box<(Stopped, PathBuf)>),
    /// The command line, or an answer, does not do.
    Usage { message: String, next: String },
}

impl Stopped {
    /// The kind in one word, and what is said.
    pub fn explained(self) -> (&'static str, Hint) {
        match self {
            Stopped::Usage { message, next } => {
                let hint = Hint {
                    stop: Stop::Usage,
                    message: message.into(),
                    server_text: String::new(),
                    state: NOTHING.into(),
                    next: next.into(),
                    exit: Exit::Usage,
                };
                ("usage", hint)
            }
            Stopped::Counted(at) => {
                let (stopped, from) = *at;
                let (word, hint) = stopped.explained();
                let next = format!("A relative path counts from {}. {}", text::shown(&from), hint.next).into();
                (word, Hint { next, ..hint })
            }
            Stopped::Kind(kind, url) => {
                let hint = stop::explain(&kind, &url);
                let failure = kind.connection();
                let next = match (&kind, failure.map(|err| err.kind)) {
                    (SyncErrorKind::NoBranch { others, .. }, _) => {
                        let first = others
                            .first()
                            .map_or("NAME".to_owned(), |name| text::shell_word(&name.to_string()));
                        format!("Run init again with `--branch {first}`, or another of them.")
                    }
                    (SyncErrorKind::UpstreamInside { url, .. }, _) if is_like_a_host(url.raw()) => {
                        no_repository(url.raw())
                    }
                    (_, Some(FailureKind::NoRepository)) => no_repository(&url),
                    (_, Some(FailureKind::Interrupted)) => "Run init again when you like.".into(),
                    _ => hint.next.raw().replace("sync again", "run init again"),
                }
                .into();
                let state = NOTHING.into();
                (kind.word(), Hint { state, next, ..hint })
            }
        }
    }
}

fn is_like_a_host(url: &str) -> bool {
    let first = url.split('/').next().unwrap_or_default();
    !url.contains(':') && !first.starts_with('.') && first.contains('.')
}

/// What to do about an address where nothing is. The commonest mistake is one without a scheme, which is a path.
fn no_repository(url: &str) -> String {
    match is_like_a_host(url) {
        true => format!("It was taken for a path; for a host write https://{url} or ssh://git@{url}."),
        false => "Check the address, and that you may read it. A repository has to exist already: `git init --bare` \
                  makes one, a git host's web page too."
            .into(),
    }
}

/// A name that the Metis tools use.
pub fn reserved(prefix: &Prefix) -> Stopped {
    Stopped::Usage {
        message: format!(
            "{prefix} cannot be a workspace's folder: the Metis tools keep own documents in .metis/{prefix}/, so nobody could \
             have a copy of it there"
        ),
        next: "Choose another: `--prefix NAME`.".into(),
    }
}

/// Letters that another workspace's codes begin with.
pub fn shared_letters(other: &Prefix, letters: &str) -> Stopped {
    Stopped::Usage {
        message: format!(
            "central's {other}/ has documents whose codes begin with {letters}-, as this project's do: two documents would \
             get the same code"
        ),
        next: "Choose another [project] prefix in .metis/config.toml, give this project's documents codes of that, and run \
               init again."
            .into(),
    }
}
