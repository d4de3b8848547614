//! From an error to what a person needs: the message, what was and was not changed, what to do next, the exit code.

use super::{Exit, Row, Stop, classify};
use crate::{
    cache::QueryError,
    central::CentralError,
    send_pack::connect::{ConnectError, FailureKind},
    sync::{SyncError, SyncErrorKind, SyncReport},
    text::Untrusted,
};

/// What to tell about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The kind of stop.
    pub stop: Stop,
    /// What happened, in one line.
    pub message: Untrusted,
    /// What the server or its programs printed, without hidden characters; may be empty.
    pub server_text: String,
    /// What was and was not changed.
    pub state: String,
    /// What to do.
    pub next: Untrusted,
    /// The exit code.
    pub exit: Exit,
}

impl Hint {
    /// What happened, the first of what the server said of it, and what to do: for those who see one line and nothing else.
    pub fn line(&self) -> Untrusted {
        let message = self.message.raw().trim_end_matches('.');
        let next = self.next.raw();
        let is_news = |line: &&str| !line.is_empty() && !message.contains(*line);
        match self.server_text.lines().map(str::trim).find(is_news) {
            Some(said) => format!("{message} (\"{}\"). {next}", Untrusted::from(said).brief().raw()),
            None => format!("{message}. {next}"),
        }
        .into()
    }
}

/// Explains a sync that stopped. `url` is central's, without secrets.
pub fn of_sync(error: &SyncError, url: &str) -> Hint {
    Hint {
        state: state(&error.kind, &error.report),
        ..explain(&error.kind, url)
    }
}

/// Explains an error without a word about what had been done.
pub fn explain(kind: &SyncErrorKind, url: &str) -> Hint {
    let row = classify::row(kind);
    let message = match kind {
        _ if row.stop == Stop::Interrupted => "interrupted".into(),
        SyncErrorKind::Central(err) => explain_central(err, url),
        other => other.to_string(),
    };
    let server_text = match kind {
        SyncErrorKind::Refused(refusal) => refusal.server_text.clone(),
        kind => kind.connection().map(|err| err.server_text.clone()).unwrap_or_default(),
    };
    Hint {
        stop: row.stop,
        message: message.into(),
        server_text,
        state: String::new(),
        next: row.next().into(),
        exit: row.stop.exit(),
    }
}

/// Explains why a question has no answer.
pub fn of_query(err: &QueryError) -> Hint {
    of_row(&classify::question(err).into(), err.to_string(), "")
}

/// Explains a stop that is no sync's of documents: `message` says what happened, `state` what was and was not changed.
pub fn of_row(row: &Row, message: impl Into<Untrusted>, state: &str) -> Hint {
    Hint {
        stop: row.stop,
        message: message.into(),
        server_text: String::new(),
        state: state.into(),
        next: row.next().into(),
        exit: row.stop.exit(),
    }
}

/// What is wrong with central, in one line.
pub fn explain_central(err: &CentralError, url: &str) -> String {
    match err {
        CentralError::Connect(err) => connection(err, url),
        other => other.to_string(),
    }
}

/// What was and was not changed.
fn state(kind: &SyncErrorKind, report: &SyncReport) -> String {
    let pulled = match report.files_pulled() {
        0 => String::new(),
        1 => " One document of another workspace was hydrated before that.".into(),
        n => format!(" {n} documents of other workspaces were hydrated before that."),
    };
    let central = match kind {
        SyncErrorKind::AnswerLost { .. } => {
            "Whether central took the push is not known; the next sync sees it and pushes nothing twice."
        }
        SyncErrorKind::Cache(_) => "metis.db is as it was.",
        _ if report.commit.is_some() => "What there was to push is in central.",
        _ => "Nothing was pushed.",
    };
    format!("{central}{pulled}")
}

fn connection(err: &ConnectError, url: &str) -> String {
    // Most errors of a connection say themselves with whom it was.
    let said = |start: String| match !url.is_empty() && err.message.contains(url) {
        true => err.message.clone(),
        false => format!("{start}: {}", err.message),
    };
    match err.kind {
        FailureKind::Unauthenticated => format!("cannot authenticate to {url} — check SSH keys or credential helper"),
        FailureKind::Forbidden => said(format!("{url} does not allow this")),
        FailureKind::Unreachable => said(format!("cannot reach {url}")),
        FailureKind::TimedOut => {
            let without_url = match url {
                "" => err.message.clone(),
                url => err.message.replacen(url, "it", 1),
            };
            format!("cannot reach {url}: {without_url}")
        }
        FailureKind::NoRepository => format!("there is no repository at {url}"),
        FailureKind::Interrupted => "interrupted".into(),
        FailureKind::Refused => err.message.clone(),
        _ => said(format!("talking to {url} failed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{stage::own::OwnError, sync::doctor::Finding, text::is_hidden, workspace::ConfigError};

    #[test]
    fn what_is_foreign_in_an_explanation_can_only_be_shown_escaped() {
        let hostile = "a\u{1b}[2J\u{9b}\u{202e}\n";
        let syntax = ConfigError::Syntax {
            file: Default::default(),
            line: 1,
            column: 1,
            message: hostile.into(),
        };
        let kinds: [SyncErrorKind; 2] = [syntax.into(), OwnError::NoBranch(hostile.into()).into()];
        for kind in kinds {
            let hint = explain(&kind, "");
            let finding = Finding::problem("config", hostile).advise(hostile);
            let shown = [
                format!("{} {} {hint:?}", hint.message, hint.next),
                serde_json::json!([hint.message, hint.next, finding]).to_string(),
                format!("{finding:?}"),
            ];
            for text in shown {
                assert!(text.contains("u{1b}[2J") && !text.contains(is_hidden), "{text:?}");
            }
        }
    }
}
