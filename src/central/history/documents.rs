//! Which versions of the documents of one folder central has had, and what their commits say of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    rc::Rc,
};

use gix::objs::Exists;

use super::{
    super::{
        CentralError,
        fetch::Stretch,
        objects::{self, Handle},
        store::Store,
        to_gix,
        tree::{self, Root},
    },
    Central, asked,
};
use crate::{
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        listing::{Documents, Versions},
        newer::Witness,
    },
};

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
    /// The newest commit's root, which is not decoded once more.
    pub root: &'a Root,
}

/// Asks the history of `head`. What is here of it is looked at first; the rest is asked for, without files, and dropped
/// afterwards.
pub fn tell(central: Central<'_>, store: &Store, head: ObjectId, question: Question<'_>) -> Result<Told, CentralError> {
    let told = asked(central, store, head, Stretch::Trees, |odb| {
        walk_folder(odb, head, question)
    })?;
    Ok(told.unwrap_or_default())
}

/// A folder in a commit, and what is in it.
type Listed = (Option<ObjectId>, Rc<Documents>);

impl Told {
    /// Takes the commit `id` for a witness of those `wanted` documents that it has otherwise than any commit `before`.
    fn testify(
        &mut self,
        odb: &Handle,
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
fn walk_folder(odb: &Handle, head: ObjectId, question: Question<'_>) -> Result<Option<Told>, CentralError> {
    let Question {
        prefix,
        wanted,
        versions,
        since,
        root: newest,
    } = question;
    let mut told = Told::default();
    let mut folders: HashMap<ObjectId, Rc<Documents>> = HashMap::new();
    let mut documents = |root: ObjectId, prefix: &Prefix| -> Result<Listed, CentralError> {
        let folder = match newest.id() == Some(root) {
            true => newest.folder(prefix).unwrap_or_default(),
            false => tree::owned_in(odb, root, prefix)?,
        };
        let Some(folder) = folder else {
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
        if !odb.exists(&to_gix(id)) {
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
            if !odb.exists(&to_gix(*parent)) {
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
