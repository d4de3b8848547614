//! The push client by itself, against real servers and against what no real server does.
//!
//! The library is called in this process.

mod again;
mod alone;
mod client;
mod credentials;
mod cut;
mod deadlines;
mod gave_up;
mod hostile;
mod http;
mod interop;
mod interrupt;
mod memory;
mod outcome;
mod partial;
mod plink;
mod program;
mod proxies;
mod servers;
mod several;
mod terminal;
mod transports;
mod trust;

use crate::support::scripted;
