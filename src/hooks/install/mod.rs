//! `hooks install` and `hooks uninstall`: what to do with each hook file, and doing it.

mod configured;
mod plan;

use std::{
    io,
    path::{Path, PathBuf},
};

use self::{
    configured::{configure, plain_section},
    plan::{Plan, apply, plan_install, plan_uninstall},
};
use super::{
    hook_file::{self, Found, LEGACY, OLD, beside, has_our_lines},
    manager::Manager,
    repository::{Repository, RepositoryError},
    script::{self, Call, Order, Ours, Unfit},
};
use crate::text::{Untrusted, shown};

pub(super) use self::configured::{Configured, configured};

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Where our lines come to run in a file that has others.
    pub order: Order,
    /// Also into a folder outside the repository that `core.hooksPath` names.
    pub shared: bool,
    /// Into the repository's configuration instead of hook files; git 2.54.
    pub configured: bool,
}

/// What came of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new file.
    Created(PathBuf),
    /// Lines in a file that was there.
    Inserted(PathBuf),
    /// It was like this already.
    Unchanged(PathBuf),
    /// The user calls us from there by hand.
    ByHand(PathBuf),
    /// Written to the repository's configuration.
    Configured(Untrusted),
    /// A program that manages hooks is in charge; it has been told already.
    Managed(Manager, PathBuf),
    /// The same, and the user has yet to tell it.
    ForManager {
        /// Which.
        manager: Manager,
        /// Where.
        config: PathBuf,
        /// What.
        snippet: String,
    },
    /// Nothing was changed.
    Refused {
        /// The hook file, or where it would be.
        path: PathBuf,
        /// Why.
        why: Refusal,
        /// What the user can write there.
        snippet: String,
    },
    /// Our lines were taken out.
    Restored(PathBuf),
    /// Our lines stay, for other workspaces of the repository.
    Withdrawn(PathBuf),
    /// The file was ours and is gone.
    Removed(PathBuf),
    /// Taken out of the repository's configuration.
    Unconfigured(Untrusted),
}

impl Outcome {
    /// Whether a push or pull now starts a sync.
    pub fn is_installed(&self) -> bool {
        !matches!(self, Outcome::ForManager { .. } | Outcome::Refused { .. })
    }
}

/// Why a hook was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Refusal {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("the hook is not executable; git ignores it, so it was left alone. `chmod +x` has git run it")]
    SwitchedOff,
    #[error("it is no file")]
    NoFile,
    #[error(
        "core.hooksPath leads out of this repository, to hooks that others may use too; --shared says that this is meant"
    )]
    Shared,
    #[error("a symbolic link leads out of this repository")]
    LinkOut,
    #[error("this git runs hook files only; hooks in the configuration need git 2.54 or later")]
    OldGit,
    #[error("it is installed as a hook file already; `git metis-sync hooks uninstall` first")]
    InFile,
    #[error("it is installed in the repository's configuration already; `git metis-sync hooks uninstall` first")]
    InConfig,
}

/// Why installing stopped.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// git has no answer.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The system said no.
    #[error("cannot {action} {}: {source}", shown(path))]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// Puts `call` in place.
