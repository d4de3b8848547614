//! `hooks run`: is there anything to do, and the start of the worker that does it.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, IsTerminal},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{
    Event,
    environment::{INSIDE, kept},
    process, repository,
};
use crate::{
    project::{Project, trust},
    state::files::{FOLDER, StateDir, StateError},
    sync::{self, Workspace},
    text::shown,
    workspace::{self, Config, ConfigError, HookSettings, METIS_DIR, MetisDir, MetisDirError},
};

/// The deadline of a sync that a hook starts, unless configured.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
/// How much longer than that a worker may take, until it is ended from outside.
const GRACE: Duration = Duration::from_secs(5);
/// For a worker that was told to end.
const LAST_GRACE: Duration = Duration::from_secs(2);

const LOG: &str = "hook.log";
const PREVIOUS_LOG: &str = "hook.1.log";
const MAX_LOG: u64 = 256 << 10;

/// Why the worker was not started, or how it went wrong.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// `.metis/` is there and cannot be used.
    #[error(transparent)]
    MetisDir(#[from] MetisDirError),
    /// config.toml is unusable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `.metis/.sync/` cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// It is not the one that the hook was installed for, and nobody ever synced it here.
    #[error(
        "{} is another workspace than the one that this hook was installed for, and was never synced in this clone; if it is \
         meant, run `git metis-sync` there once",
        shown(path)
    )]
    Another {
        /// Its `.metis`.
        path: PathBuf,
    },
    /// The program cannot be started again.
    #[error("cannot start the sync: {0}")]
    Start(#[source] io::Error),
    /// It did not end and was ended.
    #[error("the sync did not end within {} s", .0.as_secs())]
    Deadline(Duration),
}

/// A workspace that syncs, as far as a hook needs to know it.
#[derive(Debug)]
pub struct Target {
    metis: MetisDir,
    settings: HookSettings,
    git_dir: Option<PathBuf>,
}

impl Target {
    /// The workspace that the repository around `start` has, in `start` or above; `None` if there is none or it syncs with
    /// nobody. On another branch there may not even be the folder.
    ///
    /// The search ends with the repository: a submodule's push says nothing about the plans of what it is part of. But `.metis/`
    /// may be a repository of its own.
    /// `git_dir` is git's own word for where the repository is (`GIT_DIR`).
    pub fn discover(start: &Path, git_dir: Option<&OsStr>) -> Result<Option<Self>, RunError> {
        let start = match start.canonicalize() {
            Ok(start) => start,
            Err(err) if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(source) => {
                let start = start.to_owned();
                return Err(MetisDirError::Start { start, source }.into());
            }
        };
        let top = start.ancestors().find(|folder| folder.join(".git").exists());
        let last = top.unwrap_or(&start);
        let Some(dot_metis) = start
            .ancestors()
            .take_while(|folder| folder.starts_with(last))
            .map(|folder| folder.join(METIS_DIR))
            .find(|path| path.symlink_metadata().is_ok())
            .or_else(|| last.ends_with(METIS_DIR).then(|| last.to_owned()))
        else {
            return Ok(Self::committed(&start, last, git_dir));
        };
        if !trust::may_hold_workspace(dot_metis.parent().unwrap_or(&start), &dot_metis) {
            return Err(MetisDirError::Foreign { path: dot_metis }.into());
        }
        let metis = match MetisDir::open(&dot_metis) {
            Ok(metis) => metis,
            Err(MetisDirError::NoConfig { .. }) => return Ok(Self::committed(&start, last, git_dir)),
            Err(err) => return Err(err.into()),
        };
        // What a pull took away and put further up is another one.
        if dot_metis.parent() != Some(start.as_path())
            && sync::guard_of(&metis, &Project::discover(metis.path()), None)?.is_another()
        {
            return Err(RunError::Another { path: dot_metis });
        }
        let mut config = match Config::load(metis.dir()) {
            Ok(config) => config,
            Err(err) => return Self::committed(&start, last, git_dir).map(Some).ok_or(err.into()),
        };
        if workspace::to_confirm(&config)
            .keys()
            .any(|key| key.starts_with("sync.hooks."))
        {
            let project = Project::discover(metis.path());
            let guard = sync::guard_of(&metis, &project, None)?;
            if !project.tracked_in(FOLDER).is_empty() {
                // What git tracks there is not this clone's own word.
                config.local_keys.clear();
            }
            let confirmed = &guard.notes().confirmed;
            if let Some(sync) = &mut config.sync
                && !workspace::has_begun(confirmed)
            {
                sync.hooks.deadline_seconds = unasked(sync.hooks.deadline_seconds);
            }
            workspace::hold_back(&mut config, confirmed);
        }
        let Some(sync) = config.sync else {
            return Ok(Self::committed(&start, last, git_dir));
        };
        Ok(Some(Target {
            metis,
            settings: sync.hooks,
            git_dir: git_dir
                .map(|dir| start.join(dir))
                .or_else(|| repository::git_dir_of(last)),
        }))
    }

