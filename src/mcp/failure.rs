//! What went wrong with a call, for an agent and for the person behind it.

use serde_json::{Value, json};

use crate::{
    cache::QueryError,
    records::RecordsError,
    sync::{
        SyncError, SyncErrorKind, Workspace,
        stop::{self, Exit, Hint, Stop},
    },
};

/// Why a call has no answer. No failure ends the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A word for it, as in the documents of `--json`.
    pub kind: String,
    /// The same as the command line says.
    pub hint: Box<Hint>,
}

impl Failure {
    pub fn of_sync(workspace: &Workspace, error: &SyncError) -> Self {
        Failure {
            kind: error.kind.word().into(),
            hint: Box::new(stop::of_sync(error, &workspace.upstream_name())),
        }
    }

    pub fn of_kind(kind: &SyncErrorKind, url: &str) -> Self {
        Failure {
            kind: kind.word().into(),
            hint: Box::new(stop::explain(kind, url)),
        }
    }

    pub fn of_records(err: &RecordsError) -> Self {
        Failure::new("records", Stop::NotShown, err.to_string(), err.next().into())
    }

    /// The arguments cannot be used.
    pub fn usage(message: String) -> Self {
        Failure::new(
            "usage",
            Stop::Usage,
            message,
            "Correct the arguments; tools/list says which there are.".into(),
        )
    }

    pub fn new(kind: &str, stop: Stop, message: String, next: String) -> Self {
        let hint = Box::new(Hint {
            stop,
            message: message.into(),
            server_text: String::new(),
            state: String::new(),
            next: next.into(),
            exit: stop.exit(),
        });
        Failure {
            kind: kind.into(),
            hint,
        }
    }

    /// With where it was looked, for whoever started the server somewhere else.
    pub fn seen_from(mut self, folder: &str) -> Self {
        if self.hint.stop == Stop::NoWorkspace || self.hint.stop == Stop::NoFolder {
            self.hint.state = format!("This server looks from {folder}; `git metis-sync -C DIR mcp` looks elsewhere.");
        }
        self
    }

    pub fn json(&self) -> Value {
        let Hint {
            stop,
            message,
            server_text,
            state,
            next,
            exit,
        } = &*self.hint;
        let error = json!({
            "kind": self.kind,
            "stop": stop.name(),
            "message": message,
            "server_text": server_text,
            "state": state,
            "next": next,
            "exit": *exit as u8,
            "command": command(*stop, &next.to_string()),
            "needs_a_person": *exit == Exit::Stopped,
        });
        json!({ "outcome": "failed", "error": error })
    }
}

impl From<QueryError> for Failure {
    fn from(err: QueryError) -> Self {
        Failure {
            kind: "query".into(),
            hint: Box::new(stop::of_query(&err)),
        }
    }
}

/// What a person would run. The options that override a guard are no tool's, so they are spelt out here.
fn command(stop: Stop, next: &str) -> Option<String> {
    let overriding = match stop {
        Stop::Deletes => "git metis-sync sync --allow-deletes",
        Stop::Rewound | Stop::Rehashed => "git metis-sync sync --adopt-central",
        Stop::Diverged => "git metis-sync resolve",
        Stop::Stale => "git pull",
        _ => next.split('`').nth(1)?,
    };
    Some(overriding.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_names_what_a_person_runs() {
        let failure = Failure::new("deletes", Stop::Deletes, "most would go".into(), "See.".into()).json();
        assert_eq!(failure["error"]["command"], "git metis-sync sync --allow-deletes");
        assert_eq!(
            (&failure["error"]["exit"], &failure["error"]["needs_a_person"]),
            (&json!(3), &json!(true))
        );
        let failure = Failure::new(
            "x",
            Stop::NotBuilt,
            "none".into(),
            "Run `git metis-sync rebuild-cache`.".into(),
        )
        .json();
        assert_eq!(failure["error"]["command"], "git metis-sync rebuild-cache");
        assert_eq!(Failure::usage("no".into()).json()["error"]["command"], Value::Null);
    }
}
