//! What this clone knows of earlier syncs, and where it writes down what it learns. Nobody else writes there meanwhile.

use jiff::Timestamp;

use super::{
    discovery,
    error::SyncErrorKind,
    options::SyncOptions,
    report::SyncReport,
    setup::{Workspace, made_state},
};
use crate::{
    fs,
    names::ObjectId,
    stage::{
        Context, Warning,
        record::{self, RecordPlan, Recorded},
    },
    state::{
        self,
        cursor::{self, Cursor, Memory, Notes, Provenance, Pushing},
        files::{StateDir, StateError},
        guard::Guard,
        lock::{Holder, Lock, LockError},
    },
    workspace::{self, CONFIG_FILE, ConfigFile, Record, Scan, StatCache},
};

/// See the [module documentation](self).
pub struct Notebook {
    /// `.metis/.sync/`.
    pub(super) state: StateDir,
    /// What this clone is bound to.
    pub(super) guard: Guard,
    /// The cursor as the last sync left it. `None`: there was none.
    pub(super) last: Option<Cursor>,
    /// Which files the last sync met and what they held. The same throughout a sync: what an attempt met that came to nothing says
    /// nothing of what is gone since.
    pub(super) stat_cache: StatCache,
    new_stat_cache: Option<StatCache>,
    _lock: Lock,
}

/// So many files read in vain because they had changed just before the last scan make writing the stat cache pay.
const WORTH_A_WRITE: usize = 32;

