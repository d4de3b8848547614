//! `git metis-sync init`: connects a workspace to central. Central is asked first, then what is to be written is said, and
//! only then it is written.

mod bare;
mod central;
mod draft;
mod here;
mod questions;
mod stopped;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

pub use self::questions::Person;
use self::{draft::Draft, here::Here, stopped::Stopped};
use super::{Exit, Global, completions::candidates, render};
use crate::{
    names::Prefix,
    sync::{Probed, SyncErrorKind, Workspace},
    text::Untrusted,
    workspace::{self, CONFIG_FILE, METIS_DIR, MetisDirError, Record},
};

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Central's URL or path; without it the one that config.toml has, or a question
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// The workspace's own folder in central
    #[arg(long, value_name = "NAME")]
    prefix: Option<Prefix>,
    /// Central's branch, where it is not the one that central's HEAD names
    #[arg(long, value_name = "NAME", value_parser = workspace::branch_name, hide_short_help = true)]
    branch: Option<String>,
    /// The branch of the project whose plans central has, or `worktree` for whatever is checked out; without it the default
    /// branch
    #[arg(long, value_name = "BRANCH", value_parser = workspace::branch_name, add = ArgValueCompleter::new(candidates::sources))]
    source: Option<String>,
    /// A label for the workspace
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// Where a sync notes its commit: auto (in config.toml unless git tracks it), config, or local (in this clone only)
    #[arg(long, value_name = "WHERE")]
    record: Option<RecordArg>,
    /// Test the connection and say what would be written; write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RecordArg {
    Auto,
    Config,
    Local,
}

/// Tests the connection, asks what is missing, writes config.toml.
pub fn run(global: &Global, args: &InitArgs, interrupt: Arc<AtomicBool>) -> Exit {
    match init(global, args, interrupt) {
        Ok(()) => Exit::Ok,
        Err(stopped) => {
            let (kind, hint) = stopped.explained();
            render::failure(global, "init", kind, &hint, None);
            hint.exit
        }
    }
}

fn init(global: &Global, args: &InitArgs, interrupt: Arc<AtomicBool>) -> Result<(), Stopped> {
    let stop = |kind: SyncErrorKind| Stopped::Kind(kind, String::new());
    let start = global.start_dir();
    let start = start
        .canonicalize()
        .map_err(|source| stop(MetisDirError::Start { start, source }.into()))?;
    match Workspace::discover(&start) {
        Ok(workspace) if workspace.has_no_file() => {
            return bare::confirm(global, args, &workspace).map_err(stop);
        }
        Err(kind @ SyncErrorKind::NoFolder(_)) => return Err(stop(kind)),
        _ => {}
    }
    let mut here = Here::around(start).map_err(stop)?;
    let person = Person::at(global);
    let named = here.named(questions::upstream(args, &here.config, person.as_ref())?);
    let stop = |kind: SyncErrorKind| Stopped::Kind(kind, named.shown.clone());
    here.confirmed(&named, args.upstream.is_some(), args.prefix.is_some())
        .map_err(stop)?;
    let probed = central::probe(global, args, &here, &named, Arc::clone(&interrupt))?;
    let speaks = global.talks() && !global.json;
    if speaks {
        say!("Central answers: {}", central::described(&probed, &named.shown));
    }

    let known = here.remembered(&named).map_err(stop)?.is_some();
    let others = probed.workspaces.clone().filter(|_| !known).unwrap_or_default();
    let asks = args.prefix.is_none() && here.config.workspace.is_none();
    let chosen = Chosen::by(args, &here, &probed, &others, person.as_ref())?;
    let mut edits = draft::edits(args, &here, &named.url, &chosen);
    edits.extend(draft::source(args, &here));
    let draft = Draft {
        file: here.folder.join(METIS_DIR).join(CONFIG_FILE),
        new: here.existing.is_none(),
        edits: &edits,
        shown: &named.shown,
    };
    if speaks {
        draft.print(args.dry_run);
    }
    if !args.dry_run {
        let metis = draft::write(here.existing.take(), &here.folder, &chosen.letters, &edits).map_err(stop)?;
        // Here it comes into the commit that has config.toml; if it cannot be written, a sync says more.
        let ignores = workspace::ignore_own_files(metis.dir()).is_ok_and(|written| written);
        let bound = here::bind(&metis, &here.project, &here.config, &named, &chosen.prefix).map_err(stop)?;
        if speaks {
            tell_of_writing(ignores, &bound, &chosen.prefix);
        }
    }
    let records = central::takes_records(args, &here, &named, &probed, interrupt);
    if global.json {
        let value = json!({
            "workspace": chosen.prefix, "upstream": named.shown, "branch": probed.branch,
            "central_is_empty": probed.head.is_none(), "workspaces": probed.workspaces,
            "metis": here.folder.join(METIS_DIR).to_string_lossy(), "dry_run": args.dry_run, "changes": draft.json(),
            "records": records.as_ref().map(central::word),
        });
        render::print_json(&render::document("init", value));
    } else if global.talks() {
        // Who was asked for a name has been told.
        let told = asks && person.is_some();
        let taken = others.get(&chosen.prefix).copied().filter(|n| !told && *n > 0);
        tell(args, &here, &chosen.prefix, taken);
        if !args.dry_run {
            say!(
                "Workspace {}/ is connected to {} (branch {}).",
                chosen.prefix,
                named.shown,
                probed.branch
            );
            records.as_ref().into_iter().for_each(central::tell_of_records);
            if !known {
                say!("Nothing has been sent yet; `git metis-sync --dry-run` shows what the first sync would do.");
            }
        }
    }
    Ok(())
}

