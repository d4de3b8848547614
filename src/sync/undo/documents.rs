//! Documents that go back in central: a new commit on top, and what this clone notes of them.

use std::{collections::BTreeMap, time::SystemTime};

use jiff::Timestamp;

use super::UndoPlan;
use crate::{
    central::{
        CentralError,
        commit::{self, Trailers},
        publish,
        store::Store,
        tree::surgery,
    },
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        listing::Documents,
        undo::{self, Change, Documented, Here, Left},
    },
    stage::{
        Context, dehydrate,
        fetch::Snapshot,
        own::{self, Own},
    },
    state::{
        cursor::{At, Base, Cursor},
        journal::JournalEntry,
    },
    sync::{
        Session, SyncErrorKind,
        cycle::{End, Fetched, Known, Prepared},
        judgement,
    },
    text::{Untrusted, UntrustedName},
};

/// What becomes of the own documents in central, which has `central` of them.
pub(super) fn documents(
    entries: &[JournalEntry],
    prefix: &Prefix,
    (cursor, store): (&Cursor, &Store),
    central: &Documents,
    own: &Own<'_>,
    left: &mut BTreeMap<Untrusted, Left>,
) -> Documented {
    let mut changes: Vec<BTreeMap<ShortCode, Change>> = Vec::new();
    for entry in entries {
        let Some(made) = entry.made else { continue };
        match (listing(store, prefix, entry.onto), listing(store, prefix, Some(made))) {
            (Some(before), Some(after)) => changes.push(undo::changes(&before, &after)),
            _ => {
                let name = format!("central's commit {made}");
                left.insert(name.into(), Left::NotAtHand);
            }
        }
    }
    let here = |code: &ShortCode| {
        let version = own.documents.get(code).map(|document| document.blob);
        match own.protects(code) {
            true => Here::Unreadable,
            false if cursor.held_back.get(code) == Some(&version) => Here::HeldBack(version),
            false => Here::Version(version),
        }
    };
    undo::documents(&changes, central, &here, &|blob| store.contains(blob))
}

/// The owned folder in a commit of central. `None`: it is not at hand.
fn listing(store: &Store, prefix: &Prefix, commit: Option<ObjectId>) -> Option<Documents> {
    let snapshot = Snapshot::new(UntrustedName::default(), store.format(), commit);
    snapshot.root(store).ok()?.documents(store, prefix).ok()
}

/// Pushes the commit that has the documents of before, if central still has those that are taken back.
pub(super) fn attempt(
    session: &mut Session<'_>,
    mut known: Option<Known>,
    plan: &UndoPlan,
) -> Result<End, SyncErrorKind> {
    let prefix = session.pushes_to().cloned().ok_or(SyncErrorKind::NoPrefix)?;
    session.soundly(|session| {
        let mut fetched = Fetched::list(session, known.take())?;
        fetched.ensure(session)?;
        let compared = fetched.known.cursor.compared;
        let was_compared = compared == fetched.snapshot.head;
        let mut own = survey(session, &fetched)?;
        let Fetched { snapshot, known, .. } = &mut fetched;
        let decided = judgement::decide(&session.ctx, known, snapshot, &prefix, &mut own, session.options)?;
        let mut left = BTreeMap::new();
        let mut found = documents(
            &plan.entries,
            &prefix,
            (&known.cursor, &known.store),
            &decided.central,
            &own,
            &mut left,
        );
        // What a person agreed to, and nothing else.
        found.to.retain(|code, to| plan.documents.get(code) == Some(to));
        let documented = Gone {
            ctx: &session.ctx,
            prefix: &prefix,
            found: &found,
        };
        let commit = documented.commit(known, snapshot, &mut own)?;
        session.report.pushed = found
            .to
            .iter()
            .filter_map(|(code, to)| to.map(|_| code.clone()))
            .collect();
        session.report.removed = found
            .to
            .iter()
            .filter(|(_, to)| to.is_none())
            .map(|(code, _)| code.clone())
            .collect();
        let end = Prepared::of(fetched, commit.id, None).publish(session)?;
        let End::Done(mut published) = end else { return Ok(end) };
        let in_step_with = if was_compared { published.cursor.head } else { compared };
        published.cursor.compared_at(in_step_with, None);
        for (code, entry) in commit.bases {
            published.cursor.went_back(code, entry);
        }
        for (code, version) in found
            .held_back
            .into_iter()
            .filter(|(code, _)| found.to.contains_key(code))
        {
            published.cursor.hold_back(code, version);
        }
        Ok(End::Done(published))
    })
}

