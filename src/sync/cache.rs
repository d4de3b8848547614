//! When `metis.db` is rebuilt: after a sync that changed something, and on request.

use std::time::Duration;

use super::{Session, SyncErrorKind, Warning, Workspace, cycle::Published, marks::marks, notebook};
use crate::{
    cache::{self, Cache, CacheError, QueryError, Rebuilt},
    central,
    names::ObjectFormat,
    project::Project,
    stage::rebuild_cache,
    state::{
        cursor::{self, Cursor, Memory, Provenance},
        files::StateDir,
        guard::Guard,
        lock::{Holder, Lock},
    },
    workspace::{self, FolderState, MetisDir, Scan, Survey},
};

/// Rebuilds after a sync. A failure is a warning; the next sync tries again, also where some of it could not be read.
pub(super) fn after_sync(session: &mut Session<'_>, published: Published) {
    if !session.ctx.metis.has_folder() {
        return;
    }
    let _stage = tracing::info_span!("rebuild-cache").entered();
    let Published { mut cursor, scan } = published;
    let ctx = &session.ctx;
    let metis = ctx.metis;
    let guard = &session.notebook.guard;
    let recheck = session.options.recheck;
    let rebuilt = check_database(metis, ctx.project)
        .and_then(|()| if recheck { cache::forget(metis.path()) } else { Ok(()) })
        .map_err(|err| err.to_string())
        .and_then(|()| workspace::survey(metis.dir(), &Default::default()).map_err(|err| err.to_string()))
        .and_then(|survey| {
            rebuild_cache::apply(
                metis.path(),
                metis.dir(),
                ctx.owned.as_ref(),
                scan.as_ref(),
                &survey,
                cursor.format,
                &|file| guard.mark(file),
            )
            .map(|rebuilt| is_complete(&rebuilt, &survey, scan.as_ref()))
            .map_err(|err| err.to_string())
        });
    let due = !matches!(rebuilt, Ok(true));
    if let Err(reason) = rebuilt {
        session.report.warnings.push(Warning::CacheNotRebuilt(reason.into()));
    }
    session.notebook.note_cache(&mut cursor, due);
}

/// Whether `metis.db` has to be rebuilt although nothing changed: it is missing, or could not be rebuilt last time.
pub(super) fn is_due(session: &Session<'_>, published: &Published) -> bool {
    let metis = session.ctx.metis;
    metis.has_folder() && (published.cursor.cache_is_due || !metis.path().join(cache::FILE_NAME).exists())
}

/// What SQLite keeps beside a database it plays into it. From a commit that would be a stranger's.
pub fn check_database(metis: &MetisDir, project: &Project) -> Result<(), CacheError> {
    let tracked = project.tracked(&format!("{}-", cache::FILE_NAME));
    match tracked.first() {
        None => Ok(()),
        Some(suffix) => Err(CacheError::Tracked {
            path: metis.path().join(format!("{}-{suffix}", cache::FILE_NAME)),
        }),
    }
}

/// Opens `metis.db` for questions, with what shared records say of documents.
pub fn open_cache(workspace: &Workspace, guard: &Guard) -> Result<Cache, QueryError> {
    open_unmarked(workspace, guard)?.marked(&marks(workspace))
}

/// The same for questions that have nothing to do with records, which may be many.
pub fn open_unmarked(workspace: &Workspace, guard: &Guard) -> Result<Cache, QueryError> {
    check_database(workspace.metis(), workspace.project())?;
    Cache::open(workspace.metis().path(), &|file| guard.mark(file))
}

