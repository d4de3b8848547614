//! `hooks status`: where hooks are, and the proof that they fire.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    send_pack::connect::{self, Question},
    text::Untrusted,
};

use super::{
    environment,
    hook_file::{Found, LEGACY, beside, has_our_lines},
    install::{Configured, InstallError, configured, look},
    manager::Manager,
    repository::Repository,
    script::{self, Call, Order, Ours},
};

/// Where an event's hook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nowhere.
    None,
    /// Our lines in a hook file.
    File(PathBuf, Order),
    /// In a hook file, by the user's hand.
    ByHand(PathBuf),
    /// `hook.<name>` in the repository's configuration.
    Config(Untrusted),
    /// `hook.<name>` in the user's or the system's configuration, for all repositories.
    AllConfig(Untrusted),
    /// A manager has been told, in this file.
    Managed(Manager, PathBuf),
    /// A manager is in charge and has not been told; this would be the file.
    Untold(Manager, PathBuf),
    /// The file cannot be made out.
    Damaged(PathBuf, Untrusted),
}

/// Whether it fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It was run as git runs it, and answered.
    Fires,
    /// It was, and did not.
    Silent(Untrusted),
    /// Not tried, for this would run what is not ours.
    NotTried,
    /// There is nothing to try.
    Nothing,
}

/// Looks for the hook of `call` and tries it.
pub fn survey(repository: &Repository, call: &Call) -> Result<(Place, Proof), InstallError> {
    let event = call.event;
    let path = repository.hooks_dir.join(event.name());
    let found = look(&path)?;
    let (bytes, executable) = match &found {
        Found::File { bytes, executable } => (Some(bytes.as_slice()), *executable),
        _ => (None, false),
    };
    let prove = |commands| prove(commands, repository, call);
    match bytes.map(|bytes| script::find(bytes, call)) {
        Some(Ok(Ours::Lines(lines))) if lines.has(call) => {
            let proof = match executable {
                true => prove(hook_file(&path)),
                false => Proof::Silent("it is not executable, so git passes it over".into()),
            };
            return Ok((Place::File(path, lines.order), proof));
        }
        Some(Ok(Ours::ByHand)) => {
            let shipped = bytes == Some(call.standalone().as_bytes());
            let proof = match shipped && executable {
                true => prove(hook_file(&path)),
                false => Proof::NotTried,
            };
            return Ok((Place::ByHand(path), proof));
        }
        Some(Err(unfit)) => return Ok((Place::Damaged(path, unfit.to_string().into()), Proof::Nothing)),
        Some(Ok(Ours::No | Ours::Lines(_))) | None => {}
    }
    if let Some(Configured {
        section,
        command,
        is_own,
    }) = configured(repository, call)
    {
        let enabled = repository.any_config(&format!("{section}.enabled"));
        let proof = if !repository.has_configured_hooks()? {
            Proof::Silent("this git runs hook files only; it is older than 2.54".into())
        } else if enabled.is_some_and(|value| ["false", "no", "off", "0"].contains(&value.to_lowercase().as_str())) {
            Proof::Silent(format!("{section}.enabled is false").into())
        } else {
            prove(hook_command(&command))
        };
        let place = match is_own {
            true => Place::Config(section.into()),
            false => Place::AllConfig(section.into()),
        };
        return Ok((place, proof));
    }
    let set_aside = beside(&path, LEGACY);
    if let Some(Manager::PreCommit) = Manager::of(None, &repository.hooks_dir, bytes)
        && has_our_lines(&look(&set_aside)?, call)
    {
        let proof = prove(hook_file(&set_aside));
        return Ok((Place::File(set_aside, Order::Before), proof));
    }
    let top = repository.top.as_deref().unwrap_or(&repository.run_dir);
    Ok(
        match Manager::of(repository.top.as_deref(), &repository.hooks_dir, bytes) {
            Some(manager) if manager.calls_us(top, call) => {
                (Place::Managed(manager, manager.config(top, call)), Proof::NotTried)
            }
            Some(manager) => (Place::Untold(manager, manager.config(top, call)), Proof::Nothing),
            None => (Place::None, Proof::Nothing),
        },
    )
}

/// As git runs a file: one without a `#!` line is one for `sh`.
fn hook_file(path: &Path) -> Vec<Question> {
    vec![connect::ask(path), connect::ask("sh").arg(path)]
}

/// As git runs a configured command.
fn hook_command(command: &str) -> Vec<Question> {
    vec![connect::ask("sh").arg("-c").arg(command)]
}

/// Runs the first of the commands that the system can run, and compares what it says.
fn prove(commands: Vec<Question>, repository: &Repository, call: &Call) -> Proof {
    let nonce = format!("{:016x}", fastrand::u64(..));
    // Each workspace answers for itself.
    let folder = call.folder.as_deref().unwrap_or(Path::new("."));
    let answer = environment::answer(&nonce, call.event, &repository.run_dir.join(folder));
    for command in commands {
        let asked = command
            .in_folder(&repository.run_dir)
            .env(environment::PROBE, &nonce)
            .called("it");
        let said = asked.answer().map(|output| output.stdout);
        match said {
            Ok(said) if said.split(|byte| *byte == b'\n').any(|line| line == answer.as_bytes()) => return Proof::Fires,
            Ok(_) => {
                return Proof::Silent(
                    "it was run and did not answer: is git-metis-sync in the PATH that hooks see?".into(),
                );
            }
            Err(err) if err.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {}
            Err(err) if err.kind() == io::ErrorKind::TimedOut => return Proof::Silent(err.to_string().into()),
            Err(err) => return Proof::Silent(format!("it cannot be run: {err}").into()),
        }
    }
    Proof::Silent("the system cannot run it".into())
}
