//! Hooks: real git commands in real repositories, the built program found through PATH.

mod arriving;
mod firing;
mod installing;
mod managers;
pub mod project;
mod quiet;
mod stalled;
mod where_git_looks;
mod worker;
