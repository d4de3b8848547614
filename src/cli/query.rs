//! `git metis-sync query`: questions to metis.db.

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use serde::Serialize;
use serde_json::json;

use crate::{
    cache::{Cache, Document, QueryError},
    names::{Prefix, ShortCode},
    plan::listing::printable,
    sync::{self, Workspace},
};

use super::{
    Global,
    colour::Paint,
    completions::candidates,
    hint::{Exit, Hint},
    output, render,
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
    /// All workspaces, or the documents of one
    Workspace {
        #[arg(add = ArgValueCompleter::new(candidates::workspaces))]
        prefix: Option<Prefix>,
    },
}

/// Answers a question from the workspace's metis.db.
pub fn run(global: &Global, args: &QueryArgs) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "query", &kind, ""),
    };
    let guard = match workspace.guard() {
        Ok(guard) => guard,
        Err(err) => return render::explained(global, "query", &err.into(), ""),
    };
    match sync::open_cache(&workspace, &guard).and_then(|cache| answer(global, args, &cache)) {
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

fn answer(global: &Global, args: &QueryArgs, cache: &Cache) -> Result<(), QueryError> {
    let mut page = Page::new(global, args.lines);
    match &args.question {
        Question::Children { code } => {
            let documents = cache.children(code)?;
            show(global, "children", &documents, || page.documents(&documents));
        }
        Question::Blocks { code } => {
            let blocks = cache.blocks(code)?;
            show(global, "blocks", &blocks, || {
                let colon = |none: bool| if none { " nothing" } else { ":" };
                page.line(format!("{code} blocks{}", colon(blocks.blocks.is_empty())));
                page.documents(&blocks.blocks);
                page.line(format!("{code} is blocked by{}", colon(blocks.blocked_by.is_empty())));
                page.links(&blocks.blocked_by);
            });
        }
        Question::Progress { code } => {
            let progress = cache.progress(code)?;
            show(global, "progress", &progress, || {
                page.line(format!("{}/{} completed", progress.completed, progress.total));
                for phase in &progress.by_phase {
                    let name = phase.phase.as_deref().unwrap_or("(no phase)");
                    page.line(format!("  {:<16} {}", printable(name.as_bytes()), phase.documents));
                }
            });
        }
        Question::Upstream { code } => {
            let upstream = cache.upstream(code)?;
            show(global, "upstream", &upstream, || page.links(&upstream.chain));
        }
        Question::Workspace { prefix: None } => {
            let workspaces = cache.workspaces()?;
            show(global, "workspace", &workspaces, || {
                page.heading(format!("{:<20} {:>9}", "workspace", "documents"));
                for workspace in &workspaces {
                    let own = if workspace.owned { "  (own)" } else { "" };
                    page.line(format!("{:<20} {:>9}{own}", workspace.prefix, workspace.documents));
                }
            });
        }
        Question::Workspace { prefix: Some(prefix) } => {
            let workspace = cache.workspace(prefix)?;
            show(global, "workspace", &workspace, || page.documents(&workspace.documents));
        }
    }
    if !global.json {
        page.end();
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

/// What is printed, up to a number of lines. Headings are for people: off a terminal there are none.
struct Page {
    paint: Paint,
    headings: bool,
    lines: usize,
    left: usize,
    beyond: usize,
}

impl Page {
    fn new(global: &Global, lines: usize) -> Self {
        Page {
            paint: Paint::stdout(global),
            headings: output::is_terminal(),
            lines,
            left: lines,
            beyond: 0,
        }
    }

    fn heading(&self, text: String) {
        if self.headings {
            say!("{}", self.paint.bold(&text));
        }
    }

    fn line(&mut self, text: String) {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                say!("{}", text.trim_end());
            }
            None => self.beyond += 1,
        }
    }

    fn end(&self) {
        if self.headings && self.lines == self.left {
            mention!("None.");
        }
        if self.beyond > 0 {
            mention!("… and {} more; --lines N shows more, --json all", self.beyond);
        }
    }

    fn documents(&mut self, documents: &[Document]) {
        if !documents.is_empty() {
            self.heading(row(["code", "type", "phase", "workspace", "title"]));
        }
        for document in documents {
            self.line(described(document));
        }
    }

    fn links(&mut self, links: &[crate::cache::Link]) {
        for link in links {
            self.line(match &link.document {
                Some(document) => described(document),
                None => format!("{:<14} (in no workspace)", printable(link.code.as_bytes())),
            });
        }
    }
}

fn described(document: &Document) -> String {
    let cell = |text: &str| printable(text.as_bytes());
    row([
        &cell(&document.code.to_string()),
        &cell(document.kind.as_deref().unwrap_or("-")),
        &cell(document.phase.as_deref().unwrap_or("-")),
        &cell(&document.workspace.to_string()),
        &cell(&document.title),
    ])
}

fn row([code, kind, phase, workspace, title]: [&str; 5]) -> String {
    format!("{code:<14} {kind:<12} {phase:<12} {workspace:<12} {title}")
}
