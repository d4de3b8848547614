//! Past generations, and taking one back.

use std::{collections::BTreeMap, time::Instant};

use jiff::Timestamp;

use super::{
    ConduitError, Generation, Order, Status,
    apply::{Content, Unsent, Work},
    content::Objects,
    definition,
    files::Obstacle,
    publish::Publishing,
    ready::Ready,
    recall::Recall,
    record::{Records, kept},
    run::run,
    tip::Tip,
};
use crate::{
    fs::Dir,
    names::ObjectId,
    plan::conduit::{Action, Change, Item, Side},
    state::files::FOLDER,
    sync::Workspace,
};

/// The generations of a conduit with what each changed, the newest first.
pub fn generations(workspace: &Workspace, name: &str) -> Result<Vec<(Generation, Vec<Change>)>, ConduitError> {
    workspace.check_state()?;
    let metis = workspace.metis().dir();
    if !definition::all(metis)?.contains_key(name) {
        return Err(ConduitError::Unknown(name.to_owned()));
    }
    let dir = match metis.open_dir(format!("{FOLDER}/conduits/{name}")) {
        Err(err) if err.is_gone() => return Ok(Vec::new()),
        dir => dir?,
    };
    let records = Records::open(&dir)?;
    let mut all = Vec::new();
    for number in records.numbers()?.into_iter().rev() {
        if let Some(generation) = records.read(number)? {
            all.push((generation, records.changes(number)?));
        }
    }
    Ok(all)
}

/// The newest `count` generations of each conduit that was ever synced in `metis`, the newest first.
pub fn recent(metis: &Dir, count: usize) -> Result<Vec<(String, Generation)>, ConduitError> {
    let folder = match metis.open_dir(format!("{FOLDER}/conduits")) {
        Err(err) if err.is_gone() => return Ok(Vec::new()),
        folder => folder?,
    };
    let mut all = Vec::new();
    for entry in folder.list()? {
        let Some(name) = entry.name.to_str().filter(|name| definition::is_name(name)) else {
            continue;
        };
        let dir = folder.open_dir(name)?;
        let records = Records::open(&dir)?;
        for number in records.numbers()?.into_iter().rev().take(count) {
            all.extend(records.read(number)?.map(|generation| (name.to_owned(), generation)));
        }
    }
    all.sort_by(|(_, a), (_, b)| b.started.cmp(&a.started));
    all.truncate(count);
    Ok(all)
}

/// Puts back what generation `number`, or the newest one, replaced and removed, and removes what it brought, wherever that is
/// still as it left it. The base stays, so what is put back is a change of that side, which the next sync carries on.
pub fn undo(
    workspace: &Workspace,
    name: &str,
    number: Option<u64>,
    order: &Order<'_>,
) -> Result<(Generation, Vec<Change>), ConduitError> {
    let guard = workspace.guard()?;
    let ready = Ready::new(workspace, &guard, name, order)?;
    let memory = ready.memory.dir()?;
    let records = Records::open(memory)?;
    let (undone, new) = chosen(&records, name, number)?;

    let (changes, aside) = undoing(records.changes(undone)?);
    let mut generation = Generation::new(new, format!("undo {undone}"), &ready.defined.definition);
    let recall = Recall::of_the_last_sync(&ready);
    let mut tip = recall.fetch(&ready, order)?;
    let (base, scans) = recall.scan(&ready, tip.as_ref())?;
    generation.begins(&scans, ready.format(tip.as_ref()))?;
    records.write_changes(generation.generation, &changes)?;
    records.write(&generation)?;
    let images = memory.open_dir(kept(undone))?;
    let roots = ready.roots();
    let objects = Objects::of(tip.as_ref());
    let source = |change: &Change, path: &str, item: Item| {
        let name = aside.get(&(change.side, path.to_owned()));
        match (name, roots[change.side as usize]) {
            (Some(name), Some(root)) => Ok(Content::File(root, name.clone())),
            (Some(_), None) => objects.read(item.id).map(Content::Bytes),
            (None, _) => Ok(Content::File(&images, format!("{}/{path}", change.side.name()))),
        }
    };
    let work = Work {
        roots,
        reading: ready.reading(tip.as_ref()),
        memory,
        generation: generation.generation,
        changes: &changes,
        source: &source,
        transfers: ready.defined.definition.parallel_transfers as usize,
        ends: &ready.ends,
    };
    let mut commit = None;
    let mut publish = |changes: &[&Change]| match (&ready.branch, tip.as_mut()) {
        (Some(branch), Some(tip)) => {
            let publishing = Publishing {
                branch,
                memory,
                generation: work.generation,
                source: &source,
                writer: ready.writer(),
            };
            let (failures, made) = send_fitting(&ready, order, &publishing, tip, changes)?;
            commit = made;
            Ok(failures)
        }
        _ => Ok(vec![None; changes.len()]),
    };
    let applied = run(&work, order, &mut publish, &records, &mut generation)?;
    if let Some(Unsent::Stopped(error)) = applied.unsent {
        return Err(*error);
    }
    if let Some(commit) = commit {
        generation.commit = Some(commit.to_string());
        ready.memory.store_head(Some(commit))?;
        if let (Some(branch), Some(tip)) = (&ready.branch, tip.as_mut()) {
            branch.is_at(tip, commit, &ready.rules, &base.items)?;
        }
    }
    if applied.interrupted {
        return Err(ready.ends.error());
    }
    let (_, scans) = recall.scan(&ready, tip.as_ref())?;
    generation.ends(&scans, ready.format(tip.as_ref()))?;
    end(&records, &mut generation)?;
    Ok((generation, changes))
}

