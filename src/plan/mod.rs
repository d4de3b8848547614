//! Deciding, apart from doing: every function here takes listings and returns a value, without I/O.
//!
//! | question | module |
//! |---|---|
//! | which entries of central are documents, which are skipped and why | [`listing`] |
//! | what has to be written to and removed from a hydrated folder | [`hydrate`] |
//! | what this workspace pushes, what is behind, what collides | [`dehydrate`] |
//! | where own documents are read from | [`source`] |
//! | which of two sides changed what both had | [`three_way`] |
//! | which version of a document is the newer one | [`newer`] |
//! | whether a folder may be renamed or taken away | [`folder`] |
//! | which plans are too dangerous to apply unasked | [`guard`] |
//! | whether a failed push is tried again, and after which wait | [`retry`] |
//! | what a sync of two folders does, path by path | [`conduit`] |
//! | what a watcher does next | [`watch`] |
//! | what of past syncs can be taken back | [`undo`] |
//! | how files differ from what they should be | [`compare`] |
//! | where a workspace stands, in a word | [`standing`] |
//!
//! `--dry-run` prints these values; the stages apply them.

pub mod compare;
pub mod conduit;
pub mod dehydrate;
pub mod folder;
pub mod guard;
pub mod hydrate;
pub mod listing;
pub mod newer;
pub mod retry;
pub mod source;
pub mod standing;
pub mod three_way;
pub mod undo;
pub mod watch;
