//! Which of the others have this clone's records, by what they said when they published last.

use std::{collections::BTreeMap, time::Instant};

use shared_records::{
    DeviceId,
    log::{ABOUT, About},
};

use super::{SyncErrorKind, SyncOptions, Workspace, notebook, setup};
use crate::{
    central::{device_log::Files, store::Store},
    records::Records,
    stage::fetch,
    state::files::StateDir,
};

/// How many of this clone's entries each of the others has taken up. A device says so with what it publishes itself, so one that
/// writes nothing is not in here, nor is one whose log is no longer in the object store. Central is not asked.
pub fn delivered(workspace: &Workspace, records: &Records) -> BTreeMap<DeviceId, u64> {
    let (Ok(tips), Ok(Some(store))) = (records.tips(), store(workspace)) else {
        return BTreeMap::new();
    };
    let has = tips.into_iter().filter_map(|(device, tip)| {
        let text = Files::of(&store, tip).and_then(|files| files.read(ABOUT)).ok()?;
        let about: About = serde_json::from_slice(&text).ok()?;
        Some((device, about.seen.get(&records.device()).copied()?))
    });
    has.collect()
}

fn store(workspace: &Workspace) -> Result<Option<Store>, SyncErrorKind> {
    let options = SyncOptions {
        pull_only: true,
        ..SyncOptions::default()
    };
    let ctx = setup::context(workspace, &options, Instant::now())?;
    let Some(state) = StateDir::open(workspace.metis().path())? else {
        return Ok(None);
    };
    let cursor = notebook::load_cursor(&state, &workspace.guard()?, &mut Vec::new())?;
    let store = cursor.map(|cursor| fetch::store(&ctx, cursor.format, false));
    Ok(store.transpose()?)
}
