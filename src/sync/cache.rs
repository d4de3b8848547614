//! When `metis.db` is rebuilt: after a sync that changed something, and on request.

use std::time::Duration;

use super::{Setup, SyncErrorKind, SyncReport, Warning, Workspace};
use crate::{
    cache::Rebuilt,
    central,
    names::ObjectFormat,
    stage::rebuild_cache,
    state::{
        self,
        cursor::{self, Cursor, Memory, Provenance},
        files::StateDir,
        guard::Guard,
        lock::{Holder, Lock},
    },
    workspace::{self, FolderState, Scan, Survey},
};

/// Rebuilds after a sync. A failure is a warning; the next sync tries again, also where some of it could not be read.
pub fn after_sync(setup: &mut Setup<'_>, report: &mut SyncReport) {
    let format = setup.cursor.as_ref().map_or(ObjectFormat::Sha1, |cursor| cursor.format);
    let metis = setup.ctx.metis;
    let scan = setup.take_scan();
    let rebuilt = workspace::survey(metis.dir(), &Default::default())
        .map_err(|err| err.to_string())
        .and_then(|survey| {
            rebuild_cache::apply(
                metis.path(),
                metis.dir(),
                setup.ctx.owned.as_ref(),
                scan.as_ref(),
                &survey,
                format,
            )
            .map(|rebuilt| is_complete(&rebuilt, &survey, scan.as_ref()))
            .map_err(|err| err.to_string())
        });
    let due = !matches!(rebuilt, Ok(true));
    if let Err(reason) = rebuilt {
        report.warnings.push(Warning::CacheNotRebuilt(reason));
    }
    setup.note_cache(due);
}

/// Rebuilds `metis.db` without a sync around it.
pub fn rebuild_cache(workspace: &Workspace) -> Result<Rebuilt, SyncErrorKind> {
    let metis = workspace.metis();
    let state = StateDir::open(metis.path())?;
    let guard = workspace.guard()?;
    let cursor = state.as_ref().and_then(|state| known(state, &guard));
    let format = cursor.as_ref().map_or(ObjectFormat::Sha1, |cursor| cursor.format);
    let survey = workspace::survey(metis.dir(), &Default::default())?;
    let owned = workspace.config().workspace.as_ref();
    let hydrated = survey
        .hydrated()
        .into_iter()
        .filter(|prefix| owned != Some(prefix))
        .collect();
    let stat_cache = state
        .as_ref()
        .and_then(|state| state.read(state::STAT_CACHE).ok().flatten())
        .map(|bytes| workspace::StatCache::from_bytes(&bytes))
        .unwrap_or_default();
    let scan = workspace::scan(
        metis.dir(),
        &hydrated,
        &|bytes| central::blob_id(format, bytes),
        &stat_cache,
        &cursor.map(|cursor| cursor.last_paths()).unwrap_or_default(),
        std::time::SystemTime::now(),
    )?;
    let rebuilt = rebuild_cache::apply(metis.path(), metis.dir(), owned, Some(&scan), &survey, format)?;
    if let Some(state) = &state {
        note_due(state, &guard, !is_complete(&rebuilt, &survey, Some(&scan)));
    }
    Ok(rebuilt)
}

/// Whether what is not in the database is not there, or not a document.
fn is_complete(rebuilt: &Rebuilt, survey: &Survey, scan: Option<&Scan>) -> bool {
    rebuilt.is_complete()
        && !survey.folders.values().any(FolderState::is_unreadable)
        && !scan.is_some_and(Scan::has_unread)
}

fn known(state: &StateDir, guard: &Guard) -> Option<Cursor> {
    match cursor::load(state, guard) {
        Ok(Memory::Known(cursor)) => Some(*cursor),
        _ => None,
    }
}

/// Spares the next sync a rebuild, or has it try again. Where another one is running it is left to that one: the cursor is
/// its own to write.
fn note_due(state: &StateDir, guard: &Guard, due: bool) {
    let holder = Holder::this_process(jiff::Timestamp::now(), "git metis-sync rebuild-cache");
    let Ok(_lock) = Lock::acquire(state, Duration::ZERO, &holder) else {
        return;
    };
    if let Some(mut cursor) = known(state, guard)
        && cursor.cache_is_due != due
        && cursor.provenance == Provenance::Own
    {
        cursor.cache_is_due = due;
        let _ = cursor.store(state, guard);
    }
}
