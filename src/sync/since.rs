//! What became different in central since a commit or a time. It says what a sync brought together; what a sync does never
//! depends on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{SyncErrorKind, SyncOptions, Workspace, setup};
use crate::{
    central::{
        CentralError,
        store::Store,
        tree::{self, Root},
    },
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::listing::{self, Documents},
    project,
    send_pack::connect::{ConnectError, FailureKind},
    stage::fetch,
    state::{
        files::StateDir,
        journal::{self, Journal},
    },
    text::Untrusted,
};

/// So many digits of a commit's id are enough, as for git.
const SHORTEST: usize = 4;

/// Why nothing can be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSince {
    /// It is neither.
    #[error("{0} is neither a commit of central nor a time")]
    Neither(Untrusted),
    /// No commit of that id is known here, or more than one.
    #[error("{0} names no commit of central that this clone knows, or more than one")]
    Commit(Untrusted),
    /// The log of syncs does not go back so far.
    #[error("the log of syncs goes back to {oldest} only, so where central was at {asked} is not known here")]
    Before {
        /// What was asked for.
        asked: Untrusted,
        /// When the oldest sync began that it has.
        oldest: Untrusted,
    },
}

/// What to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Nothing: this clone knew nothing of central.
    Nothing,
    /// A commit of central.
    Commit(ObjectId),
}

