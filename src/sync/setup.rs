//! A workspace, and what is known of it before anything is done: its configuration, what this clone is bound to, how to
//! connect.

mod binding;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    error::SyncErrorKind,
    options::{DEFAULT_DEADLINE, DEFAULT_MAX_RETRIES, SyncOptions},
    place::{self, Locations},
};
use crate::{
    names::Prefix,
    project::Project,
    send_pack::connect::{ConnectOptions, RemoteUrl, Settings},
    stage::{Context, Limits, Warning},
    state::{files::StateDir, guard},
    workspace::{self, Config, MetisDir, Unconfirmed},
};

pub(super) use self::binding::guard_place;
pub use self::binding::{guard_of, made_state};

/// A `.metis/` folder with its configuration, and the repository around it.
pub struct Workspace {
    pub(super) metis: MetisDir,
    pub(super) config: Config,
    pub(super) project: Project,
    pub(super) unconfirmed: Vec<Unconfirmed>,
    pub(super) state_dir: Option<PathBuf>,
    /// Where its guard lies. `None`: that could not be told.
    pub(super) guard_place: Option<guard::Place>,
    /// See [`guard::Notes`].
    pub(super) former: BTreeSet<Prefix>,
    pub(super) retired: BTreeSet<Prefix>,
    pub(super) has_conduits: bool,
}

impl Workspace {
    /// `.metis/` itself.
    pub fn metis(&self) -> &MetisDir {
        &self.metis
    }

    /// What the stages need to know of the central that this clone is bound to, the time for everything, and how many retries there
    /// may be.
    pub fn upstream(
        &self,
        options: &SyncOptions,
        begun: Instant,
    ) -> Result<(Context<'_>, Duration, u32), SyncErrorKind> {
        self.check_state()?;
        let ctx = context(self, options, begun)?;
        if let Some(stop) = self.check_binding(&self.guard()?, None, &ctx).into_iter().next() {
            return Err(stop);
        }
        let settings = self.config.sync.as_ref();
        Ok((ctx, deadline(options, settings), max_retries(options, settings)))
    }

    /// The time for all that a sync does.
    pub fn deadline(&self, options: &SyncOptions) -> Duration {
        deadline(options, self.config.sync.as_ref())
    }

    /// The same, alone.
    pub fn into_metis(self) -> MetisDir {
        self.metis
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
            .map(|sync| RemoteUrl::parse(sync.upstream_url.raw()));
        url.and_then(Result::ok).map(|url| url.to_string()).unwrap_or_default()
    }

    /// The repository around it.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Whether any conduit was enabled in this clone.
    pub fn has_conduits(&self) -> bool {
        self.has_conduits
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

    /// Whether git tracks any of this clone's state, which is then not its own.
    pub fn check_state(&self) -> Result<(), SyncErrorKind> {
        check_state(&self.project)
    }

    /// What this clone noted, for telling people. `None`: there is nothing, or it is not this clone's own.
    pub fn own_state(&self) -> Option<StateDir> {
        own_state(&self.metis, &self.project)
    }
}

/// Whether git tracks any of the state beside a project's documents.
pub fn check_state(project: &Project) -> Result<(), SyncErrorKind> {
    let files = project.tracked_in(crate::state::files::FOLDER);
    match files.is_empty() {
        true => Ok(()),
        false => Err(SyncErrorKind::StateTracked {
            files: files.into_iter().map(Into::into).collect(),
        }),
    }
}

/// What a clone noted in `metis`, for telling people. What came with a commit tells nothing: it would be somebody else's words.
pub fn own_state(metis: &MetisDir, project: &Project) -> Option<StateDir> {
    let state = StateDir::open(metis.path()).ok().flatten()?;
    check_state(project).is_ok().then_some(state)
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
    let configured = RemoteUrl::parse(settings.upstream_url.raw()).map_err(SyncErrorKind::UpstreamUrl)?;
    let folder = workspace.metis.project();
    let Locations { fetch, push } = place::locations(settings.upstream_url.raw(), &workspace.project, folder)?;
    let deadline = deadline(options, Some(settings));
    Ok(Context {
        metis: &workspace.metis,
        config: &workspace.config,
        project: &workspace.project,
        owned: workspace.config.workspace.clone(),
        former: workspace.former.clone(),
        upstream: fetch,
        push_to: push,
        upstream_shown: configured.to_string(),
        upstream_name: configured.without_user(),
        upstream_id: place::identity(&configured, &workspace.project, folder),
        withdrawn: options.withdrawn.clone(),
        branch: settings.branch.as_ref().map(|branch| branch.raw().to_owned()),
        connect: connect_options(options, &workspace.project, folder, clock + deadline),
        cache_dir: options
            .cache_dir
            .clone()
            .map_or_else(crate::central::store::user_cache_dir, Ok)?,
        limits: limits(settings),
    })
}

/// The time for everything, a day at most.
pub(super) fn deadline(options: &SyncOptions, settings: Option<&workspace::SyncSettings>) -> Duration {
    let configured = || settings.and_then(|settings| settings.deadline_seconds);
    options
        .deadline
        .or_else(|| configured().map(Duration::from_secs))
        .unwrap_or(DEFAULT_DEADLINE)
        .min(Duration::from_secs(workspace::MAX_SECONDS))
}

/// Retries after a moved branch.
pub(super) fn max_retries(options: &SyncOptions, settings: Option<&workspace::SyncSettings>) -> u32 {
    let configured = settings.and_then(|settings| settings.max_retries);
    options.max_retries.or(configured).unwrap_or(DEFAULT_MAX_RETRIES)
}

/// How to connect, with git's configuration and until `end` at the latest. Relative local paths start at the project's work
/// tree, else at `folder`.
pub fn connect_options(options: &SyncOptions, project: &Project, folder: &Path, end: Instant) -> ConnectOptions {
    let work_tree = project.dir();
    let mut connect = ConnectOptions::default();
    connect.settings = Settings::read(project.config(), &|name| std::env::var_os(name));
    connect.deadlines.total = Some(end);
    connect.prompt = options.prompt;
    connect.interrupt = Arc::clone(&options.interrupt);
    connect.outside = work_tree.is_none();
    connect.cwd = work_tree.unwrap_or_else(|| folder.to_owned());
    connect
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
