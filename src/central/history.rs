//! What came before central's head: whether it grew out of the commit that this clone saw last, and which versions of
//! the own documents it has left behind.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    rc::Rc,
};

use super::{
    CentralError,
    commit::Trailers,
    fetch::{self, Detail},
    objects,
    remote::Remote,
    store::Store,
    tree,
};
use crate::{
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        guard::Lineage,
        listing::{Documents, Versions},
        newer::Witness,
    },
    send_pack::connect::{ConnectOptions, RemoteUrl},
};

/// How `head` relates to `seen`. May fetch what is missing to tell.
pub fn lineage(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &mut Store,
    head: ObjectId,
    seen: ObjectId,
) -> Result<Lineage, CentralError> {
    if head == seen {
        return Ok(Lineage::Same);
    }
    match walk(&store.odb(), head, seen)? {
        Walk::Found => return Ok(Lineage::Descends),
        Walk::Exhausted => return Ok(Lineage::Rewound),
        Walk::CutShort => {}
    }
    remote.reconnect(options)?;
    if store.contains(seen) {
        // Another workspace of this machine fetched `head` with less history than we need.
        fetch::fill_in(remote, options, store, head, seen)?;
        return Ok(match walk(&store.odb(), head, seen)? {
            Walk::Found => Lineage::Descends,
            Walk::Exhausted | Walk::CutShort => Lineage::Rewound,
        });
    }
    // The store was lost: the commits are looked at and dropped, as they come without their files.
    let format = remote.format;
    store.aside(|aside| {
        fetch::history(remote, options, head, Detail::Commits, aside)?;
        Ok(match walk(&objects::open(aside, format)?, head, seen)? {
            Walk::Found => Lineage::Descends,
            Walk::Exhausted | Walk::CutShort => Lineage::Rewound,
        })
    })
}

/// Whether the branch whose commit is `tip` has `wanted` in its history. Its commits are looked at and dropped.
pub fn reaches(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &Store,
    tip: ObjectId,
    wanted: ObjectId,
) -> Result<bool, CentralError> {
    match walk(&store.odb(), tip, wanted)? {
        Walk::Found => return Ok(true),
        Walk::Exhausted => return Ok(false),
        Walk::CutShort => {}
    }
    remote.reconnect(options)?;
    let format = remote.format;
    store.aside(|aside| {
        fetch::history(remote, options, tip, Detail::Commits, aside)?;
        Ok(matches!(
            walk(&objects::open(aside, format)?, tip, wanted)?,
            Walk::Found
        ))
    })
}

/// What central's history tells of the documents of one folder.
#[derive(Debug, Default)]
pub struct Told {
    /// What the newest commit that touched a document says of it.
    pub witnesses: BTreeMap<ShortCode, Witness>,
    /// Every version that the documents had, if that was asked.
    pub versions: Versions,
}

/// What is asked of central's history.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The folder.
    pub prefix: &'a Prefix,
    /// The documents whose newest change is looked for.
    pub wanted: &'a BTreeSet<ShortCode>,
    /// Whether every version of every document is asked for.
    pub versions: bool,
    /// Look no further back than this commit.
    pub since: Option<ObjectId>,
}

/// Asks the history of `head`. What is here of it is looked at first; the rest is asked for, without files, and dropped
/// afterwards.
pub fn tell(
    url: &RemoteUrl,
    options: &ConnectOptions,
    branch: &str,
    store: &Store,
    head: ObjectId,
    question: Question<'_>,
) -> Result<Told, CentralError> {
    if let Some(told) = walk_folder(&store.odb(), head, question)? {
        return Ok(told);
    }
    let mut remote = Remote::list(url, options, Some(branch))?;
    let told = store.aside(|aside| {
        fetch::history(&mut remote, options, head, Detail::Trees, aside)?;
        walk_folder(&objects::open(aside, store.format())?, head, question)
    });
    remote.close();
    Ok(told?.unwrap_or_default())
}

/// A folder in a commit, and what is in it.
type Listed = (Option<ObjectId>, Rc<Documents>);

