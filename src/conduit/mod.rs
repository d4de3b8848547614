//! Conduits: folders that are kept in step, whatever lies in them.
//!
//! A conduit ties two endpoints, `alpha` and `beta`: two folders, or a folder and a branch of central. One sync of it goes like this:
//!
//! 1. The definition is one that this clone confirmed ([`definition`]), and its endpoints are there (`endpoint`).
//! 2. Both are listed (`scan`) and compared with what they had in common last (`memory`), by
//!    [`plan::conduit`](crate::plan::conduit).
//! 3. What will be done is written down (`record`) and done (`apply`): all copies, then one commit for central, then all deletes.
//!    Whatever is replaced or removed is kept.
//! 4. What both have in common moves on, both are listed again, and a sync that finds nothing more to do is verified.
//!
//! | file | what |
//! |---|---|
//! | `order`, `ready` | the first step: what is asked, and a conduit open and locked for it |
//! | `service` | composes these steps: [`sync_now()`] |
//! | `recall`, `index`, `made`, `packed` | looking at both sides without reading again what was read before; how that is stored |
//! | `scan`, `reading` | listing a folder, reading a file |
//! | `found`, `run`, `files` | looking at both sides and doing what follows; one file at a time |
//! | `retention` | how long past syncs are remembered |
//! | `room` | whether there is room for what comes |
//! | `round` | one look, and one go at what follows, again while central moves |
//! | `branch`, `tip`, `documents`, `listed`, `publish` | the side that is a branch of central, or a folder there: fetching, listing, committing and pushing |
//! | `renewal` | whether damaged objects of central are to be fetched anew |
//! | `content`, `past` | what is in a file that is none here, or that is on neither side any more |
//! | `leftovers` | what killed syncs left in the folders |
//! | `history`, `compare` | past syncs, and taking one back; what a sync changes, line by line |
//! | `overview`, `diagnosis` | where all of them stand, for those who only look |
//! | `mounts` | whether a side is a disk that was unmounted |
//! | `others` | conduits that get in each other's way |
//! | `links` | which symbolic links are kept, where any are |
//! | `rules` | what of a folder belongs to a conduit |

mod apply;
mod branch;
mod compare;
mod content;
pub mod definition;
mod diagnosis;
mod documents;
mod endpoint;
mod error;
mod explain;
mod files;
mod found;
mod history;
mod index;
mod leftovers;
mod links;
mod listed;
mod made;
mod memory;
mod mounts;
mod order;
mod others;
mod overview;
mod packed;
mod past;
mod publish;
mod reading;
mod ready;
mod recall;
mod record;
mod renewal;
mod retention;
mod room;
mod round;
mod rules;
mod run;
mod scan;
mod service;
mod tip;

pub use compare::{Difference, Version, past, planned};
pub use definition::Definition;
pub use diagnosis::findings;
pub use error::ConduitError;
pub use explain::explain;
pub use history::{generations, recent, undo};
pub use order::{Order, Told};
pub use overview::{Overview, overview};
pub use ready::{check, folders, forget, share_branches};
pub use record::{Generation, Status};
pub use rules::is_private;
pub use service::{Report, sync_now};