    /// The workspace of the source branch, where the one that is checked out, in the repository with the work tree `top`, has
    /// none that syncs.
    fn committed(start: &Path, top: &Path, git_dir: Option<&OsStr>) -> Option<Self> {
        let workspace = Workspace::discover(start).ok()?;
        workspace.config().committed_in.as_ref()?;
        let settings = workspace.config().sync.as_ref()?.hooks.clone();
        let metis = workspace.into_metis();
        let is_here = top.join(".git").exists() && metis.project().starts_with(top);
        is_here.then(|| Target {
            settings,
            git_dir: git_dir
                .map(|dir| start.join(dir))
                .or_else(|| repository::git_dir_of(top)),
            metis,
        })
    }

    /// Whether git's command waits for the sync and fails with it.
    pub fn blocks(&self, event: Event) -> bool {
        self.settings.blocking && event.can_block()
    }

    /// The folder of state, made if it is not there.
    pub fn state(&self) -> Result<StateDir, StateError> {
        sync::made_state(&self.metis)
    }

    /// Whether what is noted there is this clone's own word.
    pub fn has_own_state(&self) -> bool {
        sync::check_state(&Project::discover(self.metis.path())).is_ok()
    }

    /// The program again. What it is told stands behind its name in the order in which people look for it.
    fn worker(&self, event: Event) -> Result<Command, RunError> {
        let program = std::env::current_exe().map_err(RunError::Start)?;
        let mut command = Command::new(program);
        command
            .arg("-C")
            .arg(self.metis.project())
            .args(["hooks", "run", event.name(), "--worker"])
            .current_dir(self.metis.project())
            .env_clear()
            .envs(kept())
            .env(INSIDE, "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("SSH_ASKPASS_REQUIRE", "never")
            .stdin(Stdio::null());
        if let Some(git_dir) = &self.git_dir {
            command.arg("--git-dir").arg(git_dir);
        }
        Ok(command)
    }

    /// Starts the worker and leaves it to itself. None of our open files stays open in it.
    pub fn start(&self, event: Event, state: &StateDir) -> Result<(), RunError> {
        let log = log(state)?;
        let mut command = self.worker(event)?;
        if let Some(git) = process::command_of_git() {
            command.arg("--until-end-of").arg(git.to_argument());
        }
        command.stdout(log.try_clone().map_err(RunError::Start)?).stderr(log);
        command.spawn().map(drop).map_err(RunError::Start)
    }

    /// Runs the worker to its end, or to the deadline's. What it says goes to standard error: standard output is git's. It reads what
    /// git tells the hook, which the remote `remote` is to get.
    ///
    /// Returns its exit code, `None` if a signal ended it.
    pub fn run(&self, event: Event, remote: Option<&OsStr>, interrupt: &AtomicBool) -> Result<Option<i32>, RunError> {
        let mut command = self.worker(event)?;
        command.arg("--foreground");
        if !io::stdin().is_terminal() {
            command.stdin(Stdio::inherit());
        }
        if let Some(remote) = remote {
            command.arg("--").arg(remote);
        }
        // The worker prints there, by the printer that escapes.
        #[allow(clippy::disallowed_methods)]
        let stderr = io::stderr().as_fd().try_clone_to_owned().map_err(RunError::Start)?;
        command.stdout(stderr);
        let mut child = command.spawn().map_err(RunError::Start)?;
        let deadline = self.deadline() + GRACE;
        let begun = Instant::now();
        while begun.elapsed() < deadline && !interrupt.load(Ordering::Relaxed) {
            if let Some(status) = child.try_wait().map_err(RunError::Start)? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        end(&mut child);
        match interrupt.load(Ordering::Relaxed) {
            true => Ok(None),
            false => Err(RunError::Deadline(deadline)),
        }
    }

    fn deadline(&self) -> Duration {
        deadline(&self.settings)
    }
}

/// The deadline, in seconds, where this clone has confirmed nothing yet: nobody's git waits longer than a minute on the word of
/// whoever wrote the project's file.
fn unasked(seconds: Option<u64>) -> Option<u64> {
    seconds.map(|seconds| seconds.min(60))
}

/// The deadline of a sync that a hook starts.
pub fn deadline(settings: &HookSettings) -> Duration {
    settings
        .deadline_seconds
        .map_or(DEFAULT_DEADLINE, Duration::from_secs)
        .min(Duration::from_secs(workspace::MAX_SECONDS))
}

/// Orderly if it can be, else not.
fn end(child: &mut Child) {
    let pid = rustix::process::Pid::from_child(child);
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    let told = Instant::now();
    while told.elapsed() < LAST_GRACE && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The log of the workers, for appending. It begins anew when it is long; one older file is kept.
fn log(state: &StateDir) -> Result<File, RunError> {
    use rustix::fs::OFlags;
    let open = || {
        let file = state.open_file(LOG, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE)?;
        file.ok_or_else(|| RunError::Start(io::ErrorKind::NotFound.into()))
    };
    let file = open()?;
    if file.metadata().is_ok_and(|meta| meta.len() > MAX_LOG) {
        state.rename(LOG, PREVIOUS_LOG)?;
        return open();
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
