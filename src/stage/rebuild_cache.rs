//! Bringing `metis.db` up to the files as they are now.

use std::io;

use crate::{
    cache::{self, CacheError, DocumentFacts, DocumentSource, Rebuilt, WorkspaceSource},
    central,
    names::{ObjectFormat, ObjectId, Prefix},
    state::{
        cursor::{self, Cursor},
        files::StateDir,
    },
    sync::{Setup, SyncErrorKind, SyncReport, Warning, Workspace},
    workspace::{self, Dir, FolderState, Scan, Survey, frontmatter},
};

/// Rebuilds after a sync. A failure is a warning; the next sync tries again.
pub fn after_sync(setup: &mut Setup<'_>, report: &mut SyncReport) {
    let format = setup.cursor.as_ref().map_or(ObjectFormat::Sha1, |cursor| cursor.format);
    let metis = setup.ctx.metis;
    let scan = setup.take_scan();
    let rebuilt = workspace::survey(metis.dir(), &Default::default())
        .map_err(|err| err.to_string())
        .and_then(|survey| {
            apply(
                metis.path(),
                metis.dir(),
                setup.ctx.owned.as_ref(),
                scan.as_ref(),
                &survey,
                format,
            )
            .map_err(|err| err.to_string())
        });
    let due = rebuilt.is_err();
    if let Err(reason) = rebuilt {
        report.warnings.push(Warning::CacheNotRebuilt(reason));
    }
    setup.note_cache(due);
}

/// Rebuilds from the hydrated folders that `survey` found and the own documents of `scan` (`None`: as they were).
pub fn apply(
    path: &std::path::Path,
    metis: &Dir,
    owned: Option<&Prefix>,
    scan: Option<&Scan>,
    survey: &Survey,
    format: ObjectFormat,
) -> Result<Rebuilt, CacheError> {
    let mut sources = Vec::new();
    for (prefix, state) in &survey.folders {
        if let FolderState::Marked(marker) = state {
            // A folder that a sync left half way is looked at again each time.
            let fingerprint = match marker.applying {
                None => marker.tree.map(|tree| tree.to_string()).unwrap_or_default(),
                Some(_) => String::new(),
            };
            sources.push(WorkspaceSource {
                prefix: prefix.clone(),
                owned: false,
                fingerprint,
                documents: Box::new(move || hydrated_documents(metis, prefix, format)),
            });
        }
    }
    if let Some(prefix) = owned {
        sources.push(WorkspaceSource {
            prefix: prefix.clone(),
            owned: true,
            fingerprint: scan.map(fingerprint).unwrap_or_default(),
            documents: Box::new(move || match scan {
                Some(scan) => Ok(own_documents(scan)),
                None => Err(io::Error::other("the own documents were not surveyed")),
            }),
        });
    }
    cache::rebuild(
        path,
        &sources,
        &|_, document| workspace::read_document(metis, &document.path).map_err(io::Error::other),
        &|bytes| facts(bytes),
    )
}

fn own_documents(scan: &Scan) -> Vec<DocumentSource> {
    scan.documents
        .iter()
        .map(|(code, document)| DocumentSource {
            path: document.path.clone(),
            code: code.clone(),
            blob: document.blob,
        })
        .collect()
}

fn hydrated_documents(metis: &Dir, prefix: &Prefix, format: ObjectFormat) -> io::Result<Vec<DocumentSource>> {
    super::hydrate::documents_in(metis, prefix)
        .map_err(io::Error::other)?
        .into_iter()
        .map(|code| {
            let path = format!("{prefix}/{}", code.file_name());
            let bytes = workspace::read_document(metis, &path).map_err(io::Error::other)?;
            Ok(DocumentSource {
                path,
                code,
                blob: central::blob_id(format, &bytes),
            })
        })
        .collect()
}

/// Changes whenever a document's place, code or content does.
fn fingerprint(scan: &Scan) -> String {
    let mut text = String::new();
    for (code, document) in &scan.documents {
        text.push_str(&format!("{code} {} {}\n", document.blob, document.path));
    }
    let id: ObjectId = central::blob_id(ObjectFormat::Sha1, text.as_bytes());
    format!("own {id}")
}

fn facts(bytes: &[u8]) -> Result<DocumentFacts, String> {
    let parsed = frontmatter::parse(bytes).map_err(|err| err.to_string())?;
    Ok(DocumentFacts {
        title: parsed.title.unwrap_or_default(),
        level: parsed.level,
        phase: parsed.phase,
        parent: parsed.parent,
        blocked_by: parsed.blocked_by,
        archived: parsed.archived,
        tags: parsed.tags,
    })
}

/// Rebuilds without a sync around it.
pub fn alone(workspace: &Workspace) -> Result<Rebuilt, SyncErrorKind> {
    let metis = workspace.metis();
    let state = StateDir::open(metis.path())?;
    let cursor = match &state {
        Some(state) => state.load::<Cursor>(cursor::FILE, cursor::SCHEMA).unwrap_or_default(),
        None => None,
    };
    let format = cursor.as_ref().map_or(ObjectFormat::Sha1, |cursor| cursor.format);
    let survey = workspace::survey(metis.dir(), &Default::default())?;
    let owned = workspace.config().workspace.as_ref();
    let hydrated = survey
        .hydrated()
        .into_iter()
        .filter(|prefix| owned != Some(prefix))
        .collect();
    let stat_cache = state
        .and_then(|state| state.read(super::record::STAT_CACHE).ok().flatten())
        .map(|bytes| workspace::StatCache::from_bytes(&bytes))
        .unwrap_or_default();
    let scan = workspace::scan(
        metis.dir(),
        &hydrated,
        &|bytes| central::blob_id(format, bytes),
        &stat_cache,
        &cursor.map(|cursor| cursor.last_paths()).unwrap_or_default(),
        std::time::SystemTime::now(),
    )?;
    Ok(apply(metis.path(), metis.dir(), owned, Some(&scan), &survey, format)?)
}