impl Told {
    /// Takes the commit `id` for a witness of those `wanted` documents that it has otherwise than any commit `before`.
    fn testify(
        &mut self,
        odb: &gix::odb::Handle,
        id: ObjectId,
        wanted: &BTreeSet<ShortCode>,
        here: &Documents,
        before: &[Listed],
    ) -> Result<(), CentralError> {
        let is_touched = |code: &ShortCode| before.iter().all(|(_, before)| before.get(code) != here.get(code));
        let open = wanted.iter().filter(|code| !self.witnesses.contains_key(*code));
        let touched: Vec<&ShortCode> = open.filter(|code| is_touched(code)).collect();
        if touched.is_empty() {
            return Ok(());
        }
        let trailers = objects::trailers(odb, id)?;
        for code in touched {
            let witness = Witness {
                version: here.get(code).copied(),
                commit: trailers.commit,
                uncommitted: trailers.uncommitted.contains(code),
            };
            self.witnesses.insert(code.clone(), witness);
        }
        Ok(())
    }
}

/// Walks from `head` back until the question is answered. `None`: commits are missing for that.
fn walk_folder(odb: &gix::odb::Handle, head: ObjectId, question: Question<'_>) -> Result<Option<Told>, CentralError> {
    use gix::objs::Exists;
    let Question {
        prefix,
        wanted,
        versions,
        since,
    } = question;
    let mut told = Told::default();
    let mut folders: HashMap<ObjectId, Rc<Documents>> = HashMap::new();
    let mut documents = |root: ObjectId, prefix: &Prefix| -> Result<Listed, CentralError> {
        let Some(folder) = tree::owned_in(odb, root, prefix)? else {
            return Ok((None, Rc::default()));
        };
        if let Some(known) = folders.get(&folder) {
            return Ok((Some(folder), Rc::clone(known)));
        }
        let listed = Rc::new(tree::documents_in(odb, folder, prefix)?);
        folders.insert(folder, Rc::clone(&listed));
        Ok((Some(folder), listed))
    };
    // With the name that the folder had there.
    let mut queue = VecDeque::from([(head, prefix.clone())]);
    let mut seen = HashSet::from([head]);
    while let Some((id, mut prefix)) = queue.pop_front() {
        if !versions && told.witnesses.len() == wanted.len() {
            break;
        }
        if !odb.exists(&super::to_gix(id)) {
            return Ok(None);
        }
        let (root, parents) = objects::commit(odb, id)?;
        let (folder, here) = documents(root, &prefix)?;
        let is_last = since == Some(id);
        if versions {
            for (code, blob) in here.iter() {
                told.versions.entry(code.clone()).or_default().insert(*blob);
            }
        }
        if is_last {
            continue;
        }
        let mut before = Vec::new();
        for parent in &parents {
            if !odb.exists(&super::to_gix(*parent)) {
                return Ok(None);
            }
            before.push(documents(objects::commit(odb, *parent)?.0, &prefix)?);
        }
        match (folder, before.iter().any(|(before, _)| before.is_some())) {
            // It may have had another name until then.
            (Some(_), false) => {
                if let (Some(former), Some(_)) = (objects::trailers(odb, id)?.left, parents.first()) {
                    prefix = former;
                    before.clear();
                    for parent in &parents {
                        before.push(documents(objects::commit(odb, *parent)?.0, &prefix)?);
                    }
                }
            }
            // What was there before a workspace was retired is nothing to one that begins after it.
            (None, true) if objects::trailers(odb, id)?.left.as_ref() == Some(&prefix) => continue,
            _ => {}
        }
        if before.is_empty() || before.iter().all(|(before, _)| *before != folder) {
            told.testify(odb, id, wanted, &here, &before)?;
        }
        let parents = parents.into_iter().filter(|parent| seen.insert(*parent));
        queue.extend(parents.map(|parent| (parent, prefix.clone())));
    }
    Ok(Some(told))
}

/// What became of a folder that somebody took out of central on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It has another name.
    Renamed(Prefix),
    /// Its workspace was retired.
    Retired,
}

/// What the history of `head` tells of a folder that it has no more, no further back than `since`.
pub fn fate(
    url: &RemoteUrl,
    options: &ConnectOptions,
    branch: &str,
    store: &Store,
    [head, since]: [Option<ObjectId>; 2],
    prefix: &Prefix,
) -> Result<Option<Fate>, CentralError> {
    let Some(head) = head else { return Ok(None) };
    if let Some(fate) = walk_fate(&store.odb(), head, since, prefix)? {
        return Ok(fate);
    }
    let mut remote = Remote::list(url, options, Some(branch))?;
    let fate = store.aside(|aside| {
        fetch::history(&mut remote, options, head, Detail::Commits, aside)?;
        walk_fate(&objects::open(aside, store.format())?, head, since, prefix)
    });
    remote.close();
    Ok(fate?.flatten())
}

