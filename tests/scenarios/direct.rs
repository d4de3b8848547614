//! The library as another program uses it: the sync called here, in this process.
//!
//! Git's user-wide configuration is then the tester's, and nothing that is asserted depends on it. Objects and state lie
//! where they do for the person of the story, who also runs the program.

use std::path::Path;

use metis_sync::sync::{self, Progress, Step, SyncError, SyncOptions, SyncReport};

use crate::support::workspace::Workspace;

/// The steps of a sync as they came, each once.
#[derive(Default)]
pub struct Steps<'a> {
    pub seen: Vec<&'static str>,
    /// Called at each step.
    pub at: Option<&'a mut dyn FnMut(Step)>,
}

impl Progress for Steps<'_> {
    fn step(&mut self, step: Step) {
        let name = match step {
            // For the lock, which is free.
            Step::Waiting => return,
            Step::Listing => "list",
            Step::Fetching { .. } => "fetch",
            Step::Hydrating { .. } => "hydrate",
            Step::Dehydrating => "dehydrate",
            Step::Pushing => "push",
            Step::Retrying { .. } => "retry",
            Step::RebuildingCache => "cache",
            Step::Scanning => "scan",
            Step::Copying { .. } => "copy",
        };
        if self.seen.last() != Some(&name) {
            self.seen.push(name);
        }
        if let Some(at) = &mut self.at {
            at(step);
        }
    }
}

pub fn options(workspace: &Workspace) -> SyncOptions {
    SyncOptions {
        cache_dir: Some(workspace.home.join(".cache")),
        ..SyncOptions::default()
    }
}

pub fn opened(workspace: &Workspace) -> sync::Workspace {
    let inside: &Path = &workspace.metis();
    let state_dir = workspace.home.join(".local/state");
    sync::Workspace::discover_with_state(inside, Some(&state_dir)).expect("it is one")
}

pub fn sync(workspace: &Workspace) -> Result<SyncReport, SyncError> {
    sync::sync(&opened(workspace), &options(workspace), &mut ())
}

/// A sync that must succeed, with its steps.
#[track_caller]
pub fn sync_in_steps(workspace: &Workspace) -> (SyncReport, Vec<&'static str>) {
    let mut steps = Steps::default();
    let report = sync::sync(&opened(workspace), &options(workspace), &mut steps);
    (report.unwrap_or_else(|err| panic!("{err}")), steps.seen)
}
