//! What a walk met, judged: which documents there are, and which must be left alone.
//!
//! The rule everything here serves: **what cannot be read is never taken for deleted.** A document counts as deleted only if
//! every place where it was known to be is certainly empty, or certainly holds another document.

mod known;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    owned_document::{Damaged, OwnedDocument, Reason},
    stat_cache::{CacheEntry, StatCache},
    walk::{Walked, What, code_of_folder, code_of_name},
};
use crate::fs::Kind;
use crate::names::{ObjectId, ShortCode};
pub use crate::plan::dehydrate::Protected;

pub(super) use self::known::Known;

/// The meaning of one walk.
#[derive(Debug)]
pub(super) struct Findings {
    pub documents: BTreeMap<ShortCode, OwnedDocument>,
    pub damaged: Vec<Damaged>,
    pub protected: Protected,
    pub cache: StatCache,
    /// Whether another walk may well see something else: a document that moves while we walk is missed, or seen twice.
    pub unsettled: bool,
    /// See [`Walked`].
    pub has_attributes: bool,
}

/// Judge what a walk met. `absence` says why a path that was not met may hold a document all the same, `None` if nothing at all
/// is there, and may look at the disk; `any_id` is an id of the right length.
pub(super) fn judge(
    walked: Walked,
    known: &Known<'_>,
    any_id: ObjectId,
    absence: &dyn Fn(&str) -> Option<Reason>,
) -> Findings {
    let Walked {
        files,
        blind,
        mut cache,
        has_attributes,
    } = walked;
    let mut judge = Judge {
        found: BTreeMap::new(),
        damaged: Vec::new(),
        protected: Protected::default(),
        unmet_may_be_there: false,
    };
    let doubtful = judge.sort(files);
    for (path, reason) in blind {
        judge.protected.all_absent = true;
        judge.report(&path, reason, None);
    }
    for (path, what) in doubtful {
        judge.doubtful(&path, what, known, &cache);
    }
    let unsettled = judge.absent(known, absence) | judge.found.values().any(|places| places.len() > 1);
    let (documents, mut damaged, protected) = judge.settle(known);
    damaged.sort_by(|a, b| a.path.cmp(&b.path));

    // What is not to be forgotten while it cannot be read.
    let absent =
        |code: &ShortCode| protected.covers(code, documents.contains_key(code)) && !documents.contains_key(code);
    let reported = damaged
        .iter()
        .filter_map(|file| Some((file.path.raw().to_owned(), file.may_be.clone()?)));
    let remembered = known.by_code().filter(|(code, _)| absent(code));
    let remembered =
        remembered.flat_map(|(_, places)| places.iter().map(|(code, path)| ((*path).to_owned(), (*code).clone())));
    for (path, code) in reported.chain(remembered).collect::<Vec<_>>() {
        if cache.get(&path).is_none_or(|entry| entry.code.is_none()) {
            cache.insert(path, CacheEntry::reminder(code, any_id));
        }
    }
    Findings {
        documents,
        damaged,
        protected,
        cache,
        unsettled,
        has_attributes,
    }
}

struct Judge {
    found: BTreeMap<ShortCode, Vec<OwnedDocument>>,
    damaged: Vec<Damaged>,
    protected: Protected,
    /// Whether a document that the last scan did not meet may be one of the files that cannot be told.
    unmet_may_be_there: bool,
}

impl Judge {
    /// Takes up what is certainly a document. Returns the rest.
    fn sort(&mut self, files: Vec<(PathBuf, What)>) -> Vec<(PathBuf, What)> {
        let (mut certain, mut doubtful) = (Vec::with_capacity(files.len()), Vec::new());
        for (path, what) in files {
            match (what, path.into_os_string().into_string()) {
                (What::Document { code, blob, len }, Ok(path)) => {
                    certain.push((
                        code,
                        OwnedDocument {
                            path: path.into(),
                            blob,
                            len,
                        },
                    ));
                }
                (What::Document { code, .. }, Err(path)) => {
                    doubtful.push((path.into(), What::Broken(Reason::NameNotUtf8, vec![code])));
                }
                (what, path) => doubtful.push((path.map_or_else(PathBuf::from, PathBuf::from), what)),
            }
        }
        // A map is made much faster of what is in order.
        certain.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut found: Vec<(ShortCode, Vec<OwnedDocument>)> = Vec::with_capacity(certain.len());
        for (code, document) in certain {
            match found.last_mut() {
                Some((last, places)) if *last == code => places.push(document),
                _ => found.push((code, vec![document])),
            }
        }
        self.found = found.into_iter().collect();
        doubtful
    }

