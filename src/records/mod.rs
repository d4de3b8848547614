//! `.metis/.sync/records.db`: records that anybody may write about anybody's documents, by the rules of [`shared_records`].
//!
//! It holds the logs of all devices as far as they were taken up, what they show, and this clone's own writes, of which those that
//! are not published yet are its outbox. It is no cache: what was acknowledged and not published is nowhere else.
//!
//! | question | module |
//! |---|---|
//! | is it there, and is it this clone's | `database` |
//! | how is something written | [`Tx`], the only way: triggers refuse every connection but ours |
//! | what do the others' logs say | `peers` |
//! | what has this clone published | `own` |
//! | who is it to others, where there is a copy of it | `rename` |
//! | what is to be published | `draft` |
//! | what is there | `ask`, `collections` |
//! | what commands write | [`kinds`] |

mod ask;
mod collections;
mod database;
mod draft;
mod error;
mod files;
pub mod kinds;
mod own;
mod peers;
mod rename;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod tx;

pub use ask::{Device, Logged, Status};
pub use collections::{Collection, Item, Spot};
pub use database::{FILE_NAME, Records, random_id};
pub use draft::{COMPACT_FROM, Draft, File, Publisher, Text};
pub use error::RecordsError;
pub use own::{OwnLog, Part, Pending, Standing, standing};
pub use peers::BATCH;
pub use tx::{Tx, now};
