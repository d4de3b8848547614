//! What became of a sync that ran in the background, for the person who is at the prompt next. A hook that fails in silence
//! would be noticed when a colleague misses a plan.

use jiff::Timestamp;

use crate::{
    hooks::last_run::{LastRun, Note},
    project::{Project, trust},
    state::files::StateDir,
    sync,
    workspace::MetisDir,
};

use super::{Global, colour::Paint};

/// Says on standard error that the last sync in the background failed, until one succeeded.
pub fn tell(global: &Global) {
    if listens(global)
        && let Some(metis) = around(global)
    {
        tell_of(global, &metis);
    }
}

/// The same where the workspace was found.
pub fn tell_of(global: &Global, metis: &MetisDir) {
    if listens(global)
        && let Some(line) = unsettled(metis)
    {
        mention!("{} {line}", Paint::stderr(global).yellow("note:"));
    }
}

fn listens(global: &Global) -> bool {
    global.talks() && !global.json
}

/// The failure that nothing has settled since, in one line.
pub fn unsettled(metis: &MetisDir) -> Option<String> {
    let state = StateDir::open(metis.path()).ok()??;
    let is_own = || sync::check_state(&Project::discover(metis.path())).is_ok();
    let runs = [Note::Waiting, Note::Syncing]
        .into_iter()
        .filter_map(|note| LastRun::load(&state, note));
    let mut lines = runs.filter_map(|run| run.unsettled(Timestamp::now()));
    lines.next().filter(|_| is_own())
}

fn around(global: &Global) -> Option<MetisDir> {
    MetisDir::discover(&global.start_dir(), &trust::may_hold_workspace).ok()
}