    /// Looks for the known documents that were not met. Returns whether one of them seems to be gone.
    fn absent(&mut self, known: &Known<'_>, absence: &dyn Fn(&str) -> Option<Reason>) -> bool {
        let mut is_any_gone = false;
        for (code, places) in known.by_code() {
            if self.found.contains_key(code) || self.protected.codes.contains(code) {
                continue;
            }
            if self.unmet_may_be_there && !known.has_met(code) {
                self.protected.codes.insert(code.clone());
                continue;
            }
            let other_document_at = |path: &str| {
                let holds = |place: &OwnedDocument| place.path == path;
                self.found.values().flatten().any(holds)
            };
            let paths = places.iter().map(|(_, path)| *path);
            let mut doubts = paths.filter(|path| !other_document_at(path));
            match doubts.find_map(|path| Some((path, absence(path)?))) {
                None => is_any_gone = true,
                Some((path, reason)) => {
                    self.protected.codes.insert(code.clone());
                    self.report(Path::new(path), reason, Some(code.clone()));
                }
            }
        }
        is_any_gone
    }

    /// Which of the files with one code is the document, and what the others were before, nobody can tell: a template that
    /// writes its own code into all of them must not delete any.
    fn settle(self, known: &Known<'_>) -> (BTreeMap<ShortCode, OwnedDocument>, Vec<Damaged>, Protected) {
        let Judge {
            found,
            mut damaged,
            mut protected,
            ..
        } = self;
        let overwritten = found.values().filter(|places| places.len() > 1).flatten();
        let overwritten = overwritten.flat_map(|place| {
            let path = Path::new(place.path.raw());
            let clues = known.at(path).into_iter().chain(code_of_name(path));
            clues.chain(code_of_folder(path))
        });
        let lost = overwritten.filter(|code| !found.contains_key(code));
        protected.codes.extend(lost);
        let mut documents = Vec::with_capacity(found.len());
        for (code, mut places) in found {
            if places.len() == 1 && !protected.codes.contains(&code) {
                documents.extend(places.pop().map(|place| (code, place)));
                continue;
            }
            damaged.extend(places.into_iter().map(|place| Damaged {
                path: place.path,
                reason: Reason::Twice,
                may_be: Some(code.clone()),
            }));
            protected.codes.insert(code);
        }
        (documents.into_iter().collect(), damaged, protected)
    }

    fn report(&mut self, path: &Path, reason: Reason, may_be: Option<ShortCode>) {
        self.damaged.push(Damaged {
            path: path.to_string_lossy().into_owned().into(),
            reason,
            may_be,
        });
    }

    /// A file that is no whole document: find out which one it may be, and protect that.
    fn doubtful(&mut self, path: &Path, what: What, known: &Known<'_>, seen: &StatCache) {
        let mut clues = Vec::from_iter(known.at(path));
        clues.extend(code_of_name(path));
        // The folder's own document is the likely one only as long as that is not found; then it is somebody's notes.
        let folder = code_of_folder(path).filter(|code| !self.found.contains_key(code));
        let reason = match what {
            What::Document { .. } => return,
            What::Broken(reason, claims) => {
                clues.extend(claims);
                if clues.is_empty() {
                    clues.extend(folder);
                }
                if clues.is_empty() {
                    match known.was_stranger(path, seen) {
                        // It was here beside the documents that were met then, so it is none of those.
                        true => self.unmet_may_be_there = true,
                        false => self.protected.all_absent = true,
                    }
                }
                reason
            }
            What::Plain(damage) => {
                if clues.is_empty() && !known.was_plain(path) {
                    clues.extend(folder);
                }
                Reason::Frontmatter(damage)
            }
            What::NotAFile(Kind::Symlink) => Reason::Symlink,
            What::NotAFile(_) => Reason::NotAFile,
        };
        // A README or a link is certainly no document. It matters only where one may have been lost in its favour.
        if matches!(reason, Reason::Symlink | Reason::NotAFile)
            || matches!(&reason, Reason::Frontmatter(damage) if damage.is_plain_file())
        {
            clues.retain(|code| !self.found.contains_key(code));
            if clues.is_empty() {
                return;
            }
        }
        self.report(path, reason, clues.first().cloned());
        self.protected.codes.extend(clues);
    }
}
