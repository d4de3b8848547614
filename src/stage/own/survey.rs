//! Reading the own documents, from wherever they count.

use std::{collections::BTreeSet, time::SystemTime};

use super::{
    super::Context, Own, OwnDocument, OwnError, Place, Reader, WORKTREE, committed::committed, excluded::exclusion,
    has_conflict_markers, unless_stalled,
};
use crate::{
    central,
    fs::DirError,
    names::{ObjectFormat, ObjectId, Prefix},
    plan::source::{self, NoSource, ReadFrom, Source},
    project::{Conversion, History},
    state::cursor::Cursor,
    workspace::{self, CONFIG_FILE, FileRead, Glance, Reason, Scan, StatCache},
};

/// Which of the project's versions is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrived {
    /// What the user sees: the checkout or the source branch, whichever counts there.
    #[default]
    No,
    /// What has arrived in the project's source branch: the tree of its remote-tracking branch, without a remote that of
    /// the local branch. Never the work tree: git may have gone on since the hook fired.
    Tracking,
    /// The tree of this commit, which a push that waits for the sync is about to bring to the source branch.
    Commit(ObjectId),
}

/// Reads the own documents, as far as what was read before does not tell. `glance`: at the top of `.metis/`, where nothing was
/// written there since.
pub fn survey<'a>(
    ctx: &Context<'a>,
    cursor: &Cursor,
    stat_cache: &StatCache,
    format: ObjectFormat,
    now: SystemTime,
    arrived: Arrived,
    glance: Option<Glance>,
) -> Result<Own<'a>, OwnError> {
    let glance = glance.map_or_else(|| workspace::glance(ctx.metis.dir(), cursor.folders.keys()), Ok)?;
    let hydrated: BTreeSet<Prefix> = glance
        .hydrated
        .into_iter()
        .filter(|prefix| ctx.owned.as_ref() != Some(prefix))
        .collect();
    let index = ctx.project.index();
    let read_from = read_from(ctx, arrived)?;
    let mut own = Own::empty(read_from, hydrated, format);
    if let ReadFrom::Tree { at, pending } = read_from {
        let mut history = own.take_history(ctx);
        committed(ctx, cursor, &mut own, history.as_mut(), at, pending)?;
        own.pass_over_copies(cursor);
        own.exclusion = exclusion(ctx, Some((at, history.as_ref())))?;
        own.pass_over_excluded(ctx, cursor);
        let is_unborn = own.documents.is_empty()
            && own.excluded.is_empty()
            && ctx.metis.has_folder()
            && is_unborn(ctx, cursor, history.as_mut());
        own.keep_history(history);
        if !is_unborn {
            return Ok(own);
        }
        own = Own {
            history: own.history,
            ..Own::empty(ReadFrom::Folder, own.hydrated, format)
        };
    }
    if !ctx.metis.has_folder() {
        let source = ctx.config.sync.as_ref().and_then(|sync| sync.source.clone());
        return Err(OwnError::NoBranch(source.unwrap_or_default().into()));
    }
    own.index = index;
    own.head = match read_from {
        ReadFrom::Worktree(at) => Some(at),
        _ => ctx.project.head(),
    };
    let scan = scan(ctx, cursor, stat_cache, &own.hydrated, format, now)?;
    own.protected = scan.protected.clone();
    let found = scan.documents.iter().map(|(code, document)| {
        let document = OwnDocument {
            path: document.path.clone(),
            blob: document.blob,
            place: Place::Here,
        };
        (code.clone(), document)
    });
    own.documents = found.collect();
    own.scan = Some(scan);
    own.pass_over_copies(cursor);
    own.exclusion = exclusion(ctx, None)?;
    own.pass_over_excluded(ctx, cursor);
    if own.commit().is_none() {
        hold_back_merges(ctx, cursor, &mut own);
    }
    Ok(own)
}

/// Without a history, markers tell of an unfinished merge only in a document that was merged here.
fn hold_back_merges(ctx: &Context<'_>, cursor: &Cursor, own: &mut Own<'_>) {
    let reader = Reader::new(ctx, None);
    for code in cursor.decided.keys() {
        let Some(document) = own.documents.get(code) else {
            continue;
        };
        if reader.read(document).is_ok_and(|bytes| has_conflict_markers(&bytes)) {
            let path = document.path.clone();
            own.protect(code.clone(), path, Reason::ConflictMarkers);
        }
    }
}

