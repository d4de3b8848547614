//! What a stage met that deserves a look but stopped nothing.

use serde::{Serialize, Serializer};

use crate::{
    names::{Prefix, ShortCode},
    plan::{dehydrate::Foreign, listing::Skipped},
    text::{Untrusted, shell_word, shown},
    workspace::{Unconfirmed, UnknownKey},
};

/// Something that deserves a look but stopped nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// An own document cannot be read; central's copy was left as it is.
    Damaged {
        /// Relative to `.metis/`.
        path: Untrusted,
        /// Why.
        reason: Untrusted,
    },
    /// An entry of central was left out.
    Skipped(Skipped),
    /// A hydrated folder could not be brought in step. The others were.
    FolderFailed {
        /// Which.
        prefix: Prefix,
        /// Why.
        reason: Untrusted,
    },
    /// Central has more workspaces than this clone takes.
    TooManyWorkspaces {
        /// The first of those that were left out.
        first: Prefix,
        /// How many were.
        left_out: usize,
        /// How many are taken.
        limit: u64,
    },
    /// A locally edited hydrated file was kept aside.
    Kept {
        /// Where it was.
        path: Untrusted,
        /// Where its bytes are now.
        kept: Untrusted,
    },
    /// A workspace is gone from central, but its folder here holds something that is not ours.
    LeftOver {
        /// Which.
        prefix: Prefix,
        /// What is left in it.
        names: Vec<Untrusted>,
    },
    /// A workspace is not in the central that was adopted; its folder's documents were moved aside.
    SetAside {
        /// Which.
        prefix: Prefix,
        /// How many.
        documents: usize,
        /// Where they are now, relative to `.metis/`.
        kept: Untrusted,
    },
    /// Copies were edited since the last sync.
    Edited {
        /// Whose.
        prefix: Prefix,
        /// The documents.
        codes: Vec<ShortCode>,
    },
    /// Another workspace's documents have codes like this project's.
    SharedCodes {
        /// Which.
        prefix: Prefix,
        /// What the codes begin with.
        letters: Untrusted,
    },
    /// A value of config.toml that needs this clone's word and does not have it.
    Unconfirmed(Unconfirmed),
    /// Documents are not published any more, and central has them.
    StillInCentral(Vec<ShortCode>),
    /// Documents are not published.
    NotPublished(Vec<ShortCode>),
    /// A key of config.toml that is most likely misspelled.
    UnknownKey(UnknownKey),
    /// `last_synced_commit` could not be written.
    ConfigNotWritten(Untrusted),
    /// `metis.db` could not be rebuilt.
    CacheNotRebuilt(Untrusted),
    /// What this clone knows could not be read and was taken for lost.
    StateLost(Untrusted),
    /// What this clone is supposed to know was not written by it.
    StateForeign,
    /// The repository around the workspace is another user's.
    ForeignRepository(std::path::PathBuf),
    /// The project's remote could not be asked for newer documents.
    FreshnessUnknown(Untrusted),
    /// The file system has no locks.
    Unlocked,
    /// The log of syncs could not be written.
    JournalNotWritten(Untrusted),
    /// An own document has the code of another workspace's document.
    Foreign(Foreign),
    /// Another branch than the source branch is checked out.
    SourceElsewhere(Untrusted),
    /// The owned folder was retired.
    Retired(Prefix),
    /// Central was rewound and its new history accepted.
    CentralAdopted,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Warning::Damaged { path, reason } => {
                write!(f, "{path}: {reason}; central's copy of it stays as it is")
            }
            Warning::Skipped(skipped) => write!(f, "skipped {} in central: {}", skipped.path, skipped.reason.words()),
            Warning::FolderFailed { prefix, reason } => write!(f, "{prefix}/ could not be hydrated: {reason}"),
            Warning::TooManyWorkspaces { first, left_out, limit } => {
                write!(
                    f,
                    "central has more than {limit} other workspaces; {left_out} were left out, {first}/ first. To have them, \
                     raise sync.limits.workspaces in .metis/.sync/config.toml"
                )
            }
            Warning::Kept { path, kept } => {
                write!(f, "{path} had been edited here; your version is kept as {kept}")
            }
            Warning::LeftOver { prefix, names } => {
                let first: Vec<String> = names.iter().take(3).map(Untrusted::to_string).collect();
                write!(
                    f,
                    "{prefix}/ is gone from central; its folder here stays because of what else is in it: {}{}",
                    first.join(", "),
                    if names.len() > 3 { ", …" } else { "" }
                )
            }
            Warning::SetAside {
                prefix,
                documents,
                kept,
            } => {
                write!(
                    f,
                    "{prefix}/ is not in this central; its {documents} documents here were moved to .metis/{kept}/"
                )
            }
            Warning::Edited { prefix, codes } => {
                let first: Vec<&str> = codes.iter().take(3).map(ShortCode::as_str).collect();
                write!(
                    f,
                    "{} in {prefix}/ {} edited here, in a copy, from where nothing is pushed: {}{}. `git metis-sync doctor \
                     --fix` brings central's version back and keeps yours aside",
                    if codes.len() == 1 { "1 document" } else { "documents" },
                    if codes.len() == 1 { "was" } else { "were" },
                    first.join(", "),
                    if codes.len() > 3 { ", …" } else { "" }
                )
            }
            Warning::SharedCodes { prefix, letters } => {
                write!(
                    f,
                    "{prefix}/ has documents whose codes begin with {letters}-, as this project's do, so two documents can \
                     get the same code; one of the two projects should choose another project.prefix"
                )
            }
            Warning::Unconfirmed(unconfirmed) => {
                write!(
                    f,
                    "{unconfirmed}. If the change is meant, confirm it with `git metis-sync trust {}`",
                    unconfirmed.key
                )
            }
            Warning::StillInCentral(codes) => write!(
                f,
                "central still has {}, which this workspace does not publish any more; `git metis-sync withdraw CODE` takes it out",
                some(codes)
            ),
            Warning::NotPublished(codes) => write!(
                f,
                "not published, because of .metis/.syncignore, [sync] exclude or what git ignores: {}",
                some(codes)
            ),
            Warning::UnknownKey(unknown) => unknown.fmt(f),
            Warning::ConfigNotWritten(reason) => {
                write!(
                    f,
                    "last_synced_commit could not be written: {reason}; the sync itself is complete"
                )
            }
            Warning::CacheNotRebuilt(reason) => {
                write!(
                    f,
                    "metis.db could not be rebuilt: {reason}; each sync tries again, or run `git metis-sync rebuild-cache`"
                )
            }
            Warning::StateLost(reason) => {
                write!(
                    f,
                    "what this clone knew of earlier syncs could not be read: {reason}; everything is compared anew"
                )
            }
            Warning::StateForeign => f.write_str(
                ".metis/.sync/cursor.json is not by this clone (it was copied from another one, or came with a commit) and \
                 counts for nothing; everything is compared anew",
            ),
            Warning::ForeignRepository(path) => {
                let path = shown(path).to_string();
                write!(
                    f,
                    "the git repository in {path} belongs to another user, so it counts for nothing here; to trust it: \
                     git config --global --add safe.directory {}",
                    shell_word(&path)
                )
            }
            Warning::FreshnessUnknown(reason) => {
                write!(
                    f,
                    "the project's own remote could not be asked for newer documents: {reason}"
                )
            }
            Warning::Unlocked => f.write_str("this file system has no locks; don't run two syncs here at once"),
            Warning::JournalNotWritten(reason) => write!(f, "the log of syncs could not be written: {reason}"),
            Warning::Foreign(Foreign { code, owner }) => {
                write!(
                    f,
                    "{code} is a document of {owner}/ in central, so it is not pushed from here; give yours another short_code"
                )
            }
            Warning::SourceElsewhere(source) => {
                write!(
                    f,
                    "{source} is not checked out here, so what it has is synced, not what is checked out"
                )
            }
            Warning::Retired(prefix) => write!(
                f,
                "{prefix}/ was retired from central, so nothing is pushed from here; `git metis-sync init` makes the next sync \
                 register it again"
            ),
            Warning::CentralAdopted => f.write_str("central's history had been rewritten; the new one was adopted"),
        }
    }
}

/// The first few.
fn some(codes: &[ShortCode]) -> String {
    let first: Vec<&str> = codes.iter().take(3).map(ShortCode::as_str).collect();
    let more = if codes.len() > 3 { ", …" } else { "" };
    format!("{}{more}", first.join(", "))
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
