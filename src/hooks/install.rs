//! `hooks install` and `hooks uninstall`: what to do with each hook file, and doing it.

use std::{
    fs, io,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    Event,
    hook_file::{self, Found, LEGACY, OLD, beside, has_our_lines},
    manager::Manager,
    repository::{Repository, RepositoryError},
    script::{self, Call, Order, Ours, Unfit},
};
use crate::text::shown;

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
    Configured(String),
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
    Unconfigured(String),
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

/// What to do with it.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Create(Vec<u8>),
    Replace(Vec<u8>),
    /// With what other workspaces have there.
    Shorten(Vec<u8>),
    Remove,
    Nothing,
    ByHand,
    Refuse(Refusal),
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
        outcomes.push(Outcome::Unconfigured(section));
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

/// A section of git's configuration that calls for a workspace.
pub(super) struct Configured {
    pub section: String,
    pub command: String,
    /// Whether it is the repository's own, not the user's for all repositories.
    pub is_own: bool,
}

/// The sections that a call may have, the right one first. Each event and each workspace has a name for itself, since git does
/// not tell a command which event it is. In the first version it was the event's alone.
fn sections(call: &Call) -> Vec<String> {
    let plain = plain_section(call.event);
    match &call.folder {
        None => vec![plain],
        Some(folder) => vec![format!("{plain}:{}", name_of(folder)), plain],
    }
}

fn plain_section(event: Event) -> String {
    format!("hook.metis-sync-{event}")
}

