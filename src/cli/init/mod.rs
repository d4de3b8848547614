//! `git metis-sync init`: connects a workspace to central. Central is asked first, then what is to be written is said, and
//! only then it is written.

mod bare;
mod questions;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

pub use self::questions::Person;
use super::{Exit, Global, completions::candidates, progress::Bar, render, sync::prompt};
use crate::{
    names::Prefix,
    project::{Project, trust},
    send_pack::connect::{FailureKind, RemoteUrl},
    state::{
        cursor::{self, Cursor, Memory},
        files::StateDir,
        guard::Guard,
    },
    sync::{
        self, Probed, SyncErrorKind, SyncOptions, Workspace,
        stop::{self, Hint, Stop},
    },
    text::{self, Untrusted},
    workspace::{self, CONFIG_FILE, Config, ConfigFile, Edit, METIS_DIR, MetisDir, MetisDirError, Record, Unconfirmed},
};

/// More workspaces of central than this are summed up.
const MAX_NAMED: usize = 8;

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

/// What was changed by then.
const NOTHING: &str = "Nothing was written.";

enum Stopped {
    /// Before anything was written; central's name, as far as it is known.
    Kind(SyncErrorKind, String),
    /// The same, where a relative path counts from that folder.
    Counted(Box<(Stopped, PathBuf)>),
    /// The command line, or an answer, does not do.
    Usage { message: String, next: String },
}

impl Stopped {
    fn explained(self) -> (&'static str, Hint) {
        match self {
            Stopped::Usage { message, next } => {
                let hint = Hint {
                    stop: Stop::Usage,
                    message,
                    server_text: String::new(),
                    state: NOTHING.into(),
                    next,
                    exit: Exit::Usage,
                };
                ("usage", hint)
            }
            Stopped::Counted(at) => {
                let (stopped, from) = *at;
                let (word, hint) = stopped.explained();
                let next = format!("A relative path counts from {}. {}", text::shown(&from), hint.next);
                (word, Hint { next, ..hint })
            }
            Stopped::Kind(kind, url) => {
                let hint = stop::explain(&kind, &url);
                let failure = kind.connection();
                let next = match (&kind, failure.map(|err| err.kind)) {
                    (SyncErrorKind::NoBranch { others, .. }, _) => {
                        let first = others
                            .first()
                            .map_or("NAME".to_owned(), |name| text::shell_word(&name.to_string()));
                        format!("Run init again with `--branch {first}`, or another of them.")
                    }
                    (SyncErrorKind::UpstreamInside { url }, _) if is_like_a_host(url.raw()) => no_repository(url.raw()),
                    (_, Some(FailureKind::NoRepository)) => no_repository(&url),
                    (_, Some(FailureKind::Interrupted)) => "Run init again when you like.".into(),
                    _ => hint.next.replace("sync again", "run init again"),
                };
                let state = NOTHING.into();
                (kind.word(), Hint { state, next, ..hint })
            }
        }
    }
}

fn is_like_a_host(url: &str) -> bool {
    let first = url.split('/').next().unwrap_or_default();
    !url.contains(':') && !first.starts_with('.') && first.contains('.')
}

/// What to do about an address where nothing is. The commonest mistake is one without a scheme, which is a path.
fn no_repository(url: &str) -> String {
    match is_like_a_host(url) {
        true => format!("It was taken for a path; for a host write https://{url} or ssh://git@{url}."),
        false => "Check the address, and that you may read it. A repository has to exist already: `git init --bare` \
                  makes one, a git host's web page too."
            .into(),
    }
}

