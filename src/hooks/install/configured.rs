//! Calls in git's configuration, which git 2.54 runs like hook files.

use std::{os::unix::ffi::OsStrExt, path::Path};

use super::{
    super::{
        Event,
        hook_file::Found,
        repository::Repository,
        script::{self, Call, Ours},
    },
    InstallError, Outcome, Refusal,
};

/// A section of git's configuration that calls for a workspace.
pub struct Configured {
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

/// The section of the workspace where git runs the hook.
pub(super) fn plain_section(event: Event) -> String {
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
pub fn configured(repository: &Repository, call: &Call) -> Option<Configured> {
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

/// Puts `call` into the configuration, where `configured` is what it has.
pub(super) fn configure(
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
    Ok(Ok(Outcome::Configured(section.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_a_name_without_line_ends() {
        let call = Call {
            folder: Some("a\nb/c:d".into()),
            event: Event::PrePush,
        };
        assert_eq!(
            sections(&call),
            ["hook.metis-sync-pre-push:a%0ab/c%3ad", "hook.metis-sync-pre-push"]
        );
    }
}
