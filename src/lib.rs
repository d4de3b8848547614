//! Keeps the Metis planning documents of many projects in step through one central git repository.
//!
//! # The flow
//!
//! ```text
//! Config ─→ fetch ─→ Snapshot ─→ hydrate ─→ dehydrate ─→ commit? ─→ push ─→ Outcome ─→ record ─→ rebuild-cache
//!                                plan│apply  plan│apply              │
//!              └──────────── Moved: again from fetch (sync, the only loop) ┘
//! ```
//!
//! [`service::execute()`] is the one entry for every trigger. Deciding is pure and lives in [`plan`]; the [`stage`]s gather what
//! a plan needs and do what it says.
//!
//! # The layers
//!
//! Arrows run downward only:
//!
//! ```text
//! cli
//!  ├─ mcp                       a server for agents
//!  ├─ watch                     syncs by itself when files or central change
//!  ├─ hooks                     git's hooks, and the process that they start
//!  ├─ service                   a sync as it is asked for: by the command line, by hooks, by services
//!  ├─ view                      what is shown, as values
//!  ├─ conduit                   two folders kept in step
//!  └─ sync                      composes the stages, holds the retry loop; the table of stops
//!      └─ stage                 fetch, hydrate, dehydrate, push, record, rebuild_cache
//!          ├─ workspace         .metis/ on disk
//!          ├─ project           the repository around .metis/
//!          ├─ central           central over git     ─→ send_pack   a push client that knows nothing of this project (a crate)
//!          ├─ records           records that anybody may write  ─→ shared_records   their rules (a crate)
//!          ├─ cache             metis.db
//!          ├─ state             .metis/.sync/
//!          ├─ plan              decisions             ─→ names       validated names
//!          └─ fs                files and folders
//! ```
//!
//! gitoxide appears in [`central`], [`project`] and [`send_pack`] only, SQLite in [`cache`] and [`records`] only.

// Tests print for those who wrote them.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_macros))]

pub mod cache;
pub mod central;
pub mod cli;
pub mod conduit;
pub mod fs;
pub mod hooks;
pub mod lock_order;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod names;
pub mod plan;
pub mod project;
pub mod records;
pub mod service;
pub mod stage;
pub mod state;
pub mod sync;
pub mod text;
pub mod view;
pub mod watch;
pub mod workspace;

pub use send_pack;
