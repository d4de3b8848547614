//! Syncing by itself when git pushes, merges, rebases or commits.
//!
//! A hook file has a few lines of shell that say `git metis-sync hooks run <event>`. Three processes are behind that:
//!
//! ```text
//! git push ─→ hook file ─→ hooks run        decides in milliseconds, starts the worker, does not wait for it
//!                              └─→ worker   own session, clean environment, output to .metis/.sync/hook.log
//!                                    └─ sync   when git push has ended: what has arrived
//! ```
//!
//! The worker is a process of its own because git hands its hooks an environment that is about *its* repository and
//! *its* transaction (`GIT_DIR`, an index, a quarantine, an author), which the sync must not see, and because git and
//! whoever reads git's output wait until nobody has that output open any more. In a session without a terminal nothing
//! can ask for a password either.
//!
//! The hook fires in the middle of git's command, which may still fail, or be a dry run. So the worker waits until the command
//! that the user typed has ended, and syncs what has arrived in the project's source branch then.
//!
//! Only `git push` with `[sync.hooks] blocking = true` waits for a worker and fails with it: that one syncs what the push is about
//! to bring to the source branch. git ignores how the other hooks end, so waiting for them would be for nothing.
//!
//! - [`script`]: the lines in a hook file, put in and taken out; pure
//! - [`manager`]: husky, lefthook and pre-commit, and what to tell them; pure but for one look at the folder
//! - [`repository`]: where git looks for hooks, asked of git itself, since it is the user's git that will run them
//! - [`install`]: `hooks install` and `uninstall`
//! - [`status`]: `hooks status`, with proof
//! - [`fire`]: `hooks run`: what git's command waits for
//! - [`environment`]: variables that say what a hook is to do, and those that the worker gets
//! - [`run`]: the workspace that a hook is for, and the worker's start
//! - [`process`]: git's command among the processes above a hook, and whether a process still runs
//! - [`pushed`]: what a push brings to the source branch
//! - [`work`]: what the worker does
//! - [`worker`]: many hooks at once become one sync after the other
//! - [`last_run`]: what the worker came to, for the next hook to tell

use std::{fmt, str::FromStr};

pub mod environment;
pub mod fire;
mod hook_file;
pub mod install;
pub mod last_run;
pub mod manager;
pub mod notify;
pub mod process;
pub mod publish;
pub mod pushed;
pub mod repository;
pub mod run;
pub mod script;
pub mod status;
pub mod work;
pub mod worker;

/// The events of git's that can start a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Before `git push` sends anything.
    PrePush,
    /// After `git merge` and a `git pull` that merges or fast-forwards.
    PostMerge,
    /// After `git rebase`, a `git pull` that rebases, and `git commit --amend`.
    PostRewrite,
    /// After `git commit`.
    PostCommit,
}

impl Event {
    /// All of them.
    pub const ALL: [Event; 4] = [Event::PrePush, Event::PostMerge, Event::PostRewrite, Event::PostCommit];
    /// Those that `hooks install` sets up unless told otherwise: own changes go out with a push, others' come in with a pull.
    pub const DEFAULT: [Event; 2] = [Event::PrePush, Event::PostMerge];

    /// git's name for it, which is that of the hook file.
    pub fn name(self) -> &'static str {
        match self {
            Event::PrePush => "pre-push",
            Event::PostMerge => "post-merge",
            Event::PostRewrite => "post-rewrite",
            Event::PostCommit => "post-commit",
        }
    }

    /// Whether git's command fails when the hook does.
    pub fn can_block(self) -> bool {
        self == Event::PrePush
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name of no event that can start a sync.
#[derive(Debug, thiserror::Error)]
#[error("there is no hook for this event; there are pre-push, post-merge, post-rewrite and post-commit")]
pub struct UnknownEvent;

impl FromStr for Event {
    type Err = UnknownEvent;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Event::ALL
            .into_iter()
            .find(|event| event.name() == name)
            .ok_or(UnknownEvent)
    }
}
