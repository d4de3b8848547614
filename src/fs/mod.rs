//! The ground floor: files and folders, without a word about what is in them.
//!
//! | file | what |
//! |---|---|
//! | `safe_dir/` | an open folder and all file operations in it, none of which follows a link |
//! | `temps` | the temporary files behind atomic writes, and those that killed runs left |
//! | [`mounts`] | where file systems begin |
//! | [`owner`] | whose a file is |
//! | [`times`] | times of files, and how far they tell one change from another |

pub mod mounts;
pub mod owner;
mod safe_dir;
pub(crate) mod temps;
pub mod times;

pub use safe_dir::{Dir, DirError, Entry, FileMode, Kind, Stat, replace};
pub use temps::{TEMP_PREFIX, fresh_name, is_leftover, is_temp, leftover_temps, sweep_temps};
