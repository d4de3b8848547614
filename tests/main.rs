//! The program seen from outside: real workspaces, real git servers, the built binary.
//!
//! One test binary with modules, so that it is linked once. `support` is the kit (a world of one central and some
//! workspaces, servers, races), `harness` shows with git itself as the client that the kit is sound, and the other
//! modules are the program's own stories.

// Tests print for those who wrote them.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod agents;
mod conduits;
mod docs;
mod everyday;
mod files;
mod harness;
mod hooks;
mod newcomer;
mod plumbing;
mod records;
mod retry;
mod scenarios;
mod seeing;
mod service;
mod stops;
mod sync;
mod torture;
mod watch;
// The world that they play in, which other crates' tests use as well.
use test_world as support;
