//! The command line: arguments in, stages and `sync` called, text or JSON out. One file per subcommand.

use std::{
    ffi::OsString,
    io::IsTerminal,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
};

use clap::{Args, FromArgMatches, Parser};

use self::command::Command;
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
mod command;
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
        Some(command) => command.run(&global, interrupt),
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
