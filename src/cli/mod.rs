//! The command line: arguments in, stages and `sync` called, text or JSON out. One file per subcommand.

use std::{
    ffi::OsString,
    io::IsTerminal,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
};

use clap::{Args, FromArgMatches, Parser, Subcommand};

use crate::text::escaped;

/// A line of data. What cannot be written is told at the end, by [`output::finish()`].
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!($crate::cli::output::stdout(), $($words)*);
    }};
}

/// A line of talk, on standard error.
macro_rules! mention {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!($crate::cli::output::stderr(), $($words)*);
    }};
}

mod background;
mod board;
mod colour;
mod completions;
mod conduit;
mod diff;
mod doctor;
mod document;
mod editor;
mod filter;
mod history;
mod hooks;
mod init;
mod interrupt;
mod list;
mod log;
#[cfg(feature = "mcp")]
mod mcp;
mod nuke;
mod output;
mod pager;
mod plumbing;
mod progress;
mod query;
mod records;
mod render;
mod resolve;
mod search;
mod show;
mod status;
mod sync;
mod table;
mod trace;
mod trust;
mod undo;
mod verify;
mod watch;
mod withdraw;
mod words;
mod workspace;

pub use crate::sync::stop::Exit;
pub use completions::Shell;

/// Keep many projects' Metis planning documents in step through one git repository
///
/// Each project has its plans as Markdown files in .metis/, and one central repository has a folder for each project. Without a
/// command git metis-sync syncs: it writes the others' documents to .metis/<prefix>/, makes one commit of those of this
/// project that changed, pushes it to central, and brings metis.db up to date. Where central moved meanwhile it begins again.
#[derive(Debug, Parser)]
// It is the help text as well, which knows no markup.
#[allow(rustdoc::invalid_html_tags)]
#[command(
    name = "git-metis-sync",
    bin_name = "git metis-sync",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    sync: sync::SyncArgs,
}

/// The command line's definition, for parsing, man pages and completions.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// The same as `-h` shows it: what is wanted seldom is left out, so that each help fits a screen of 24 lines.
pub fn brief() -> clap::Command {
    let seldom = [
        "force",
        "allow_deletes",
        "adopt_central",
        "adopt_project",
        "recheck",
        "since",
        "max_retries",
        "pull_only",
        "workspaces",
        "quiet",
        "verbose",
        "color",
        "no_progress",
        "no_pager",
    ];
    let command = seldom.into_iter().fold(command(), |command, option| {
        command.mut_arg(option, |arg| arg.hide(true))
    });
    STAGES
        .into_iter()
        // The first one is what happens without a command.
        .chain(["sync", "trust", "nuke", "undo", "workspace", "withdraw", "completions"])
        .chain(RECORDS)
        .chain(DOCUMENTS)
        .fold(command, |command, stage| {
            command.mut_subcommand(stage, |stage| stage.hide(true))
        })
        .disable_version_flag(true)
        .help_template(
            "{about}\n{usage-heading} {usage}\n\nCommands:\n{subcommands}\n\nOptions:\n{options}{after-help}",
        )
        .after_help(format!(
            "Documents: {}\nShared: {}\nStages of a sync: {}",
            DOCUMENTS.join(", "),
            RECORDS.join(", "),
            STAGES.join(" | ")
        ))
}

/// The commands that are about documents.
const DOCUMENTS: [&str; 9] = [
    "list", "search", "show", "open", "diff", "log", "blame", "board", "query",
];

/// The commands about what anybody may write.
const RECORDS: [&str; 9] = [
    "tag",
    "collection",
    "star",
    "note",
    "link",
    "assign",
    "claim",
    "release",
    "record",
];

/// The commands that are plumbing, in the order of a pipe.
const STAGES: [&str; 6] = ["fetch", "hydrate", "records", "dehydrate", "push", "rebuild-cache"];

/// What the man page of the whole says beyond the options, in roff.
pub const MAN_EXTRA: &str = include_str!("man.roff");

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Work as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = "Everywhere")]
    dir: Option<PathBuf>,
    /// Say nothing unless something is wrong
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    quiet: bool,
    /// Say more, with the time each stage took; -vv: also each connection and exchange
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Everywhere")]
    verbose: u8,
    /// Print one JSON document on stdout
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    /// Colour the output: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        global = true,
        help_heading = "Everywhere"
    )]
    color: Color,
    /// Never draw a progress bar
    #[arg(long, global = true, help_heading = "Everywhere")]
    no_progress: bool,
    /// Print long output without a pager
    #[arg(long, global = true, help_heading = "Everywhere")]
    no_pager: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