/// A folder as part of a section's name, which may have no line end in it.
fn name_of(folder: &Path) -> String {
    let mut name = String::new();
    for byte in folder.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b' ' => name.push(char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => name.push(char::from(*byte)),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name
}

/// What git's configuration has for `call`.
pub(super) fn configured(repository: &Repository, call: &Call) -> Option<Configured> {
    sections(call).into_iter().find_map(|section| {
        let key = format!("{section}.command");
        let own = repository.config(&key);
        let is_own = own.is_some();
        let command = own.or_else(|| repository.any_config(&key))?;
        script::calls_us(command.as_bytes(), call).then_some(Configured {
            section,
            command,
            is_own,
        })
    })
}

fn configure(
    repository: &Repository,
    call: &Call,
    found: &Found,
    configured: Option<Configured>,
) -> Result<Result<Outcome, Refusal>, InstallError> {
    if !repository.has_configured_hooks()? {
        return Ok(Err(Refusal::OldGit));
    }
    let in_file = match found {
        Found::File { bytes, .. } => match script::find(bytes, call) {
            Ok(Ours::No) => false,
            Ok(Ours::Lines(lines)) => lines.has(call),
            Ok(Ours::ByHand) | Err(_) => true,
        },
        Found::Missing | Found::NoFile => false,
    };
    if in_file {
        return Ok(Err(Refusal::InFile));
    }
    // git puts the hook's arguments behind it.
    let command = call.careful();
    let section = match configured {
        Some(configured) if configured.command == command => {
            return Ok(Ok(Outcome::Unchanged(configured.section.into())));
        }
        Some(configured) => configured.section,
        None => sections(call).swap_remove(0),
    };
    repository.set_config(&format!("{section}.command"), &command)?;
    repository.set_config(&format!("{section}.event"), call.event.name())?;
    Ok(Ok(Outcome::Configured(section)))
}

fn plan_install(found: &Found, call: &Call, order: Order) -> Plan {
    let (bytes, executable) = match found {
        Found::Missing => return Plan::Create(script::created(call)),
        Found::NoFile => return Plan::Refuse(Refusal::NoFile),
        Found::File { bytes, executable } => (bytes, *executable),
    };
    if !executable {
        return Plan::Refuse(Refusal::SwitchedOff);
    }
    let with_lines = match script::find(bytes, call) {
        Ok(Ours::ByHand) => return Plan::ByHand,
        Ok(Ours::No) => script::inserted(bytes, call, order),
        Ok(Ours::Lines(lines)) => lines.with(call, order),
        Err(unfit) => Err(unfit),
    };
    match with_lines {
        Ok(new) if new == *bytes => Plan::Nothing,
        Ok(new) => Plan::Replace(new),
        Err(unfit) => Plan::Refuse(unfit.into()),
    }
}

fn plan_uninstall(found: &Found, call: &Call, all: bool) -> Plan {
    let Found::File { bytes, .. } = found else {
        return Plan::Nothing;
    };
    let lines = match script::find(bytes, call) {
        Ok(Ours::Lines(mut lines)) if all => {
            lines.targets = vec![call.target()];
            lines
        }
        Ok(Ours::Lines(lines)) if lines.has(call) => lines,
        Ok(Ours::No | Ours::Lines(_)) => return Plan::Nothing,
        Ok(Ours::ByHand) => return Plan::ByHand,
        Err(unfit) => return Plan::Refuse(unfit.into()),
    };
    match lines.without(call) {
        Ok(None) => Plan::Remove,
        Ok(Some(rest)) if lines.targets.len() == 1 => Plan::Replace(rest),
        Ok(Some(rest)) => Plan::Shorten(rest),
        Err(unfit) => Plan::Refuse(unfit.into()),
    }
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

fn apply(path: &Path, plan: Plan) -> Result<(), InstallError> {
    let fail = |action| {
        move |source| InstallError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    };
    match plan {
        Plan::Create(bytes) => {
            let dir = path.parent().unwrap_or(path);
            fs::create_dir_all(dir).map_err(fail("create the folder of"))?;
            hook_file::write(path, &bytes, 0o755).map_err(fail("write"))
        }
        Plan::Replace(bytes) | Plan::Shorten(bytes) => {
            let target = path.canonicalize().map_err(fail("find"))?;
            let mode = fs::metadata(&target).map_err(fail("read"))?.permissions().mode();
            hook_file::write(&target, &bytes, mode).map_err(fail("write"))
        }
        Plan::Remove => fs::remove_file(path).map_err(fail("remove")),
        Plan::Nothing | Plan::ByHand | Plan::Refuse(_) => Ok(()),
    }
}

pub(super) fn look(path: &Path) -> Result<Found, InstallError> {
    hook_file::look(path).map_err(|source| InstallError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        Call {
            event: Event::PrePush,
            folder: None,
        }
    }

    fn file(text: &str) -> Found {
        Found::File {
            bytes: text.into(),
            executable: true,
        }
    }

    fn installed(found: &Found, order: Order) -> Found {
        match plan_install(found, &call(), order) {
            Plan::Create(bytes) | Plan::Replace(bytes) => Found::File {
                bytes,
                executable: true,
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn twice_is_once() {
        for found in [Found::Missing, file("#!/bin/sh\nmake\n")] {
            let once = installed(&found, Order::Before);
            assert_eq!(plan_install(&once, &call(), Order::Before), Plan::Nothing);
        }
    }

    #[test]
    fn the_order_can_be_changed_afterwards() {
        let mine = file("#!/bin/sh\nmake\n");
        let after = installed(&installed(&mine, Order::Before), Order::After);
        assert_eq!(after, installed(&mine, Order::After));
        assert_eq!(
            plan_uninstall(&after, &call(), false),
            Plan::Replace(b"#!/bin/sh\nmake\n".to_vec())
        );
    }

    #[test]
    fn uninstalling_leaves_what_is_not_ours() {
        assert_eq!(plan_uninstall(&Found::Missing, &call(), false), Plan::Nothing);
        assert_eq!(plan_uninstall(&file("#!/bin/sh\n"), &call(), false), Plan::Nothing);
        assert_eq!(
            plan_uninstall(&installed(&Found::Missing, Order::After), &call(), false),
            Plan::Remove
        );
        assert_eq!(
            plan_uninstall(&file("git metis-sync hooks run pre-push\n"), &call(), false),
            Plan::ByHand
        );
    }

    #[test]
    fn uninstalling_leaves_other_workspaces_alone() {
        let in_folder = |folder: &str| Call {
            folder: Some(folder.into()),
            ..call()
        };
        let (api, web) = (in_folder("api"), in_folder("web"));
        let Plan::Create(bytes) = plan_install(&Found::Missing, &api, Order::Before) else {
            panic!("there was nothing");
        };
        let one = file(std::str::from_utf8(&bytes).unwrap());
        let Plan::Replace(both) = plan_install(&one, &web, Order::Before) else {
            panic!("one more");
        };
        let two = file(std::str::from_utf8(&both).unwrap());
        assert_eq!(plan_uninstall(&two, &web, false), Plan::Shorten(bytes));
        assert_eq!(plan_uninstall(&one, &web, false), Plan::Nothing);
        assert_eq!(plan_uninstall(&one, &api, false), Plan::Remove);
        assert_eq!(plan_uninstall(&two, &call(), true), Plan::Remove);
    }

    #[test]
    fn a_section_has_a_name_without_line_ends() {
        let call = Call {
            folder: Some("a\nb/c:d".into()),
            ..call()
        };
        assert_eq!(
            sections(&call),
            ["hook.metis-sync-pre-push:a%0ab/c%3ad", "hook.metis-sync-pre-push"]
        );
    }

    #[test]
    fn what_is_switched_off_stays_off() {
        let off = Found::File {
            bytes: b"#!/bin/sh\n".to_vec(),
            executable: false,
        };
        assert_eq!(
            plan_install(&off, &call(), Order::Before),
            Plan::Refuse(Refusal::SwitchedOff)
        );
        assert_eq!(
            plan_install(&Found::NoFile, &call(), Order::Before),
            Plan::Refuse(Refusal::NoFile)
        );
    }
}
