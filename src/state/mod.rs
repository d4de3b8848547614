//! `.metis/.sync/`: what this clone knows and its colleagues' clones don't.
//!
//! Git ignores the folder. Losing it costs a full rescan and the history of syncs, never a document.
//!
//! What guards this clone is not in there, where a pull could bring it, but in the [`guard`].
//!
//! - [`files`]: the folder itself, and small JSON files written all or nothing
//! - [`guard`]: what this clone is bound to, and the secret that its cursor is sealed with
//! - [`lock`]: one sync at a time
//! - [`journal`]: what the syncs did
//! - [`last`]: when the last one went well

pub mod cursor;
pub mod files;
pub mod guard;
pub mod journal;
pub mod last;
pub mod lock;

/// The stat cache of own documents, a file in `.metis/.sync/`.
pub const STAT_CACHE: &str = "stat-cache";
