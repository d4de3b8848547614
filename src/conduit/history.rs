//! Past generations, and taking one back.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    ConduitError, Generation, Order, Status,
    apply::Work,
    definition,
    found::run,
    ready::Ready,
    record::{PerSide, Records, SCHEMA, kept},
};
use crate::{
    plan::conduit::{Action, Change, Side},
    state::files::FOLDER,
    sync::Workspace,
};

/// The generations of a conduit with what each changed, the newest first.
pub fn generations(workspace: &Workspace, name: &str) -> Result<Vec<(Generation, Vec<Change>)>, ConduitError> {
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
    let numbers = records.numbers()?;
    records.close_killed(&numbers)?;
    let last = numbers.last().copied().unwrap_or(0);
    let undone = number.unwrap_or(last);
    let missing = || ConduitError::NoGeneration {
        name: name.to_owned(),
        number: undone,
    };
    records.read(undone)?.ok_or_else(missing)?;

    let (changes, aside) = undoing(records.changes(undone)?);
    let mut generation = Generation {
        schema: SCHEMA,
        generation: last + 1,
        started: Timestamp::now().to_string(),
        ended: None,
        trigger: format!("undo {undone}"),
        digest: ready.defined.definition.digest(),
        mode: ready.defined.definition.mode,
        on_conflict: ready.defined.definition.on_conflict,
        status: Status::Copying,
        copied: PerSide::default(),
        deleted: PerSide::default(),
        conflicts: Vec::new(),
        failed: Vec::new(),
    };
    records.write_changes(generation.generation, &changes)?;
    records.write(&generation)?;
    let images = memory.open_dir(kept(undone))?;
    let roots = ready.roots();
    let work = Work {
        roots,
        memory,
        generation: generation.generation,
        changes: &changes,
        source: &|change, path, _| match aside.get(&(change.side, path.to_owned())) {
            Some(name) => (roots[change.side as usize], name.clone()),
            None => {
                let side = match change.side {
                    Side::Alpha => "alpha",
                    Side::Beta => "beta",
                };
                (&images, format!("{side}/{path}"))
            }
        },
        transfers: ready.defined.definition.parallel_transfers as usize,
        interrupt: order.interrupt,
    };
    let applied = run(&work, &records, &mut generation)?;
    if applied.interrupted {
        return Err(ConduitError::Interrupted);
    }
    generation.status = match generation.failed.is_empty() {
        true => Status::Verified,
        false => Status::Failed,
    };
    generation.ended = Some(Timestamp::now().to_string());
    records.write(&generation)?;
    Ok((generation, changes))
}

/// Where what lost a conflict stays, by side and path.
type Asides = BTreeMap<(Side, String), String>;

/// The changes that undo `done`.
fn undoing(done: Vec<Change>) -> (Vec<Change>, Asides) {
    let mut aside = Asides::new();
    let mut changes: Vec<Change> = Vec::new();
    for change in done.into_iter().rev() {
        let (path, action) = change.action.undone(&change.path);
        if let Some(name) = change.aside {
            aside.insert((change.side, path.clone()), name);
        }
        changes.push(Change {
            side: change.side,
            path,
            action,
            aside: None,
        });
    }
    // All removes come last, as in every sync.
    changes.sort_by_key(|change| matches!(change.action, Action::Remove { .. }));
    (changes, aside)
}
