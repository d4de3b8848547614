//! `git metis-sync query`: questions to metis.db.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::{
    cache::{Cache, Document, QueryError},
    names::{Prefix, ShortCode},
    plan::listing::printable,
    sync::Workspace,
};

use super::{
    Global,
    hint::{Exit, Hint},
    render,
    sync::fail_early,
};

#[derive(Debug, Clone, Args)]
pub struct QueryArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Clone, Subcommand)]
enum Question {
    /// Documents whose parent this is
    Children { code: ShortCode },
    /// What a document blocks, and what blocks it
    Blocks { code: ShortCode },
    /// How far the documents below this one are
    Progress { code: ShortCode },
    /// The chain of parents
    Upstream { code: ShortCode },
    /// All workspaces, or the documents of one
    Workspace { prefix: Option<Prefix> },
}

/// Answers a question from the workspace's metis.db.
pub fn run(global: &Global, args: &QueryArgs) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return fail_early(global, "query", kind),
    };
    match answer(global, &args.question, workspace.metis().path()) {
        Ok(()) => Exit::Ok,
        Err(err) => {
            let hint = Hint {
                message: err.to_string(),
                server_text: String::new(),
                state: String::new(),
                next: String::new(),
                exit: Exit::Error,
            };
            render::failure(global, "query", "query", &hint, None);
            hint.exit
        }
    }
}

fn answer(global: &Global, question: &Question, metis: &std::path::Path) -> Result<(), QueryError> {
    let cache = Cache::open(metis)?;
    match question {
        Question::Children { code } => {
            let documents = cache.children(code)?;
            show(global, "children", &documents, || table(&documents));
        }
        Question::Blocks { code } => {
            let blocks = cache.blocks(code)?;
            show(global, "blocks", &blocks, || {
                println!("{code} blocks:");
                table(&blocks.blocks);
                println!("{code} is blocked by:");
                links(&blocks.blocked_by);
            });
        }
        Question::Progress { code } => {
            let progress = cache.progress(code)?;
            show(global, "progress", &progress, || {
                println!("{}/{} completed", progress.completed, progress.total);
                for phase in &progress.by_phase {
                    let name = phase.phase.as_deref().unwrap_or("(no phase)");
                    println!("  {:<16} {}", printable(name.as_bytes()), phase.documents);
                }
            });
        }
        Question::Upstream { code } => {
            let upstream = cache.upstream(code)?;
            show(global, "upstream", &upstream, || links(&upstream.chain));
        }
        Question::Workspace { prefix: None } => {
            let workspaces = cache.workspaces()?;
            show(global, "workspace", &workspaces, || {
                for workspace in &workspaces {
                    let own = if workspace.owned { "  (own)" } else { "" };
                    println!("{:<20} {:>6}{own}", workspace.prefix, workspace.documents);
                }
            });
        }
        Question::Workspace { prefix: Some(prefix) } => {
            let workspace = cache.workspace(prefix)?;
            show(global, "workspace", &workspace, || table(&workspace.documents));
        }
    }
    Ok(())
}

fn show(global: &Global, question: &str, value: &impl Serialize, text: impl FnOnce()) {
    if global.json {
        let value = json!({ "question": question, "answer": value });
        render::print_json(&render::document("query", value));
    } else {
        text();
    }
}

fn table(documents: &[Document]) {
    for document in documents {
        line(document);
    }
}

fn line(document: &Document) {
    println!(
        "{:<14} {:<12} {:<12} {:<12} {}",
        printable(document.code.as_bytes()),
        printable(document.kind.as_deref().unwrap_or("-").as_bytes()),
        printable(document.phase.as_deref().unwrap_or("-").as_bytes()),
        printable(document.workspace.as_bytes()),
        printable(document.title.as_bytes()),
    );
}

fn links(links: &[crate::cache::Link]) {
    for link in links {
        match &link.document {
            Some(document) => line(document),
            None => println!("{:<14} (in no workspace)", printable(link.code.as_bytes())),
        }
    }
}
