//! The client against real servers, and against what no real server does.

// Tests print for those who wrote them.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod push;
// The world that the tests play in.
use test_world as support;