// Only the options of the command that was given are put together.
#[command(defer = true)]
enum Command {
    /// Run the whole cycle: fetch, hydrate, dehydrate, push, rebuild the cache
    Sync(sync::SyncArgs),
    /// Connect this workspace to a central repository
    Init(init::InitArgs),
    /// List central's branch and receive what is new
    Fetch(plumbing::FetchArgs),
    /// Write the other workspaces' documents into .metis/<prefix>/
    Hydrate(plumbing::HydrateArgs),
    /// Bring others' shared records, and send own ones
    Records(plumbing::RecordsArgs),
    /// Make a commit of the own documents
    Dehydrate(plumbing::DehydrateArgs),
    /// Push a commit to central
    Push(plumbing::PushArgs),
    /// Bring metis.db up to date with the files
    RebuildCache(plumbing::RebuildCacheArgs),
    /// Show this workspace's state and what a sync would do
    Status(status::StatusArgs),
    /// Show as unified diffs what a sync would push or bring
    Diff(diff::DiffArgs),
    /// List past syncs, or what became of a document, newest first
    Log(log::LogArgs),
    /// List documents of all workspaces
    List(list::ListArgs),
    /// Find documents of all workspaces by their words
    Search(search::SearchArgs),
    /// Show a document as it is, or as it was
    Show(show::ShowArgs),
    /// Edit an own document, show a copy
    Open(show::OpenArgs),
    /// Show which commit of central each line of a document comes from
    Blame(history::BlameArgs),
    /// Write one page with all workspaces' documents, for a browser
    Board(board::BoardArgs),
    /// Compare central and this workspace id by id, every file
    Verify(verify::VerifyArgs),
    /// Confirm settings of config.toml that came with a pull
    Trust(trust::TrustArgs),
    /// Diagnose problems; --fix repairs them
    Doctor(doctor::DoctorArgs),
    /// Throw away what syncs made here, and make it anew
    Nuke(nuke::NukeArgs),
    /// Resolve documents that are behind or diverged
    Resolve(resolve::ResolveArgs),
    /// Take back what the last syncs did
    Undo(undo::UndoArgs),
    /// Rename this workspace's folder in central, or remove it
    Workspace(workspace::WorkspaceArgs),
    /// Take own documents out of central that are not published any more
    Withdraw(withdraw::WithdrawArgs),
    /// Put tags on anybody's documents
    Tag(records::TagArgs),
    /// Put documents of all workspaces into collections
    Collection(records::CollectionArgs),
    /// Star documents, or list those that you starred
    Star(records::StarArgs),
    /// Write notes on anybody's documents
    Note(records::NoteArgs),
    /// Link documents, or list links
    Link(records::LinkArgs),
    /// Say whose a document is to do, or list assignments
    Assign(records::AssignArgs),
    /// Claim a document to work on, or list all claims
    Claim(records::ClaimArgs),
    /// Take a claim back
    Release(records::ReleaseArgs),
    /// Show and write shared records as they are
    Record(records::RecordArgs),
    /// Keep other folders in step
    Conduit(conduit::ConduitArgs),
    /// Sync when files or central change
    Watch(watch::WatchArgs),
    /// Run a sync automatically on git push and merge
    Hooks(hooks::HooksArgs),
    /// Serve agents over standard input and output (MCP)
    #[cfg(feature = "mcp")]
    Mcp(mcp::McpArgs),
    /// Ask questions across workspaces
    Query(query::QueryArgs),
    /// Print what a shell needs to complete commands, options, codes, workspaces and branches
    Completions(completions::CompletionsArgs),
    /// Print the candidates for a word of a command line
    #[command(hide = true)]
    Complete(completions::CompleteArgs),
    /// Show how a command is used
    #[command(hide = true)]
    Help { command: Vec<String> },
}

impl Command {
    /// Whether a person reads what it says, and it does not tell of the background by itself.
    fn is_at_the_prompt(&self) -> bool {
        #[cfg(feature = "mcp")]
        if matches!(self, Command::Mcp(_)) {
            return false;
        }
        !matches!(
            self,
            Command::Hooks(_)
                | Command::Sync(_)
                | Command::Watch(_)
                | Command::Status(_)
                | Command::Complete(_)
                | Command::Completions(_)
                | Command::Help { .. }
        )
    }
}

