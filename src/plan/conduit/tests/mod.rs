//! Syncs on paper: the tables of decisions row by row, what others' tools do in the same situations, and the laws.

mod guards;
mod laws;
mod mutagen;
mod rclone;
mod rows;
mod unison;
mod world;
