//! What became of a sync that ran in the background, for the person who is at the prompt next. A hook that fails in silence
//! would be noticed when a colleague misses a plan.

use jiff::Timestamp;

use crate::{
    hooks::last_run::{LastRun, Note},
    project::trust,
    state::files::StateDir,
    workspace::MetisDir,
};

use super::{Global, colour::Paint};

/// Says on standard error that the last sync in the background failed, until one succeeded.
pub fn tell(global: &Global) {
    if !global.talks() || global.json {
        return;
    }
    if let Some(line) = unsettled(global) {
        mention!("{} {line}", Paint::stderr(global).yellow("note:"));
    }
}

/// The failure that nothing has settled since, in one line.
pub fn unsettled(global: &Global) -> Option<String> {
    let state = state(global)?;
    let runs = [Note::Waiting, Note::Syncing]
        .into_iter()
        .filter_map(|note| LastRun::load(&state, note));
    runs.filter_map(|run| run.unsettled(Timestamp::now())).next()
}

/// Takes note that a sync succeeded after it.
pub fn settle(global: &Global) {
    let Some(state) = state(global) else { return };
    for note in [Note::Waiting, Note::Syncing] {
        if let Some(mut run) = LastRun::load(&state, note).filter(|run| run.unsettled(Timestamp::now()).is_some()) {
            (run.settled, run.told) = (true, true);
            // At worst it is told again.
            let _ = run.store(&state, note);
        }
    }
}

fn state(global: &Global) -> Option<StateDir> {
    let metis = MetisDir::discover(&global.start_dir(), &trust::may_hold_workspace).ok()?;
    StateDir::open(metis.path()).ok()?
}
