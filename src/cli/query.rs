//! `git metis-sync query`: questions to metis.db.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicBool},
};

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::{
    cache::{Cache, QueryError},
    names::{Prefix, ShortCode},
    service::{self, NotTaken},
    sync::{self, Workspace},
    text::UntrustedName,
    view::AsOf,
};

use super::{
    Exit, Global,
    completions::candidates,
    document,
    filter::FilterArgs,
    pager, records,
    render::{self, count, number},
    sync::options,
    table::Page,
};

#[derive(Debug, Clone, Args)]
pub struct QueryArgs {
    #[command(subcommand)]
    question: Question,
    /// Show at most this many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000, global = true)]
    lines: usize,
}

#[derive(Debug, Clone, Subcommand)]
enum Question {
    /// Documents whose parent this is
    Children {
        #[arg(add = ArgValueCompleter::new(candidates::codes))]
        code: ShortCode,
    },
    /// What a document blocks, and what blocks it
    Blocks {
        #[arg(add = ArgValueCompleter::new(candidates::codes))]
        code: ShortCode,
    },
    /// How far the documents below this one are
    Progress {
        #[arg(add = ArgValueCompleter::new(candidates::codes))]
        code: ShortCode,
    },
    /// The chain of parents
    Upstream {
        #[arg(add = ArgValueCompleter::new(candidates::codes))]
        code: ShortCode,
    },
    /// Tasks that can be begun and that nobody has claimed: what `claim --next` takes from
    Ready(FilterArgs),
    /// All workspaces, or the documents of one
    Workspace {
        #[arg(add = ArgValueCompleter::new(candidates::workspaces))]
        prefix: Option<Prefix>,
    },
}

/// Answers a question from the workspace's metis.db.
pub fn run(global: &Global, args: &QueryArgs, interrupt: Arc<AtomicBool>) -> Exit {
    if let Question::Ready(which) = &args.question {
        return ready(global, args.lines, which, interrupt);
    }
    document::asked(global, "query", |workspace, cache| {
        pager::start(global, workspace.project());
        answer((global, workspace), args, cache)
    })
}

fn answer(asked: (&Global, &Workspace), args: &QueryArgs, cache: &Cache) -> Result<(), QueryError> {
    let global = asked.0;
    let mut page = Page::new(global, args.lines);
    match &args.question {
        Question::Children { code } => {
            let documents = cache.children(code)?;
            show(asked, "children", &documents, || page.documents(&documents));
        }
        Question::Blocks { code } => {
            let blocks = cache.blocks(code)?;
            show(asked, "blocks", &blocks, || {
                let colon = |none: bool| if none { " nothing" } else { ":" };
                page.line(&format!("{code} blocks{}", colon(blocks.blocks.is_empty())));
                page.documents(&blocks.blocks);
                page.line(&format!("{code} is blocked by{}", colon(blocks.blocked_by.is_empty())));
                page.links(&blocks.blocked_by);
            });
        }
        Question::Progress { code } => {
            let progress = cache.progress(code)?;
            show(asked, "progress", &progress, || {
                page.line(&format!("{}/{} completed", progress.completed, progress.total));
                for phase in &progress.by_phase {
                    let name = phase.phase.as_ref().map_or("(no phase)".into(), UntrustedName::brief);
                    page.line(&format!("  {name:<16} {}", phase.documents));
                }
            });
        }
        Question::Upstream { code } => {
            let upstream = cache.upstream(code)?;
            show(asked, "upstream", &upstream, || page.links(&upstream.chain));
        }
        // Central is asked as well: see `ready()`.
        Question::Ready(_) => {}
        Question::Workspace { prefix: None } => {
            let workspaces = cache.workspaces()?;
            show(asked, "workspace", &workspaces, || {
                page.heading(&format!("{:<20} {:>9}", "workspace", "documents"));
                for workspace in &workspaces {
                    let own = if workspace.owned { "  (own)" } else { "" };
                    let documents = number(usize::try_from(workspace.documents).unwrap_or(usize::MAX));
                    page.line(&format!("{:<20} {documents:>9}{own}", workspace.prefix));
                }
            });
        }
        Question::Workspace { prefix: Some(prefix) } => {
            let workspace = cache.workspace(prefix)?;
            show(asked, "workspace", &workspace, || {
                if workspace.documents.len() > 1 {
                    page.total(&count(workspace.documents.len()));
                }
                page.documents(&workspace.documents);
            });
        }
    }
    if !global.json {
        page.end();
    }
    Ok(())
}

/// Central is asked for the claims. Where it is out of reach, what is claimed is listed, too, and that is said.
fn ready(global: &Global, lines: usize, which: &FilterArgs, interrupt: Arc<AtomicBool>) -> Exit {
    document::asked_of(global, "query", |workspace, _| {
        let claimed = sync::claimed(workspace, &options(global, interrupt, "query"));
        let open = match service::ready(
            workspace,
            &which.filter(true),
            claimed.as_ref().unwrap_or(&BTreeSet::new()),
        ) {
            Ok(open) => open,
            Err(NotTaken::Query(err)) => return Err(err),
            Err(NotTaken::Claim(err)) => return Ok(records::not_claimed(global, "query", workspace, &err)),
        };
        if let Err(err) = &claimed {
            mention!("warning: what is claimed is not known: {err}");
        }
        if global.json {
            let value = json!({
                "as_of": AsOf::of(workspace, Timestamp::now()),
                "question": "ready",
                "claims_known": claimed.is_ok(),
                "answer": open,
            });
            render::print_json(&render::document("query", value));
            return Ok(Exit::Ok);
        }
        pager::start(global, workspace.project());
        let mut page = Page::new(global, lines);
        if open.len() > 1 {
            page.total(&count(open.len()));
        }
        page.documents(&open);
        page.end();
        Ok(Exit::Ok)
    })
}

fn show((global, workspace): (&Global, &Workspace), question: &str, value: &impl Serialize, text: impl FnOnce()) {
    if global.json {
        let value = json!({ "as_of": AsOf::of(workspace, Timestamp::now()), "question": question, "answer": value });
        render::print_json(&render::document("query", value));
    } else {
        text();
    }
}
