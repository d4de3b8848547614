//! `.metis` on disk: the configuration, this workspace's own documents, and the copies of everybody else's.
//!
//! People's plans are in here, and nothing in this room may lose them. Three rules do most of it:
//!
//! 1. What cannot be read is never taken for deleted ([`scan()`], [`Protected`]).
//! 2. Only a folder that is certainly ours is written to ([`survey()`], [`FolderWriter`]), and what somebody edited in it is
//!    kept before it is replaced.
//! 3. Nothing follows a symbolic link, and every file appears whole ([`Dir`](crate::fs::Dir)).
//!
//! | file | what |
//! |---|---|
//! | `metis_dir` | finding `.metis` |
//! | `config` | `config.toml`, and this clone's own on top of it: read, checked, changed in place; which of its keys need this clone's word when they come with a pull |
//! | `frontmatter` | the YAML at a document's head |
//! | `documents`, `owned_document` | the scan for own documents, and what one is: `walk` sees, `protection` judges, `stat_cache` remembers |
//! | `hydrated`, `folder_writer` | copies of others' folders: which they are, how they are written |
//! | `ignore_file` | where git is told to ignore what a sync keeps beside the documents |
//!
//! Object ids are computed by a function that is handed in, and the time is passed in: this room knows neither git nor
//! the clock.

mod config;
mod documents;
mod folder_writer;
pub mod frontmatter;
mod hydrated;
mod ignore_file;
mod links;
mod metis_dir;
mod owned_document;
mod protection;
mod stat_cache;
mod walk;

pub use config::{
    CONFIG_FILE, CONFIG_LIMIT, Config, ConfigError, ConfigFile, Confirmed, Edit, HookSettings, KEYS, LimitSettings,
    MAX_RETRIES, MAX_SECONDS, Record, SyncSettings, Unconfirmed, UnknownKey, branch_name, edit_config, has_begun,
    hold_back, to_confirm, too_deep, with_edits,
};
pub use documents::{Scan, read_document, scan};
pub use folder_writer::{FolderError, FolderWriter, KEPT_DIR, OnDisk, keep_copy, sweep_kept};
pub use frontmatter::{Damage, Frontmatter};
pub use hydrated::{
    FolderState, Glance, MARKER_FILE, Marker, Survey, documents_in, edited_since_marked, glance, is_ours_in_folder,
    is_reserved, read_marker, survey, survey_of,
};
pub use ignore_file::{exclude_own_files, ignore_own_files, lists_folders, unlist_folders};
pub use links::linked_files;
pub use metis_dir::{METIS_DIR, MetisDir, MetisDirError};
pub use owned_document::{DOCUMENT_LIMIT, Damaged, OwnedDocument, Reason};
pub use protection::Protected;
pub use stat_cache::{CacheEntry, StatCache};
pub use walk::FileRead;
