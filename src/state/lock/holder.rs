//! Who holds a lock: the line in its file, and what it is good for once its process died.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    process,
};

use serde::{Deserialize, Serialize};

use crate::{
    state::journal::{self, JournalEntry},
    text::{self, Untrusted},
};

/// The outcome of a sync whose process was ended, in the journal.
pub const DIED: &str = "died";

/// Who holds the lock, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id on `host`.
    pub pid: u32,
    /// The machine's name: `.metis` may be on a shared disk.
    pub host: Untrusted,
    /// When it took the lock, RFC 3339.
    pub started: Untrusted,
    /// What it does, e.g. `git metis-sync sync`. No argument that may hold a secret.
    pub command: Untrusted,
}

impl Holder {
    /// This process.
    pub fn this_process(started: jiff::Timestamp, command: &str) -> Self {
        Holder {
            pid: process::id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned().into(),
            started: started.to_string().into(),
            command: command.into(),
        }
    }

    /// What the journal says of one that ended without giving the lock back.
    pub(super) fn obituary(&self) -> JournalEntry {
        let command = self.command.raw();
        JournalEntry {
            schema: journal::SCHEMA,
            started: self.started.clone(),
            outcome: DIED.into(),
            trigger: command.strip_prefix("git metis-sync ").unwrap_or(command).into(),
            error: Some(DIED.into()),
            ..JournalEntry::default()
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Holder {
            pid,
            host,
            started,
            command,
        } = self;
        let since = match started.raw().parse::<jiff::Timestamp>() {
            Ok(time) => time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            Err(_) => started.to_string(),
        };
        write!(f, "`{command}`, process {pid} on {host} since {since}")
    }
}

/// Puts the line into the lock's file.
pub(super) fn write_holder(mut file: &File, holder: &Holder) -> io::Result<()> {
    let line = text::json(holder)? + "\n";
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(line.as_bytes())
}

/// `None` also when the holder has the lock and has not written its line yet.
pub(super) fn read_holder(mut file: &File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16 << 10).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
