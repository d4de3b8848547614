//! Writing down what a sync came to: the cursor, the stat cache, `last_synced_commit`. Always last.

use crate::{
    names::ObjectId,
    state::{
        self,
        cursor::Cursor,
        files::{StateDir, StateError},
        guard::Guard,
    },
    workspace::{self, ConfigFile, Edit, MetisDir, Record, StatCache},
};

use super::Warning;

/// What is new and has to be written; `None` is left as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordPlan<'a> {
    /// What this clone knows of central.
    pub cursor: Option<&'a Cursor>,
    /// Which files were read.
    pub stat_cache: Option<&'a StatCache>,
    /// The published record, and the file that it goes to.
    pub last_synced_commit: Option<(ConfigFile, ObjectId)>,
}

/// Where the published record goes; `None`: nowhere. A record that is in this clone's own file already stays there: otherwise
/// an old one there would hide the new one. `tracked` tells whether git tracks config.toml, which costs a look at the index.
pub fn place(record: Record, recorded_locally: bool, tracked: impl FnOnce() -> bool) -> Option<ConfigFile> {
    match record {
        Record::Local => None,
        Record::Config => Some(ConfigFile::Shared),
        Record::Auto if recorded_locally || tracked() => Some(ConfigFile::Local),
        Record::Auto => Some(ConfigFile::Shared),
    }
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
    if let Some((file, head)) = plan.last_synced_commit {
        match workspace::edit_config(metis.dir(), file, &[Edit::LastSyncedCommit(head)]) {
            Ok(changed) => recorded.anything |= changed,
            Err(err) => recorded
                .warnings
                .push(Warning::ConfigNotWritten(err.to_string().into())),
        }
    }
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracked_config_is_left_alone_unless_that_was_asked_for() {
        let unasked = || unreachable!("the index need not be read");
        assert_eq!(place(Record::Auto, false, || true), Some(ConfigFile::Local));
        assert_eq!(place(Record::Auto, false, || false), Some(ConfigFile::Shared));
        assert_eq!(place(Record::Auto, true, unasked), Some(ConfigFile::Local));
        for recorded_locally in [true, false] {
            assert_eq!(
                place(Record::Config, recorded_locally, unasked),
                Some(ConfigFile::Shared)
            );
            assert_eq!(place(Record::Local, recorded_locally, unasked), None);
        }
    }
}
