//! `metis.db`: what all workspaces' documents say about each other, ready for questions.
//!
//! The database is a projection. Everything in it comes from the documents, so it may be deleted at any time, and a
//! failure here is a warning after a sync, never a failed sync. It may also be the Metis tools' own database: ours are
//! the tables whose names begin with `sync_` (`schema.rs`); nothing else in it is read or written.
//!
//! # How it is written, and why not always the same way
//!
//! *No `metis.db`*: it is built in a temp file beside its place, without a journal and with its indexes last, flushed, then
//! moved into place if the place is still free (`fresh.rs`). A killed build leaves a temp file, which the next one removes. Here
//! a thread reads and parses while another one writes: that is a third of the time, on two cores.
//!
//! *A `metis.db` is there*: our tables are changed in place, in one SQLite transaction ([`rebuild()`]). A rename over it would be
//! wrong even after a faithful copy of all tables, for three reasons. A process which has the old file open keeps writing
//! to an inode without a name, and loses what it wrote; no lock shows an idle connection, so this can't be ruled out by
//! looking. A `metis.db-wal` or `metis.db-journal` which belongs to the old file would be replayed into the new one. And a
//! copy costs as much as the whole database for one changed document. The transaction gives what the rename is for: readers
//! see the old or the new state whole, and so does whoever comes after a kill, because SQLite rolls back by itself.
//! SQLite's own settings for the file (journal mode, `synchronous`) are left as they are: foreign tables may depend on them.
//!
//! *A `metis.db` that this clone did not make*: it may have come with a checkout. What our tables hold then is not believed;
//! they are made anew, and `query` answers nothing before that. A mark says who made it (`sync_meta`), for this one file: a
//! copy of it is somebody else's. The schema is compared word by word before any of it is evaluated.
//!
//! *What is not an SQLite database*, a symlink, or a damaged database is left untouched and named in the error: it may be
//! somebody's only copy of something.
//!
//! # What a rebuild costs
//!
//! Each workspace has a fingerprint. One which is stored already is skipped without a look at its documents; otherwise the
//! listing is merged with an index over `(workspace, path, blob)`, and only documents with a new blob id are parsed. Of a
//! folder on the disk nobody knows the blob ids before a look at the bytes; of a new one each document is read once. This happens before the write transaction begins, so that other processes wait for the writing alone;
//! a generation number shows whether another rebuild came in between, and then it is done again. No change, no write.

mod answer;
mod changes;
pub(crate) mod database;
mod error;
mod find;
#[cfg(test)]
mod fixture;
mod fresh;
mod health;
mod marks;
mod plan;
mod query;
mod rebuild;
mod rebuilt;
mod rows;
mod schema;
mod search;
mod select;
mod source;
mod words;

pub use answer::{
    Blocks, ChainEnd, Document, Link, PhaseCount, Progress, QueryError, Upstream, Workspace, WorkspaceDocuments,
};
pub use error::CacheError;
pub use find::Filter;
pub use health::{Health, forget, health};
pub use marks::{Mark, MarkKind};
pub use query::Cache;
pub use rebuild::rebuild;
pub use rebuilt::{Outcome, Rebuilt, Skipped};
pub use search::{Found, Hits, Piece, Sought};
pub use source::{DocumentFacts, DocumentSource, Hash, Load, Maker, Parse, WorkspaceSource};

/// The database's file name below `.metis/`.
pub const FILE_NAME: &str = "metis.db";