/// Rebuilds `metis.db` without a sync around it.
pub fn rebuild_cache(workspace: &Workspace) -> Result<Rebuilt, SyncErrorKind> {
    workspace.needs_folder("rebuild-cache")?;
    let _stage = tracing::info_span!("rebuild-cache").entered();
    let metis = workspace.metis();
    // A pull can put a link there. The database at its other end is another workspace's, and not for this clone to mark.
    let is_link = metis.path().symlink_metadata().is_ok_and(|found| found.is_symlink());
    if let Some(stop) = is_link
        .then(|| workspace.moved())
        .transpose()?
        .into_iter()
        .flatten()
        .next()
    {
        return Err(stop);
    }
    check_database(metis, workspace.project())?;
    if let Some((common_dir, below)) = workspace.project().place() {
        // At worst git shows a new file that is nobody's to commit.
        let _ = workspace::exclude_own_files(common_dir, &below);
    }
    let state = StateDir::open(metis.path())?;
    let mut guard = workspace.guard()?;
    let cursor = state.as_ref().and_then(|state| known(state, &guard));
    begin_guard(workspace, state.as_ref(), cursor.as_ref(), &mut guard)?;
    let format = cursor.as_ref().map_or(ObjectFormat::Sha1, |cursor| cursor.format);
    let survey = workspace::survey(metis.dir(), &Default::default())?;
    let owned = workspace.config().workspace.as_ref();
    let hydrated = survey
        .hydrated()
        .into_iter()
        .filter(|prefix| owned != Some(prefix))
        .collect();
    let stat_cache = notebook::stat_cache(state.as_ref());
    let scan = workspace::scan(
        metis.dir(),
        &hydrated,
        &|file| Ok((central::blob_id(format, file.bytes), None)),
        central::blob_id(format, b""),
        &stat_cache,
        &cursor.map(|cursor| cursor.last_paths()).unwrap_or_default(),
        std::time::SystemTime::now(),
    )?;
    let rebuilt = rebuild_cache::apply(
        metis.path(),
        metis.dir(),
        owned,
        Some(&scan),
        &survey,
        format,
        &|file| guard.mark(file),
    )?;
    if let Some(state) = &state {
        note_due(state, &guard, !is_complete(&rebuilt, &survey, Some(&scan)));
    }
    Ok(rebuilt)
}

/// Whether what is not in the database is not there, or not a document.
fn is_complete(rebuilt: &Rebuilt, survey: &Survey, scan: Option<&Scan>) -> bool {
    rebuilt.is_complete()
        && !survey.folders.values().any(FolderState::is_unreadable)
        && !scan.is_some_and(Scan::has_unread)
}

/// What is made here is to be known as made here. A cursor from before there were guards is sealed by the way.
fn begin_guard(
    workspace: &Workspace,
    state: Option<&StateDir>,
    cursor: Option<&Cursor>,
    guard: &mut Guard,
) -> Result<(), SyncErrorKind> {
    if !guard.is_new() {
        return Ok(());
    }
    let holder = Holder::this_process(jiff::Timestamp::now(), "git metis-sync rebuild-cache");
    let _lock = match state {
        // A sync that is running does this itself, and rebuilds after it.
        Some(state) => match Lock::acquire(state, Duration::ZERO, &holder) {
            Ok(lock) => Some(lock),
            Err(_) => return Ok(()),
        },
        None => None,
    };
    guard.update(|notes| {
        if let Some(cursor) = cursor {
            notes.upstream = Some(cursor.upstream.clone());
            notes.prefix = workspace.config().workspace.clone();
        }
    })?;
    match (state, cursor) {
        (Some(state), Some(cursor)) => Ok(cursor.store(state, guard)?),
        _ => Ok(()),
    }
}

fn known(state: &StateDir, guard: &Guard) -> Option<Cursor> {
    match cursor::load(state, guard) {
        Ok(Memory::Known(cursor)) => Some(*cursor),
        _ => None,
    }
}

/// Spares the next sync a rebuild, or has it try again. Where another one is running it is left to that one: the cursor is
/// its own to write.
fn note_due(state: &StateDir, guard: &Guard, due: bool) {
    let holder = Holder::this_process(jiff::Timestamp::now(), "git metis-sync rebuild-cache");
    let Ok(_lock) = Lock::acquire(state, Duration::ZERO, &holder) else {
        return;
    };
    if let Some(mut cursor) = known(state, guard)
        && cursor.cache_is_due != due
        && cursor.provenance == Provenance::Own
    {
        cursor.note_cache(due);
        let _ = cursor.store(state, guard);
    }
}
