//! `git metis-sync list`: documents of all workspaces, by what they say.

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    cache::{Filter, QueryError},
    names::Prefix,
    view::AsOf,
};

use super::{
    Exit, Global,
    completions::candidates,
    document, pager,
    render::{self, count, number},
    table::Page,
};

#[derive(Debug, Clone, Args)]
pub struct ListArgs {
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
    /// Only tasks that can be begun: in phase todo, and blocked by nothing unfinished
    #[arg(long)]
    ready: bool,
    /// Archived documents too
    #[arg(long)]
    archived: bool,
    /// Show at most this many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    lines: usize,
}

/// Lists what fits.
pub fn run(global: &Global, args: &ListArgs) -> Exit {
    let filter = Filter {
        workspaces: args.workspaces.clone(),
        kinds: args.kinds.clone(),
        phases: args.phases.clone(),
        tags: args.tags.clone(),
        ready: args.ready,
        archived: args.archived,
    };
    document::asked(global, "list", |workspace, cache| {
        for prefix in &filter.workspaces {
            cache.has_workspace(prefix)?;
        }
        let documents = cache.find(&filter)?;
        if global.json {
            let value = json!({ "as_of": AsOf::of(workspace, Timestamp::now()), "total": documents.len(), "documents": documents });
            render::print_json(&render::document("list", value));
            return Ok::<_, QueryError>(());
        }
        pager::start(global, workspace.project());
        let mut page = Page::new(global, args.lines);
        let workspaces: std::collections::BTreeSet<&str> =
            documents.iter().map(|document| document.workspace.as_str()).collect();
        if documents.len() > 1 {
            let places = match workspaces.len() {
                1 => "1 workspace".to_owned(),
                n => format!("{} workspaces", number(n)),
            };
            page.total(&format!("{} in {places}", count(documents.len())));
        }
        page.documents(&documents);
        page.end();
        Ok(())
    })
}
