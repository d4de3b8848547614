//! The options that say which documents are meant.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::completions::candidates;
use crate::{cache::Filter, names::Prefix};

// What `list`, `search` and the like leave out. As a doc comment it would be what their help begins with.
#[derive(Debug, Clone, Args)]
pub struct FilterArgs {
    /// Only this workspace (all filters may be repeated)
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
    /// Only in this collection
    #[arg(long = "collection", value_name = "TITLE", add = ArgValueCompleter::new(candidates::collections))]
    collections: Vec<String>,
    /// Only what is this person's to do
    #[arg(long = "assigned", value_name = "WHO", add = ArgValueCompleter::new(candidates::assigned))]
    assigned: Vec<String>,
    /// Archived documents too
    #[arg(long)]
    archived: bool,
}

impl FilterArgs {
    /// `ready`: only tasks that can be begun.
    pub fn filter(&self, ready: bool) -> Filter {
        Filter {
            workspaces: self.workspaces.clone(),
            kinds: self.kinds.clone(),
            phases: self.phases.clone(),
            tags: self.tags.clone(),
            collections: self.collections.clone(),
            assigned: self.assigned.clone(),
            ready,
            archived: self.archived,
        }
    }
}
