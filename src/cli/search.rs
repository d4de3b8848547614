//! `git metis-sync search`: documents of all workspaces by their words.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    cache::{Hits, Sought},
    sync::{self, Workspace},
    view::AsOf,
};

use super::{
    Exit, Global, document,
    filter::FilterArgs,
    pager,
    render::{self, ago, count},
    table::Page,
};

#[derive(Debug, Clone, Args)]
pub struct SearchArgs {
    /// Words that a document must have, all of them; "several words" in quotes stand together, and pre* begins a word
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    #[command(flatten)]
    which: FilterArgs,
    /// Show at most this many documents, the best ones
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

/// Shows what fits, best first. As with `git grep`, the exit code says whether anything does.
pub fn run(global: &Global, args: &SearchArgs) -> Exit {
    // An argument with spaces in it was quoted for the shell, and its words are words all the same.
    let text = args.text.join(" ");
    document::asked_of(global, "search", |workspace, guard| {
        let filter = args.which.filter(false);
        let sought = Sought::parse(&text);
        if sought.is_none() && global.talks() {
            mention!("warning: only letters and digits are searched for, and there are none in what is sought");
        }
        let hits = sync::search(workspace, guard, sought.as_ref(), &filter, args.limit as usize)?;
        show(global, workspace, &hits);
        Ok(if hits.total == 0 { Exit::Error } else { Exit::Ok })
    })
}

fn show(global: &Global, workspace: &Workspace, hits: &Hits) {
    let as_of = AsOf::of(workspace, Timestamp::now());
    if global.json {
        let value = json!({ "as_of": as_of, "total": hits.total, "documents": hits.documents });
        render::print_json(&render::document("search", value));
        return;
    }
    if !global.talks() {
        return;
    }
    if hits.total == 0 {
        let age = as_of
            .seconds_ago
            .map(|seconds| format!(" as of the last sync, {}", ago(seconds)));
        mention!(
            "Nothing found{}. `git metis-sync rebuild-cache` takes in what was written here since.",
            age.unwrap_or_default()
        );
        return;
    }
    pager::start(global, workspace.project());
    let mut page = Page::new(global, usize::MAX);
    let total = usize::try_from(hits.total).unwrap_or(usize::MAX);
    if total > 1 {
        let shown = hits.documents.len();
        let best = if shown < total {
            format!(", the best {shown} of them:")
        } else {
            String::new()
        };
        page.total(&format!("{}{best}", count(total)));
    }
    page.found(&hits.documents);
}
