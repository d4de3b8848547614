//! Which version of one document is the newer one.
//!
//! **A version may replace or remove central's only where it is shown to have come after it.** git's own ancestry shows it: each
//! commit of a sync says which commit of the project it was made from, so that the project's history tells which of two
//! versions came first. Where there is no such history, the last version that this clone and central had in common is all
//! there is to go by.
//!
//! With *here* the version that would be pushed, *central* the one in the owned folder, *t* the commit that is synced from, *s*
//! the commit that central's version was made from:
//!
//! | what is known | committed in t | edited since |
//! |---|---|---|
//! | here = central | in step | in step |
//! | central's is the version of t | | push |
//! | t is s or descends from it, central's was committed | push | push |
//! | the same, central's was an uncommitted edit | changed since s: ours push, another's diverged; unchanged: behind, unless ours and given up | push over ours; else by the version at s |
//! | s descends from t, or neither: the merge base decides | as at the base: behind; central as at the base: push; else diverged | the same |
//! | the same, and this clone made it from a commit that no branch has any more | as if t descended from s | the same |
//! | s is not said (an older client), and a commit before t had central's version | push | push |
//! | s is not to be had | by the last common version; what central had before is behind | by the last common version |
//! | there is no commit to ask | | by the last common version |

use serde::{Deserialize, Serialize};

use super::three_way::{Changed, changed};
use crate::names::ObjectId;

/// The versions of one document. `None` stands for a document that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// What would be pushed.
    pub here: Option<ObjectId>,
    /// What central's owned folder holds.
    pub central: Option<ObjectId>,
    /// What this clone noted last. `None`: nothing about this document.
    pub noted: Option<Noted>,
}

/// What a clone noted when it and central last agreed on a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// The common version. `None`: this clone removed the document.
    pub version: Option<ObjectId>,
    /// Whether this clone pushed it.
    pub mine: bool,
}

impl Versions {
    /// The last common version, where nothing noted means that there was none.
    fn base(&self) -> Option<ObjectId> {
        self.noted.and_then(|noted| noted.version)
    }

    /// Whether central still has what this clone noted.
    fn central_is_as_noted(&self) -> bool {
        self.base() == self.central
    }

    /// Whether central's version is one that this clone pushed and nobody changed since.
    pub fn central_is_ours(&self) -> bool {
        self.noted
            .is_some_and(|noted| noted.mine && noted.version == self.central)
    }
}

/// How the commit that is synced from and the one that central's version was made from relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The commit that is synced from is the same or descends from the other.
    Descends,
    /// It does not: the other one descends from it, or each has commits that the other lacks.
    Apart,
}

/// What the project's history says of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// See [`Relation`].
    pub relation: Relation,
    /// Whether the version here is not the one of the commit that is synced from.
    pub edited: bool,
    /// Whether central's version was not committed in the commit that it was made from.
    pub uncommitted: bool,
    /// Whether central's version is the one of the commit that is synced from.
    pub central_is_committed: bool,
    /// The document in the commit that central's version was made from.
    pub at_origin: Option<ObjectId>,
    /// The document in the merge base of both commits.
    pub at_base: Option<ObjectId>,
    /// Whether no branch, tag or remote branch has the commit any more that this clone made central's version from, nor a
    /// local branch that goes on from the commit that is synced from the version itself.
    pub given_up: bool,
    /// Whether central's version lies in a stash or at the tip of a local branch.
    pub kept_aside: bool,
    /// Whether the files of the work tree are read.
    pub from_worktree: bool,
}

impl Origin {
    /// The commit was this clone's, and git has thrown it away since: no branch had it any more.
    pub const GONE: Origin = Origin {
        relation: Relation::Apart,
        edited: false,
        uncommitted: false,
        central_is_committed: false,
        at_origin: None,
        at_base: None,
        given_up: true,
        kept_aside: false,
        from_worktree: false,
    };
}

/// What central's own history says of the version here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// It never had the document.
    Never,
    /// It had the document, but not this version.
    Other,
    /// It had this version.
    This,
}

/// What is known beside the versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The commit that central's version was made from is known.
    Origin(Origin),
    /// It is not: an older client wrote it, or the commit is nowhere to be had.
    NoOrigin {
        /// Whether the version here is not the one of the commit that is synced from.
        edited: bool,
        /// Whether central's version is the one of that commit.
        central_is_committed: bool,
        /// Whether an older client wrote central's version, and a commit that the one that is synced from goes back to had it:
        /// whatever that client had checked out, the project has gone on since.
        central_is_outdated: bool,
        /// See [`wants_past()`].
        past: Past,
    },
    /// There is no commit to ask.
    NoCommit {
        /// Whether what this clone noted came from another folder: this one is a copy of it, or was restored.
        copied: bool,
        /// See [`wants_past()`].
        past: Past,
    },
}