fn walk_fate(
    odb: &gix::odb::Handle,
    head: ObjectId,
    since: Option<ObjectId>,
    prefix: &Prefix,
) -> Result<Option<Option<Fate>>, CentralError> {
    use gix::objs::Exists;
    let mut queue = VecDeque::from([head]);
    let mut seen = HashSet::from([head]);
    while let Some(id) = queue.pop_front() {
        if since == Some(id) {
            continue;
        }
        if !odb.exists(&super::to_gix(id)) {
            return Ok(None);
        }
        let message = objects::message(odb, id)?;
        let by = synced(&message);
        if Trailers::read(&message).left.as_ref() == Some(prefix) {
            return Ok(Some(by.map(|by| match by == *prefix {
                true => Fate::Retired,
                false => Fate::Renamed(by),
            })));
        }
        let (_, parents) = objects::commit(odb, id)?;
        queue.extend(parents.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(Some(None))
}

/// The workspace that a commit with this message is a sync of.
fn synced(message: &[u8]) -> Option<Prefix> {
    let text = std::str::from_utf8(message).ok()?;
    text.strip_prefix("sync: ")?.split(' ').next()?.parse().ok()
}

/// The project that a folder of central was made from last, as far as commits say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The folder.
    pub prefix: Prefix,
    /// Its `Project-Root`.
    pub root: (ObjectId, String),
}

/// The newest owner of each folder that the history of `head` tells of. `only`: look no further than the first word about
/// this one.
pub fn owners(
    url: &RemoteUrl,
    options: &ConnectOptions,
    branch: &str,
    store: &Store,
    head: ObjectId,
    only: Option<&Prefix>,
) -> Result<BTreeMap<Prefix, Owner>, CentralError> {
    if let Some(owners) = walk_owners(&store.odb(), head, only)? {
        return Ok(owners);
    }
    let mut remote = Remote::list(url, options, Some(branch))?;
    let owners = store.aside(|aside| {
        fetch::history(&mut remote, options, head, Detail::Commits, aside)?;
        walk_owners(&objects::open(aside, store.format())?, head, only)
    });
    remote.close();
    Ok(owners?.unwrap_or_default())
}

fn walk_owners(
    odb: &gix::odb::Handle,
    head: ObjectId,
    only: Option<&Prefix>,
) -> Result<Option<BTreeMap<Prefix, Owner>>, CentralError> {
    use gix::objs::Exists;
    let mut owners = BTreeMap::new();
    let mut queue = VecDeque::from([head]);
    let mut seen = HashSet::from([head]);
    while let Some(id) = queue.pop_front() {
        if only.is_some_and(|only| owners.contains_key(only)) {
            break;
        }
        if !odb.exists(&super::to_gix(id)) {
            return Ok(None);
        }
        let message = objects::message(odb, id)?;
        if let Some(prefix) = synced(&message)
            && let Some(root) = Trailers::read(&message).root
        {
            let owner = || Owner {
                prefix: prefix.clone(),
                root,
            };
            owners.entry(prefix.clone()).or_insert_with(owner);
        }
        let (_, parents) = objects::commit(odb, id)?;
        queue.extend(parents.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(Some(owners))
}

enum Walk {
    Found,
    /// Every ancestor was looked at.
    Exhausted,
    /// A commit's parents are not here.
    CutShort,
}

fn walk(odb: &gix::odb::Handle, from: ObjectId, wanted: ObjectId) -> Result<Walk, CentralError> {
    use gix::objs::Exists;
    let mut queue = VecDeque::from([from]);
    let mut seen = HashSet::from([from]);
    let mut cut = false;
    while let Some(id) = queue.pop_front() {
        if id == wanted {
            return Ok(Walk::Found);
        }
        if !odb.exists(&super::to_gix(id)) {
            cut = true;
            continue;
        }
        for parent in objects::commit(odb, id)?.1 {
            if parent == wanted {
                return Ok(Walk::Found);
            }
            if seen.insert(parent) {
                queue.push_back(parent);
            }
        }
    }
    Ok(if cut { Walk::CutShort } else { Walk::Exhausted })
}
