//! `git metis-sync init`: connects a workspace to central. The connection is tested before anything is written.

use std::{
    io::{self, BufRead, Write},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use clap::Args;
use serde_json::json;

use crate::{
    central::{project::Project, remote::Remote},
    names::Prefix,
    send_pack::connect::{Direction, RemoteUrl},
    state::{cursor, files::StateDir},
    sync::{self, SyncErrorKind, SyncOptions},
    workspace::{self, Config, Edit, MetisDir},
};

use super::{Global, hint::Exit, render, sync::prompt};

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Central's URL or path
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// The workspace's own folder in central
    #[arg(long, value_name = "NAME")]
    prefix: Option<Prefix>,
    /// A label for the workspace
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
}

/// Asks what is missing, tests the connection, writes config.toml.
pub fn run(global: &Global, args: &InitArgs, interrupt: Arc<AtomicBool>) -> Exit {
    match init(global, args, interrupt) {
        Ok(()) => Exit::Ok,
        Err(Stopped::Kind(kind, url)) => {
            let err = sync::SyncError {
                kind,
                report: Box::default(),
            };
            let mut hint = super::hint::of_sync(&err, &url);
            hint.state = "Nothing was written.".into();
            render::failure(global, "init", err.kind.word(), &hint, None);
            hint.exit
        }
        Err(Stopped::Usage(message)) => {
            eprintln!("error: {message}\n  Nothing was written.");
            Exit::Usage
        }
    }
}

enum Stopped {
    Kind(SyncErrorKind, String),
    Usage(String),
}

fn init(global: &Global, args: &InitArgs, interrupt: Arc<AtomicBool>) -> Result<(), Stopped> {
    let start = global.start_dir();
    let existing = match MetisDir::discover(&start) {
        Ok(metis) => Some(metis),
        Err(workspace::MetisDirError::NotFound { .. } | workspace::MetisDirError::NoConfig { .. }) => None,
        Err(err) => return Err(Stopped::Kind(err.into(), String::new())),
    };
    let stop = |kind: SyncErrorKind| Stopped::Kind(kind, String::new());
    let config = match &existing {
        Some(metis) => Config::load(metis.dir()).map_err(|err| stop(err.into()))?,
        None => Config::default(),
    };
    let url = RemoteUrl::parse(&args.upstream)
        .map_err(|err| stop(crate::send_pack::connect::ConnectError::from(err).into()))?;
    let shown = url.to_string();
    let prefix = prefix(global, args, &config).map_err(Stopped::Usage)?;
    let team = match (&args.team, &config.team) {
        (Some(team), _) => Some(team.clone()),
        (None, None) if global.may_prompt() && !global.json => ask("Team label (optional)", None),
        (None, _) => None,
    };

    let place = existing.as_ref().map_or(start.as_path(), MetisDir::path);
    let project = Project::discover(place);
    let options = SyncOptions {
        prompt: prompt(global),
        interrupt,
        ..SyncOptions::default()
    };
    let base = existing
        .as_ref()
        .map_or(start.clone(), |metis| metis.project().to_owned());
    let connect = sync::connect_options(
        &options,
        project.config(),
        base,
        Instant::now() + sync::DEFAULT_DEADLINE,
    );
    let tested = sync::rewritten(&args.upstream, project.config(), Direction::Fetch)
        .and_then(|url| Remote::list(&url, &connect, None).map_err(SyncErrorKind::from))
        .map_err(|kind| Stopped::Kind(kind, shown.clone()))?;
    let empty = tested.head.is_none();
    let branch = tested.branch.clone();
    tested.close();

    let write = |kind: SyncErrorKind| Stopped::Kind(kind, shown.clone());
    let metis = match existing {
        Some(metis) => metis,
        None => create(&start, &prefix).map_err(write)?,
    };
    let mut edits = Vec::new();
    if config
        .sync
        .as_ref()
        .is_none_or(|sync| sync.upstream_url != args.upstream)
    {
        edits.push(Edit::Upstream(args.upstream.clone()));
    }
    if config.workspace.as_ref() != Some(&prefix) {
        edits.push(Edit::WorkspacePrefix(prefix.clone()));
    }
    if let Some(team) = team.filter(|team| config.team.as_ref() != Some(team)) {
        edits.push(Edit::Team(team));
    }
    workspace::edit_config(metis.dir(), &edits).map_err(|err| write(err.into()))?;
    confirm_upstream(&metis, &shown).map_err(write)?;

    if global.json {
        let value = json!({
            "workspace": prefix, "upstream": shown, "branch": branch, "central_is_empty": empty,
            "metis": metis.path().display().to_string(),
        });
        render::print_json(&render::document("init", value));
    } else if global.talks() {
        println!("Workspace {prefix}/ is connected to {shown} (branch {branch}).");
        println!("Nothing has been sent yet; `git metis-sync` does the first sync.");
    }
    Ok(())
}

/// This clone remembers the central it synced with. Another one is followed only from here on, with nothing taken over:
/// which versions they have in common is found out by the next sync.
fn confirm_upstream(metis: &MetisDir, shown: &str) -> Result<(), SyncErrorKind> {
    if let Some(state) = StateDir::open(metis.path())? {
        let same = matches!(
            state.load::<cursor::Cursor>(cursor::FILE, cursor::SCHEMA),
            Ok(Some(cursor)) if cursor.upstream == shown
        );
        if !same {
            state.remove(cursor::FILE)?;
        }
    }
    Ok(())
}

fn prefix(global: &Global, args: &InitArgs, config: &Config) -> Result<Prefix, String> {
    if let Some(prefix) = args.prefix.as_ref().or(config.workspace.as_ref()) {
        return Ok(prefix.clone());
    }
    let guess = config.project_prefix.as_deref().map(str::to_ascii_lowercase);
    let guess = guess.and_then(|guess| guess.parse::<Prefix>().ok());
    if global.may_prompt() && !global.json {
        loop {
            let Some(answer) = ask("This workspace's folder in central", guess.as_ref().map(Prefix::as_str)) else {
                return Err("a folder name is needed: --prefix NAME".into());
            };
            match answer.parse() {
                Ok(prefix) => return Ok(prefix),
                Err(err) => eprintln!("{err}"),
            }
        }
    }
    guess.ok_or_else(|| "a folder name for this workspace is needed: --prefix NAME".into())
}

fn ask(question: &str, default: Option<&str>) -> Option<String> {
    let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
    eprint!("{question}{shown}: ");
    io::stderr().flush().ok()?;
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line).ok()? == 0 {
        return None;
    }
    match line.trim() {
        "" => default.map(str::to_owned),
        answer => Some(answer.to_owned()),
    }
}

/// A new `.metis/` with what every Metis workspace has: its project prefix.
fn create(start: &Path, prefix: &Prefix) -> Result<MetisDir, SyncErrorKind> {
    let letters: String = prefix
        .as_str()
        .chars()
        .filter(char::is_ascii_alphabetic)
        .take(8)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let project = if letters.len() >= 2 { letters } else { "DOCS".into() };
    Ok(MetisDir::create(
        start,
        &format!("[project]\nprefix = \"{project}\"\n"),
    )?)
}
