//! What a clone notes of its own documents once a plan is carried out.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    names::{ObjectId, ShortCode},
    plan::dehydrate::DehydratePlan,
    stage::{evidence::Gathered, own::Own},
    state::cursor::{At, Base, Cursor, Notes},
    text::UntrustedName,
};

/// What to note once `plan` is carried out. `goes_back_to`: whether the commit that is synced from is this one or descends from it.
pub(super) fn notes(
    cursor: &Cursor,
    own: &Own<'_>,
    plan: &DehydratePlan,
    edited: &BTreeSet<ShortCode>,
    gathered: &Gathered,
    goes_back_to: &mut dyn FnMut(ObjectId) -> bool,
) -> Notes {
    let commit = own.commit();
    let agreed = commit.or(cursor.agreed);
    let mut base = BTreeMap::new();
    let path = |code: &ShortCode| {
        let here = own.documents.get(code).map(|document| document.path.clone());
        let noted = || cursor.base.get(code).map(|base| base.path.clone());
        here.or_else(noted).unwrap_or_else(|| code.file_name().into())
    };
    let at = |code: &ShortCode| match commit.is_some() && !edited.contains(code) {
        true => At::Common,
        false => At::Unknown(()),
    };
    for (code, blob) in &plan.in_step {
        let noted = cursor.base.get(code);
        let same = noted.filter(|noted| noted.blob == *blob);
        if blob.is_none() {
            // A removal of this clone's, which may yet be taken back.
            base.extend(same.map(|same| (code.clone(), cursor.carried(same, agreed))));
            continue;
        }
        // Central had another version meanwhile: this one was brought back, and says itself on top of what.
        let came_back = cursor.saw_another(code, *blob);
        let mut entry = match same {
            Some(same) if !came_back => cursor.carried(same, agreed),
            _ => theirs(*blob, UntrustedName::default()),
        };
        if let Some(origin) = gathered.witnesses.get(code).filter(|_| came_back) {
            entry.from = origin.commit;
            entry.uncommitted = origin.uncommitted;
        }
        entry.path = path(code);
        let is_earlier =
            !entry.mine && cursor.at(&entry).is_none() && entry.from.is_some_and(|from| !goes_back_to(from));
        if at(code) == At::Common && !is_earlier {
            entry.at = At::Common;
        }
        base.insert(code.clone(), entry);
    }
    let pushed = plan.push.iter().map(|(code, blob)| (code, Some(*blob)));
    for (code, blob) in pushed.chain(plan.remove.iter().map(|code| (code, None))) {
        let uncommitted = edited.contains(code);
        let entry = Base {
            blob,
            path: path(code),
            at: at(code),
            mine: true,
            from: commit.filter(|_| uncommitted),
            uncommitted,
        };
        base.insert(code.clone(), entry);
    }
    for (code, noted) in &cursor.base {
        base.entry(code.clone())
            .or_insert_with(|| cursor.carried(noted, agreed));
    }
    // What is behind or diverged once is so the next time, without asking central's history again.
    let waiting = plan.behind.iter().map(|behind| &behind.code);
    for code in waiting.chain(plan.conflicts.iter().map(|conflict| &conflict.code)) {
        if let Some(version) = gathered.had.get(code) {
            base.entry(code.clone())
                .or_insert_with(|| theirs(Some(*version), path(code)));
        }
    }
    // Both have given it up.
    base.retain(|code, entry| entry.blob.is_none() || !plan.in_step.get(code).is_some_and(Option::is_none));
    Notes {
        agreed,
        base,
        ..Notes::default()
    }
}

/// A version that came from central, of which nothing more is known.
fn theirs(blob: Option<ObjectId>, path: UntrustedName) -> Base {
    Base {
        blob,
        path,
        at: At::Unknown(()),
        mine: false,
        from: None,
        uncommitted: false,
    }
}
