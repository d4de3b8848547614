//! `git metis-sync mcp`.

use std::sync::{Arc, atomic::AtomicBool};

use clap::Args;

use crate::mcp::{self, Start};

use super::{Exit, Global};

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Claude Code:  claude mcp add metis -- git metis-sync mcp
Codex:        codex mcp add metis -- git metis-sync mcp")]
pub struct McpArgs {
    /// Never push
    #[arg(long)]
    pull_only: bool,
}

/// Serves until standard input ends.
pub fn run(global: &Global, args: &McpArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let start = Start {
        folder: global.start_dir(),
        pull_only: args.pull_only,
        interrupt,
    };
    match mcp::serve(start) {
        Ok(()) => Exit::Ok,
        Err(err) => {
            mention!("error: standard input or output cannot be used: {err}");
            Exit::Error
        }
    }
}
