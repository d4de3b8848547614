//! Everything that is the same for all cycles of a sync.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    error::SyncErrorKind,
    options::{DEFAULT_DEADLINE, DEFAULT_MAX_RETRIES, SyncOptions},
    place,
};
use crate::{
    central::{
        remote::Met,
        store::Store,
        turn::{self, Asked, Turn},
    },
    names::{ObjectId, Prefix},
    plan::{listing::Documents, retry::Seat},
    project::{self, Project, trust},
    send_pack::connect::{ConnectOptions, Deadlines, Direction, Greeting, RemoteUrl, Settings},
    stage::{Context, Limits, Warning},
    state::{
        cursor::{self, Cursor, Memory, Provenance},
        files::{StateDir, StateError},
        guard::{self, Guard},
        lock::{Holder, Lock, LockError},
    },
    workspace::{self, Config, FolderState, FolderWriter, MetisDir, StatCache, Unconfirmed},
};

/// A `.metis/` folder with its configuration, and the repository around it.
pub struct Workspace {
    metis: MetisDir,
    config: Config,
    project: Project,
    unconfirmed: Vec<Unconfirmed>,
    state_dir: Option<PathBuf>,
    /// See [`guard::Notes`].
    former: BTreeSet<Prefix>,
    retired: BTreeSet<Prefix>,
}

impl Workspace {
    /// Looks for `.metis/` in `start` and the folders above it.
    pub fn discover(start: &Path) -> Result<Self, SyncErrorKind> {
        Self::discover_with_state(start, None)
    }

    /// The same for a user whose state directory is `state_dir`. `None`: this process's user.
    pub fn discover_with_state(start: &Path, state_dir: Option<&Path>) -> Result<Self, SyncErrorKind> {
        let metis = MetisDir::discover(start, &trust::may_hold_workspace)?;
        let mut config = Config::load(metis.dir())?;
        let project = Project::discover(metis.path());
        // Where the guard cannot be read, a sync stops for that.
        let (unconfirmed, former, retired) = match guard_of(&metis, &project, state_dir) {
            Ok(guard) => {
                let notes = guard.notes();
                let unconfirmed = workspace::hold_back(&mut config, &notes.confirmed);
                (unconfirmed, notes.former.clone(), notes.retired.clone())
            }
            Err(_) => Default::default(),
        };
        Ok(Workspace {
            former,
            retired,
            metis,
            config,
            project,
            unconfirmed,
            state_dir: state_dir.map(Path::to_owned),
        })
    }

    /// `.metis/` itself.
    pub fn metis(&self) -> &MetisDir {
        &self.metis
    }

    /// config.toml.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Central as it may be shown, or an empty text if none is configured or its URL is not one.
    pub fn upstream_name(&self) -> String {
        let url = self
            .config
            .sync
            .as_ref()
            .map(|sync| RemoteUrl::parse(&sync.upstream_url));
        url.and_then(Result::ok).map(|url| url.to_string()).unwrap_or_default()
    }