/// What `asked` means, as the log of syncs has it. `reaches_back`: whether that has the first sync of this clone.
fn resolve(
    asked: &str,
    journal: &Journal,
    reaches_back: bool,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Since, NoSince> {
    let is_id = asked.len() >= SHORTEST && asked.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let known = || journal.entries.iter().filter_map(|entry| Some((entry, entry.commit?)));
    if is_id {
        if let Ok(id) = asked.parse() {
            return Ok(Since::Commit(id));
        }
        let found: BTreeSet<ObjectId> = known()
            .map(|(_, commit)| commit)
            .filter(|commit| commit.to_string().starts_with(asked))
            .collect();
        return match found.first() {
            Some(commit) if found.len() == 1 => Ok(Since::Commit(*commit)),
            _ => Err(NoSince::Commit(asked.into())),
        };
    }
    let day = asked.parse::<Date>().ok().filter(|_| asked.len() <= "2026-02-26".len());
    let typed = day.map_or_else(|| asked.to_owned(), |day| format!("{day}T00:00:00"));
    let time = project::moment(&typed, now, zone).ok_or_else(|| NoSince::Neither(asked.into()))?;
    let began = |started: &Untrusted| started.raw().parse::<Timestamp>().ok();
    let mut before = known().filter(|(entry, _)| began(&entry.started).is_some_and(|began| began <= time));
    match (before.next_back(), journal.entries.first()) {
        (Some((_, commit)), _) => Ok(Since::Commit(commit)),
        (None, Some(oldest)) if !reaches_back => Err(NoSince::Before {
            asked: asked.into(),
            oldest: oldest.started.clone(),
        }),
        (None, _) => Ok(Since::Nothing),
    }
}

/// What `asked`, a commit or a time, means for this clone.
pub fn find(workspace: &Workspace, asked: &str) -> Result<Since, SyncErrorKind> {
    let state = StateDir::open(workspace.metis().path())?;
    let (journal, reaches_back) = match &state {
        Some(state) => (journal::read_last(state, usize::MAX)?, !journal::was_rotated(state)?),
        None => (Journal::default(), true),
    };
    Ok(resolve(
        asked,
        &journal,
        reaches_back,
        Timestamp::now(),
        &TimeZone::system(),
    )?)
}

/// The documents that differ between `since` and `head`, in all workspaces or in `only`. What is not here is asked for.
pub fn changed(
    workspace: &Workspace,
    options: &SyncOptions,
    since: Since,
    head: Option<ObjectId>,
    only: &BTreeSet<Prefix>,
) -> Result<Vec<ShortCode>, SyncErrorKind> {
    let options = SyncOptions {
        pull_only: true,
        ..options.clone()
    };
    let ctx = setup::context(workspace, &options, Instant::now())?;
    let format = match since {
        Since::Commit(id) => id.format(),
        Since::Nothing => head.map_or(ObjectFormat::Sha1, |head| head.format()),
    };
    let mut store = fetch::store(&ctx, format, false)?;
    if let Some(head) = head {
        fetch::ensure_commit(&ctx, &mut store, head)?;
    }
    let before = match since {
        Since::Nothing => None,
        Since::Commit(id) => {
            let known = fetch::ensure_commit(&ctx, &mut store, id);
            known.map_err(|err| match err {
                CentralError::Connect(err) if is_unanswered(&err) => err.into(),
                _ => SyncErrorKind::Since(NoSince::Commit(id.to_string().into())),
            })?;
            Some(id)
        }
    };
    let mut codes = BTreeSet::new();
    let (before, after) = (folders(&store, before)?, folders(&store, head)?);
    let prefixes: BTreeSet<&Prefix> = before.keys().chain(after.keys()).collect();
    for prefix in prefixes
        .into_iter()
        .filter(|prefix| only.is_empty() || only.contains(*prefix))
    {
        let trees = [before.get(prefix), after.get(prefix)];
        if trees[0] != trees[1] {
            let [before, after] = [
                documents(&store, prefix, trees[0])?,
                documents(&store, prefix, trees[1])?,
            ];
            let all = before.keys().chain(after.keys());
            codes.extend(all.filter(|code| before.get(*code) != after.get(*code)).cloned());
        }
    }
    Ok(codes.into_iter().collect())
}

/// Whether central said nothing of what it was asked for.
fn is_unanswered(err: &ConnectError) -> bool {
    matches!(
        err.kind,
        FailureKind::Unreachable | FailureKind::TimedOut | FailureKind::Interrupted | FailureKind::Unauthenticated
    )
}

fn folders(store: &Store, commit: Option<ObjectId>) -> Result<BTreeMap<Prefix, ObjectId>, CentralError> {
    Ok(listing::root(Root::of(store, commit)?.entries()).workspaces)
}

fn documents(store: &Store, prefix: &Prefix, tree: Option<&ObjectId>) -> Result<Documents, CentralError> {
    match tree {
        Some(tree) => Ok(listing::folder(prefix, tree::entries(store, *tree)?).documents),
        None => Ok(Documents::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::journal::JournalEntry;

    fn id(digit: &str) -> ObjectId {
        digit.repeat(40).parse().unwrap()
    }

    fn meant(asked: &str, reaches_back: bool) -> Result<Since, NoSince> {
        let entry = |started: &str, commit| JournalEntry {
            started: started.into(),
            commit,
            ..JournalEntry::default()
        };
        let journal = Journal {
            entries: vec![
                entry("2026-02-20T10:00:00Z", Some(id("a"))),
                entry("2026-02-22T10:00:00Z", Some(id("b"))),
                // It failed.
                entry("2026-02-23T10:00:00Z", None),
                entry("2026-02-24T10:00:00Z", Some(id("c"))),
            ],
            unreadable: 0,
        };
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        resolve(asked, &journal, reaches_back, now, &TimeZone::UTC)
    }

    #[test]
    fn a_commit_is_one_in_full_or_one_that_a_sync_has_dealt_with() {
        assert_eq!(meant(&"d".repeat(40), true), Ok(Since::Commit(id("d"))));
        assert_eq!(meant("bbbb", true), Ok(Since::Commit(id("b"))));
        assert_eq!(meant("dddd", true), Err(NoSince::Commit("dddd".into())));
        assert_eq!(meant("bbb", true), Err(NoSince::Neither("bbb".into())));
    }

    #[test]
    fn a_time_is_where_central_was_at_the_last_sync_before() {
        for (asked, commit) in [
            ("2026-02-22", "a"),
            ("2026-02-23", "b"),
            ("2026-02-23T12:00:00Z", "b"),
            ("2026-02-25", "c"),
            ("1 day ago", "c"),
        ] {
            assert_eq!(meant(asked, false), Ok(Since::Commit(id(commit))), "{asked}");
        }
        assert_eq!(meant("2026-02-01", true), Ok(Since::Nothing));
        assert!(matches!(meant("2026-02-01", false), Err(NoSince::Before { .. })));
        assert_eq!(meant("soon", true), Err(NoSince::Neither("soon".into())));
    }
}
