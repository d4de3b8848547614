//! Small worlds, looked through as a whole, and large ones by chance.

mod laws;
mod small_worlds;
mod world;
