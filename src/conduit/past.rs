//! Versions of files that neither side has any more.

use super::{
    ConduitError,
    apply::{Content, kept_of},
    content::Objects,
    reading::{Reading, look},
    ready::Ready,
    record::Records,
    tip::Tip,
};
use crate::{
    central::blob_id,
    fs::Dir,
    plan::conduit::{Item, Side},
    project::Project,
};

/// Larger versions are looked for in no repository.
const LARGEST: u64 = 64 << 20;

/// Where they may be: with what syncs kept, in central, and in the project's own repository.
pub struct Past<'a> {
    memory: Option<&'a Dir>,
    /// Of the generations that kept something, the newest first.
    numbers: Vec<u64>,
    reading: Reading,
    objects: Option<Objects>,
    project: &'a Project,
}

impl<'a> Past<'a> {
    pub fn of(ready: &'a Ready<'_>, tip: Option<&Tip>) -> Result<Self, ConduitError> {
        let memory = ready.memory.dir().ok();
        let mut numbers = match memory {
            Some(memory) => Records::open(memory)?.numbers()?,
            None => Vec::new(),
        };
        numbers.reverse();
        Ok(Past {
            memory,
            numbers,
            reading: ready.reading(tip),
            objects: tip.map(|tip| Objects::of(Some(tip))),
            project: ready.project,
        })
    }

    /// The content that `path` had as `item`. `None`: it is nowhere.
    pub fn content(&self, path: &str, item: Item) -> Option<Content<'a>> {
        if let Some(memory) = self.memory {
            let places = self.numbers.iter().flat_map(|number| {
                let at = |side| format!("{}/{path}", kept_of(*number, side));
                Side::BOTH.map(at)
            });
            let is_it = |at: &String| {
                let found = look(memory, at, self.reading).ok().flatten();
                found.is_some_and(|found| found.id == item.id)
            };
            if let Some(at) = places.into_iter().find(is_it) {
                return Some(Content::File(memory, at));
            }
        }
        let read = self.objects.as_ref().and_then(|objects| objects.read(item.id).ok());
        let read = read.or_else(|| self.project.blob(item.id, LARGEST));
        read.filter(|bytes| blob_id(item.id.format(), bytes) == item.id)
            .map(Content::Bytes)
    }
}
