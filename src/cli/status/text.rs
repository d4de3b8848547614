//! `status` as a person reads it: never more than a screen.

mod head;

use std::io::{self, Write};

use crate::cli::output;
use crate::view::{Folder, Status};
use crate::{
    cli::{
        Global,
        colour::Paint,
        conduit::overview::Looked,
        render::{ago, count, number},
        words::Given,
    },
    plan::{
        dehydrate::CentralChange,
        standing::{FolderStanding, Standing},
    },
    sync::Outbox,
    text::{UntrustedName, first_of},
};

/// With all sections full, the screen of 24 lines is just full.
const LIST: usize = 3;
const FOLDERS: usize = 3;
const OBSTACLES: usize = 2;
const WARNINGS: usize = 2;
const LIST_VERBOSE: usize = 20;
const CODES: usize = 5;

pub fn print(global: &Global, status: &Status, conduits: &Looked) {
    let paint = Paint::stdout(global);
    let _ = Text {
        status,
        conduits,
        paint,
        verbose: global.is_verbose(),
    }
    .write(&mut output::stdout());
}

struct Text<'a> {
    status: &'a Status,
    conduits: &'a Looked,
    paint: Paint,
    verbose: bool,
}

impl Text<'_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.head(out)?;
        self.ahead(out)?;
        self.behind(out)?;
        self.folders(out)?;
        self.records(out)?;
        for line in self.conduits.lines(self.paint, self.verbose) {
            writeln!(out, "{line}")?;
        }
        self.obstacles(out)?;
        self.end(out)
    }

    fn limit(&self, short: usize) -> usize {
        if self.verbose { LIST_VERBOSE } else { short }
    }

    fn ahead(&self, out: &mut dyn Write) -> io::Result<()> {
        let ahead = &self.status.ahead;
        if ahead.is_empty() {
            return Ok(());
        }
        writeln!(out, "Ahead: {} to push", count(ahead.len()))?;
        let limit = self.limit(LIST);
        for document in ahead.iter().take(limit) {
            let letter = match document.change {
                CentralChange::Added => self.paint.green("A"),
                CentralChange::Changed => self.paint.yellow("M"),
                CentralChange::Removed => self.paint.red("D"),
            };
            let path = document.path.as_ref().map(UntrustedName::brief).unwrap_or_default();
            let tags: String = document.tags.iter().map(|tag| format!(" #{}", tag.brief())).collect();
            writeln!(out, "  {letter} {:<12} {path}{tags}", document.code)?;
        }
        self.more(out, ahead.len(), limit)
    }

    fn behind(&self, out: &mut dyn Write) -> io::Result<()> {
        let behind = &self.status.behind;
        if behind.is_empty() {
            return Ok(());
        }
        let codes: Vec<&str> = behind.iter().map(|behind| behind.code.as_str()).collect();
        let pulled = behind.iter().filter(|behind| behind.pull).count();
        let way_out = match (pulled, behind.len() - pulled) {
            (_, 0) => "`git pull`",
            (0, _) => "`git metis-sync resolve` decides",
            _ => "`git pull`, then `git metis-sync resolve`",
        };
        writeln!(
            out,
            "Behind: {} newer in central: {}; {way_out}",
            count(behind.len()),
            listed(&codes)
        )
    }

    fn folders(&self, out: &mut dyn Write) -> io::Result<()> {
        let all = &self.status.workspaces;
        let (in_step, due): (Vec<&Folder>, Vec<&Folder>) = all.iter().partition(|folder| folder.standing.is_in_step());
        let documents: usize = all.iter().map(|folder| folder.documents).sum();
        let summary = match (all.len(), due.len()) {
            (0, _) => return Ok(()),
            (_, 0) => "all in step".to_owned(),
            (_, due) => format!("{} in step, {due} not", in_step.len()),
        };
        let plural = if all.len() == 1 { "" } else { "s" };
        writeln!(
            out,
            "Other workspaces: {} folder{plural} with {}; {summary}",
            all.len(),
            count(documents)
        )?;
        let limit = self.limit(FOLDERS);
        let shown: Vec<&Folder> = if self.verbose || all.len() <= limit {
            due.iter().chain(&in_step).copied().collect()
        } else {
            due
        };
        for folder in shown.iter().take(limit) {
            let words = words(&folder.standing);
            let words = match folder.standing {
                FolderStanding::InStep => self.paint.green(&words),
                FolderStanding::Blocked { .. } => self.paint.red(&words),
                _ => self.paint.yellow(&words),
            };
            let changed = folder
                .seconds_ago
                .map(|seconds| format!(", last changed {}", ago(seconds)));
            writeln!(out, "  {:<20} {words}{}", folder.prefix, changed.unwrap_or_default())?;
        }
        self.more(out, shown.len(), limit)
    }

    fn records(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.status.records {
            Some(Outbox { unpublished: 0, .. }) | None => Ok(()),
            Some(Outbox {
                unpublished,
                refused: false,
            }) => writeln!(
                out,
                "Shared records: {} not in central yet",
                number(unpublished as usize)
            ),
            Some(Outbox { unpublished, .. }) => writeln!(
                out,
                "Shared records: {} here alone, as central does not take them",
                number(unpublished as usize)
            ),
        }
    }

    fn obstacles(&self, out: &mut dyn Write) -> io::Result<()> {
        let limit = self.limit(OBSTACLES);
        let mut given = Given::default();
        for obstacle in self.status.obstacles.iter().take(limit) {
            writeln!(out, "{} {}", self.paint.red("Blocked:"), obstacle.message)?;
            if given.is_new(obstacle.next.raw()) {
                writeln!(out, "  {}", obstacle.next)?;
            }
        }
        self.more(out, self.status.obstacles.len(), limit)?;
        let limit = self.limit(WARNINGS);
        for warning in self.status.warnings.iter().take(limit) {
            writeln!(
                out,
                "{} {}",
                self.paint.yellow("Note:"),
                given.once(&warning.to_string())
            )?;
        }
        self.more(out, self.status.warnings.len(), limit)
    }

    fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.status.state {
            Standing::UpToDate if !self.status.is_whole => {
                writeln!(out, "What could be read is up to date; see the notes.")
            }
            Standing::UpToDate if self.status.central.compared => writeln!(out, "{}", self.paint.green("Up to date.")),
            Standing::UpToDate => writeln!(out, "Nothing to push."),
            Standing::NeverSynced if self.status.documents == 0 => writeln!(
                out,
                "No own documents yet: Markdown files below .metis/ with a short_code in their frontmatter."
            ),
            Standing::NeverSynced => writeln!(out, "The first `git metis-sync` registers this workspace."),
            Standing::Stopped => Ok(()),
            Standing::Ahead | Standing::Behind | Standing::AheadAndBehind
                if self.status.ahead.is_empty() && self.status.workspaces.iter().all(|f| f.standing.is_in_step()) =>
            {
                Ok(())
            }
            Standing::Ahead | Standing::Behind | Standing::AheadAndBehind => {
                writeln!(
                    out,
                    "`git metis-sync diff` shows what would be pushed, `git metis-sync` syncs."
                )
            }
        }
    }

    fn more(&self, out: &mut dyn Write, all: usize, shown: usize) -> io::Result<()> {
        match all.checked_sub(shown) {
            Some(more) if more > 0 => writeln!(out, "  … and {more} more"),
            _ => Ok(()),
        }
    }
}

fn words(standing: &FolderStanding) -> String {
    match standing {
        FolderStanding::InStep => "in step".into(),
        FolderStanding::Outdated { write, remove: 0 } => format!("{write} to write"),
        FolderStanding::Outdated { write: 0, remove } => format!("{remove} to remove"),
        FolderStanding::Outdated { write, remove } => format!("{write} to write, {remove} to remove"),
        FolderStanding::New { write } => format!("new, {} to write", write),
        FolderStanding::Missing { write: 0 } => "its folder is gone here".into(),
        FolderStanding::Missing { write } => format!("its folder is gone here, {write} to write"),
        FolderStanding::Unfinished => "unfinished: the next sync looks at every file".into(),
        FolderStanding::Gone { remove } => format!("gone from central, {remove} to remove"),
        FolderStanding::Blocked { reason } => reason.to_string(),
    }
}

/// The first few codes and how many more there are.
fn listed(codes: &[&str]) -> String {
    first_of(codes, CODES, ", ")
}
