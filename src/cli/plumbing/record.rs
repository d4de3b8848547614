//! What travels through the pipe.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Read},
};

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    cli::render,
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{Behind, Conflict},
        guard::Lineage,
        hydrate::Pulled,
    },
    stage::fetch::Snapshot,
    state::cursor::Notes,
    sync::{RecordsDone, SyncReport},
    text::UntrustedName,
};

/// Larger records are no records: this is ample for a hundred thousand documents.
const MAX_RECORD: u64 = 64 << 20;

#[derive(Debug, Clone, Args)]
pub struct Source {
    /// Work on this commit of central instead of reading a record
    #[arg(long, value_name = "COMMIT")]
    pub head: Option<ObjectId>,
    /// With --head: central's branch
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub branch: String,
}

/// What travels through the pipe. Unknown fields of a newer version are passed over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    pub stage: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    #[serde(default)]
    pub branch: UntrustedName,
    pub format: ObjectFormat,
    pub head: Option<ObjectId>,
    #[serde(default)]
    pub received: u32,
    #[serde(default)]
    pub adopted: bool,
    #[serde(default)]
    pub pulled: BTreeMap<Prefix, Pulled>,
    #[serde(default)]
    pub kept: Vec<UntrustedName>,
    #[serde(default)]
    pub records: RecordsDone,
    #[serde(default)]
    pub commit: Option<ObjectId>,
    #[serde(default)]
    pub pushed: Vec<ShortCode>,
    #[serde(default)]
    pub removed: Vec<ShortCode>,
    #[serde(default)]
    pub behind: Vec<Behind>,
    #[serde(default)]
    pub registered: bool,
    #[serde(default)]
    pub diverged: Vec<Conflict>,
    #[serde(default)]
    pub notes: Option<Notes>,
    #[serde(default)]
    pub warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Failed {
    error: FailedError,
}

#[derive(Debug, Deserialize)]
struct FailedError {
    exit: u8,
}

/// Why there is no record to work on.
pub enum NoRecord {
    /// An earlier stage failed and said so.
    Earlier(u8, Value),
    /// There was nothing, or nothing that can be read.
    Unreadable(anyhow::Error),
}

impl Record {
    pub fn read(source: &Source) -> Result<Self, NoRecord> {
        if let Some(head) = source.head {
            return Ok(Record::of(&Snapshot::new(
                source.branch.as_str().into(),
                head.format(),
                Some(head),
            )));
        }
        Record::piped()
    }

    /// The one that the stage before printed.
    pub fn piped() -> Result<Self, NoRecord> {
        let text = read_stdin().map_err(NoRecord::Unreadable)?;
        let earlier = serde_json::from_str::<Value>(&text).ok();
        if let Some(earlier) = earlier
            && let Ok(failed) = Failed::deserialize(&earlier)
        {
            return Err(NoRecord::Earlier(failed.error.exit, earlier));
        }
        Record::parse(&text).map_err(NoRecord::Unreadable)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let record: Record = serde_json::from_str(text).context("standard input is no record")?;
        ensure!(
            record.schema == render::SCHEMA,
            "the record has another schema than {}",
            render::SCHEMA
        );
        Ok(record)
    }

    pub fn of(snapshot: &Snapshot) -> Self {
        Record {
            schema: render::SCHEMA,
            stage: "fetch".into(),
            upstream: None,
            branch: snapshot.branch.clone(),
            format: snapshot.format,
            head: snapshot.head,
            received: snapshot.received,
            adopted: snapshot.lineage == Lineage::Rewound,
            pulled: BTreeMap::new(),
            kept: Vec::new(),
            records: RecordsDone::default(),
            commit: None,
            pushed: Vec::new(),
            removed: Vec::new(),
            behind: Vec::new(),
            registered: false,
            diverged: Vec::new(),
            notes: None,
            warnings: Vec::new(),
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::new(self.branch.clone(), self.format, self.head);
        if self.adopted {
            snapshot.lineage = Lineage::Rewound;
        }
        snapshot
    }

    pub fn print(mut self, stage: &str, report: &SyncReport) {
        self.stage = stage.into();
        self.warnings.extend(report.warnings.iter().map(ToString::to_string));
        render::print_json(&serde_json::to_value(&self).unwrap_or_default());
    }
}

fn read_stdin() -> anyhow::Result<String> {
    ensure!(
        !io::stdin().is_terminal(),
        "pipe the stage before into this one, or name a commit with --head"
    );
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(MAX_RECORD)
        .read_to_string(&mut text)
        .context("standard input cannot be read")?;
    ensure!(
        !text.trim().is_empty(),
        "the stage before said nothing; it may have failed"
    );
    Ok(text)
}