/// What central's history says of a document that this clone and central do not agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Central's version.
    pub version: Option<ObjectId>,
    /// The commit of the project that it was made from. `None`: an older client wrote it.
    pub commit: Option<ObjectId>,
    /// Whether it was not committed there.
    #[serde(default)]
    pub uncommitted: bool,
}

/// Why central's version stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The version here is the one that central's was made from, or older.
    Older,
    /// Another clone pushed an edit that it has not committed.
    UncommittedElsewhere,
    /// This clone pushed an edit that is not committed, and what is read is not the files that have it.
    UncommittedHere,
    /// It lies in a stash or on another branch.
    KeptAside,
    /// Central had the version here before.
    HadBefore,
    /// A person took the version here out of central.
    TakenBack,
}

impl Why {
    /// In words, to follow the document's name.
    pub fn words(self) -> &'static str {
        match self {
            Why::Older => "what is here is older",
            Why::UncommittedElsewhere => "it is an uncommitted edit of another clone",
            Why::UncommittedHere => "it is an edit of this clone that is not committed yet",
            Why::KeptAside => "it lies in a stash or on another branch here",
            Why::HadBefore => "central had the version here before",
            Why::TakenBack => "what is here was taken back by `git metis-sync undo`",
        }
    }
}

/// What becomes of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both have the same.
    InStep,
    /// The version here goes to central, or out of it.
    Push,
    /// Central's version stays.
    Behind(Why),
    /// Each side has something that the other one lacks. A person has to decide.
    Diverged,
}

/// Whether the verdict depends on what central had before, which costs a look into its history. `edited`: see
/// [`Evidence::NoOrigin`]; `copied`: see [`Evidence::NoCommit`].
pub fn wants_past(versions: &Versions, edited: bool, copied: bool) -> bool {
    let own_memory = versions.noted.is_some() && !copied;
    let by_memory = own_memory && (versions.here == versions.base() || (edited && versions.central_is_as_noted()));
    versions.here != versions.central && versions.here.is_some() && !by_memory
}

/// Decides for one document.
pub fn decide(versions: &Versions, evidence: &Evidence) -> Verdict {
    if versions.here == versions.central {
        return Verdict::InStep;
    }
    match evidence {
        Evidence::Origin(origin) => by_origin(versions, origin),
        Evidence::NoOrigin {
            edited,
            central_is_committed,
            central_is_outdated,
            past,
        } => {
            if *central_is_outdated {
                return Verdict::Push;
            }
            if versions.here == versions.base() && (versions.noted.is_some() || versions.here.is_none()) {
                return Verdict::Behind(Why::Older);
            }
            if *edited && versions.noted.is_some() && versions.central_is_as_noted() {
                return Verdict::Push;
            }
            match past {
                Past::This => Verdict::Behind(Why::HadBefore),
                Past::Other if versions.noted.is_none() && versions.central.is_none() => Verdict::Diverged,
                _ if versions.central_is_as_noted() || versions.central.is_none() => Verdict::Push,
                _ if (*edited || versions.noted.is_none()) && *central_is_committed => Verdict::Push,
                _ => Verdict::Diverged,
            }
        }
        Evidence::NoCommit { copied, past } => {
            let own_memory = versions.noted.is_some() && !*copied;
            match past {
                Past::This if !own_memory => Verdict::Behind(Why::HadBefore),
                Past::Other if versions.noted.is_none() && versions.central.is_none() => Verdict::Diverged,
                _ => three_way(versions.base(), versions, Why::Older),
            }
        }
    }
}

fn by_origin(versions: &Versions, origin: &Origin) -> Verdict {
    if origin.edited && origin.central_is_committed {
        return Verdict::Push;
    }
    // A commit that no branch has any more was made anew: what is here goes on from it, and an uncommitted edit on top of it is
    // still one.
    if origin.relation == Relation::Apart && !origin.given_up {
        return three_way(origin.at_base, versions, Why::Older);
    }
    let untouched = versions.here == origin.at_origin;
    match (origin.uncommitted, origin.edited) {
        (false, _) => Verdict::Push,
        (true, true) if versions.central_is_as_noted() => Verdict::Push,
        (true, true) => three_way(origin.at_origin, versions, Why::UncommittedElsewhere),
        (true, false) if !untouched && versions.central_is_ours() => Verdict::Push,
        (true, false) if !untouched => Verdict::Diverged,
        (true, false) if !versions.central_is_ours() => Verdict::Behind(Why::UncommittedElsewhere),
        (true, false) if !origin.from_worktree => Verdict::Behind(Why::UncommittedHere),
        (true, false) if origin.kept_aside => Verdict::Behind(Why::KeptAside),
        (true, false) => Verdict::Push,
    }
}

fn three_way(base: Option<ObjectId>, versions: &Versions, why: Why) -> Verdict {
    match changed(&base, &versions.here, &versions.central) {
        Changed::Alike => Verdict::InStep,
        Changed::First => Verdict::Push,
        Changed::Second => Verdict::Behind(why),
        Changed::Both => Verdict::Diverged,
    }
}

#[cfg(test)]
mod tests;
