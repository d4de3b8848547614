//! What was known of the documents before a walk.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    names::ShortCode,
    workspace::stat_cache::{CacheEntry, StatCache},
};

/// Which documents were known to be where, from the last sync and from the last scan.
#[derive(Debug)]
pub(in crate::workspace) struct Known<'a> {
    /// By codes, then by paths.
    places: Vec<(&'a ShortCode, &'a str)>,
    cache: &'a StatCache,
    /// Asked for where something is wrong, and made then.
    by_path: OnceCell<BTreeMap<&'a str, Vec<&'a ShortCode>>>,
    /// Documents that the last scan met, likewise.
    met: OnceCell<BTreeSet<&'a ShortCode>>,
}

impl<'a> Known<'a> {
    pub fn new(last_paths: &'a BTreeMap<ShortCode, String>, cache: &'a StatCache) -> Self {
        let then = last_paths.iter().map(|(code, path)| (code, path.as_str()));
        let seen = cache
            .iter()
            .filter_map(|(path, entry)| Some((entry.code.as_ref()?, path)));
        let mut places: Vec<_> = then.chain(seen).collect();
        // Both are in order, nearly always: a sort that makes use of it.
        places.sort();
        places.dedup();
        Known {
            places,
            cache,
            by_path: OnceCell::new(),
            met: OnceCell::new(),
        }
    }

    /// Each document with the places where it was.
    pub(super) fn by_code(&self) -> impl Iterator<Item = (&'a ShortCode, &[(&'a ShortCode, &'a str)])> {
        let groups = self.places.chunk_by(|one, other| one.0 == other.0);
        groups.map(|places| (places[0].0, places))
    }

    pub(super) fn by_path(&self) -> &BTreeMap<&'a str, Vec<&'a ShortCode>> {
        self.by_path.get_or_init(|| {
            let mut by_path: BTreeMap<&str, Vec<&ShortCode>> = BTreeMap::new();
            for (code, path) in &self.places {
                by_path.entry(path).or_default().push(code);
            }
            by_path
        })
    }

    pub(super) fn at(&self, path: &Path) -> Vec<ShortCode> {
        let codes = path.to_str().and_then(|path| self.by_path().get(path));
        codes.into_iter().flatten().map(|code| (*code).clone()).collect()
    }

    /// Whether the last scan met the document.
    pub(super) fn has_met(&self, code: &ShortCode) -> bool {
        let met = self.met.get_or_init(|| {
            let entries = self.cache.iter().filter(|(_, entry)| !entry.is_reminder());
            entries.filter_map(|(_, entry)| entry.code.as_ref()).collect()
        });
        met.contains(code)
    }

    /// What the last scan read at `path`, if that was no document.
    pub(super) fn without_code(&self, path: &str) -> Option<&'a CacheEntry> {
        self.cache.get(path).filter(|entry| entry.code.is_none())
    }

    /// Whether the last scan saw the very same file and could not tell which document it may be. A document that was seen
    /// since is another one.
    pub(super) fn was_stranger(&self, path: &Path, now: &StatCache) -> bool {
        let stranger = |path: &str| self.without_code(path).filter(|entry| entry.is_stranger);
        let is_same = |path: &str| Some(stranger(path)? == now.get(path)?);
        path.to_str().and_then(is_same).unwrap_or_default()
    }

    pub(super) fn was_plain(&self, path: &Path) -> bool {
        let is_plain = |path: &str| self.without_code(path).is_some_and(|entry| !entry.is_stranger);
        path.to_str()
            .is_some_and(|path| is_plain(path) && !self.by_path().contains_key(path))
    }
}
