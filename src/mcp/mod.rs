//! A server for agents over standard input and output, by the Model Context Protocol: `git metis-sync mcp`.
//!
//! It has the commands that look, the one that syncs, and those that write what anybody may write, and none that overrides a guard: what a person must decide is said with
//! the command that a person would run. The engine blocks, so each call has a thread; the project is looked up for each call, so
//! the server starts anywhere. Standard output belongs to the protocol from the first byte on (`stdio`).

mod arguments;
mod call;
mod failure;
mod questions;
mod records;
mod server;
mod stdio;
mod tools;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::{ServiceExt, service::ServerInitializeError};

/// How often it is looked whether the process is to end.
const TICK: Duration = Duration::from_millis(100);

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct Start {
    /// Where each call looks for the project.
    pub folder: PathBuf,
    /// Whether it never pushes.
    pub pull_only: bool,
    /// Set when the process is to end.
    pub interrupt: Arc<AtomicBool>,
}

/// Serves until standard input ends and all that was asked is answered.
///
/// # Errors
///
/// The streams cannot be used. What clients send is never one.
pub fn serve(start: Start) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let served = runtime.block_on(async {
        let transport = stdio::Answering::new(stdio::take()?);
        let interrupt = Arc::clone(&start.interrupt);
        let running = match server::Server::new(start).serve(transport).await {
            Ok(running) => running,
            // Whoever says nothing at all has left.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(err) => return Err(std::io::Error::other(err.to_string())),
        };
        tokio::select! {
            ended = running.waiting() => ended.map(|_| ()).map_err(std::io::Error::other),
            () = ended(&interrupt) => Ok(()),
        }
    });
    // A thread may still wait for input.
    runtime.shutdown_background();
    served
}

async fn ended(interrupt: &AtomicBool) {
    while !interrupt.load(Ordering::Relaxed) {
        tokio::time::sleep(TICK).await;
    }
}