fn init(global: &Global, args: &InitArgs, interrupt: Arc<AtomicBool>) -> Result<(), Stopped> {
    let stop = |kind: SyncErrorKind| Stopped::Kind(kind, String::new());
    let start = global.start_dir();
    let start = start
        .canonicalize()
        .map_err(|source| stop(MetisDirError::Start { start, source }.into()))?;
    match Workspace::discover(&start) {
        Ok(workspace) if workspace.project().bare_dir().is_some() => {
            return bare::confirm(global, args, &workspace).map_err(stop);
        }
        Err(kind @ SyncErrorKind::NoFolder(_)) => return Err(stop(kind)),
        _ => {}
    }
    let here = Project::discover(&start.join(METIS_DIR));
    let existing = existing(&start, &here).map_err(stop)?;
    let config = match &existing {
        Some(metis) => Config::load(metis.dir()).map_err(|err| stop(err.into()))?,
        None => Config::default(),
    };
    let person = Person::at(global);
    let upstream = upstream(args, &config, person.as_ref())?;

    let folder = existing.as_ref().map_or(start, |metis| metis.project().to_owned());
    let project = Project::discover(&folder.join(METIS_DIR));
    let guard = match &existing {
        Some(metis) => Some(sync::guard_of(metis, &project, None).map_err(|err| stop(err.into()))?),
        None => None,
    };
    let parsed = RemoteUrl::parse(&upstream).ok();
    let shown = parsed.as_ref().map(RemoteUrl::to_string).unwrap_or_default();
    let id = parsed
        .map(|url| sync::identity(&url, &project, &folder))
        .unwrap_or_default();
    let named = [id.as_str(), shown.as_str()];
    let stop = |kind: SyncErrorKind| Stopped::Kind(kind, shown.clone());
    unconfirmed(args, &config, guard.as_ref(), &id).map_err(stop)?;
    let options = SyncOptions {
        prompt: prompt(global),
        interrupt,
        ..SyncOptions::default()
    };
    let branch = config.sync.as_ref().and_then(|sync| sync.branch.as_deref());
    let branch = args.branch.as_deref().or(branch);
    let mut bar = Bar::new(global);
    let probed = sync::probe(&upstream, branch, &project, &folder, &options, &mut bar);
    bar.clear();
    let probed = probed.map_err(|err| {
        let nowhere = err
            .connection()
            .is_some_and(|err| err.kind == FailureKind::NoRepository);
        match nowhere && upstream.starts_with('.') {
            true => Stopped::Counted(Box::new((stop(err), project.dir().unwrap_or_else(|| folder.clone())))),
            false => stop(err),
        }
    })?;
    if global.talks() && !global.json {
        say!("Central answers: {}", described(&probed, &shown));
    }

    let known = remembered(existing.as_ref(), guard.as_ref(), named)
        .map_err(stop)?
        .is_some();
    let others = match (&probed.workspaces, known) {
        (Some(there), false) => there.clone(),
        _ => Default::default(),
    };
    let asks = args.prefix.is_none() && config.workspace.is_none();
    let prefix = match (&args.prefix, &config.workspace) {
        (Some(prefix), _) | (None, Some(prefix)) => prefix.clone(),
        (None, None) => questions::prefix(person.as_ref(), &config, &folder, &others)?,
    };
    let team = match (&args.team, &config.team, &person) {
        (Some(team), ..) => Some(team.clone()),
        (None, None, Some(person)) if asks => person.answer("Team label (optional)", None),
        _ => None,
    };
    if workspace::is_reserved(&prefix) && config.workspace.as_ref() != Some(&prefix) {
        return Err(reserved(&prefix));
    }
    let letters = match &config.project_prefix {
        Some(letters) => letters.clone(),
        None => project_prefix(&prefix, &|letters| probed.shares_letters(&prefix, letters).is_some()),
    };
    // A workspace that central has, or that this clone has written under another name, is no second project.
    let bound = guard.as_ref().is_some_and(|guard| guard.notes().prefix.is_some());
    let known_there = probed
        .workspaces
        .as_ref()
        .is_none_or(|there| there.contains_key(&prefix));
    if let (Some(other), false) = (probed.shares_letters(&prefix, &letters), bound || known_there) {
        return Err(shared_letters(other, &letters));
    }
    let in_git = project.place().is_some();
    let mut edits = edits(args, &config, &upstream, &prefix, team, in_git);
    edits.extend(source(args, &config, &project));
    let plan = Plan {
        file: folder.join(METIS_DIR).join(CONFIG_FILE),
        new: existing.is_none(),
        edits: &edits,
        shown: &shown,
    };
    if global.talks() && !global.json {
        plan.print(args.dry_run);
    }
    if !args.dry_run {
        let metis = write(existing, &folder, &letters, &edits).map_err(stop)?;
        // Here it comes into the commit that has config.toml; if it cannot be written, a sync says more.
        if workspace::ignore_own_files(metis.dir()).is_ok_and(|written| written) && global.talks() && !global.json {
            say!("Writing .metis/.gitignore, so that git ignores what a sync keeps beside the documents.");
        }
        let (left, confirmed) = bind(&metis, &project, &config, named, &prefix).map_err(stop)?;
        for value in confirmed.iter().filter(|_| global.talks() && !global.json) {
            say!(
                "Confirmed for this clone: {} = {}",
                value.key,
                value.is.as_ref().map_or("its default".to_owned(), Untrusted::to_string)
            );
        }
        if let Some(old) = left.filter(|_| global.talks() && !global.json) {
            say!(
                "The next sync registers {prefix}/ with all documents. {old}/ stays in central as it is. To rename it instead, before \
                 that sync:\n  `git metis-sync workspace rename {old} {prefix}`; to take it away: `git metis-sync workspace retire {old}`."
            );
        }
    }

    // Who was asked for a name has been told.
    let told = asks && person.is_some();
    let taken = others.get(&prefix).copied().filter(|_| !told);
    if global.json {
        let value = json!({
            "workspace": prefix, "upstream": shown, "branch": probed.branch, "central_is_empty": probed.head.is_none(),
            "workspaces": probed.workspaces, "metis": folder.join(METIS_DIR).to_string_lossy(),
            "dry_run": args.dry_run, "changes": plan.json(),
        });
        render::print_json(&render::document("init", value));
    } else if global.talks() {
        if let Some(n) = taken.filter(|n| *n > 0) {
            say!(
                "Note: central has a folder {prefix}/ already, with {}. If that is another project's, take another name\n  \
                 before the first sync: `git metis-sync init --prefix NAME`.",
                render::count(n)
            );
        }
        if args.record == Some(RecordArg::Config)
            && in_git
            && config.sync.as_ref().is_none_or(|sync| sync.record != Record::Config)
        {
            say!(
                "Note: no sync changes a file that git tracks. Once config.toml is one, last_synced_commit goes to\n  \
                 .metis/.sync/config.toml; to have it in config.toml all the same, write `record = \"config\"` into its [sync]."
            );
        }
        if !args.dry_run {
            say!(
                "Workspace {prefix}/ is connected to {shown} (branch {}).",
                probed.branch
            );
        }
        if !args.dry_run && !known {
            say!("Nothing has been sent yet; `git metis-sync --dry-run` shows what the first sync would do.");
        }
    }
    Ok(())
}

