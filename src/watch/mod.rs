//! `git metis-sync watch`: syncs by itself when files or central change, for one workspace or many, in one process.
//!
//! | file | what |
//! |---|---|
//! | [`crate::plan::watch`] | when to survey, to sync, to ask central, and how failures are waited out; pure |
//! | [`run`] | the loop |
//! | `seats`, `centrals` | what the loop does for each workspace and each central |
//! | `seat` | what is known of a workspace that is watched |
//! | `events` | what the kernel tells of folders |
//! | `survey` | what tells own documents as they are from what they were |
//! | `refs` | the branch of a central that lies on this machine |
//! | `work`, `jobs` | one sync, one question to central; the threads that do them |
//! | [`program`] | whether the program was replaced |
//! | [`note`] | what `--status` reads, and the lock that makes it the only watcher |
//! | [`registry`] | the workspaces that this user registered |
//! | [`mod@unit`] | a systemd user unit, a launchd agent |
//!
//! No git is run on the project, and nobody is asked for a password. A sync is the service's, as everywhere.

mod centrals;
mod events;
mod jobs;
pub mod note;
pub mod program;
mod refs;
pub mod registry;
pub mod run;
mod seat;
mod seats;
mod survey;
pub mod unit;
mod work;