impl Notebook {
    /// Waits until no other sync runs here, and reads.
    pub(super) fn open(
        workspace: &Workspace,
        options: &SyncOptions,
        started: Timestamp,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, SyncErrorKind> {
        let metis = workspace.metis();
        let guard = workspace.guard()?;
        let state = made_state(metis)?;
        let holder = Holder::this_process(started, &format!("git metis-sync {}", options.trigger));
        let lock = Lock::acquire(&state, options.lock_wait, &holder).map_err(|err| match err {
            LockError::Held { holder, .. } => SyncErrorKind::Locked {
                holder: holder.map_or("it does not say which".into(), |holder| holder.to_string().into()),
            },
            LockError::State(err) => SyncErrorKind::State(err),
        })?;
        // Left by a run that was killed while writing config.toml or .gitignore, or keeping what somebody edited.
        let _ = fs::sweep_temps(metis.dir(), started.into());
        workspace::sweep_kept(metis.dir());
        if lock.unsupported().is_some() {
            warnings.push(Warning::Unlocked);
        }
        if let Some(died) = lock.died() {
            warnings.push(Warning::Died(died.to_string().into()));
        }
        Ok(Notebook {
            last: load_cursor(&state, &guard, warnings)?,
            stat_cache: stat_cache(Some(&state).filter(|_| !options.recheck)),
            new_stat_cache: None,
            guard,
            state,
            _lock: lock,
        })
    }

    /// What the first syncs of all were about to push when they were cut short.
    pub(super) fn first_pushes(&self) -> Vec<Pushing> {
        cursor::first_pushes(&self.state, &self.guard)
    }

    /// Notes that `commit` is about to be pushed. The first time there is nothing yet that could seal it.
    pub(super) fn note_pushing(&mut self, cursor: &Cursor, commit: ObjectId, notes: &Notes) -> Result<(), StateError> {
        if self.last.is_none() && self.guard.is_new() {
            self.guard.update(|_| ())?;
        }
        cursor.note_pushing(&self.state, &self.guard, commit, notes)
    }

    /// Remembers the files that a scan read, where that is worth writing down.
    pub(super) fn note_scan(&mut self, scan: Option<&Scan>) {
        let worth_it = |scan: &&Scan| scan.cache_changed || scan.cache_gain >= WORTH_A_WRITE;
        self.new_stat_cache = scan.filter(worth_it).map(|scan| scan.stat_cache.clone());
    }

    /// Whether the cursor says something new, or is not sealed for this folder.
    fn is_news(&self, cursor: &Cursor) -> bool {
        self.last.as_ref() != Some(cursor) || self.guard.is_new() || cursor.provenance == Provenance::Copied
    }

    /// Binds this clone to the central and the prefix that it has synced with, before the cursor says so.
    fn bind(&mut self, ctx: &Context<'_>, cursor_is_new: bool) -> Result<(), StateError> {
        let begun = workspace::has_begun(&self.guard.notes().confirmed);
        let source = discovery::source_of(ctx.config);
        let is_moved = self.guard.notes().source != source;
        if begun && !is_moved && !cursor_is_new {
            return Ok(());
        }
        let notes = self.guard.notes();
        let owned = ctx.owned.as_ref();
        if !begun || is_moved || notes.upstream.is_none() || (notes.prefix.is_none() && owned.is_some()) {
            self.guard.update(|notes| {
                if !workspace::has_begun(&notes.confirmed) {
                    notes.confirmed = workspace::to_confirm(ctx.config);
                }
                notes.source.clone_from(&source);
                notes.upstream.get_or_insert_with(|| ctx.upstream_id.clone());
                notes.prefix = notes.prefix.take().or_else(|| owned.cloned());
            })?;
        }
        Ok(())
    }

    /// Writes a cursor that a person's decision changed.
    pub(super) fn store(&mut self, ctx: &Context<'_>, cursor: &Cursor) -> Result<(), StateError> {
        self.bind(ctx, self.is_news(cursor))?;
        cursor.store(&self.state, &self.guard)
    }

    /// Writes what is new and nothing else. Returns whether the cursor or config.toml changed.
    ///
    /// `metis.db` does not say yet what a new cursor says, and whoever is killed before it does leaves the rebuilding to the
    /// next one.
    pub(super) fn write(
        &mut self,
        ctx: &Context<'_>,
        cursor: &mut Cursor,
        report: &mut SyncReport,
    ) -> Result<bool, StateError> {
        let is_news = self.is_news(cursor);
        if is_news && ctx.metis.has_folder() {
            cursor.note_cache(true);
        }
        self.bind(ctx, is_news)?;
        let settings = ctx.config.sync.as_ref();
        let new = report
            .head
            .filter(|head| settings.is_some_and(|settings| settings.last_synced_commit != Some(*head)));
        let file = |record| match (ctx.metis.has_folder(), &ctx.config.committed_in) {
            (false, _) => None,
            // Another branch's file is checked out.
            (true, Some(_)) => (record == Record::Auto).then_some(ConfigFile::Local),
            (true, None) => record::place(record, ctx.config.recorded_locally, || ctx.project.tracks(CONFIG_FILE)),
        };
        let plan = RecordPlan {
            cursor: Some(&*cursor).filter(|_| is_news),
            stat_cache: self.new_stat_cache.as_ref(),
            last_synced_commit: new.and_then(|head| Some((file(settings?.record)?, head))),
        };
        let Recorded { anything, warnings } = record::apply(ctx.metis, &self.state, &self.guard, plan)?;
        report.warnings.extend(warnings);
        Ok(anything)
    }

    /// Writes the cursor alone, as after hydrating in a process of its own.
    pub(super) fn write_cursor(&mut self, ctx: &Context<'_>, cursor: &mut Cursor) -> Result<(), StateError> {
        let is_news = self.is_news(cursor);
        self.bind(ctx, is_news)?;
        if is_news {
            cursor.note_cache(true);
            cursor.store(&self.state, &self.guard)?;
        }
        Ok(())
    }

    /// Remembers whether `metis.db` is still to be rebuilt, for the next sync.
    pub(super) fn note_cache(&mut self, cursor: &mut Cursor, is_due: bool) {
        if cursor.cache_is_due != is_due {
            cursor.note_cache(is_due);
            // If this fails as well, the next change rebuilds it.
            let _ = cursor.store(&self.state, &self.guard);
        }
    }
}

/// The stat cache as the last sync left it.
pub(super) fn stat_cache(state: Option<&StateDir>) -> StatCache {
    state
        .and_then(|state| state.read(state::STAT_CACHE).ok().flatten())
        .map(|bytes| StatCache::from_bytes(&bytes))
        .unwrap_or_default()
}

/// A cursor that cannot be read is taken for lost: that costs a full comparison, never a document.
pub(super) fn load_cursor(
    state: &StateDir,
    guard: &Guard,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Cursor>, SyncErrorKind> {
    match cursor::load(state, guard) {
        Ok(Memory::None) => Ok(None),
        Ok(Memory::Known(cursor)) => Ok(Some(*cursor)),
        Ok(Memory::Foreign) => {
            warnings.push(Warning::StateForeign);
            Ok(None)
        }
        Err(err @ (StateError::Corrupt { .. } | StateError::OtherSchema { .. })) => {
            warnings.push(Warning::StateLost(err.to_string().into()));
            Ok(None)
        }
        Err(err) => Err(err.into()),
    }
}
