//! `git metis-sync list`: documents of all workspaces, by what they say.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::{cache::QueryError, view::AsOf};

use super::{
    Exit, Global, document,
    filter::FilterArgs,
    pager,
    render::{self, count, number},
    table::Page,
};

#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    #[command(flatten)]
    which: FilterArgs,
    /// Only tasks that can be begun: in phase todo, and blocked by nothing unfinished
    #[arg(long)]
    ready: bool,
    /// Show at most this many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    lines: usize,
}

/// Lists what fits.
pub fn run(global: &Global, args: &ListArgs) -> Exit {
    document::asked(global, "list", |workspace, cache| {
        let filter = args.which.filter(args.ready);
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
            documents.iter().map(|document| document.workspace.raw()).collect();
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
