//! All commands: what each is for, and where it is done.

use std::sync::{Arc, atomic::AtomicBool};

use clap::Subcommand;

#[cfg(feature = "mcp")]
use super::mcp;
use super::{
    Exit, Global, board, completions, conduit, diff, doctor, history, hooks, init, list, log, nuke, plumbing, query,
    records, resolve, search, show, status, sync, trust, undo, verify, watch, withdraw, workspace,
};

#[derive(Debug, Subcommand)]
// Only the options of the command that was given are put together.
#[command(defer = true)]
pub(super) enum Command {
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
    pub fn is_at_the_prompt(&self) -> bool {
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

    /// Does it.
    pub fn run(self, global: &Global, interrupt: Arc<AtomicBool>) -> Exit {
        match self {
            Command::Sync(args) => sync::run(global, &args, interrupt),
            Command::Init(args) => init::run(global, &args, interrupt),
            Command::Fetch(args) => plumbing::fetch(global, &args, interrupt),
            Command::Hydrate(args) => plumbing::hydrate(global, &args, interrupt),
            Command::Records(args) => plumbing::records(global, &args, interrupt),
            Command::Dehydrate(args) => plumbing::dehydrate(global, &args, interrupt),
            Command::Push(args) => plumbing::push(global, &args, interrupt),
            Command::RebuildCache(args) => plumbing::rebuild_cache(global, &args),
            Command::Status(args) => status::run(global, &args, interrupt),
            Command::Diff(args) => diff::run(global, &args, interrupt),
            Command::Log(args) => log::run(global, &args, interrupt),
            Command::List(args) => list::run(global, &args),
            Command::Search(args) => search::run(global, &args),
            Command::Show(args) => show::show(global, &args, interrupt),
            Command::Open(args) => show::open(global, &args),
            Command::Blame(args) => history::blame(global, &args, interrupt),
            Command::Board(args) => board::run(global, &args, &interrupt),
            Command::Verify(args) => verify::run(global, &args, interrupt),
            Command::Trust(args) => trust::run(global, &args),
            Command::Doctor(args) => doctor::run(global, &args, interrupt),
            Command::Nuke(args) => nuke::run(global, &args, interrupt),
            Command::Resolve(args) => resolve::run(global, &args, interrupt),
            Command::Undo(args) => undo::run(global, &args, interrupt),
            Command::Workspace(args) => workspace::run(global, &args, interrupt),
            Command::Withdraw(args) => withdraw::run(global, &args, interrupt),
            Command::Tag(args) => records::tag(global, &args),
            Command::Collection(args) => records::collection(global, &args),
            Command::Star(args) => records::star(global, &args),
            Command::Note(args) => records::note(global, &args),
            Command::Link(args) => records::link(global, &args),
            Command::Assign(args) => records::assign(global, &args),
            Command::Claim(args) => records::claim(global, &args, interrupt),
            Command::Release(args) => records::release(global, &args, interrupt),
            Command::Record(args) => records::record(global, &args),
            Command::Conduit(args) => conduit::run(global, &args, interrupt),
            Command::Watch(args) => watch::run(global, &args, interrupt),
            Command::Hooks(args) => hooks::run(global, &args, interrupt),
            #[cfg(feature = "mcp")]
            Command::Mcp(args) => mcp::run(global, &args, interrupt),
            Command::Query(args) => query::run(global, &args, interrupt),
            Command::Completions(args) => completions::completions(&args),
            Command::Complete(args) => completions::complete(global, &args),
            // Turned into another command line when it was parsed.
            Command::Help { .. } => Exit::Usage,
        }
    }
}