    /// The repository around it.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// What deserves a look before anything is done.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let foreign = self.project.foreign();
        let foreign = foreign.map(|path| Warning::ForeignRepository(path.to_owned()));
        let held_back = self.unconfirmed.iter().filter(|unconfirmed| !unconfirmed.stops);
        let held_back = held_back.cloned().map(Warning::Unconfirmed);
        let retired = self.retired().cloned().map(Warning::Retired);
        let unknown = self.unknown_keys();
        foreign
            .into_iter()
            .chain(unknown)
            .chain(held_back)
            .chain(retired)
            .collect()
    }

    /// The keys of config.toml that are most likely misspelled. One of them may be why there is nothing to sync with.
    pub fn unknown_keys(&self) -> Vec<Warning> {
        self.config
            .unknown_keys
            .iter()
            .cloned()
            .map(Warning::UnknownKey)
            .collect()
    }

    /// The owned folder, where it was retired: nothing is pushed there.
    pub(super) fn retired(&self) -> Option<&Prefix> {
        let owned = self.config.workspace.as_ref();
        owned.filter(|owned| self.retired.contains(*owned))
    }

    /// What config.toml says and does not count yet, this clone's user not having confirmed it.
    pub fn unconfirmed(&self) -> &[Unconfirmed] {
        &self.unconfirmed
    }

    /// What this clone is bound to.
    pub fn guard(&self) -> Result<Guard, StateError> {
        guard_of(&self.metis, &self.project, self.state_dir.as_deref())
    }

    /// Where config.toml says something else than what this clone is bound to.
    pub fn moved(&self) -> Result<Vec<SyncErrorKind>, SyncErrorKind> {
        if self.config.sync.is_none() {
            return Ok(Vec::new());
        }
        let options = SyncOptions {
            pull_only: true,
            ..SyncOptions::default()
        };
        let ctx = context(self, &options, Instant::now())?;
        let mut stops = self.check_binding(&self.guard()?, None, &ctx);
        stops.retain(|stop| !matches!(stop, SyncErrorKind::Unconfirmed(_)));
        Ok(stops)
    }

    /// Whether git tracks any of this clone's state, which is then not its own.
    pub(super) fn check_state(&self) -> Result<(), SyncErrorKind> {
        let files = self.project.tracked_in(crate::state::files::FOLDER);
        match files.is_empty() {
            true => Ok(()),
            false => Err(SyncErrorKind::StateTracked {
                files: files.into_iter().map(Into::into).collect(),
            }),
        }
    }

    /// Whether config.toml says what this clone is bound to. What it was never bound to may be anything; `cursor` is from
    /// before there were guards.
    pub(super) fn check_binding(
        &self,
        guard: &Guard,
        cursor: Option<&Cursor>,
        ctx: &Context<'_>,
    ) -> Vec<SyncErrorKind> {
        let notes = guard.notes();
        let mut stops = Vec::new();
        let named = [ctx.upstream_id.as_str(), ctx.upstream_name.as_str()];
        if let Some(remembered) = place::bound_elsewhere(notes.upstream.as_deref(), cursor, named) {
            stops.push(SyncErrorKind::UpstreamChanged {
                configured: ctx.upstream_id.as_str().into(),
                remembered: remembered.into(),
            });
        }
        match (&self.config.workspace, &notes.prefix) {
            (Some(configured), Some(remembered)) if configured != remembered => {
                stops.push(SyncErrorKind::PrefixChanged {
                    configured: configured.clone(),
                    remembered: remembered.clone(),
                });
            }
            _ => {}
        }
        let unconfirmed = self.unconfirmed.iter().filter(|unconfirmed| unconfirmed.stops);
        stops.extend(unconfirmed.cloned().map(SyncErrorKind::Unconfirmed));
        stops
    }
}

/// The guard of `metis`, for the user whose state directory is `state_dir`. `None`: this process's user.
///
/// A pull can put a link in the place of the folder that this clone was bound in. What was noted for that place counts on, so
/// that the link leads to no other central unasked.
pub fn guard_of(metis: &MetisDir, project: &Project, state_dir: Option<&Path>) -> Result<Guard, StateError> {
    let real = metis.path().canonicalize();
    if let Some((common_dir, path)) = place_of_link(metis.path()) {
        let link = guard::Place::new(metis.path(), Some((&common_dir, &path)), state_dir);
        let guard = Guard::open(link)?;
        if !guard.is_new() {
            return Ok(guard);
        }
    }
    let repository = project.place();
    Guard::open(guard::Place::new(
        real.as_deref().unwrap_or(metis.path()),
        repository
            .as_ref()
            .map(|(common_dir, path)| (*common_dir, path.as_slice())),
        state_dir,
    ))
}

/// What [`Project::place()`] would be for `.metis` if it were no link.
fn place_of_link(metis: &Path) -> Option<(PathBuf, Vec<u8>)> {
    if !metis.symlink_metadata().ok()?.is_symlink() {
        return None;
    }
    project::place_of(&metis.parent()?.canonicalize().ok()?, metis.file_name()?)
}

/// What the cycles of one sync share.
pub struct Setup<'a> {
    /// What the stages need.
    pub ctx: Context<'a>,
    /// `.metis/.sync/`. `None` in a dry run before the first sync.
    pub state: Option<StateDir>,
    /// What this clone is bound to.
    pub(super) guard: Guard,
    /// What this clone knows of central. `None`: nothing yet.
    pub cursor: Option<Cursor>,
    /// As it was when the sync began, to write only what changed.
    pub(super) cursor_before: Option<Cursor>,
    /// The commit of central that was seen last, by an earlier cycle or sync: central must not go behind it.
    pub(super) seen: Option<ObjectId>,
    /// Which files were read before and what they held.
    pub stat_cache: StatCache,
    pub(super) stat_cache_changed: bool,
    /// Central's objects, once its format is known.
    pub store: Option<Store>,
    /// What an earlier cycle learnt of central, where that spares a later one a request.
    pub(super) met: Option<Met>,
    /// The same of the service that takes pushes.
    pub(super) met_to_push: Option<Greeting>,
    /// What the owned folder held in central in the last cycle.
    owned: Option<Documents>,
    /// Whether another clone of this workspace changed that during this sync.
    is_rivalled: bool,
    /// Whether the owned folder was retired: nothing is pushed.
    pub(super) is_retired: bool,
    /// Whether they were thrown away in this sync because they were damaged.
    renewed: bool,
    /// The newest own documents, for the cache.
    pub(super) scan: Option<workspace::Scan>,
    /// Retries after a moved branch.
    pub max_retries: u32,
    /// The time for everything.
    pub deadline: Option<Duration>,
    /// When the sync began.
    pub started: Timestamp,
    pub(super) warnings: Vec<Warning>,
    _lock: Option<Lock>,
}

