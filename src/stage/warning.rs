//! What a stage met that deserves a look but stopped nothing.

use serde::{Serialize, Serializer};

use crate::{
    names::{Prefix, ShortCode},
    plan::{
        dehydrate::Foreign,
        listing::{LeftOut, MOST_NAMED, Skipped},
    },
    text::{Untrusted, shell_word, shown},
    workspace::{Unconfirmed, UnknownKey},
};

/// Something that deserves a look but stopped nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// An own document cannot be read; central's copy was left as it is.
    #[error("{path}: {reason}; central's copy of it stays as it is")]
    Damaged {
        /// Relative to `.metis/`.
        path: Untrusted,
        /// Why.
        reason: Untrusted,
    },
    /// An entry of central was left out.
    #[error("skipped {} in central: {}", .0.path, .0.reason.words())]
    Skipped(Skipped),
    /// More was left out than is named.
    #[error("skipped {count} more entries of {} in central, which are not named", place.as_ref().map_or("the top".into(), |prefix| format!("{prefix}/")))]
    SkippedMore {
        /// The folder. `None`: all of them.
        place: Option<Prefix>,
        /// How much.
        count: usize,
    },
    /// A hydrated folder could not be brought in step. The others were.
    #[error("{prefix}/ could not be hydrated: {reason}")]
    FolderFailed {
        /// Which.
        prefix: Prefix,
        /// Why.
        reason: Untrusted,
    },
    /// Central has more workspaces than this clone takes.
    #[error(
        "central has more than {limit} other workspaces; {left_out} were left out, {first}/ first. To have \
         them, raise sync.limits.workspaces in .metis/.sync/config.toml"
    )]
    TooManyWorkspaces {
        /// The first of those that were left out.
        first: Prefix,
        /// How many were.
        left_out: usize,
        /// How many are taken.
        limit: u64,
    },
    /// A locally edited hydrated file was kept aside.
    #[error("{path} had been edited here; your version is kept as {kept}")]
    Kept {
        /// Where it was.
        path: Untrusted,
        /// Where its bytes are now.
        kept: Untrusted,
    },
    /// A workspace is gone from central, but its folder here holds something that is not ours.
    #[error(
        "{prefix}/ is gone from central; its folder here stays because of what else is in it: {}",
        some(names)
    )]
    LeftOver {
        /// Which.
        prefix: Prefix,
        /// What is left in it.
        names: Vec<Untrusted>,
    },
    /// A workspace is not in the central that was adopted; its folder's documents were moved aside.
    #[error("{prefix}/ is not in this central; its {documents} documents here were moved to .metis/{kept}/")]
    SetAside {
        /// Which.
        prefix: Prefix,
        /// How many.
        documents: usize,
        /// Where they are now, relative to `.metis/`.
        kept: Untrusted,
    },
    /// Copies were edited since the last sync.
    #[error(
        "{} in {prefix}/ {} edited here, in a copy, from where nothing is pushed: {}. `git metis-sync doctor \
         --fix` brings central's version back and keeps yours aside",
        if codes.len() == 1 { "1 document" } else { "documents" }, if codes.len() == 1 { "was" } else { "were" }, some(codes)
    )]
    Edited {
        /// Whose.
        prefix: Prefix,
        /// The documents.
        codes: Vec<ShortCode>,
    },
    /// Another workspace's documents have codes like this project's.
    #[error(
        "{prefix}/ has documents whose codes begin with {letters}-, as this project's do, so two documents \
         can get the same code; one of the two projects should choose another project.prefix"
    )]
    SharedCodes {
        /// Which.
        prefix: Prefix,
        /// What the codes begin with.
        letters: Untrusted,
    },
    /// A value of config.toml that needs this clone's word and does not have it.
    #[error("{0}. If the change is meant, confirm it with `git metis-sync trust {key}`", key = .0.key)]
    Unconfirmed(Unconfirmed),
    /// Documents are not published any more, and central has them.
    #[error(
        "central still has {}, which this workspace does not publish any more; `git metis-sync withdraw CODE` \
         takes it out",
        some(.0)
    )]
    StillInCentral(Vec<ShortCode>),
    /// Documents are not published.
    #[error("not published, because of .metis/.syncignore, [sync] exclude or what git ignores: {}", some(.0))]
    NotPublished(Vec<ShortCode>),
    /// A key of config.toml that is most likely misspelled.
    #[error("{0}")]
    UnknownKey(UnknownKey),
    /// `last_synced_commit` could not be written.
    #[error("last_synced_commit could not be written: {0}; the sync itself is complete")]
    ConfigNotWritten(Untrusted),
    /// Records could not be read or written.
    #[error("records were left as they are: {0}; documents were synced all the same")]
    RecordsLeft(Untrusted),
    /// A records.db that this clone did not make was in the way.
    #[error("{0} holds records that this clone did not write; it was moved there, and nothing in it counts")]
    RecordsSetAside(Untrusted),
    /// Another copy of this folder wrote records under this clone's name.
    #[error("another copy of this folder writes records too, so this one has taken a name of its own for them")]
    RecordsRenamed,
    /// Own records are not in central yet.
    #[error("records written here are not in central yet: {0}; the next sync sends them")]
    RecordsNotPublished(Untrusted),
    /// Central takes records as a branch alone.
    #[error("central takes no refs/metis/, so this clone's records go to a branch below metis/log/ from now on")]
    RecordsAsBranch,
    /// Central takes no records.
    #[error(
        "central does not take records: {0}. They are tried again once a day, with the next one that is written here and by sync --recheck; ask its administrator \
         to allow pushes to refs/metis/ or to branches below metis/log/"
    )]
    RecordsRefused(Untrusted),
    /// A log that somebody else wrote breaks a rule.
    #[error("the records of device {device} count up to the last good one: {fault}")]
    LogFrozen {
        /// Which.
        device: Untrusted,
        /// What is wrong.
        fault: Untrusted,
    },
    /// `metis.db` could not be rebuilt.
    #[error("metis.db could not be rebuilt: {0}; each sync tries again, or run `git metis-sync rebuild-cache`")]
    CacheNotRebuilt(Untrusted),
    /// What this clone knows could not be read and was taken for lost.
    #[error("what this clone knew of earlier syncs could not be read: {0}; everything is compared anew")]
    StateLost(Untrusted),
    /// What this clone is supposed to know was not written by it.
    #[error(
        ".metis/.sync/cursor.json is not by this clone (it was copied from another one, or came with a \
         commit) and counts for nothing; everything is compared anew"
    )]
    StateForeign,
    /// The repository around the workspace is another user's.
    #[error(
        "the git repository in {} belongs to another user, so it counts for nothing here; to trust it: git \
         config --global --add safe.directory {}",
        shown(.0), shell_word(&shown(.0).to_string())
    )]
    ForeignRepository(std::path::PathBuf),
    /// The project's remote could not be asked for newer documents.
    #[error("the project's own remote could not be asked for newer documents: {0}")]
    FreshnessUnknown(Untrusted),
    /// A process that had the lock ended without giving it back. The value names it.
    #[error("an earlier run here was ended before it was done: {0}")]
    Died(Untrusted),
    /// The file system has no locks.
    #[error("this file system has no locks; don't run two syncs here at once")]
    Unlocked,
    /// The log of syncs could not be written.
    #[error("the log of syncs could not be written: {0}")]
    JournalNotWritten(Untrusted),
    /// An own document has the code of another workspace's document.
    #[error(
        "{code} is a document of {owner}/ in central, so it is not pushed from here; give yours another \
         short_code",
        code = .0.code, owner = .0.owner
    )]
    Foreign(Foreign),
    /// Another branch than the source branch is checked out.
    #[error("{0} is not checked out here, so what it has is synced, not what is checked out")]
    SourceElsewhere(Untrusted),
    /// The owned folder was retired.
    #[error(
        "{0}/ was retired from central, so nothing is pushed from here; `git metis-sync init` makes the next \
         sync register it again"
    )]
    Retired(Prefix),
    /// Central was rewound and its new history accepted.
    #[error("central's history had been rewritten; the new one was adopted")]
    CentralAdopted,
}

impl Warning {
    /// What was left out in a folder, or at the top of central; no more of it is named than fits with what was `named` before.
    pub fn left_out(left_out: LeftOut, place: Option<&Prefix>, named: usize) -> impl Iterator<Item = Warning> + use<> {
        let LeftOut { named, more } = left_out.within(MOST_NAMED.saturating_sub(named));
        let more = (more > 0).then(|| Warning::SkippedMore {
            place: place.cloned(),
            count: more,
        });
        named.into_iter().map(Warning::Skipped).chain(more)
    }

    /// Whether it says that records were left which the next sync takes up or sends.
    pub fn leaves_records(&self) -> bool {
        matches!(self, Warning::RecordsLeft(_) | Warning::RecordsNotPublished(_))
    }
}

/// The first few.
fn some(names: &[impl ToString]) -> String {
    let first: Vec<String> = names.iter().take(3).map(ToString::to_string).collect();
    let more = if names.len() > 3 { ", …" } else { "" };
    format!("{}{more}", first.join(", "))
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
