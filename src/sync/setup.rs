//! Everything that is the same for all cycles of a sync.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    error::SyncErrorKind,
    options::{DEFAULT_DEADLINE, DEFAULT_MAX_RETRIES, SyncOptions},
};
use crate::{
    central::{
        remote::Met,
        store::Store,
        turn::{self, Asked, Turn},
    },
    names::ObjectId,
    plan::{listing::Documents, retry::Seat},
    project::Project,
    send_pack::connect::{self, ConnectOptions, Deadlines, Direction, Greeting, RemoteUrl, Settings},
    stage::{Context, Limits, Warning},
    state::{
        cursor::{self, Cursor},
        files::{StateDir, StateError},
        lock::{Holder, Lock, LockError},
    },
    workspace::{self, Config, MetisDir, StatCache},
};

/// A `.metis/` folder with its configuration, and the repository around it.
pub struct Workspace {
    metis: MetisDir,
    config: Config,
    project: Project,
}

impl Workspace {
    /// Looks for `.metis/` in `start` and the folders above it.
    pub fn discover(start: &Path) -> Result<Self, SyncErrorKind> {
        let metis = MetisDir::discover(start)?;
        let config = Config::load(metis.dir())?;
        let project = Project::discover(metis.path());
        Ok(Workspace { metis, config, project })
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
}

/// What the cycles of one sync share.
pub struct Setup<'a> {
    /// What the stages need.
    pub ctx: Context<'a>,
    /// `.metis/.sync/`. `None` in a dry run before the first sync.
    pub state: Option<StateDir>,
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
        let mut warnings = Vec::new();
        let metis = workspace.metis.path();
        let (state, lock) = if options.dry_run {
            (StateDir::open(metis)?, None)
        } else {
            let state = StateDir::create(metis)?;
            let holder = Holder::this_process(started, &format!("git metis-sync {}", options.trigger));
            let lock = Lock::acquire(&state, options.lock_wait, &holder).map_err(|err| match err {
                LockError::Held { holder, .. } => SyncErrorKind::Locked {
                    holder: holder.map_or_else(|| "it does not say which".to_owned(), |h| h.to_string()),
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
            Some(state) => load_cursor(state, &mut warnings)?,
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
        if let Some(cursor) = &cursor
            && cursor.upstream != ctx.upstream_name
        {
            return Err(SyncErrorKind::UpstreamChanged {
                configured: ctx.upstream_name,
                remembered: cursor.upstream.clone(),
            });
        }
        let settings = workspace.config.sync.as_ref();
        let deadline = options
            .deadline
            .or_else(|| settings.and_then(|s| s.deadline_seconds).map(Duration::from_secs))
            .unwrap_or(DEFAULT_DEADLINE);
        Ok(Setup {
            ctx,
            state,
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
            renewed: false,
            scan: None,
            max_retries: options
                .max_retries
                .or_else(|| settings.and_then(|s| s.max_retries))
                .unwrap_or(DEFAULT_MAX_RETRIES),
            deadline: Some(deadline),
            started,
            warnings,
            _lock: lock,
        })
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

    /// Whether the cursor says something new.
    pub fn cursor_changed(&self) -> bool {
        self.cursor != self.cursor_before
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
            let _ = state.store(cursor::FILE, cursor);
        }
    }

    /// Whether `metis.db` has to be rebuilt although nothing changed: it is missing, or could not be rebuilt last time.
    pub(super) fn cache_is_due(&self) -> bool {
        let missing = || !self.ctx.metis.path().join(crate::cache::FILE_NAME).exists();
        self.cursor.as_ref().is_some_and(|cursor| cursor.cache_is_due) || missing()
    }
}

/// A cursor that cannot be read is taken for lost: that costs a full comparison, never a document.
pub(super) fn load_cursor(state: &StateDir, warnings: &mut Vec<Warning>) -> Result<Option<Cursor>, SyncErrorKind> {
    match state.load::<Cursor>(cursor::FILE, cursor::SCHEMA) {
        Ok(cursor) => Ok(cursor),
        Err(err @ (StateError::Corrupt { .. } | StateError::OtherSchema { .. })) => {
            warnings.push(Warning::StateLost(err.to_string()));
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
    let git_config = workspace.project.config();
    let project_dir = workspace
        .project
        .dir()
        .unwrap_or_else(|| workspace.metis.project().to_owned());
    let configured = RemoteUrl::parse(&settings.upstream_url).map_err(SyncErrorKind::UpstreamUrl)?;
    let deadline = options
        .deadline
        .or_else(|| settings.deadline_seconds.map(Duration::from_secs))
        .unwrap_or(DEFAULT_DEADLINE);
    Ok(Context {
        metis: &workspace.metis,
        config: &workspace.config,
        project: &workspace.project,
        owned: workspace.config.workspace.clone(),
        upstream: rewritten(&settings.upstream_url, git_config, Direction::Fetch)?,
        push_to: rewritten(&settings.upstream_url, git_config, Direction::Push)?,
        upstream_name: configured.to_string(),
        branch: settings.branch.clone(),
        connect: connect_options(options, git_config, project_dir, clock + deadline),
        cache_dir: options
            .cache_dir
            .clone()
            .unwrap_or_else(crate::central::store::user_cache_dir),
        limits: limits(settings),
    })
}

/// How to connect, with git's configuration and until `end` at the latest. Relative local paths start at `dir`.
pub fn connect_options(
    options: &SyncOptions,
    config: &gix::config::File,
    dir: PathBuf,
    end: Instant,
) -> ConnectOptions {
    ConnectOptions {
        settings: Settings::read(config, &|name| std::env::var_os(name)),
        deadlines: Deadlines {
            total: Some(end),
            ..Deadlines::default()
        },
        prompt: options.prompt,
        interrupt: Arc::clone(&options.interrupt),
        cwd: dir,
    }
}

/// The URL to connect to: as configured, after `url.*.insteadOf` or `pushInsteadOf`, and checked once more after that.
pub fn rewritten(url: &str, config: &gix::config::File, direction: Direction) -> Result<RemoteUrl, SyncErrorKind> {
    let url = connect::rewrite(url, config, direction);
    Ok(RemoteUrl::parse(url).map_err(connect::ConnectError::from)?)
}

fn limits(settings: &workspace::SyncSettings) -> Limits {
    let default = Limits::default();
    Limits {
        blob_bytes: settings.limits.blob_bytes.unwrap_or(default.blob_bytes),
        entries: settings.limits.entries.unwrap_or(default.entries),
        total_bytes: settings.limits.total_bytes.unwrap_or(default.total_bytes),
    }
}
