//! What became of one document: the commits of central that touched it, newest first.
//!
//! The branch's own history is followed, first parents alone. What of it is here is looked at first. The rest is asked for,
//! no more than so many commits and without files; the files that are wanted are asked for by their ids. All of that is
//! dropped afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};

use gix::objs::Exists;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{
    CentralError,
    fetch::{self, Stretch},
    objects::{self, Handle},
    remote::Remote,
    store::Store,
    to_gix, tree,
};
use crate::{
    names::{ObjectId, Prefix, ShortCode},
    send_pack::connect::{ConnectOptions, RemoteUrl},
    text::UntrustedName,
};

/// What a commit did to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was not there before.
    Added,
    /// Its text is another one.
    Changed,
    /// Its workspace's folder has another name.
    Moved,
    /// It is gone.
    Removed,
    /// It was there already where looking ended.
    Earlier,
}

/// A commit of central, as far as one document is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The commit.
    pub commit: ObjectId,
    /// When it was made, by its maker's clock.
    pub time: Timestamp,
    /// The folder that the document was in, or would have been.
    pub prefix: Prefix,
    /// The document. `None`: it was not there.
    pub blob: Option<ObjectId>,
}

/// A commit that touched the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// The commit of central.
    pub commit: ObjectId,
    /// When it was made, by its maker's clock.
    #[serde(serialize_with = "as_text")]
    pub time: Timestamp,
    /// Who made it.
    pub author: UntrustedName,
    /// What it did.
    pub change: Change,
    /// The folder that the document was in.
    pub workspace: Prefix,
    /// The document's blob. `None`: it is gone.
    pub blob: Option<ObjectId>,
    /// The project's commit that it was made from, if the commit says so.
    pub project_commit: Option<ObjectId>,
}

fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// A document's past, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Every commit that was looked at.
    pub steps: Vec<Step>,
    /// Those that touched the document.
    pub versions: Vec<Version>,
    /// Whether there is nothing before the last step.
    pub is_complete: bool,
    /// The texts that were asked for, but for those that are not to be had.
    pub texts: BTreeMap<ObjectId, Vec<u8>>,
}

/// The most bytes of texts that are held.
const MOST_TEXT: usize = 64 << 20;

/// The most characters of an author's name that are held.
const MOST_NAME: usize = 200;

/// What is asked.
pub struct Question<'a> {
    /// The branch's commit to begin with.
    pub head: ObjectId,
    /// The branch.
    pub branch: &'a str,
    /// The document.
    pub code: &'a ShortCode,
    /// The folder that it is in.
    pub prefix: &'a Prefix,
    /// The most commits to look at.
    pub depth: usize,
    /// The most bytes of a text.
    pub limit: u64,
    /// Which texts are wanted, those first that matter most: no more than `MOST_TEXT` is held.
    pub wanted: &'a dyn Fn(&Past) -> Vec<ObjectId>,
}

/// Looks at the past of a document, asking central for what is not here. `told` hears when it is about to be asked. Whoever
/// interrupts it gets a past that has less than there is.
pub fn look(
    url: &RemoteUrl,
    options: &ConnectOptions,
    store: &Store,
    question: &Question<'_>,
    told: &mut dyn FnMut(),
) -> Result<Past, CentralError> {
    let walk = |odb: &Handle, is_all| walk(odb, question, is_all, &options.interrupt);
    let mut past = match walk(&store.odb(), false)? {
        Some(past) => past,
        None => {
            told();
            let mut remote = Remote::list(url, options, Some(question.branch))?;
            let past = store.aside(|aside| {
                let newest = Stretch::Newest(question.depth);
                fetch::stretch(&mut remote, options, question.head, newest, aside)?;
                walk(&objects::open(aside, store.format())?, true)
            });
            remote.close();
            past?.unwrap_or_default()
        }
    };
    let wanted = (question.wanted)(&past);
    let missing: BTreeSet<ObjectId> = wanted.iter().copied().filter(|id| !store.contains(*id)).collect();
    let texts = |aside: Option<&Handle>| -> Result<BTreeMap<ObjectId, Vec<u8>>, CentralError> {
        let (mut texts, mut left) = (BTreeMap::new(), MOST_TEXT);
        for id in &wanted {
            let text = match aside.filter(|_| missing.contains(id)) {
                Some(aside) if aside.exists(&to_gix(*id)) => objects::blob(aside, *id, question.limit)?,
                None if !missing.contains(id) => store.blob(*id, question.limit)?,
                _ => None,
            };
            if let Some(text) = text.filter(|_| !texts.contains_key(id)) {
                let Some(less) = left.checked_sub(text.len()) else {
                    break;
                };
                left = less;
                texts.insert(*id, text);
            }
        }
        Ok(texts)
    };
    past.texts = if missing.is_empty() {
        texts(None)?
    } else {
        told();
        let mut remote = Remote::list(url, options, Some(question.branch))?;
        let missing: Vec<ObjectId> = missing.iter().copied().collect();
        let found = store.aside(|aside| {
            fetch::files(&mut remote, options, question.head, &missing, aside)?;
            texts(Some(&objects::open(aside, store.format())?))
        });
        remote.close();
        found?
    };
    Ok(past)
}