/// Parses the arguments, runs the command, prints, and returns the exit code.
pub fn main() -> ExitCode {
    let (command, cli) = match parse(std::env::args_os().collect()) {
        Ok(parsed) => parsed,
        Err(err) => {
            if err.use_stderr() {
                // It quotes what was typed, which a script may have from elsewhere.
                let typed = std::env::args_os().map(|arg| escaped(&arg.to_string_lossy()).into());
                let quoted = parse(typed.collect()).err().unwrap_or(err).render().to_string();
                mention!("{}", quoted.trim_end());
                return Exit::Usage.into();
            }
            say!("{}", err.render().to_string().trim_end());
            return output::finish(Exit::Ok);
        }
    };
    if cli.command.is_some() && cli.sync != sync::SyncArgs::default() {
        mention!("error: put a command's options behind the command, as in `git metis-sync sync --dry-run`");
        return Exit::Usage.into();
    }
    let interrupt = Arc::new(AtomicBool::new(false));
    interrupt::watch(&interrupt);
    let global = cli.global;
    if cli.command.as_ref().is_some_and(Command::is_at_the_prompt) {
        background::tell(&global);
    }
    let whole = trace::begin(&global, &command);
    let exit = match cli.command {
        None => sync::run(&global, &cli.sync, interrupt),
        Some(Command::Sync(args)) => sync::run(&global, &args, interrupt),
        Some(Command::Init(args)) => init::run(&global, &args, interrupt),
        Some(Command::Fetch(args)) => plumbing::fetch(&global, &args, interrupt),
        Some(Command::Hydrate(args)) => plumbing::hydrate(&global, &args, interrupt),
        Some(Command::Records(args)) => plumbing::records(&global, &args, interrupt),
        Some(Command::Dehydrate(args)) => plumbing::dehydrate(&global, &args, interrupt),
        Some(Command::Push(args)) => plumbing::push(&global, &args, interrupt),
        Some(Command::RebuildCache(args)) => plumbing::rebuild_cache(&global, &args),
        Some(Command::Status(args)) => status::run(&global, &args, interrupt),
        Some(Command::Diff(args)) => diff::run(&global, &args, interrupt),
        Some(Command::Log(args)) => log::run(&global, &args, interrupt),
        Some(Command::List(args)) => list::run(&global, &args),
        Some(Command::Search(args)) => search::run(&global, &args),
        Some(Command::Show(args)) => show::show(&global, &args, interrupt),
        Some(Command::Open(args)) => show::open(&global, &args),
        Some(Command::Blame(args)) => history::blame(&global, &args, interrupt),
        Some(Command::Board(args)) => board::run(&global, &args, &interrupt),
        Some(Command::Verify(args)) => verify::run(&global, &args, interrupt),
        Some(Command::Trust(args)) => trust::run(&global, &args),
        Some(Command::Doctor(args)) => doctor::run(&global, &args, interrupt),
        Some(Command::Nuke(args)) => nuke::run(&global, &args, interrupt),
        Some(Command::Resolve(args)) => resolve::run(&global, &args, interrupt),
        Some(Command::Undo(args)) => undo::run(&global, &args, interrupt),
        Some(Command::Workspace(args)) => workspace::run(&global, &args, interrupt),
        Some(Command::Withdraw(args)) => withdraw::run(&global, &args, interrupt),
        Some(Command::Tag(args)) => records::tag(&global, &args),
        Some(Command::Collection(args)) => records::collection(&global, &args),
        Some(Command::Star(args)) => records::star(&global, &args),
        Some(Command::Note(args)) => records::note(&global, &args),
        Some(Command::Link(args)) => records::link(&global, &args),
        Some(Command::Assign(args)) => records::assign(&global, &args),
        Some(Command::Claim(args)) => records::claim(&global, &args, interrupt),
        Some(Command::Release(args)) => records::release(&global, &args, interrupt),
        Some(Command::Record(args)) => records::record(&global, &args),
        Some(Command::Conduit(args)) => conduit::run(&global, &args, interrupt),
        Some(Command::Watch(args)) => watch::run(&global, &args, interrupt),
        Some(Command::Hooks(args)) => hooks::run(&global, &args, interrupt),
        #[cfg(feature = "mcp")]
        Some(Command::Mcp(args)) => mcp::run(&global, &args, interrupt),
        Some(Command::Query(args)) => query::run(&global, &args, interrupt),
        Some(Command::Completions(args)) => completions::completions(&args),
        Some(Command::Complete(args)) => completions::complete(&global, &args),
        // Turned into another command line when it was parsed.
        Some(Command::Help { .. }) => Exit::Usage,
    };
    drop(whole);
    output::finish(exit)
}

/// The command's name and what was said of it. `help COMMAND` is `COMMAND -h`.
fn parse(args: Vec<OsString>) -> Result<(String, Cli), clap::Error> {
    let in_full = args
        .iter()
        .any(|arg| arg == "--help" || arg == "--version" || arg == "-V");
    // What is hidden in the brief form is only seen in help and in errors.
    let matches = match command().try_get_matches_from(&args) {
        Err(_) if !in_full => brief().try_get_matches_from(&args)?,
        matches => matches?,
    };
    let cli = Cli::from_arg_matches(&matches)?;
    match cli.command {
        Some(Command::Help { command }) => {
            let words = command.into_iter().chain(["-h".to_owned()]).map(OsString::from);
            parse(args.into_iter().take(1).chain(words).collect())
        }
        _ => Ok((matches.subcommand_name().unwrap_or("sync").to_owned(), cli)),
    }
}

impl Global {
    fn start_dir(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    /// Whether a person can be asked: standard input and error are a terminal, and git's own switch does not forbid it.
    fn may_prompt(&self) -> bool {
        std::io::stdin().is_terminal()
            && output::talks_to_terminal()
            && std::env::var_os("GIT_TERMINAL_PROMPT").is_none_or(|value| value != "0")
    }

    fn talks(&self) -> bool {
        !self.quiet
    }

    fn is_verbose(&self) -> bool {
        self.verbose > 0
    }
}
