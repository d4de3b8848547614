//! Writing down what a sync came to: the cursor, the stat cache, `last_synced_commit`. Always last.

use crate::{
    names::ObjectId,
    state::{
        self,
        cursor::Cursor,
        files::{StateDir, StateError},
        guard::Guard,
    },
    workspace::{self, Edit, MetisDir, StatCache},
};

use super::Warning;

/// What is new and has to be written; `None` is left as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordPlan<'a> {
    /// What this clone knows of central.
    pub cursor: Option<&'a Cursor>,
    /// Which files were read.
    pub stat_cache: Option<&'a StatCache>,
    /// The published record in config.toml.
    pub last_synced_commit: Option<ObjectId>,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The cursor or config.toml changed.
    pub anything: bool,
    /// What could not be written and need not be.
    pub warnings: Vec<Warning>,
}

/// Writes what the plan names. A config.toml that cannot be written is a warning: the cursor decides.
pub fn apply(metis: &MetisDir, state: &StateDir, guard: &Guard, plan: RecordPlan<'_>) -> Result<Recorded, StateError> {
    let mut recorded = Recorded::default();
    if let Some(stat_cache) = plan.stat_cache {
        // Losing it costs a rescan, so failing to write it is no reason to say anything.
        let _ = state.replace(state::STAT_CACHE, &stat_cache.to_bytes());
    }
    if let Some(cursor) = plan.cursor {
        cursor.store(state, guard)?;
        recorded.anything = true;
    }
    if let Some(head) = plan.last_synced_commit {
        match workspace::edit_config(metis.dir(), &[Edit::LastSyncedCommit(head)]) {
            Ok(changed) => recorded.anything |= changed,
            Err(err) => recorded.warnings.push(Warning::ConfigNotWritten(err.to_string())),
        }
    }
    Ok(recorded)
}