impl<'a> Setup<'a> {
    /// Locks the workspace (not in a dry run) and reads what this clone knows.
    pub fn new(
        workspace: &'a Workspace,
        options: &SyncOptions,
        clock: Instant,
        started: Timestamp,
    ) -> Result<Self, SyncErrorKind> {
        Self::passing_over(workspace, options, clock, started, |_| false)
    }

    /// The same for what ends such a stop.
    pub(super) fn passing_over(
        workspace: &'a Workspace,
        options: &SyncOptions,
        clock: Instant,
        started: Timestamp,
        passes: fn(&SyncErrorKind) -> bool,
    ) -> Result<Self, SyncErrorKind> {
        let mut warnings = workspace.warnings();
        let metis = workspace.metis.path();
        workspace.check_state()?;
        let guard = workspace.guard()?;
        let (state, lock) = if options.dry_run {
            (StateDir::open(metis)?, None)
        } else {
            let state = StateDir::create(metis)?;
            let holder = Holder::this_process(started, &format!("git metis-sync {}", options.trigger));
            let lock = Lock::acquire(&state, options.lock_wait, &holder).map_err(|err| match err {
                LockError::Held { holder, .. } => SyncErrorKind::Locked {
                    holder: holder.map_or("it does not say which".into(), |holder| holder.to_string().into()),
                },
                LockError::State(err) => SyncErrorKind::State(err),
            })?;
            // Left by a run that was killed while writing config.toml or .gitignore, or keeping what somebody edited.
            let _ = workspace::sweep_temps(workspace.metis.dir(), started.into());
            workspace::sweep_kept(workspace.metis.dir());
            if lock.unsupported().is_some() {
                warnings.push(Warning::Unlocked);
            }
            (Some(state), Some(lock))
        };
        let cursor = match &state {
            Some(state) => load_cursor(state, &guard, &mut warnings)?,
            None => None,
        };
        let stat_cache = match &state {
            Some(state) => state
                .read(crate::state::STAT_CACHE)
                .ok()
                .flatten()
                .map(|bytes| StatCache::from_bytes(&bytes))
                .unwrap_or_default(),
            None => StatCache::default(),
        };
        let ctx = context(workspace, options, clock)?;
        let stops = workspace.check_binding(&guard, cursor.as_ref(), &ctx);
        if let Some(stop) = stops.into_iter().find(|stop| !passes(stop)) {
            return Err(stop);
        }
        let settings = workspace.config.sync.as_ref();
        Ok(Setup {
            ctx,
            state,
            guard,
            cursor_before: cursor.clone(),
            seen: cursor.as_ref().and_then(|cursor| cursor.head),
            cursor,
            stat_cache,
            stat_cache_changed: false,
            store: None,
            met: None,
            met_to_push: None,
            owned: None,
            is_rivalled: false,
            is_retired: workspace.retired().is_some(),
            renewed: false,
            scan: None,
            max_retries: options
                .max_retries
                .or_else(|| settings.and_then(|s| s.max_retries))
                .unwrap_or(DEFAULT_MAX_RETRIES),
            deadline: Some(deadline(options, settings)),
            started,
            warnings,
            _lock: lock,
        })
    }

    /// Sees to it that git passes over what a sync writes, on every branch, without a change to a tracked file. What cannot
    /// be written leaves files that git shows as new: no reason to stop.
    pub(super) fn hide_from_git(&mut self) {
        if let Some((common_dir, below)) = self.ctx.project.place() {
            let _ = workspace::exclude_own_files(common_dir, &below);
        }
        if let Some(cursor) = self.cursor.as_mut().filter(|cursor| !cursor.folders_ignored) {
            let metis = self.ctx.metis.dir();
            if let Ok(survey) = workspace::survey(metis, &Default::default()) {
                for (prefix, state) in &survey.folders {
                    if matches!(state, FolderState::Marked(_)) {
                        // Opening it is enough.
                        let _ = FolderWriter::open(metis, &survey, prefix, self.ctx.limits.blob_bytes);
                    }
                }
            }
            cursor.folders_ignored = true;
        }
    }