/// The workspace around `start`. One outside of the repository that `start` is in is another project's.
fn existing(start: &Path, here: &Project) -> Result<Option<MetisDir>, SyncErrorKind> {
    let metis = match MetisDir::discover(start, &trust::may_hold_workspace) {
        Ok(metis) => metis,
        Err(MetisDirError::Foreign { path }) if path.parent() != Some(start) => return Ok(None),
        Err(MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. }) => return Ok(None),
        Err(err) => return Err(err.into()),
    };
    let top = here.dir().and_then(|top| top.canonicalize().ok());
    Ok(top.is_none_or(|top| metis.project().starts_with(top)).then_some(metis))
}

fn upstream(args: &InitArgs, config: &Config, person: Option<&Person>) -> Result<String, Stopped> {
    if let Some(url) = &args.upstream {
        return without_password(url);
    }
    if let Some(sync) = &config.sync {
        return Ok(sync.upstream_url.clone());
    }
    match person.and_then(|person| person.answer("Central's URL or path", None)) {
        Some(url) => without_password(&url),
        None => Err(Stopped::Usage {
            message: "which central repository?".into(),
            next: "Name it: `git metis-sync init --upstream URL`. Any git host will do; a path too.".into(),
        }),
    }
}

/// config.toml is everybody's to read: what is written there must not let anybody in.
fn without_password(url: &str) -> Result<String, Stopped> {
    match RemoteUrl::parse(url) {
        Ok(parsed) if parsed.has_password() => Err(Stopped::Usage {
            message: format!("the URL of {parsed} has a password in it, and config.toml is shared with the team"),
            next: "Leave it out; git's credential helper is asked for it, as for any other repository.".into(),
        }),
        _ => Ok(url.to_owned()),
    }
}

