//! What `init` finds, and where the clone is bound to a central.

use std::path::{Path, PathBuf};

use crate::{
    names::Prefix,
    project::{Project, trust},
    send_pack::connect::RemoteUrl,
    state::{
        cursor::{self, Cursor, Memory},
        files::StateDir,
        guard::Guard,
    },
    sync::{self, SyncErrorKind},
    workspace::{self, Config, METIS_DIR, MetisDir, MetisDirError, Unconfirmed},
};

/// What is there before anything is written.
pub struct Here {
    /// The workspace, if there is one.
    pub existing: Option<MetisDir>,
    pub config: Config,
    /// Where `.metis/` is or is to be.
    pub folder: PathBuf,
    pub project: Project,
    pub guard: Option<Guard>,
}

/// A central as it was named.
pub struct Named {
    pub url: String,
    /// Without secrets.
    pub shown: String,
    /// What the clone remembers it by.
    pub id: String,
}

impl Here {
    /// Looks from `start` upward.
    pub fn around(start: PathBuf) -> Result<Here, SyncErrorKind> {
        let existing = existing(&start)?;
        let config = match &existing {
            Some(metis) => Config::load(metis.dir())?,
            None => Config::default(),
        };
        let folder = existing.as_ref().map_or(start, |metis| metis.project().to_owned());
        let project = Project::discover(&folder.join(METIS_DIR));
        let guard = match &existing {
            Some(metis) => Some(sync::guard_of(metis, &project, None)?),
            None => None,
        };
        Ok(Here {
            existing,
            config,
            folder,
            project,
            guard,
        })
    }

    pub fn named(&self, url: String) -> Named {
        let parsed = RemoteUrl::parse(&url).ok();
        Named {
            shown: parsed.as_ref().map(RemoteUrl::to_string).unwrap_or_default(),
            id: parsed
                .map(|url| sync::identity(&url, &self.project, &self.folder))
                .unwrap_or_default(),
            url,
        }
    }

    /// What config.toml has may have come with a pull: where this clone is bound to something else, only what is said on the
    /// command line changes that.
    pub fn confirmed(&self, named: &Named, says_url: bool, says_prefix: bool) -> Result<(), SyncErrorKind> {
        let Some(notes) = self.guard.as_ref().map(Guard::notes) else {
            return Ok(());
        };
        match (&notes.upstream, &notes.prefix, &self.config.workspace) {
            (Some(remembered), ..) if !says_url && *remembered != named.id => Err(SyncErrorKind::UpstreamChanged {
                configured: named.id.as_str().into(),
                remembered: remembered.into(),
            }),
            (_, Some(remembered), Some(configured)) if !says_prefix && remembered != configured => {
                Err(SyncErrorKind::PrefixChanged {
                    configured: configured.clone(),
                    remembered: remembered.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// What this clone knows of that central, if it has synced with it before.
    pub fn remembered(&self, named: &Named) -> Result<Option<Cursor>, SyncErrorKind> {
        match (&self.existing, &self.guard) {
            (Some(metis), Some(guard)) => remembered(metis, guard, named),
            _ => Ok(None),
        }
    }
}

/// The workspace around `start`. One outside of the repository that `start` is in is another project's.
fn existing(start: &Path) -> Result<Option<MetisDir>, SyncErrorKind> {
    let metis = match MetisDir::discover(start, &trust::may_hold_workspace) {
        Ok(metis) => metis,
        Err(MetisDirError::Foreign { path }) if path.parent() != Some(start) => return Ok(None),
        Err(MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. }) => return Ok(None),
        Err(err) => return Err(err.into()),
    };
    let here = Project::discover(&start.join(METIS_DIR));
    let top = here.dir().and_then(|top| top.canonicalize().ok());
    Ok(top.is_none_or(|top| metis.project().starts_with(top)).then_some(metis))
}

fn remembered(metis: &MetisDir, guard: &Guard, named: &Named) -> Result<Option<Cursor>, SyncErrorKind> {
    let Some(state) = StateDir::open(metis.path())? else {
        return Ok(None);
    };
    let names = [named.id.as_str(), named.shown.as_str()];
    Ok(match cursor::load(&state, guard) {
        Ok(Memory::Known(cursor)) => {
            let noted = guard.notes().upstream.as_deref();
            let same = cursor.upstream == named.shown && sync::bound_elsewhere(noted, Some(&cursor), names).is_none();
            same.then_some(*cursor)
        }
        _ => None,
    })
}

/// What binding a clone to central came to.
pub struct Bound {
    /// The folder that is left behind for another one.
    pub left: Option<Prefix>,
    /// What of config.toml had waited for this word.
    pub confirmed: Vec<Unconfirmed>,
}

/// Binds this clone to central and to its folder there. Another central is followed only from here on, with nothing taken
/// over: which versions they have in common is found out by the next sync. Nor does a new folder have anything in common
/// with what is here.
pub fn bind(
    metis: &MetisDir,
    project: &Project,
    before: &Config,
    named: &Named,
    prefix: &Prefix,
) -> Result<Bound, SyncErrorKind> {
    let mut guard = sync::guard_of(metis, project, None)?;
    let now = Config::load(metis.dir())?;
    let confirmed = workspace::hold_back(&mut now.clone(), &guard.notes().confirmed);
    let cursor = remembered(metis, &guard, named)?;
    // Before there were guards, what config.toml said was what was synced.
    let old = guard.notes().prefix.clone();
    let old = old.or_else(|| before.workspace.clone().filter(|_| cursor.is_some()));
    let left = old.filter(|old| old != prefix);
    let was_new = guard.is_new();
    let was_retired = guard.notes().retired.contains(prefix);
    guard.update(|notes| {
        notes.upstream = Some(named.id.clone());
        notes.confirmed = workspace::to_confirm(&now);
        notes.former.extend(left.clone());
        notes.former.remove(prefix);
        notes.retired.remove(prefix);
        notes.prefix = Some(prefix.clone());
    })?;
    let Some(state) = StateDir::open(metis.path())? else {
        return Ok(Bound { left: None, confirmed });
    };
    match cursor {
        None => state.remove(cursor::FILE)?,
        Some(mut cursor) if left.is_some() || was_retired => {
            cursor.leave_folder();
            cursor.store(&state, &guard)?;
        }
        Some(cursor) if was_new => cursor.store(&state, &guard)?,
        Some(_) => {}
    }
    Ok(Bound { left, confirmed })
}
