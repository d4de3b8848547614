//! What can go wrong in an open folder.

use std::{io, path::PathBuf};

use rustix::io::Errno;

use crate::text::shown;

/// Why something below a [`Dir`](super::Dir) could not be done. Every message names the path.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum DirError {
    #[error("{} is not a plain path inside the folder", shown(path))]
    Escapes { path: PathBuf },
    #[error("{} does not exist", shown(path))]
    Missing { path: PathBuf },
    #[error(
        "{} is, or lies behind, a symbolic link; links are never followed inside .metis",
        shown(path)
    )]
    Symlink { path: PathBuf },
    #[error("{} is not a folder, and one is needed there", shown(path))]
    NotADirectory { path: PathBuf },
    #[error("{} is not a regular file", shown(path))]
    NotAFile { path: PathBuf },
    #[error("{} is not empty", shown(path))]
    NotEmpty { path: PathBuf },
    #[error("{} exists already", shown(path))]
    Exists { path: PathBuf },
    #[error("{} has more than the {limit} bytes allowed", shown(path))]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("{} kept changing while it was read; another program is writing it", shown(path))]
    Unstable { path: PathBuf },
    #[error("cannot {action} {}: {source}", shown(path))]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl DirError {
    /// Whether the path certainly names nothing: the one answer that may be taken for "was deleted".
    ///
    /// A link in the way is no such answer: what it hides may still be there.
    pub fn is_gone(&self) -> bool {
        matches!(self, DirError::Missing { .. } | DirError::NotADirectory { .. })
    }

    pub(super) fn new(action: &'static str, path: PathBuf, errno: Errno) -> Self {
        match errno {
            Errno::NOENT => DirError::Missing { path },
            Errno::LOOP => DirError::Symlink { path },
            Errno::NOTDIR => {
                // What is in the way, which may be far up in the path.
                let is_there = |part: &&std::path::Path| part.symlink_metadata().is_ok();
                let obstacle = path.ancestors().find(is_there).unwrap_or(&path).to_owned();
                DirError::NotADirectory { path: obstacle }
            }
            Errno::ISDIR | Errno::NXIO => DirError::NotAFile { path },
            Errno::NOTEMPTY => DirError::NotEmpty { path },
            Errno::EXIST => DirError::Exists { path },
            errno => DirError::Io {
                action,
                path,
                source: errno.into(),
            },
        }
    }
}
