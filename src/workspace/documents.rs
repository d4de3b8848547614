//! This workspace's own documents: every `*.md` in `.metis` with a `short_code`, outside hydrated folders.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::SystemTime,
};

use super::{
    owned_document::{DOCUMENT_LIMIT, Damaged, OwnedDocument, Reason},
    protection::{Findings, Known, Protected, judge},
    stat_cache::StatCache,
    walk::{Hash, Walk},
};
use crate::fs::{Dir, DirError};
use crate::names::{ObjectId, Prefix, ShortCode};

/// The outcome of a scan.
#[derive(Debug)]
pub struct Scan {
    /// The documents that may be pushed.
    pub documents: BTreeMap<ShortCode, OwnedDocument>,
    /// What is to be reported, by path.
    pub damaged: Vec<Damaged>,
    /// What central must keep.
    pub protected: Protected,
    /// To be saved for the next scan, see [`cache_changed`](Self::cache_changed).
    pub stat_cache: StatCache,
    /// Whether the cache says anything new. If not, saving it would be a write where nothing happened.
    pub cache_changed: bool,
    /// How many files were read again only because they had changed shortly before the last scan, which saving the cache
    /// would spare the next one. Worth a write when it is many.
    pub cache_gain: usize,
    /// Whether a folder below `.metis` has rules of its own (`.gitattributes`) for what git commits.
    pub has_attributes: bool,
}

impl Scan {
    /// Whether something could not be read, which may go better the next time.
    pub fn has_unread(&self) -> bool {
        let unread = |damaged: &Damaged| matches!(damaged.reason, Reason::Unreadable(_));
        self.damaged.iter().any(unread)
    }

    /// Whether central's copy of `code` must be left as it is: neither replaced nor removed.
    pub fn protects(&self, code: &ShortCode) -> bool {
        self.protected.covers(code, self.documents.contains_key(code))
    }

    /// The path each document was last seen at, to be handed to the next scan: the new one, or the `previous` one of a
    /// document that is not there and not known to be deleted.
    pub fn last_paths(&self, previous: &BTreeMap<ShortCode, String>) -> BTreeMap<ShortCode, String> {
        let kept = previous.iter().filter(|(code, _)| self.protects(code));
        let mut paths: BTreeMap<_, _> = kept.map(|(code, path)| (code.clone(), path.clone())).collect();
        let found = self.documents.iter();
        paths.extend(found.map(|(code, document)| (code.clone(), document.path.raw().to_owned())));
        paths
    }
}

/// Find this workspace's own documents in `metis`.
///
/// * `hydrated`: top-level folders that are copies of central's even if they have no marker. Folders with a marker are
///   passed over anyway.
/// * `hash`: the git object id that a file gets.
/// * `any_id`: an id of the length that `hash` gives.
/// * `cache`: of the last scan, or empty.
/// * `last_paths`: where each document was last seen, from [`Scan::last_paths()`].
/// * `now`: the time just before the call.
///
/// A document that is in neither `documents` nor [protected](Scan::protects) is certainly not there: two walks in a row
/// did not meet it, and nothing is where it was. Fails if `metis` itself cannot be read, which is never an empty workspace.
pub fn scan(
    metis: &Dir,
    hydrated: &BTreeSet<Prefix>,
    hash: Hash<'_>,
    any_id: ObjectId,
    cache: &StatCache,
    last_paths: &BTreeMap<ShortCode, String>,
    now: SystemTime,
) -> Result<Scan, DirError> {
    let walk = Walk {
        metis,
        hydrated,
        hash,
        id_len: any_id.as_bytes().len(),
    };
    let known = Known::new(last_paths, cache);
    let look = |cache: &StatCache| -> Result<Findings, DirError> {
        let mut walked = walk.run(cache, cache.next(now))?;
        let unmounted = cache.unmounted_since(&walked.cache, &|folder| metis.lstat(folder).is_ok());
        unmounted.iter().for_each(|folder| walked.cache.note_mount(folder));
        let absence = |path: &str| {
            if unmounted.iter().any(|folder| Path::new(path).starts_with(folder)) {
                return Some(Reason::Unmounted);
            }
            let is_gone = metis.lstat(path).is_err_and(|err| err.is_gone());
            (!is_gone).then_some(Reason::Hidden)
        };
        Ok(judge(walked, &known, any_id, &absence))
    };
    let mut findings = look(cache)?;
    if findings.unsettled {
        findings = look(&findings.cache)?;
    }
    // A folder that was removed while held open looks like an empty one.
    if metis.stat()?.links == 0 {
        return Err(DirError::Missing {
            path: metis.path().to_owned(),
        });
    }
    let Findings {
        documents,
        damaged,
        protected,
        cache: seen,
        has_attributes,
        ..
    } = findings;
    Ok(Scan {
        documents,
        damaged,
        protected,
        has_attributes,
        cache_changed: !seen.same_entries(cache),
        cache_gain: seen.settled_since(cache),
        stat_cache: seen,
    })
}

/// The bytes of the document at `path`, of one moment.
///
/// The file may have changed since the scan: compare their id with [`OwnedDocument::blob`] before they are pushed.
pub fn read_document(metis: &Dir, path: &str) -> Result<Vec<u8>, DirError> {
    metis.read_file(path, DOCUMENT_LIMIT).map(|(bytes, _)| bytes)
}

#[cfg(test)]
mod tests;