/// The generation that is undone, and the number of the one that undoing it gets.
fn chosen(records: &Records<'_>, name: &str, number: Option<u64>) -> Result<(u64, u64), ConduitError> {
    let numbers = records.numbers()?;
    records.close_killed(&numbers)?;
    let last = numbers.last().copied().unwrap_or(0);
    let undone = number.unwrap_or(last);
    let missing = || ConduitError::NoGeneration {
        name: name.to_owned(),
        number: undone,
    };
    records.read(undone)?.ok_or_else(missing)?;
    Ok((undone, last + 1))
}

/// Records that all was tried.
fn end(records: &Records<'_>, generation: &mut Generation) -> Result<(), ConduitError> {
    generation.status = match generation.failed.is_empty() {
        true => Status::Verified,
        false => Status::Failed,
    };
    generation.ended = Some(Timestamp::now().to_string());
    records.write(generation)
}

/// Sends those of `changes` that find what they undo, however often central moves meanwhile. Returns why the others were not
/// made, and the commit.
fn send_fitting(
    ready: &Ready<'_>,
    order: &Order<'_>,
    publishing: &Publishing<'_>,
    tip: &mut Tip,
    changes: &[&Change],
) -> Result<(Vec<Option<String>>, Option<ObjectId>), Unsent> {
    let stopped = |error| Unsent::Stopped(Box::new(error));
    let branch = publishing.branch;
    let mut begun = Instant::now();
    for retries in 0.. {
        if !order.accept_first {
            ready.check_writer(branch, tip).map_err(stopped)?;
        }
        let fits = |change: &&Change| {
            let (was, _) = change.paths();
            was.iter()
                .all(|(path, item)| tip.listed.listing.at(path) == Some(*item))
        };
        let failures = changes
            .iter()
            .map(|change| (!fits(change)).then(|| Obstacle::Changed.to_string()))
            .collect();
        let fitting: Vec<&Change> = changes.iter().copied().filter(fits).collect();
        if fitting.is_empty() {
            return Ok((failures, None));
        }
        match publishing.send(tip, &fitting) {
            Err(Unsent::Moved) => {}
            sent => return sent.map(|commit| (failures, commit)),
        }
        let _turn = branch.wait(tip, retries, begun, &mut &order.told)?;
        begun = Instant::now();
        if let Some(moved) = ready.fetch(order).map_err(stopped)? {
            *tip = moved;
        }
    }
    unreachable!("the retries end before the numbers do")
}

/// Where what lost a conflict stays, by side and path.
type Asides = BTreeMap<(Side, String), String>;

/// The changes that undo `done`.
fn undoing(done: Vec<Change>) -> (Vec<Change>, Asides) {
    let mut aside = Asides::new();
    let mut changes: Vec<Change> = Vec::new();
    for change in done.into_iter().rev() {
        let (path, action) = change.action.undone(change.path.raw());
        if let Some(name) = change.aside {
            aside.insert((change.side, path.clone()), name.raw().to_owned());
        }
        changes.push(Change {
            side: change.side,
            path: path.into(),
            action,
            aside: None,
        });
    }
    // All removes come last, as in every sync.
    changes.sort_by_key(|change| matches!(change.action, Action::Remove { .. }));
    (changes, aside)
}