fn survey<'a>(session: &Session<'a>, fetched: &Fetched) -> Result<Own<'a>, SyncErrorKind> {
    let stat_cache = &session.notebook.stat_cache;
    let cursor = &fetched.known.cursor;
    let (now, arrived) = (SystemTime::now(), session.options.arrived);
    Ok(own::survey(
        &session.ctx,
        cursor,
        stat_cache,
        fetched.snapshot.format,
        now,
        arrived,
        None,
    )?)
}

/// Documents that go back in central.
struct Gone<'g, 'a> {
    ctx: &'g Context<'a>,
    prefix: &'g Prefix,
    found: &'g Documented,
}

/// The commit that has the documents of before, and what to note of each.
struct Made {
    /// `None`: nothing is left to take back.
    id: Option<ObjectId>,
    bases: Vec<(ShortCode, Base)>,
}

impl<'a> Gone<'_, 'a> {
    fn commit(&self, known: &mut Known, snapshot: &Snapshot, own: &mut Own<'a>) -> Result<Made, SyncErrorKind> {
        let Known { cursor, store } = known;
        if self.found.to.is_empty() {
            return Ok(Made {
                id: None,
                bases: Vec::new(),
            });
        }
        let at = own.commit();
        let mut history = own.take_history(self.ctx);
        let committed = at.and_then(|at| history.as_mut()?.listing(at));
        own.keep_history(history);
        let is_committed = |code: &ShortCode, to: &Option<ObjectId>| {
            let there = committed
                .as_ref()
                .map(|listing| listing.get(code).map(|committed| committed.blob));
            there == Some(*to)
        };
        let edited = self.found.to.iter().filter(|(code, to)| !is_committed(code, to));
        let trailers = Trailers {
            commit: at,
            root: cursor.root.map(|root| (root, dehydrate::path_in_project(self.ctx))),
            uncommitted: edited.map(|(code, _)| code.clone()).collect(),
            ..Trailers::default()
        };
        let push: Documents = self
            .found
            .to
            .iter()
            .filter_map(|(code, to)| Some((code.clone(), (*to)?)))
            .collect();
        let remove = self
            .found
            .to
            .keys()
            .filter(|code| !push.contains_key(*code))
            .cloned()
            .collect();
        let trees = surgery::with_owned(store, snapshot.root(store)?, self.prefix, &push, &remove)?;
        let made = commit::new(
            trees.root.id,
            snapshot.head,
            &format!("sync: {}", self.prefix),
            &self.ctx.project.committer(),
            Timestamp::now(),
            &trailers,
            snapshot.format,
        );
        publish::store_commit::<CentralError>(store, &made, &trees, &[], |_| unreachable!("no document is new"))?;
        let bases = self.found.to.iter().map(|(code, to)| {
            let uncommitted = at.is_some() && !is_committed(code, to);
            let path = own.documents.get(code).map(|document| document.path.clone());
            let noted = || cursor.base.get(code).map(|base| base.path.clone());
            let entry = Base {
                blob: *to,
                path: path.or_else(noted).unwrap_or_else(|| code.file_name().into()),
                at: at.filter(|_| !uncommitted).map_or(At::Unknown(()), At::Commit),
                mine: true,
                from: at.filter(|_| uncommitted),
                uncommitted,
            };
            (code.clone(), entry)
        });
        Ok(Made {
            id: Some(made.id),
            bases: bases.collect(),
        })
    }
}
