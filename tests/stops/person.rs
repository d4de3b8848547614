//! Whoever types commands in a project.

use std::process::Command;

use metis_sync::sync::stop::Stop;

use super::Stopped;
use crate::support::{
    process::{Finished, run},
    team::Checkout,
    workspace::Workspace,
};

/// Somebody who types commands in a project.
pub trait Person {
    /// A program, in the project.
    fn program(&self, name: &str) -> Command;
    /// `git-metis-sync` with these arguments.
    fn asks(&self, args: &[&str]) -> Finished;

    /// A sync that must stop like this.
    #[track_caller]
    fn sync_stops(&self, stop: Stop) -> Stopped {
        Stopped::of(&self.asks(&["--json", "sync"]), stop)
    }

    /// Another command that must.
    #[track_caller]
    fn stops(&self, args: &[&str], stop: Stop) -> Stopped {
        Stopped::of(&self.asks(&[&["--json"], args].concat()), stop)
    }

    /// A sync that must go through.
    #[track_caller]
    fn goes_through(&self) {
        let finished = self.asks(&["sync"]);
        assert_eq!(finished.code, Some(0), "{}", finished.transcript());
    }

    /// Types a line, which must succeed.
    #[track_caller]
    fn types(&self, line: &str) -> String {
        let mut shell = self.program("sh");
        shell.args(["-c", line]);
        run(shell).success()
    }
}

impl Person for Workspace {
    fn program(&self, name: &str) -> Command {
        let built = std::path::Path::new(env!("CARGO_BIN_EXE_git-metis-sync"));
        with_program(Workspace::program(self, name), built)
    }

    fn asks(&self, args: &[&str]) -> Finished {
        self.run(args)
    }
}

impl Person for Checkout {
    fn program(&self, name: &str) -> Command {
        Checkout::program(self, name)
    }

    fn asks(&self, args: &[&str]) -> Finished {
        self.run(args)
    }
}

/// `git metis-sync` works for whoever has the program in PATH.
fn with_program(mut command: Command, built: &std::path::Path) -> Command {
    let path = command.get_envs().find(|(name, _)| *name == "PATH");
    let path = path.and_then(|(_, value)| value).unwrap_or_default().to_os_string();
    let mut with = built.parent().expect("a folder").as_os_str().to_owned();
    with.push(":");
    with.push(path);
    command.env("PATH", with);
    command
}
