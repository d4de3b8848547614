//! What a command that stopped said, and that the documents explain it.

use metis_sync::sync::stop::Stop;
use serde_json::Value;

use crate::support::process::{Finished, quoted};

/// What a command that stopped said.
#[derive(Debug)]
pub struct Stopped {
    pub message: String,
    pub next: String,
}

impl Stopped {
    #[track_caller]
    pub fn of(finished: &Finished, stop: Stop) -> Self {
        let said = finished.transcript();
        let document: Value = serde_json::from_slice(&finished.stdout).unwrap_or_else(|err| panic!("{err}: {said}"));
        // Of several conduits each has its own.
        let error = match &document["conduits"][0] {
            Value::Null => document["error"].clone(),
            conduit => {
                let mut error = conduit.clone();
                error["message"] = error["error"].take();
                error
            }
        };
        assert_eq!(error["stop"], stop.name(), "{said}");
        assert_eq!(finished.code, Some(stop.exit() as i32), "{said}");
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let stopped = Stopped {
            message: text("message"),
            next: text("next"),
        };
        assert!(!stopped.message.is_empty() && !stopped.next.is_empty(), "{said}");
        assert!(!stopped.next.contains(['{', '}']), "{said}");
        assert!(
            is_explained(&stopped.message, stop),
            "docs/troubleshooting.md lacks {said}"
        );
        stopped
    }

    /// What stands between backticks in what to do.
    pub fn commands(&self) -> Vec<&str> {
        self.next.split('`').skip(1).step_by(2).collect()
    }

    /// The command that begins like this.
    #[track_caller]
    pub fn command(&self, begins: &str) -> &str {
        let mut commands = self.commands().into_iter().filter(|line| line.starts_with(begins));
        commands.next().unwrap_or_else(|| panic!("no `{begins} …` in {self:?}"))
    }

    /// The same with what it leaves open filled in.
    #[track_caller]
    pub fn filled(&self, begins: &str, name: &str, value: &str) -> String {
        let command = self.command(begins).replace(
            " --prefix NAME",
            if name == "NAME" {
                " --prefix NAME"
            } else {
                " --prefix api"
            },
        );
        let words = command
            .split(' ')
            .map(|word| if word == name { quoted(value) } else { word.to_owned() });
        assert!(command.split(' ').any(|word| word == name), "no {name} in {command}");
        words.collect::<Vec<_>>().join(" ")
    }

    /// What to do names this; whoever reads it does it.
    #[track_caller]
    pub fn advises(&self, words: &str) {
        assert!(self.next.contains(words), "no {words:?} in {self:?}");
    }

    /// The first path in what happened.
    #[track_caller]
    pub fn path(&self) -> std::path::PathBuf {
        let mut words = self.message.split(' ');
        let path = words.find(|word| word.starts_with('/'));
        path.unwrap_or_else(|| panic!("no path in {self:?}"))
            .trim_end_matches([':', ','])
            .into()
    }

    /// Moves what is at that path away.
    #[track_caller]
    pub fn move_away(&self) {
        let path = self.path();
        let aside = path.with_extension("aside");
        std::fs::rename(&path, &aside).unwrap_or_else(|err| panic!("{err}: {self:?}"));
    }
}

/// Whether a row of the troubleshooting table is about this message, with its exit code. In a row `…` stands for anything.
fn is_explained(message: &str, stop: Stop) -> bool {
    let table = include_str!("../../docs/troubleshooting.md");
    let is_it = |row: &str| {
        let (pattern, rest) = row.strip_prefix("| `")?.split_once("` | ")?;
        let mut left = message;
        for (at, part) in pattern.split('…').enumerate() {
            let found = left.find(part.trim())?;
            if at == 0 && found > 0 {
                return None;
            }
            left = &left[found + part.trim().len()..];
        }
        (rest.split(' ').next()? == (stop.exit() as i32).to_string()).then_some(())
    };
    table.lines().any(|row| is_it(row).is_some())
}
