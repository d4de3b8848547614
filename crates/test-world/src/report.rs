//! What `--json` prints, as a script would read it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::process::Finished;

/// The document of a sync that came to its end.
#[derive(Debug, Deserialize)]
pub struct Report {
    pub schema: u32,
    pub command: String,
    pub outcome: String,
    pub pulled: BTreeMap<String, Pulled>,
    pub pushed: Vec<String>,
    pub removed: Vec<String>,
    pub behind: Vec<Value>,
    pub kept: Vec<String>,
    pub retries: u32,
    pub registered: bool,
    pub warnings: Vec<String>,
    pub commit: Option<String>,
    pub head: Option<String>,
    pub seconds: f64,
}

/// Documents that came from, or went with, one other workspace.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Pulled {
    pub written: u32,
    pub removed: u32,
}

/// The `error` of a sync that did not.
#[derive(Debug, Deserialize)]
pub struct Failure {
    pub kind: String,
    pub message: String,
    /// What the server or its programs said.
    pub server_text: String,
    /// What was and was not changed.
    pub state: String,
    pub next: Option<String>,
    pub exit: i32,
}

/// A sync that has ended, either way.
#[derive(Debug)]
pub struct Ended(pub Finished);

impl Ended {
    /// The report of a sync that must have succeeded.
    #[track_caller]
    pub fn report(&self) -> Report {
        assert_eq!(self.0.code, Some(0), "{}", self.0.transcript());
        let report: Report = self.parse();
        assert_eq!((report.schema, report.command.as_str()), (1, "sync"));
        assert!(report.seconds > 0.0, "{}", self.0.transcript());
        report
    }

    /// The error of a sync that must have failed with exit code `exit`.
    #[track_caller]
    pub fn failure(&self, exit: i32) -> Failure {
        assert_eq!(self.0.code, Some(exit), "{}", self.0.transcript());
        let error = self.parse::<Value>()["error"].take();
        let failure: Failure =
            serde_json::from_value(error).unwrap_or_else(|err| panic!("{err}: {}", self.0.transcript()));
        assert_eq!(
            failure.exit,
            exit,
            "the document and the process disagree: {}",
            self.0.transcript()
        );
        failure
    }

    #[track_caller]
    fn parse<T: for<'de> Deserialize<'de>>(&self) -> T {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|err| panic!("stdout is no document of --json: {err}\n{}", self.0.transcript()))
    }
}
