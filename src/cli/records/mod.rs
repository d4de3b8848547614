//! What all commands about records share: opening them, and saying why that failed.

mod about;
mod claim;
mod note;
mod tag;

pub use about::{RecordArgs, record};
pub use claim::{ClaimArgs, ReleaseArgs, claim, release};
pub use note::{NoteArgs, note};
pub use tag::{TagArgs, tag};

use crate::{
    cache::CacheError,
    names::ShortCode,
    records::{self, Records, RecordsError, Tx},
    sync::{self, SyncErrorKind, Workspace},
};

use super::{Exit, Global, document, render};

/// Why a command about records failed.
enum Failure {
    /// Those that are here.
    Records(RecordsError),
    /// The workspace.
    Workspace(SyncErrorKind),
    /// What was asked for is not there: what is wrong, and what to do about it.
    Absent(String, &'static str),
}

impl From<RecordsError> for Failure {
    fn from(err: RecordsError) -> Self {
        Failure::Records(err)
    }
}

impl From<SyncErrorKind> for Failure {
    fn from(kind: SyncErrorKind) -> Self {
        Failure::Workspace(kind)
    }
}

/// Runs a command in the workspace around the current folder, and says why it failed.
fn run(global: &Global, command: &str, work: impl FnOnce(&Workspace) -> Result<(), Failure>) -> Exit {
    let failure = match Workspace::discover(&global.start_dir()) {
        Err(kind) => Failure::Workspace(kind),
        Ok(workspace) => match work(&workspace) {
            Ok(()) => return Exit::Ok,
            Err(failure) => failure,
        },
    };
    match failure {
        Failure::Workspace(kind) => render::explained(global, command, &kind, ""),
        Failure::Absent(message, next) => document::stopped(global, command, "absent", message, next.into()),
        Failure::Records(err) => {
            let next = match &err {
                RecordsError::Database(CacheError::Busy { .. }) => "Nothing was changed; try again when that is done.",
                RecordsError::Database(CacheError::NotAFile { .. } | CacheError::Unreadable { .. }) => {
                    "Nothing was changed. Once it is moved away, the next sync takes up again what is in central."
                }
                RecordsError::Later { .. } => "Nothing was changed; update git-metis-sync here.",
                _ => "Nothing was changed.",
            };
            document::stopped(global, command, "records", err.to_string(), next.into())
        }
    }
}

/// What is here. `None`: nothing, and nothing is made.
fn here(workspace: &Workspace) -> Result<Option<Records>, Failure> {
    let mut guard = workspace.guard().map_err(SyncErrorKind::from)?;
    Ok(sync::open_records(workspace, &mut guard)?)
}

/// Writes in one transaction.
fn write<T>(workspace: &Workspace, work: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>) -> Result<T, Failure> {
    let mut guard = workspace.guard().map_err(SyncErrorKind::from)?;
    let mut records = sync::made_records(workspace, &mut guard)?;
    let mut tx = records.tx(records::now())?;
    let done = work(&mut tx)?;
    tx.commit()?;
    Ok(done)
}

/// Says of a document that nobody has: what is written about it shows when it comes.
fn mention_unknown(global: &Global, workspace: &Workspace, code: &ShortCode) {
    let Ok(guard) = workspace.guard() else { return };
    let is_unknown = sync::open_cache(workspace, &guard).is_ok_and(|cache| cache.document(code).is_err());
    if is_unknown && global.talks() {
        mention!("warning: no workspace known here has {code}; what is written about it shows when it comes");
    }
}
