//! A push client on gitoxide's plumbing: everything between "these objects shall become the new values of those refs" and
//! knowing for certain whether they did.
//!
//! gitoxide fetches but does not push; this crate is the missing half.
//!
//! # Order of operations
//!
//! 1. [`connect::open()`] connects and shakes hands with `git-receive-pack` (credentials, deadlines and the trust in
//!    URLs are settled there).
//! 2. The advertised value of each ref is compared with [`RefUpdate::expected`]. If it differs, nothing is sent for it; if it
//!    is the new value already, nothing has to be. After a lost race over http [`push_all()`] begins with the third step.
//! 3. The request is written: a command for each ref, flush, and then one [`pack`] of exactly the objects it was given, one at a
//!    time.
//! 4. The server's `report-status` is read, taking progress and error bands apart.
//! 5. A table ([`Outcome`]) decides what that means for each ref. An answer that is missing or might be a lost race is
//!    settled by listing the refs again; nothing is guessed from prose.
//!
//! # What holds
//!
//! - An error means that no ref was touched: nothing was asked for, the request cannot have arrived whole, or it was
//!   refused. [`Outcome::Unknown`] is the only value that leaves a question, and after it nothing is tried again here.
//! - The server compares the expected old value in any case, so a push never overwrites what somebody else pushed, and
//!   pushing the same commit twice is the same as pushing it once.
//! - A push is only repeated where the server said that it did nothing: it could not lock the ref, or it wanted credentials.
//! - Every wait ends: see [`connect::Deadlines`]. [`ConnectOptions::interrupt`](connect::ConnectOptions::interrupt)
//!   ends all of them at once. Programs that were started are ended with their process group.
//! - Memory holds the largest object with its delta's base and some buffers, never the pack; what a server says is kept
//!   and listened to within limits.
//! - No text of a server reaches the caller with control, escape or bidirectional characters, and no message has a password.
//!
//! # What it does not do
//!
//! It never forces, asks for `atomic` only where it is told to, and does not find out which objects the server lacks: the caller knows what it made. Deltas are made only against
//! objects that the server has, by their ids; `ofs-delta`, which is about deltas within a pack, is not used. A shallow
//! client says nothing of its being shallow: the expected value must be a commit that the server has whole. Signed
//! pushes are not made. While a pack is sent, what the server says is not read, but left in the pipe: it is asked to be
//! quiet. What it prints to a push that it takes is not handed on. http is HTTP/1.1. Nothing but Unix is supported.
//!
//! # Example
//!
//! ```no_run
//! use send_pack::{Outcome, PackObject, PushOptions, RefUpdate, connect};
//!
//! # fn example(commit: gix_hash::ObjectId, data: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! let url = connect::RemoteUrl::parse("https://example.com/plans.git")?;
//! let options = connect::ConnectOptions::default();
//! let update = RefUpdate {
//!     name: "refs/heads/main".into(),
//!     expected: None,
//!     new: Some(commit),
//! };
//! let objects = vec![PackObject { id: commit, kind: gix_object::Kind::Commit, data, delta_base: None }];
//! let source = || Ok::<_, std::io::Error>(objects.clone().into_iter().map(Ok));
//! match send_pack::push(&url, &options, &PushOptions::new("example/1.0"), &update, source)? {
//!     Outcome::Applied => println!("done"),
//!     Outcome::Moved { actual } => println!("somebody was faster: {actual:?}"),
//!     Outcome::Refused(refusal) => println!("refused: {}", refusal.reason),
//!     Outcome::Unknown { cause } => println!("the answer was lost: {cause}"),
//! }
//! # Ok(()) }
//! ```

#![cfg_attr(not(all(feature = "http", feature = "ssh")), allow(dead_code))]
// Tests print for those who wrote them.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_macros))]

mod attempt;
pub mod connect;
mod delta;
mod doubt;
mod error;
mod outcome;
pub mod pack;
mod push;
mod report;
mod request;
mod settle;
mod talk;
mod text;

pub use error::PushError;
pub use outcome::{Outcome, Refusal, RefusalKind};
pub use pack::PackObject;
pub use push::{push, push_again, push_all};
pub use report::printable_lines;
pub use request::{PushOptions, RefUpdate};
pub use text::{is_hidden, is_selector};

// The types of this crate's interface that are gitoxide's.
pub use {bstr, gix_config, gix_hash, gix_object, gix_protocol, gix_transport};

/// What is fuzzed by itself; no part of what is promised.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::delta::encode;
    pub use crate::outcome::{Verdict, verdict};
    pub use crate::report::{Answer, Report, parse};
}