/// Walks back from the head. `None`: commits are missing for that, and `is_all` does not say that there are no more to be had.
/// Interrupted, it ends where it is.
fn walk(
    odb: &Handle,
    question: &Question<'_>,
    is_all: bool,
    interrupt: &AtomicBool,
) -> Result<Option<Past>, CentralError> {
    let mut past = Past::default();
    let mut folders = BTreeMap::new();
    let mut prefix = question.prefix.clone();
    let mut next = Some(question.head);
    while let Some(id) = next {
        if interrupt.load(Ordering::Relaxed) {
            return Ok(Some(past));
        }
        if !odb.exists(&to_gix(id)) {
            return match is_all || past.steps.len() >= question.depth {
                true => Ok(Some(past.with_versions(odb)?)),
                false => Ok(None),
            };
        }
        if past.steps.len() == question.depth {
            return Ok(Some(past.with_versions(odb)?));
        }
        let (root, parents) = objects::commit(odb, id)?;
        let mut folder = tree::owned_in(odb, root, &prefix)?;
        if folder.is_none()
            && let Some(later) = past.steps.last()
            && let Some(former) = objects::trailers(odb, later.commit)?.left
            && let Some(found) = tree::owned_in(odb, root, &former)?
        {
            // It had another name until then.
            (folder, prefix) = (Some(found), former);
        }
        let blob = match folder {
            None => None,
            Some(folder) => match folders.get(&folder) {
                Some(known) => *known,
                None => {
                    let blob = tree::documents_in(odb, folder, &prefix)?.get(question.code).copied();
                    folders.insert(folder, blob);
                    blob
                }
            },
        };
        past.steps.push(Step {
            commit: id,
            time: made_at(odb, id)?.1,
            prefix: prefix.clone(),
            blob,
        });
        next = parents.first().copied();
    }
    past.is_complete = true;
    Ok(Some(past.with_versions(odb)?))
}

impl Past {
    fn with_versions(mut self, odb: &Handle) -> Result<Self, CentralError> {
        for (at, change) in changes(&self.steps, self.is_complete) {
            let step = &self.steps[at];
            self.versions.push(Version {
                commit: step.commit,
                time: step.time,
                author: made_at(odb, step.commit)?.0.into(),
                change,
                workspace: step.prefix.clone(),
                blob: step.blob,
                project_commit: objects::trailers(odb, step.commit)?.commit,
            });
        }
        Ok(self)
    }

    /// The step that central's branch was at at this time.
    pub fn at(&self, time: Timestamp) -> Option<&Step> {
        self.steps.iter().find(|step| step.time <= time)
    }

    /// The step whose commit, or whose project's commit, has an id that begins with these digits.
    pub fn at_commit(&self, digits: &str) -> Option<&Step> {
        let begins = |id: &ObjectId| id.to_string().starts_with(digits);
        let step = self.steps.iter().find(|step| begins(&step.commit));
        step.or_else(|| {
            let made_from = |version: &&Version| version.project_commit.as_ref().is_some_and(begins);
            let version = self.versions.iter().find(made_from)?;
            self.steps.iter().find(|step| step.commit == version.commit)
        })
    }
}

/// Which steps touched the document, and how.
fn changes(steps: &[Step], is_complete: bool) -> Vec<(usize, Change)> {
    let mut found = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let change = match (step.blob, steps.get(at + 1)) {
            (Some(_), None) if is_complete => Change::Added,
            (Some(_), None) => Change::Earlier,
            (None, None) => continue,
            (Some(_), Some(before)) if before.blob.is_none() => Change::Added,
            (None, Some(before)) if before.blob.is_some() => Change::Removed,
            (_, Some(before)) if before.blob != step.blob => Change::Changed,
            (Some(_), Some(before)) if before.prefix != step.prefix => Change::Moved,
            _ => continue,
        };
        found.push((at, change));
    }
    found
}

/// Who made a commit, and when.
fn made_at(odb: &Handle, id: ObjectId) -> Result<(String, Timestamp), CentralError> {
    let (name, seconds) = objects::author(odb, id)?;
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    let name = String::from_utf8_lossy(&name).chars().take(MOST_NAME).collect();
    Ok((name, time))
}

#[cfg(test)]
mod tests;
