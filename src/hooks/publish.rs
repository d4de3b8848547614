//! What was written as a shared record goes to central at once where that can be reached, in a process that nobody waits for.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use super::environment::{self, Signal};
use crate::sync::{self, Workspace};

/// `later` has records wait for the next sync.
pub const WHEN: &str = "METIS_SYNC_RECORDS";

/// Starts the exchange and leaves it to itself. What it cannot send stays here for the next sync, so nothing is told of it.
pub fn start(workspace: &Workspace) {
    let env = |name: &str| std::env::var_os(name);
    let is_wanted = environment::signal(&env) == Signal::Sync && env(WHEN).is_none_or(|when| when != "later");
    let can_be_sent = workspace.config().sync.is_some() && workspace.metis().has_folder();
    let waits = || sync::outbox(workspace).is_some_and(|outbox| outbox.unpublished > 0 && !outbox.refused);
    if is_wanted && can_be_sent && waits() {
        let _ = spawn(workspace);
    }
}

fn spawn(workspace: &Workspace) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("-C")
        .arg(workspace.metis().project())
        .args(["records", "--alone"])
        .current_dir(workspace.metis().project())
        .env_clear()
        .envs(environment::kept())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C is not meant for it.
        .process_group(0);
    command.spawn().map(drop)
}
