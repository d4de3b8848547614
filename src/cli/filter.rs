//! The options that say which documents are meant.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::completions::candidates;
use crate::{
    cache::Filter,
    names::Prefix,
    sync::{self, Workspace},
};

/// What `list` and `search` leave out.
#[derive(Debug, Clone, Args)]
pub struct FilterArgs {
    /// Only this workspace (may be repeated, like all filters; one of them has to fit)
    #[arg(long = "workspace", value_name = "P", add = ArgValueCompleter::new(candidates::workspaces))]
    workspaces: Vec<Prefix>,
    /// Only this type: vision, initiative, task, adr, …
    #[arg(long = "type", value_name = "TYPE", add = ArgValueCompleter::new(candidates::kinds))]
    kinds: Vec<String>,
    /// Only this phase: todo, active, completed, …
    #[arg(long = "phase", value_name = "PHASE", add = ArgValueCompleter::new(candidates::phases))]
    phases: Vec<String>,
    /// Only with this tag; of several, with all of them
    #[arg(long = "tag", value_name = "TAG", add = ArgValueCompleter::new(candidates::tags))]
    tags: Vec<String>,
    /// Archived documents too
    #[arg(long)]
    archived: bool,
}

impl FilterArgs {
    /// `ready`: only tasks that can be begun. Tags that are shared records count as those that a document has itself.
    pub fn filter(&self, workspace: &Workspace, ready: bool) -> Filter {
        Filter {
            tagged: sync::tagged(workspace, &self.tags),
            workspaces: self.workspaces.clone(),
            kinds: self.kinds.clone(),
            phases: self.phases.clone(),
            tags: self.tags.clone(),
            ready,
            archived: self.archived,
        }
    }
}
