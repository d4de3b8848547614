//! Bringing `metis.db` up to the files as they are now.

use std::io;

use crate::{
    cache::{self, CacheError, DocumentFacts, DocumentSource, Maker, Rebuilt, WorkspaceSource},
    central,
    fs::Dir,
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    workspace::{self, FolderState, Scan, Survey, frontmatter},
};

/// Rebuilds from the hydrated folders that `survey` found and the own documents of `scan` (`None`: as they were).
pub fn apply(
    path: &std::path::Path,
    metis: &Dir,
    owned: Option<&Prefix>,
    scan: Option<&Scan>,
    survey: &Survey,
    format: ObjectFormat,
    maker: &Maker<'_>,
) -> Result<Rebuilt, CacheError> {
    let hash = move |bytes: &[u8]| central::blob_id(format, bytes);
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
                documents: Box::new(move || hydrated_documents(metis, prefix)),
                hash: Box::new(hash),
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
            hash: Box::new(hash),
        });
    }
    cache::rebuild(
        path,
        &sources,
        &|_, document| workspace::read_document(metis, &document.path).map_err(io::Error::other),
        &|bytes| facts(bytes),
        maker,
    )
}

fn own_documents(scan: &Scan) -> Vec<DocumentSource> {
    scan.documents
        .iter()
        .map(|(code, document)| DocumentSource {
            path: document.path.raw().to_owned(),
            code: code.clone(),
            blob: Some(document.blob),
        })
        .collect()
}

/// As they are on the disk, which may be more than was copied there.
fn hydrated_documents(metis: &Dir, prefix: &Prefix) -> io::Result<Vec<DocumentSource>> {
    let listed = workspace::documents_in(metis, prefix).map_err(io::Error::other)?;
    let document = |code: ShortCode| DocumentSource {
        path: format!("{prefix}/{}", code.file_name()),
        code,
        blob: None,
    };
    Ok(listed.into_iter().map(document).collect())
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

/// A document's text below its frontmatter, as the cache searches it.
pub fn body(document: &[u8]) -> String {
    String::from_utf8_lossy(frontmatter::body(document)).into_owned()
}

fn facts(bytes: &[u8]) -> Result<DocumentFacts, String> {
    let parsed = frontmatter::parse(bytes).map_err(|err| err.to_string())?;
    Ok(DocumentFacts {
        title: parsed.title.unwrap_or_default(),
        level: parsed.level,
        phase: parsed.phase,
        slug: parsed.id,
        parent: parsed.parent,
        blocked_by: parsed.blocked_by,
        archived: parsed.archived,
        tags: parsed.tags,
    })
}