/// What the workspace is to be.
struct Chosen {
    prefix: Prefix,
    team: Option<String>,
    /// What the codes of its documents begin with.
    letters: String,
}

impl Chosen {
    /// By the command line, config.toml, or the person; `others` are the folders that may be another project's.
    fn by(
        args: &InitArgs,
        here: &Here,
        probed: &Probed,
        others: &BTreeMap<Prefix, usize>,
        person: Option<&Person>,
    ) -> Result<Chosen, Stopped> {
        let Here { config, folder, .. } = here;
        let asks = args.prefix.is_none() && config.workspace.is_none();
        let prefix = match (&args.prefix, &config.workspace) {
            (Some(prefix), _) | (None, Some(prefix)) => prefix.clone(),
            (None, None) => questions::prefix(person, config, folder, others)?,
        };
        let team = match (&args.team, &config.team, person) {
            (Some(team), ..) => Some(team.clone()),
            (None, None, Some(person)) if asks => person.answer("Team label (optional)", None),
            _ => None,
        };
        if workspace::is_reserved(&prefix) && config.workspace.as_ref() != Some(&prefix) {
            return Err(stopped::reserved(&prefix));
        }
        let letters = match &config.project_prefix {
            Some(letters) => letters.clone(),
            None => draft::project_prefix(&prefix, &|letters| probed.shares_letters(&prefix, letters).is_some()),
        };
        // A workspace that central has, or that this clone has written under another name, is no second project.
        let bound = here.guard.as_ref().is_some_and(|guard| guard.notes().prefix.is_some());
        let known_there = probed
            .workspaces
            .as_ref()
            .is_none_or(|there| there.contains_key(&prefix));
        match probed.shares_letters(&prefix, &letters) {
            Some(other) if !bound && !known_there => Err(stopped::shared_letters(other, &letters)),
            _ => Ok(Chosen { prefix, team, letters }),
        }
    }
}

/// What was written besides config.toml, and what follows from it.
fn tell_of_writing(ignores: bool, bound: &here::Bound, prefix: &Prefix) {
    if ignores {
        say!("Writing .metis/.gitignore, so that git ignores what a sync keeps beside the documents.");
    }
    for value in &bound.confirmed {
        say!(
            "Confirmed for this clone: {} = {}",
            value.key,
            value.is.as_ref().map_or("its default".to_owned(), Untrusted::to_string)
        );
    }
    if let Some(old) = &bound.left {
        say!(
            "The next sync registers {prefix}/ with all documents. {old}/ stays in central as it is. To rename it instead, before \
             that sync:\n  `git metis-sync workspace rename {old} {prefix}`; to take it away: `git metis-sync workspace retire {old}`."
        );
    }
}

/// What somebody should know before the first sync; `taken`: central has so many documents under that name.
fn tell(args: &InitArgs, here: &Here, prefix: &Prefix, taken: Option<usize>) {
    if let Some(n) = taken {
        say!(
            "Note: central has a folder {prefix}/ already, with {}. If that is another project's, take another name\n  \
             before the first sync: `git metis-sync init --prefix NAME`.",
            render::count(n)
        );
    }
    let in_config = here
        .config
        .sync
        .as_ref()
        .is_some_and(|sync| sync.record == Record::Config);
    if args.record == Some(RecordArg::Config) && here.project.place().is_some() && !in_config {
        say!(
            "Note: no sync changes a file that git tracks. Once config.toml is one, last_synced_commit goes to\n  \
             .metis/.sync/config.toml; to have it in config.toml all the same, write `record = \"config\"` into its [sync]."
        );
    }
}