/// Whether documents were never committed: neither where `HEAD` is nor, as far as this clone noted, anywhere else.
fn is_unborn(ctx: &Context<'_>, cursor: &Cursor, history: Option<&mut History<'_>>) -> bool {
    let at_head = || {
        let head = ctx.project.head()?;
        Some(history?.listing(head)?.is_empty())
    };
    cursor.agreed.is_none() && at_head().unwrap_or(true)
}

fn read_from(ctx: &Context<'_>, arrived: Arrived) -> Result<ReadFrom, OwnError> {
    if let Arrived::Commit(at) = arrived {
        return Ok(ReadFrom::Tree { at, pending: false });
    }
    let configured = ctx.config.sync.as_ref().and_then(|sync| sync.source.as_ref());
    let configured = configured.map(|source| source.raw());
    let source = match configured {
        Some(WORKTREE) | None => Source::Worktree,
        Some(branch) => Source::Branch(branch),
    };
    let situation = ctx.project.situation(source);
    unless_stalled(ctx)?;
    let Some(situation) = situation else {
        return Ok(ReadFrom::Folder);
    };
    let read_from = source::read_from(source, &situation, arrived == Arrived::Tracking).map_err(|err| match err {
        NoSource::Unfinished(what) => OwnError::Unfinished(what),
        NoSource::NoBranch => OwnError::NoBranch(configured.unwrap_or_default().into()),
        NoSource::LeftBehind => {
            let branch = configured.unwrap_or_default();
            let counterpart = ctx.project.counterpart(branch);
            OwnError::LeftBehind {
                branch: branch.into(),
                remote: counterpart.map(|(remote, _)| remote).unwrap_or_default().into(),
            }
        }
    })?;
    let has_files = || ctx.metis.has_folder() || !ctx.project.leaves_out(CONFIG_FILE);
    Ok(match read_from {
        ReadFrom::Worktree(at) if !has_files() => ReadFrom::Tree { at, pending: false },
        read_from => read_from,
    })
}

/// Walks through the files. They are named as git would commit them.
fn scan(
    ctx: &Context<'_>,
    cursor: &Cursor,
    stat_cache: &StatCache,
    hydrated: &BTreeSet<Prefix>,
    format: ObjectFormat,
    now: SystemTime,
) -> Result<Scan, DirError> {
    let last_paths = cursor.last_paths();
    let walk = |conversion: Option<&Conversion<'_>>, cache: &StatCache| {
        let hash = |file: FileRead<'_>| match conversion.zip(file.path) {
            Some((conversion, path)) => canonical(ctx, conversion, path, &file, format),
            None => Ok((central::blob_id(format, file.bytes), None)),
        };
        let any_id = central::blob_id(format, b"");
        workspace::scan(ctx.metis.dir(), hydrated, &hash, any_id, cache, &last_paths, now)
    };
    let conversion = ctx.project.conversion(false, &ctx.connect.interrupt);
    let rules = conversion.as_ref().map_or(0, Conversion::rules);
    let scan = walk(conversion.as_ref(), &stat_cache.under(rules))?;
    if !scan.has_attributes {
        return Ok(scan);
    }
    // Rules of folders may have changed since their files were read.
    let conversion = ctx.project.conversion(true, &ctx.connect.interrupt);
    walk(conversion.as_ref(), &StatCache::default())
}

fn canonical(
    ctx: &Context<'_>,
    conversion: &Conversion<'_>,
    path: &str,
    file: &FileRead<'_>,
    format: ObjectFormat,
) -> Result<(ObjectId, Option<Vec<u8>>), String> {
    let converted = conversion.to_git(path, file.bytes)?;
    if let Some(object) = conversion.unchanged(path, file.bytes.len() as u64, file.mtime_ns)
        && ctx.project.format() == Some(format)
    {
        return Ok((object, Some(converted)));
    }
    Ok((central::blob_id(format, &converted), Some(converted)))
}
