//! Finding a workspace: its folder, or a repository without one, and the config.toml that counts.
//!
//! Central has what one branch of the project has, and so does the configuration: where something else is checked out,
//! config.toml is that of the source branch. A branch from before there were plans has none at all; what this clone noted in
//! its [guard](crate::state::guard) tells it from a project without plans.

mod choice;

use std::path::{Path, PathBuf};

use self::choice::{choose, left_out, of_branch};
use super::{
    error::{NoFolder, SyncErrorKind},
    setup::{Workspace, guard_place},
};
use crate::{
    project::{Project, Repository, trust},
    stage::own::WORKTREE,
    state::guard::{self, Guard},
    workspace::{self, CONFIG_FILE, Config, METIS_DIR, MetisDir, MetisDirError},
};

pub(super) use self::choice::source_of;

impl Workspace {
    /// Looks for `.metis/` in `start` and the folders above it. A bare repository that the environment names comes first, unless
    /// `start` is another place than the current folder and has a workspace.
    pub fn discover(start: &Path) -> Result<Self, SyncErrorKind> {
        Self::discover_with_state(start, None)
    }

    /// The same for a user whose state directory is `state_dir`. `None`: this process's user.
    pub fn discover_with_state(start: &Path, state_dir: Option<&Path>) -> Result<Self, SyncErrorKind> {
        let named = trust::named_bare().map_err(|path| NoFolder::Foreign { path })?;
        let is_here = || start.canonicalize().ok() == Path::new(".").canonicalize().ok();
        let named = match named {
            Some(repo) if is_here() => return Self::in_bare(repo, state_dir),
            named => named,
        };
        match (MetisDir::discover(start, &trust::may_hold_workspace), named) {
            (Ok(metis), _) => {
                // Links on the way were followed when it was looked for.
                let real = start.canonicalize().ok();
                let below = real.as_deref().filter(|real| *real != metis.project());
                if let Some(noted) = below.and_then(|real| nearer_repository(real, metis.project()))
                    && let Some(workspace) = Self::noted(start, &noted, state_dir)?
                {
                    return Ok(workspace);
                }
                if let Some(path) = below.and_then(|real| unnamed_bare(real, Some(metis.project()))) {
                    return Err(NoFolder::NotNamed { path }.into());
                }
                let project = Project::discover(metis.path());
                let config = Config::load(metis.dir()).map_err(SyncErrorKind::from);
                Self::put_together(metis, project, Some(config), state_dir)
            }
            (Err(MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. }), Some(repo)) => {
                Self::in_bare(repo, state_dir)
            }
            (Err(err @ (MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. })), None) => {
                Self::without_config(start, state_dir, err)
            }
            (Err(err), _) => Err(err.into()),
        }
    }

    /// Where no config.toml is checked out.
    fn without_config(start: &Path, state_dir: Option<&Path>, err: MetisDirError) -> Result<Self, SyncErrorKind> {
        let around = trust::open(start).repo;
        match around.map(|repo| (repo.workdir().map(Path::to_owned), repo)) {
            Some((Some(top), _)) => Self::noted(start, &top, state_dir)?.ok_or_else(|| err.into()),
            // `.git` names it, and no checkout has such a file.
            Some((None, repo)) => Self::in_bare(repo, state_dir),
            None => Err(
                match start.canonicalize().ok().and_then(|real| unnamed_bare(&real, None)) {
                    Some(path) => NoFolder::NotNamed { path }.into(),
                    None => err.into(),
                },
            ),
        }
    }

    /// The workspace that this clone noted, or git left out of the work tree, for `start` or a folder above it, up to the work
    /// tree's `top`.
    fn noted(start: &Path, top: &Path, state_dir: Option<&Path>) -> Result<Option<Self>, SyncErrorKind> {
        let (Ok(start), Ok(top)) = (start.canonicalize(), top.canonicalize()) else {
            return Ok(None);
        };
        for folder in start.ancestors().take_while(|folder| folder.starts_with(&top)) {
            let path = folder.join(METIS_DIR);
            let is_there = path.symlink_metadata().is_ok();
            let project = Project::discover(&path);
            let place = place_of(&path, &project, state_dir);
            let Some(home) = place.in_repository().map(Path::to_owned) else {
                return Ok(None);
            };
            let is_left_out = project.leaves_out(CONFIG_FILE);
            let is_noted = is_left_out || Guard::open(place).is_ok_and(|guard| guard.notes().source.is_some());
            if !is_noted || (is_there && !trust::may_hold_workspace(folder, &path)) {
                continue;
            }
            let metis = match is_there {
                true => MetisDir::open_without_config(&path)?,
                false => MetisDir::without_folder(&home, folder)?,
            };
            let path = project.metis_path();
            return match Self::put_together(metis, project, None, state_dir) {
                // A partial clone may lack it.
                Err(SyncErrorKind::MetisDir(MetisDirError::NoConfig { .. })) if is_left_out => {
                    Err(NoFolder::LeftOut { path }.into())
                }
                Err(err) if is_left_out => Err(err),
                found => Ok(found.ok()),
            };
        }
        Ok(None)
    }

    fn in_bare(repo: Repository, state_dir: Option<&Path>) -> Result<Self, SyncErrorKind> {
        let git_dir = repo.git_dir();
        let path = git_dir.canonicalize().unwrap_or_else(|_| git_dir.to_owned());
        let project = Project::bare(repo, METIS_DIR);
        let place = place_of(&path.join(METIS_DIR), &project, state_dir);
        let home = place.in_repository().unwrap_or(&path);
        let metis = MetisDir::without_folder(home, &path)?;
        Self::put_together(metis, project, None, state_dir)
    }

    /// `checked_out`: config.toml as it is on disk.
    fn put_together(
        metis: MetisDir,
        project: Project,
        checked_out: Option<Result<Config, SyncErrorKind>>,
        state_dir: Option<&Path>,
    ) -> Result<Self, SyncErrorKind> {
        // Where the guard cannot be read, a sync stops for that.
        let guard_place = guard_place(&metis, &project, state_dir).ok();
        let guard = guard_place.clone().and_then(|place| Guard::open(place).ok());
        let notes = guard.as_ref().map(Guard::notes);
        let bare = project.bare_dir().map(Path::to_owned);
        let head = bare.as_ref().and_then(|_| project.head_branch());
        let first = notes.and_then(|notes| notes.source.clone()).or_else(|| head.clone());
        let checked_out = checked_out.or_else(|| left_out(&metis, &project));
        let mut config = match choose(first.as_deref(), checked_out, &|branch| {
            of_branch(&metis, &project, branch)
        })? {
            Some(config) => config,
            None => {
                let no_config = match bare {
                    Some(path) => NoFolder::NoConfig {
                        path,
                        branch: first.unwrap_or_else(|| "HEAD".into()),
                    },
                    None => {
                        return Err(MetisDirError::NoConfig {
                            path: metis.path().to_owned(),
                        }
                        .into());
                    }
                };
                return Err(no_config.into());
            }
        };
        if let (Some(head), Some(sync)) = (head, &mut config.sync) {
            // Nothing is checked out there; what would be, is.
            sync.source = sync
                .source
                .take()
                .filter(|source| source != WORKTREE)
                .or_else(|| Some(head.into()));
        }
        let unconfirmed = notes.map(|notes| workspace::hold_back(&mut config, &notes.confirmed));
        Ok(Workspace {
            unconfirmed: unconfirmed.unwrap_or_default(),
            former: notes.map(|notes| notes.former.clone()).unwrap_or_default(),
            retired: notes.map(|notes| notes.retired.clone()).unwrap_or_default(),
            has_conduits: notes.is_some_and(|notes| !notes.conduits.is_empty()),
            guard_place,
            metis,
            config,
            project,
            state_dir: state_dir.map(Path::to_owned),
        })
    }

    /// An error for a command that works on files where there are none.
    pub fn needs_folder(&self, command: &str) -> Result<(), SyncErrorKind> {
        match self.metis.has_folder() {
            true => Ok(()),
            false => Err(self.no_files(command)),
        }
    }

    /// Whether there is no config.toml on disk that could be written.
    pub fn has_no_file(&self) -> bool {
        self.project.bare_dir().is_some() || self.project.leaves_out(CONFIG_FILE)
    }

    /// The error of a command that works on files that are not there.
    pub fn no_files(&self, command: &str) -> SyncErrorKind {
        match self.project.leaves_out(CONFIG_FILE) {
            true => NoFolder::LeftOut {
                path: self.project.metis_path(),
            },
            false => NoFolder::NoFiles {
                command: command.to_owned(),
                branch: source_of(&self.config).unwrap_or_else(|| "HEAD".into()),
            },
        }
        .into()
    }
}

fn place_of(metis: &Path, project: &Project, state_dir: Option<&Path>) -> guard::Place {
    let repository = project.place();
    let repository = repository
        .as_ref()
        .map(|(common_dir, path)| (*common_dir, path.as_slice()));
    guard::Place::new(metis, repository, state_dir)
}

/// The top of the repository that `start`, a real path, is in, if that lies below `project`, which is another one then.
fn nearer_repository(start: &Path, project: &Path) -> Option<PathBuf> {
    let mut below = start.ancestors().take_while(|folder| *folder != project);
    below.find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// The bare repository that `start`, a real path, is in and that nothing names, if it lies below `project`, the workspace that
/// was found.
fn unnamed_bare(start: &Path, project: Option<&Path>) -> Option<PathBuf> {
    let is_below = |folder: &Path| project.is_none_or(|project| folder.starts_with(project) && folder != project);
    let mut folders = start.ancestors().take_while(|folder| is_below(folder));
    let is_like_one = folders.any(|folder| folder.join("HEAD").is_file() && folder.join("objects").is_dir());
    let repo = is_like_one.then(|| trust::open_bare(start)).flatten()?;
    let git_dir = repo.git_dir().canonicalize().ok()?;
    is_below(&git_dir).then_some(git_dir)
}