pub fn install(repository: &Repository, call: &Call, wish: &Wish) -> Result<Outcome, InstallError> {
    let path = repository.hooks_dir.join(call.event.name());
    let refused = |why| Outcome::Refused {
        path: path.clone(),
        why,
        snippet: call.careful_line(),
    };
    let found = look(&path)?;
    let configured = configured(repository, call);
    if let Some(Configured {
        section, is_own: false, ..
    }) = &configured
        && repository.has_configured_hooks()?
    {
        return Ok(Outcome::ByHand(format!("git's configuration ({section})").into()));
    }
    let configured = configured.filter(|configured| configured.is_own);
    if wish.configured {
        return configure(repository, call, &found, configured).map(|done| done.unwrap_or_else(refused));
    }
    if configured.is_some() {
        return Ok(refused(Refusal::InConfig));
    }
    let bytes = match &found {
        Found::File { bytes, .. } => Some(bytes.as_slice()),
        _ => None,
    };
    if let Some(manager) = Manager::of(repository.top.as_deref(), &repository.hooks_dir, bytes) {
        let top = repository.top.as_deref().unwrap_or(&repository.run_dir);
        let config = manager.config(top, call);
        if manager == Manager::PreCommit
            && let set_aside = beside(&path, LEGACY)
            && has_our_lines(&look(&set_aside)?, call)
        {
            return Ok(Outcome::Unchanged(set_aside));
        }
        return Ok(match manager.calls_us(top, call) {
            true => Outcome::Managed(manager, config),
            false => Outcome::ForManager {
                manager,
                config,
                snippet: manager.snippet(call),
            },
        });
    }
    let plan = plan_install(&found, call, wish.order);
    if matches!(plan, Plan::Create(_) | Plan::Replace(_))
        && let Some(why) = leads_out(repository, &path, wish.shared)
    {
        return Ok(refused(why));
    }
    let outcome = match &plan {
        Plan::Create(_) => Outcome::Created(path.clone()),
        Plan::Replace(_) => Outcome::Inserted(path.clone()),
        Plan::ByHand => Outcome::ByHand(path.clone()),
        Plan::Nothing | Plan::Remove | Plan::Shorten(_) => Outcome::Unchanged(path.clone()),
        Plan::Refuse(why) => refused(why.clone()),
    };
    apply(&path, plan)?;
    Ok(outcome)
}

/// Takes out what [`install()`] put in place for `call`, wherever that may have been; nothing if there is nothing. What other
/// workspaces of the repository have put there stays, unless `all` is to go.
pub fn uninstall(repository: &Repository, call: &Call, all: bool) -> Result<Vec<Outcome>, InstallError> {
    let mut outcomes = Vec::new();
    // Since then `core.hooksPath` may have come or gone.
    let mut dirs = vec![repository.hooks_dir.clone()];
    let default = repository.common_dir.join("hooks");
    if default.canonicalize().ok() != repository.hooks_dir.canonicalize().ok() {
        dirs.push(default);
    }
    let files = dirs.into_iter().map(|dir| dir.join(call.event.name()));
    for path in files.flat_map(|path| [beside(&path, LEGACY), beside(&path, OLD), path]) {
        let plan = plan_uninstall(&look(&path)?, call, all);
        outcomes.extend(match &plan {
            Plan::Remove => Some(Outcome::Removed(path.clone())),
            Plan::Replace(_) => Some(Outcome::Restored(path.clone())),
            Plan::Shorten(_) => Some(Outcome::Withdrawn(path.clone())),
            Plan::Refuse(why) => Some(Outcome::Refused {
                path: path.clone(),
                why: why.clone(),
                snippet: String::new(),
            }),
            Plan::ByHand => Some(Outcome::ByHand(path.clone())),
            Plan::Create(_) | Plan::Nothing => None,
        });
        apply(&path, plan)?;
    }
    let sections = match all {
        true => repository.sections(&plain_section(call.event))?,
        false => configured(repository, call)
            .filter(|configured| configured.is_own)
            .map(|configured| configured.section)
            .into_iter()
            .collect(),
    };
    for section in sections {
        repository.remove_section(&section)?;
        outcomes.push(Outcome::Unconfigured(section.into()));
    }
    Ok(outcomes)
}

/// Whether there are lines of ours for workspaces other than those of `calls`.
pub fn others(repository: &Repository, calls: &[Call]) -> Result<bool, InstallError> {
    for call in calls {
        let Found::File { bytes, .. } = look(&repository.hooks_dir.join(call.event.name()))? else {
            continue;
        };
        if matches!(script::find(&bytes, call), Ok(Ours::Lines(lines)) if !lines.has(call))
            || !repository.sections(&plain_section(call.event))?.is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Why not to write there.
fn leads_out(repository: &Repository, path: &Path, shared: bool) -> Option<Refusal> {
    if !repository.contains(&repository.hooks_dir) {
        return match (repository.redirected, shared) {
            (true, true) => None,
            (true, false) => Some(Refusal::Shared),
            (false, _) => Some(Refusal::LinkOut),
        };
    }
    (!repository.contains(path)).then_some(Refusal::LinkOut)
}

pub(super) fn look(path: &Path) -> Result<Found, InstallError> {
    hook_file::look(path).map_err(|source| InstallError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}