    /// Waits, unless interrupted.
    pub(super) fn pause(&self, wait: Duration) -> Result<(), SyncErrorKind> {
        let end = Instant::now() + wait;
        loop {
            self.check_interrupt()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(super::NAP));
        }
    }

    /// Waits for its turn among the writers of this machine, but no longer than `patience`. `None`: without.
    pub(super) fn turn(&self, patience: Duration) -> Result<Option<Turn>, SyncErrorKind> {
        let Some(store) = &self.store else { return Ok(None) };
        let end = Instant::now() + patience;
        loop {
            match turn::ask(&self.ctx.upstream, &self.ctx.connect, store) {
                Asked::Taken(turn) => return Ok(Some(turn)),
                Asked::Busy if Instant::now() < end => self.pause(super::TURN_NAP)?,
                Asked::Busy | Asked::Impossible => return Ok(None),
            }
        }
    }

    /// The owned workspace's place among central's, as long as it is its alone.
    pub(super) fn seat(&self, round: u32) -> Option<Seat> {
        let own = self.ctx.owned.as_ref().filter(|_| !self.is_rivalled)?;
        let others = self.cursor.iter().flat_map(|cursor| cursor.folders.keys());
        Some(Seat::take(own, others, round))
    }

    /// Takes note of what the owned folder holds in central in this cycle.
    pub(super) fn note_owned(&mut self, held: Documents) {
        self.is_rivalled |= self.owned.as_ref().is_some_and(|before| *before != held);
        self.owned = Some(held);
    }

    /// An error once somebody asked us to stop.
    pub(super) fn check_interrupt(&self) -> Result<(), SyncErrorKind> {
        if self.ctx.connect.interrupt.load(Ordering::Relaxed) {
            return Err(SyncErrorKind::Interrupted);
        }
        Ok(())
    }

    /// Throws the object store away after `damaged`, an object of it, could not be read: a loss of power or a failing disk
    /// may have torn it, and all that it holds is central's. Only once in a sync: what is still missing after that, central
    /// does not have either. Returns whether to fetch anew.
    pub(super) fn renew_store(&mut self, damaged: Option<ObjectId>) -> Result<bool, SyncErrorKind> {
        match &mut self.store {
            Some(store) if damaged.is_some() && !self.renewed => {
                self.renewed = true;
                store.reset()?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Whether central's objects were thrown away in this sync because they were damaged.
    pub(super) fn renewed(&self) -> bool {
        self.renewed
    }

    /// Whether the cursor says something new, or is not sealed for this folder.
    pub fn cursor_changed(&self) -> bool {
        let is_copied = |cursor: &Cursor| cursor.provenance == Provenance::Copied;
        self.cursor != self.cursor_before || self.guard.is_new() || self.cursor.as_ref().is_some_and(is_copied)
    }

    /// Binds this clone to the central and the prefix that it has synced with, before the cursor says so.
    pub(super) fn bind(&mut self) -> Result<(), StateError> {
        let begun = workspace::has_begun(&self.guard.notes().confirmed);
        if self.state.is_none() || (begun && !self.cursor_changed()) {
            return Ok(());
        }
        let notes = self.guard.notes();
        let owned = self.ctx.owned.as_ref();
        if !begun || notes.upstream.is_none() || (notes.prefix.is_none() && owned.is_some()) {
            self.guard.update(|notes| {
                if !workspace::has_begun(&notes.confirmed) {
                    notes.confirmed = workspace::to_confirm(self.ctx.config);
                }
                notes.upstream.get_or_insert_with(|| self.ctx.upstream_id.clone());
                notes.prefix = notes.prefix.take().or_else(|| owned.cloned());
            })?;
        }
        Ok(())
    }

    /// Writes the cursor, where it says something new.
    pub(super) fn store_cursor(&mut self) -> Result<(), StateError> {
        self.bind()?;
        match (&self.state, &self.cursor) {
            (Some(state), Some(cursor)) => cursor.store(state, &self.guard),
            _ => Ok(()),
        }
    }

    /// Whether the stat cache knows something new.
    pub fn stat_cache_changed(&self) -> bool {
        self.stat_cache_changed
    }

    /// What came up while setting up.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// The own documents as they were surveyed last.
    pub fn take_scan(&mut self) -> Option<workspace::Scan> {
        self.scan.take()
    }

    /// Where the cursor is about to be written: `metis.db` does not say so yet, and whoever is killed before it does leaves
    /// the rebuilding to the next one.
    pub(super) fn expect_cache(&mut self) {
        let changed = self.cursor_changed();
        if let Some(cursor) = self.cursor.as_mut().filter(|_| changed) {
            cursor.cache_is_due = true;
        }
    }

    /// Remembers whether `metis.db` is still to be rebuilt, for the next sync.
    pub fn note_cache(&mut self, due: bool) {
        if let (Some(cursor), Some(state)) = (&mut self.cursor, &self.state)
            && cursor.cache_is_due != due
        {
            cursor.cache_is_due = due;
            // If this fails as well, the next change rebuilds it.
            let _ = cursor.store(state, &self.guard);
        }
    }

    /// Whether `metis.db` has to be rebuilt although nothing changed: it is missing, or could not be rebuilt last time.
    pub(super) fn cache_is_due(&self) -> bool {
        let missing = || !self.ctx.metis.path().join(crate::cache::FILE_NAME).exists();
        self.cursor.as_ref().is_some_and(|cursor| cursor.cache_is_due) || missing()
    }
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

/// Puts together what the stages need to know.
pub fn context<'a>(
    workspace: &'a Workspace,
    options: &SyncOptions,
    clock: Instant,
) -> Result<Context<'a>, SyncErrorKind> {
    let settings = workspace.config.sync.as_ref().ok_or(SyncErrorKind::NoUpstream)?;
    if workspace.config.workspace.is_none() && !options.pull_only {
        return Err(SyncErrorKind::NoPrefix);
    }
    let configured = RemoteUrl::parse(&settings.upstream_url).map_err(SyncErrorKind::UpstreamUrl)?;
    let rewritten = |direction| {
        let folder = workspace.metis.project();
        place::rewritten(&settings.upstream_url, &workspace.project, direction, folder)
    };
    let deadline = deadline(options, Some(settings));
    Ok(Context {
        metis: &workspace.metis,
        config: &workspace.config,
        project: &workspace.project,
        owned: workspace.config.workspace.clone(),
        former: workspace.former.clone(),
        upstream: rewritten(Direction::Fetch)?,
        push_to: rewritten(Direction::Push)?,
        upstream_shown: configured.to_string(),
        upstream_name: configured.without_user(),
        upstream_id: place::identity(&configured, &workspace.project, workspace.metis.project()),
        branch: settings.branch.clone(),
        connect: connect_options(options, &workspace.project, workspace.metis.project(), clock + deadline),
        cache_dir: options
            .cache_dir
            .clone()
            .map_or_else(crate::central::store::user_cache_dir, Ok)?,
        limits: limits(settings),
    })
}

/// The time for everything, a day at most.
fn deadline(options: &SyncOptions, settings: Option<&workspace::SyncSettings>) -> Duration {
    let configured = || settings.and_then(|settings| settings.deadline_seconds);
    options
        .deadline
        .or_else(|| configured().map(Duration::from_secs))
        .unwrap_or(DEFAULT_DEADLINE)
        .min(Duration::from_secs(workspace::MAX_SECONDS))
}

/// How to connect, with git's configuration and until `end` at the latest. Relative local paths start at the project's work
/// tree, else at `folder`.
pub fn connect_options(options: &SyncOptions, project: &Project, folder: &Path, end: Instant) -> ConnectOptions {
    let work_tree = project.dir();
    ConnectOptions {
        settings: Settings::read(project.config(), &|name| std::env::var_os(name)),
        deadlines: Deadlines {
            total: Some(end),
            ..Deadlines::default()
        },
        prompt: options.prompt,
        interrupt: Arc::clone(&options.interrupt),
        outside: work_tree.is_none(),
        cwd: work_tree.unwrap_or_else(|| folder.to_owned()),
    }
}

fn limits(settings: &workspace::SyncSettings) -> Limits {
    let default = Limits::default();
    Limits {
        blob_bytes: settings.limits.blob_bytes.unwrap_or(default.blob_bytes),
        entries: settings.limits.entries.unwrap_or(default.entries),
        workspaces: settings.limits.workspaces.unwrap_or(default.workspaces),
        total_bytes: settings.limits.total_bytes.unwrap_or(default.total_bytes),
    }
}
