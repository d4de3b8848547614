//! Looking inside the hydrated folders: is every file, byte for byte, what central's tree says?
//!
//! A sync trusts a folder's marker and does not look. This reads every file and compares ids.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    central::{
        self, CentralError,
        store::Store,
        tree::{self, Root},
    },
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        compare::{self, Differences},
        listing::{self, Documents, printable},
    },
    text::Untrusted,
    workspace::{FolderState, Survey, is_ours_in_folder},
};

use super::{Context, fetch::Snapshot};

/// What the marker of a folder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkerCheck {
    /// That the folder is at the tree that it should be at.
    Right,
    /// That it is at another one.
    Other,
    /// That a sync was cut short in it.
    Unfinished,
    /// It is damaged, or not there while `.gitignore` lists the folder.
    Lost,
    /// It is not there, and nothing else says that the folder is ours.
    Foreign,
    /// A later version of this program wrote it.
    Newer,
    /// There is no folder.
    Absent,
}

/// One folder compared with the tree that it should be at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderCheck {
    /// Whose.
    pub prefix: Prefix,
    /// The tree. `None`: central has no such workspace (any more).
    pub tree: Option<ObjectId>,
    /// What the marker says.
    pub marker: MarkerCheck,
    /// Documents there.
    pub documents: usize,
    /// Documents that differ from the tree.
    #[serde(flatten)]
    pub differences: Differences,
    /// Other files in the folder, which no sync touches.
    pub strangers: Vec<String>,
    /// What could not be read, in words.
    pub unreadable: Vec<Untrusted>,
}

impl FolderCheck {
    /// Whether nothing needs mending.
    pub fn is_right(&self) -> bool {
        self.has_right_content() && self.marker == MarkerCheck::Right
    }

    /// Whether every document is there as it should be, and no other.
    pub fn has_right_content(&self) -> bool {
        self.tree.is_some() && self.differences.is_empty() && self.unreadable.is_empty()
    }
}

/// Compares every hydrated folder with central's tree in `snapshot`, and folders that are ours with nothing if central does
/// not have them.
pub fn folders(
    ctx: &Context<'_>,
    store: &Store,
    snapshot: &Snapshot,
    survey: &Survey,
) -> Result<Vec<FolderCheck>, CentralError> {
    if !ctx.metis.has_folder() {
        return Ok(Vec::new());
    }
    let root = listing::root(snapshot.root(store)?.entries());
    let ours = survey.folders.iter().filter_map(|(prefix, state)| match state {
        FolderState::Marked(_) | FolderState::Newer => Some(prefix),
        _ => None,
    });
    let wanted = root.workspaces.iter().filter(|(prefix, _)| ctx.hydrates(prefix));
    let wanted: BTreeMap<&Prefix, ObjectId> = wanted.map(|(prefix, tree)| (prefix, *tree)).collect();
    let prefixes: BTreeSet<&Prefix> = wanted.keys().copied().chain(ours).collect();
    prefixes
        .into_iter()
        .filter(|prefix| ctx.owned.as_ref() != Some(prefix))
        .map(|prefix| folder(ctx, store, prefix, wanted.get(prefix).copied(), survey))
        .collect()
}

/// Compares one folder with `tree`. `None`: nothing should be there.
pub fn folder(
    ctx: &Context<'_>,
    store: &Store,
    prefix: &Prefix,
    tree: Option<ObjectId>,
    survey: &Survey,
) -> Result<FolderCheck, CentralError> {
    let expected = match tree {
        Some(tree) => listing::folder(prefix, tree::entries(store, tree)?).documents,
        None => Documents::new(),
    };
    let marker = match survey.folders.get(prefix) {
        None | Some(FolderState::Absent | FolderState::Reserved) => MarkerCheck::Absent,
        Some(FolderState::Marked(marker)) if marker.applying.is_some() => MarkerCheck::Unfinished,
        Some(FolderState::Marked(marker)) if marker.tree == tree && marker.central == ctx.upstream_name => {
            MarkerCheck::Right
        }
        Some(FolderState::Marked(_)) => MarkerCheck::Other,
        Some(FolderState::Adoptable) => MarkerCheck::Lost,
        Some(FolderState::Newer) => MarkerCheck::Newer,
        Some(FolderState::Foreign | FolderState::Unreadable(_)) => MarkerCheck::Foreign,
    };
    let mut found = match marker {
        MarkerCheck::Absent => Found::default(),
        _ => look(ctx, store, prefix),
    };
    let mut differences = compare::compare(&expected, &found.documents);
    // What is over the limit is left out by every sync.
    let too_large = |code: &ShortCode| {
        let blob = expected.get(code).map(|id| store.blob(*id, ctx.limits.blob_bytes));
        matches!(blob, Some(Ok(None)))
    };
    differences
        .missing
        .retain(|code| !found.unread.contains(code) && !too_large(code));
    found.strangers.truncate(100);
    Ok(FolderCheck {
        prefix: prefix.clone(),
        tree,
        marker,
        documents: found.documents.len(),
        differences,
        strangers: found.strangers,
        unreadable: found.unreadable,
    })
}

/// The documents that lie in a folder, as far as they can be read.
pub fn present(ctx: &Context<'_>, store: &Store, prefix: &Prefix) -> Documents {
    look(ctx, store, prefix).documents
}

/// What lies in a folder.
#[derive(Default)]
struct Found {
    documents: Documents,
    strangers: Vec<String>,
    unread: BTreeSet<ShortCode>,
    unreadable: Vec<Untrusted>,
}

fn look(ctx: &Context<'_>, store: &Store, prefix: &Prefix) -> Found {
    let mut out = Found::default();
    let metis = ctx.metis.dir();
    let entries = match metis.open_dir(prefix.as_str()).and_then(|folder| folder.list()) {
        Ok(entries) => entries,
        Err(err) => {
            out.unreadable.push(err.to_string().into());
            return out;
        }
    };
    for entry in entries {
        let name = entry.name.to_string_lossy();
        let Some(code) = entry.name.to_str().and_then(ShortCode::from_file_name) else {
            if !is_ours_in_folder(&entry.name) {
                out.strangers.push(printable(name.as_bytes()));
            }
            continue;
        };
        match metis.read_file(format!("{prefix}/{name}"), ctx.limits.blob_bytes) {
            Ok((bytes, _)) => drop(out.documents.insert(code, central::blob_id(store.format(), &bytes))),
            Err(err) if err.is_gone() => {}
            Err(err) => {
                out.unreadable.push(err.to_string().into());
                out.unread.insert(code);
            }
        }
    }
    out
}

/// Reads every object that the documents of `head` need, and checks that each is what its id says. Returns how many were
/// read and what is wrong with the first that is not.
pub fn objects(store: &Store, head: Option<ObjectId>, limit: u64) -> Result<usize, CentralError> {
    let root = Root::of(store, head)?;
    let mut read = 0;
    let mut seen = BTreeSet::new();
    for (prefix, folder) in listing::root(root.entries()).workspaces {
        for (_, blob) in listing::folder(&prefix, tree::entries(store, folder)?).documents {
            if !seen.insert(blob) {
                continue;
            }
            let Some(bytes) = store.blob(blob, limit)? else {
                continue;
            };
            if central::blob_id(store.format(), &bytes) != blob {
                return Err(CentralError::Object {
                    id: blob,
                    reason: "its bytes are not those that its id stands for".into(),
                });
            }
            read += 1;
        }
    }
    Ok(read)
}
