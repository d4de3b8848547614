//! Somebody who has never used this: what they find, what they are asked, and what they are told when it goes wrong.

mod asked;
mod completing;
mod configs;
mod installed;
mod manual;
mod pipelines;
mod told;
mod variants;
