//! Why the configuration cannot be used, and which of its files it is about.

use std::fmt;

use super::CONFIG_FILE;
use crate::{fs::DirError, text::Untrusted};

/// Which of the two files that make up the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfigFile {
    /// `.metis/config.toml`, which travels with the project.
    #[default]
    Shared,
    /// `.metis/.sync/config.toml`, read on top of it: what this clone alone wants.
    Local,
}

impl ConfigFile {
    /// Relative to `.metis`.
    pub fn path(self) -> &'static str {
        match self {
            ConfigFile::Shared => CONFIG_FILE,
            ConfigFile::Local => ".sync/config.toml",
        }
    }
}

impl fmt::Display for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".metis/{}", self.path())
    }
}

/// Why the configuration cannot be used. The messages name file, key and rule, and never a value: it may be a URL with
/// a password in it.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ConfigError {
    #[error("cannot use the configuration: {0}")]
    File(#[from] DirError),
    #[error("{file} is not UTF-8 text")]
    NotUtf8 { file: ConfigFile },
    #[error("{file}, line {line}, column {column}: {message}")]
    Syntax {
        file: ConfigFile,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        message: Untrusted,
    },
    #[error("{file} belongs to another user ({owner}), so it is not used")]
    NotOurs {
        file: ConfigFile,
        /// Whose it is.
        owner: u32,
    },
    #[error("{file} has merge conflict markers in line {line}")]
    Markers {
        file: ConfigFile,
        /// From 1.
        line: usize,
    },
    #[error("{file}: {key} must be {rule}")]
    Invalid {
        file: ConfigFile,
        key: String,
        rule: &'static str,
    },
    #[error(".metis/config.toml: {key} cannot be changed in place; set it to {value:?} by hand")]
    CannotEdit { key: String, value: Untrusted },
}

impl ConfigError {
    pub(super) fn within(self, file: ConfigFile) -> Self {
        match self {
            ConfigError::NotUtf8 { .. } => ConfigError::NotUtf8 { file },
            ConfigError::Syntax {
                line, column, message, ..
            } => ConfigError::Syntax {
                file,
                line,
                column,
                message,
            },
            ConfigError::Markers { line, .. } => ConfigError::Markers { file, line },
            ConfigError::Invalid { key, rule, .. } => ConfigError::Invalid { file, key, rule },
            other => other,
        }
    }
}
