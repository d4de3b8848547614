//! What a sync would change, or a past one changed, with the contents before and after.

use super::{
    ConduitError, Order,
    apply::{Content, kept_of},
    content::Objects,
    found::Found,
    past::Past,
    ready::Ready,
    recall::Recall,
    record::Records,
};
use crate::{
    names::ObjectId,
    plan::conduit::{Change, Item, Kind, Side},
    sync::Workspace,
    text::UntrustedName,
};

/// A path that differs, with both versions.
#[derive(Debug)]
pub struct Difference {
    /// The side that changes. `None`: nothing does, and the old version is alpha's, the new one beta's.
    pub side: Option<Side>,
    /// The path.
    pub path: UntrustedName,
    /// In which way the sides disagree, where a person decides.
    pub conflict: Option<Kind>,
    /// What is, or was, there.
    pub old: Option<Version>,
    /// What comes, or came.
    pub new: Option<Version>,
}

/// A version of a file.
#[derive(Debug)]
pub struct Version {
    /// Its content.
    pub id: ObjectId,
    /// The same, unless it is larger than was asked for, or nowhere any more.
    pub bytes: Option<Vec<u8>>,
}

/// What a sync would change, and what waits. Contents of more than `limit` bytes are not read.
///
/// # Errors
///
/// As those of a sync.
pub fn planned(
    workspace: &Workspace,
    name: &str,
    order: &Order<'_>,
    limit: u64,
) -> Result<Vec<Difference>, ConduitError> {
    let guard = workspace.guard()?;
    let ready = Ready::new(workspace, &guard, name, order)?;
    let tip = ready.fetch(order)?;
    let found = Found::look(&ready, order, tip.as_ref(), &Recall::of_the_last_sync(&ready), &[])?;
    let objects = Objects::of(tip.as_ref());
    let version = |side: Side, path: &str, item: Item| {
        let content = match ready.roots()[side as usize] {
            Some(root) => Some(Content::File(root, path.to_owned())),
            None => objects.read(item.id).ok().map(Content::Bytes),
        };
        Version::of(item, content, limit)
    };
    let mut out = changed(&found.out.changes, |change, path, item, is_new| {
        let holder = found.holder(change, path, item).filter(|_| is_new);
        version(holder.unwrap_or(change.side), path, item)
    });
    for conflict in &found.out.conflicts {
        let [old, new] = Side::BOTH.map(|side| {
            let item = found.scans[side as usize].listing.at(conflict.path.raw());
            item.map(|item| version(side, conflict.path.raw(), item))
        });
        out.push(Difference {
            side: None,
            path: conflict.path.clone(),
            conflict: Some(conflict.kind),
            old,
            new,
        });
    }
    Ok(out)
}

/// What generation `number` changed, as far as its contents are still somewhere.
///
/// # Errors
///
/// There is no such generation.
pub fn past(
    workspace: &Workspace,
    name: &str,
    number: u64,
    order: &Order<'_>,
    limit: u64,
) -> Result<Vec<Difference>, ConduitError> {
    let guard = workspace.guard()?;
    let ready = Ready::new(workspace, &guard, name, order)?;
    let missing = || ConduitError::NoGeneration {
        name: name.to_owned(),
        number,
    };
    let memory = ready.memory.dir().map_err(|_| missing())?;
    let records = Records::open(memory)?;
    records.read(number)?.ok_or_else(missing)?;
    let tip = ready.fetch(order)?;
    let past = Past::of(&ready, tip.as_ref())?;
    Ok(changed(&records.changes(number)?, |change, path, item, is_new| {
        let kept = format!("{}/{path}", kept_of(number, change.side));
        let root = ready.roots()[change.side as usize].filter(|_| is_new);
        let near = root.map_or((memory, kept), |root| (root, path.to_owned()));
        let version = Version::of(item, Some(Content::File(near.0, near.1)), limit);
        match version.bytes {
            Some(_) => version,
            None => Version::of(item, past.content(path, item), limit),
        }
    }))
}

/// The paths of changes. `version` gives the content of an item, by whether it is the new one.
fn changed(changes: &[Change], version: impl Fn(&Change, &str, Item, bool) -> Version) -> Vec<Difference> {
    let mut out: Vec<Difference> = Vec::new();
    for change in changes {
        let (was, now) = change.paths();
        let mut paths: Vec<&str> = was.iter().chain(&now).map(|(path, _)| *path).collect();
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            let at = |items: &[(&str, Item)]| items.iter().find(|(other, _)| *other == path).map(|(_, item)| *item);
            out.push(Difference {
                side: Some(change.side),
                path: path.into(),
                conflict: None,
                old: at(&was).map(|item| version(change, path, item, false)),
                new: at(&now).map(|item| version(change, path, item, true)),
            });
        }
    }
    out
}

impl Version {
    fn of(item: Item, content: Option<Content<'_>>, limit: u64) -> Self {
        let bytes = match content {
            Some(Content::Bytes(bytes)) => Some(bytes),
            Some(Content::File(dir, path)) if item.is_link() => dir.read_link(path).ok(),
            Some(Content::File(dir, path)) => dir.read_file(path, limit).ok().map(|(bytes, _)| bytes),
            None => None,
        };
        let is_it = |bytes: &Vec<u8>| {
            bytes.len() as u64 <= limit && crate::central::blob_id(item.id.format(), bytes) == item.id
        };
        Version {
            id: item.id,
            bytes: bytes.filter(is_it),
        }
    }
}