/// What config.toml has may have come with a pull. Where this clone is bound to something else, only what is said on the
/// command line changes that.
fn unconfirmed(args: &InitArgs, config: &Config, guard: Option<&Guard>, id: &str) -> Result<(), SyncErrorKind> {
    let Some(notes) = guard.map(Guard::notes) else {
        return Ok(());
    };
    match (&notes.upstream, &notes.prefix, &config.workspace) {
        (Some(remembered), ..) if args.upstream.is_none() && remembered != id => Err(SyncErrorKind::UpstreamChanged {
            configured: id.into(),
            remembered: remembered.into(),
        }),
        (_, Some(remembered), Some(configured)) if args.prefix.is_none() && remembered != configured => {
            Err(SyncErrorKind::PrefixChanged {
                configured: configured.clone(),
                remembered: remembered.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// What this clone knows of that central, if it has synced with it before.
fn remembered(
    metis: Option<&MetisDir>,
    guard: Option<&Guard>,
    named: [&str; 2],
) -> Result<Option<Cursor>, SyncErrorKind> {
    let (Some(metis), Some(guard)) = (metis, guard) else {
        return Ok(None);
    };
    let Some(state) = StateDir::open(metis.path())? else {
        return Ok(None);
    };
    Ok(match cursor::load(&state, guard) {
        Ok(Memory::Known(cursor)) => {
            let noted = guard.notes().upstream.as_deref();
            let same = cursor.upstream == named[1] && sync::bound_elsewhere(noted, Some(&cursor), named).is_none();
            same.then_some(*cursor)
        }
        _ => None,
    })
}

fn described(probed: &Probed, shown: &str) -> String {
    let branch = &probed.branch;
    match &probed.workspaces {
        _ if probed.head.is_none() && probed.has_others => format!("{shown} has no branch {branch} so far."),
        _ if probed.head.is_none() => format!("{shown} is empty so far (branch {branch})."),
        None => format!("{shown} (branch {branch})."),
        Some(there) if there.is_empty() => format!("{shown} has no workspaces so far (branch {branch})."),
        Some(there) => {
            let mut names: Vec<String> = there
                .iter()
                .take(MAX_NAMED)
                .map(|(prefix, n)| format!("{prefix}/ ({})", render::count(*n)))
                .collect();
            if there.len() > MAX_NAMED {
                names.push(format!("{} more", there.len() - MAX_NAMED));
            }
            format!("{shown} (branch {branch}) has {}.", names.join(", "))
        }
    }
}

fn reserved(prefix: &Prefix) -> Stopped {
    Stopped::Usage {
        message: format!(
            "{prefix} cannot be a workspace's folder: the Metis tools keep own documents in .metis/{prefix}/, so nobody could \
             have a copy of it there"
        ),
        next: "Choose another: `--prefix NAME`.".into(),
    }
}

fn shared_letters(other: &Prefix, letters: &str) -> Stopped {
    Stopped::Usage {
        message: format!(
            "central's {other}/ has documents whose codes begin with {letters}-, as this project's do: two documents would \
             get the same code"
        ),
        next: "Choose another [project] prefix in .metis/config.toml, give this project's documents codes of that, and run \
               init again."
            .into(),
    }
}

/// The `project.prefix` of a new project: the letters of its folder's name, or the first like them that is not `taken`.
fn project_prefix(prefix: &Prefix, taken: &dyn Fn(&str) -> bool) -> String {
    let letters = prefix.as_str().chars().filter(char::is_ascii_alphabetic);
    let letters: String = letters.take(8).map(|c| c.to_ascii_uppercase()).collect();
    let base = if letters.len() >= 2 { letters } else { "DOCS".into() };
    let one = ('A'..='Z').map(|c| format!("{base:.7}{c}"));
    let two = ('A'..='Z').flat_map(|c| ('A'..='Z').map(move |d| (c, d)));
    let two = two.map(|(c, d)| format!("{base:.6}{c}{d}"));
    let mut free = [base.clone()]
        .into_iter()
        .chain(one)
        .chain(two)
        .filter(|name| !taken(name));
    free.next().unwrap_or(base.clone())
}

fn edits(
    args: &InitArgs,
    config: &Config,
    upstream: &str,
    prefix: &Prefix,
    team: Option<String>,
    in_git: bool,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let settings = config.sync.as_ref();
    if settings.is_none_or(|sync| sync.upstream_url != upstream) {
        edits.push(Edit::Upstream(upstream.to_owned()));
    }
    if let Some(branch) = &args.branch
        && settings.is_none_or(|sync| sync.branch.as_ref() != Some(branch))
    {
        edits.push(Edit::Branch(branch.clone()));
    }
    if let Some(asked) = args.record {
        let now = settings.map_or(Record::default(), |sync| sync.record);
        let record = match asked {
            RecordArg::Auto => Record::Auto,
            RecordArg::Local => Record::Local,
            // Written there by hand it counts; nobody gets a file that each sync changes under git's eyes from an option.
            RecordArg::Config if in_git && now != Record::Config => Record::Auto,
            RecordArg::Config => Record::Config,
        };
        if now != record {
            edits.push(Edit::Record(record));
        }
    }
    if config.workspace.as_ref() != Some(prefix) {
        edits.push(Edit::WorkspacePrefix(prefix.clone()));
    }
    if let Some(team) = team.filter(|team| config.team.as_ref() != Some(team)) {
        edits.push(Edit::Team(team));
    }
    edits
}

/// The branch that central's documents come from is written down once: where each clone guessed, they would differ.
fn source(args: &InitArgs, config: &Config, project: &Project) -> Option<Edit> {
    let configured = config.sync.as_ref().and_then(|sync| sync.source.as_ref());
    let guessed = || project.default_branch().filter(|_| config.sync.is_none());
    let source = args.source.clone().or_else(guessed)?;
    (configured != Some(&source)).then_some(Edit::Source(source))
}

/// What is to be written.
struct Plan<'a> {
    file: PathBuf,
    new: bool,
    edits: &'a [Edit],
    /// Central's name, without secrets.
    shown: &'a str,
}

impl Plan<'_> {
    fn values(&self) -> impl Iterator<Item = (String, String)> {
        self.edits.iter().map(|edit| {
            let (section, key, value) = edit.parts();
            let value = match edit {
                Edit::Upstream(_) => self.shown.to_owned(),
                _ => value,
            };
            (format!("{section}.{key}"), value)
        })
    }

    fn print(&self, dry_run: bool) {
        let file = text::shown(&self.file);
        match (self.edits.is_empty(), self.new) {
            (true, _) => say!("{file} says all that already."),
            (false, new) => {
                let would = if dry_run { "Would write" } else { "Writing" };
                say!("{would} {file}{}:", if new { ", a new file" } else { "" });
            }
        }
        for (key, value) in self.values() {
            say!("  {key} = \"{value}\"");
        }
    }

    fn json(&self) -> Value {
        self.values().map(|(key, value)| (key, Value::from(value))).collect()
    }
}

/// Makes the edits, in a new `.metis/` if there is none, which then has what the Metis tools want of a workspace: its project
/// prefix and its levels of planning.
fn write(existing: Option<MetisDir>, folder: &Path, letters: &str, edits: &[Edit]) -> Result<MetisDir, SyncErrorKind> {
    if let Some(metis) = existing {
        workspace::edit_config(metis.dir(), ConfigFile::Shared, edits)?;
        return Ok(metis);
    }
    let begun = format!(
        "[project]\nprefix = \"{letters}\"\n\n[flight_levels]\nstrategies_enabled = false\ninitiatives_enabled = true\n"
    );
    let whole = workspace::with_edits(begun.as_bytes(), edits)?;
    let whole = whole.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(begun);
    Ok(MetisDir::create(folder, &whole)?)
}

/// Binds this clone to central and to its folder there. Another central is followed only from here on, with nothing taken
/// over: which versions they have in common is found out by the next sync. Nor does a new folder have anything in common
/// with what is here; returns the one that is left behind for it, and what of config.toml had waited for this word.
fn bind(
    metis: &MetisDir,
    project: &Project,
    before: &Config,
    named: [&str; 2],
    prefix: &Prefix,
) -> Result<(Option<Prefix>, Vec<Unconfirmed>), SyncErrorKind> {
    let mut guard = sync::guard_of(metis, project, None)?;
    let now = Config::load(metis.dir())?;
    let confirmed = workspace::hold_back(&mut now.clone(), &guard.notes().confirmed);
    let cursor = remembered(Some(metis), Some(&guard), named)?;
    // Before there were guards, what config.toml said was what was synced.
    let old = guard.notes().prefix.clone();
    let old = old.or_else(|| before.workspace.clone().filter(|_| cursor.is_some()));
    let left = old.filter(|old| old != prefix);
    let was_new = guard.is_new();
    let was_retired = guard.notes().retired.contains(prefix);
    guard.update(|notes| {
        notes.upstream = Some(named[0].to_owned());
        notes.confirmed = workspace::to_confirm(&now);
        notes.former.extend(left.clone());
        notes.former.remove(prefix);
        notes.retired.remove(prefix);
        notes.prefix = Some(prefix.clone());
    })?;
    let Some(state) = StateDir::open(metis.path())? else {
        return Ok((None, confirmed));
    };
    match cursor {
        None => state.remove(cursor::FILE)?,
        Some(mut cursor) if left.is_some() || was_retired => {
            cursor.leave_folder();
            cursor.store(&state, &guard)?;
        }
        Some(cursor) if was_new => cursor.store(&state, &guard)?,
        Some(_) => {}
    }
    Ok((left, confirmed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_projects_codes_never_collide() {
        let derived = |prefix: &str, taken: &[&str]| {
            project_prefix(&prefix.parse().unwrap(), &|letters| taken.contains(&letters))
        };
        assert_eq!(derived("api", &[]), "API");
        assert_eq!(derived("web-2", &["WEB"]), "WEBA");
        assert_eq!(derived("web-2", &["WEB", "WEBA"]), "WEBB");
        assert_eq!(derived("long-workspace", &["LONGWORK"]), "LONGWORA");
        assert_eq!(derived("4-2", &[]), "DOCS");
        let all: Vec<String> = ('A'..='Z').map(|c| format!("WEB{c}")).chain(["WEB".into()]).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(derived("web", &all), "WEBAA");
    }
}
