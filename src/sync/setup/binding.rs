//! What this clone is bound to, where that is noted, and whether config.toml still says so.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use super::{Workspace, context};
use crate::{
    project::{self, Project},
    stage::Context,
    state::{
        cursor::Cursor,
        files::{StateDir, StateError},
        guard::{self, Guard},
    },
    sync::{error::SyncErrorKind, options::SyncOptions, place},
    workspace::MetisDir,
};

impl Workspace {
    /// What this clone is bound to.
    pub fn guard(&self) -> Result<Guard, StateError> {
        match &self.guard_place {
            Some(place) => Guard::open(place.clone()),
            None => guard_of(&self.metis, &self.project, self.state_dir.as_deref()),
        }
    }

    /// Where config.toml says something else than what this clone is bound to.
    pub fn moved(&self) -> Result<Vec<SyncErrorKind>, SyncErrorKind> {
        if self.config.sync.is_none() {
            return Ok(Vec::new());
        }
        let options = SyncOptions {
            pull_only: true,
            ..SyncOptions::default()
        };
        let ctx = context(self, &options, Instant::now())?;
        let mut stops = self.check_binding(&self.guard()?, None, &ctx);
        stops.retain(|stop| !matches!(stop, SyncErrorKind::Unconfirmed(_)));
        Ok(stops)
    }

    /// Whether config.toml says what this clone is bound to. What it was never bound to may be anything; `cursor` is from
    /// before there were guards.
    pub(in crate::sync) fn check_binding(
        &self,
        guard: &Guard,
        cursor: Option<&Cursor>,
        ctx: &Context<'_>,
    ) -> Vec<SyncErrorKind> {
        let notes = guard.notes();
        let mut stops = Vec::new();
        let named = [ctx.upstream_id.as_str(), ctx.upstream_name.as_str()];
        if let Some(remembered) = place::bound_elsewhere(notes.upstream.as_deref(), cursor, named) {
            stops.push(SyncErrorKind::UpstreamChanged {
                configured: ctx.upstream_id.as_str().into(),
                remembered: remembered.into(),
            });
        }
        match (&self.config.workspace, &notes.prefix) {
            (Some(configured), Some(remembered)) if configured != remembered => {
                stops.push(SyncErrorKind::PrefixChanged {
                    configured: configured.clone(),
                    remembered: remembered.clone(),
                });
            }
            _ => {}
        }
        let unconfirmed = self.unconfirmed.iter().filter(|unconfirmed| unconfirmed.stops);
        stops.extend(unconfirmed.cloned().map(SyncErrorKind::Unconfirmed));
        stops
    }
}

/// The guard of `metis`, for the user whose state directory is `state_dir`. `None`: this process's user.
///
/// A pull can put a link in the place of the folder that this clone was bound in. What was noted for that place counts on, so
/// that the link leads to no other central unasked.
pub fn guard_of(metis: &MetisDir, project: &Project, state_dir: Option<&Path>) -> Result<Guard, StateError> {
    Guard::open(guard_place(metis, project, state_dir)?)
}

/// Where that guard lies.
pub(in crate::sync) fn guard_place(
    metis: &MetisDir,
    project: &Project,
    state_dir: Option<&Path>,
) -> Result<guard::Place, StateError> {
    if let Some((common_dir, path)) = place_of_link(metis.path()) {
        let link = guard::Place::new(metis.path(), Some((&common_dir, &path)), state_dir);
        if !Guard::open(link.clone())?.is_new() {
            return Ok(link);
        }
    }
    let real = metis.path().canonicalize();
    let repository = project.place();
    Ok(guard::Place::new(
        real.as_deref().unwrap_or(metis.path()),
        repository
            .as_ref()
            .map(|(common_dir, path)| (*common_dir, path.as_slice())),
        state_dir,
    ))
}

/// What [`Project::place()`] would be for `.metis` if it were no link.
fn place_of_link(metis: &Path) -> Option<(PathBuf, Vec<u8>)> {
    if !metis.symlink_metadata().ok()?.is_symlink() {
        return None;
    }
    project::place_of(&metis.parent()?.canonicalize().ok()?, metis.file_name()?)
}

/// The folder of state, made if it is not there.
pub fn made_state(metis: &MetisDir) -> Result<StateDir, StateError> {
    if !metis.has_folder() {
        StateDir::create_private(metis.path())?;
    }
    StateDir::create(metis.path())
}
