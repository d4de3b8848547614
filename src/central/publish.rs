//! Storing a new commit's objects and pushing exactly those.

mod to_send;

use std::path::Path;

use gix::objs::{Kind, Write};

use self::to_send::{ToSend, new_objects};
use super::{
    CentralError,
    commit::NewCommit,
    device_log::NewLog,
    from_gix, hash_kind, objects,
    store::Store,
    to_gix,
    tree::{Root, surgery::NewTrees},
};
use crate::{
    names::ObjectId,
    send_pack::{
        self, Outcome, PackObject, PushError, PushOptions, RefUpdate,
        connect::{ConnectOptions, Greeting, RemoteUrl},
    },
    text::UntrustedName,
};

/// From this number of files on they are stored as a pack instead of a file each.
const PACK_FROM: usize = 64;

/// Stores a commit, its trees and the blobs that are not here yet.
///
/// `read` returns the bytes of a blob of `blobs`; they must hash to its id, which the caller has checked.
pub fn store_commit<E: From<CentralError>>(
    store: &mut Store,
    commit: &NewCommit,
    trees: &NewTrees,
    blobs: &[ObjectId],
    mut read: impl FnMut(ObjectId) -> Result<Vec<u8>, E>,
) -> Result<(), E> {
    let format = store.format();
    let missing: Vec<ObjectId> = blobs.iter().copied().filter(|id| !store.contains(*id)).collect();
    let mut failed = None;
    let stored = store.admit(|area, _| {
        let put = |kind, bytes: &[u8]| put(area, format, kind, bytes);
        if missing.len() < PACK_FROM {
            for id in &missing {
                match read(*id) {
                    Ok(bytes) => put(Kind::Blob, &bytes)?,
                    Err(err) => {
                        failed = Some(err);
                        return Err(CentralError::Receive("a document could not be read".into()));
                    }
                };
            }
        } else if let Err(err) = store_pack(area, format, &missing, &mut read) {
            return Err(match err {
                StorePackError::Read(err) => {
                    failed = Some(err);
                    CentralError::Receive("a document could not be read".into())
                }
                StorePackError::Store(err) => err,
            });
        }
        for tree in trees.below.iter().chain([&trees.root]) {
            put(Kind::Tree, &tree.bytes)?;
        }
        put(Kind::Commit, &commit.bytes)?;
        Ok(())
    });
    match (failed, stored) {
        (Some(err), _) => Err(err),
        (None, stored) => stored.map_err(E::from),
    }
}

/// Stores the commit of a log that is built on `parent`, before it is pushed: other clones on this machine need not fetch what one
/// of them made. Where files of it are not here, which only its clone has, or where it is large, it is left to the fetch.
pub fn store_log(store: &mut Store, log: &NewLog, parent: Option<ObjectId>) -> Result<(), CentralError> {
    let is_new = |id: ObjectId| log.objects.iter().any(|object| object.id == to_gix(id));
    let is_whole = log.files.values().all(|id| is_new(*id) || store.contains(*id));
    if !is_whole || log.objects.len() >= PACK_FROM {
        return Ok(());
    }
    if parent.is_some_and(|parent| !store.contains(parent)) {
        store.boundary().add(&[log.commit])?;
    }
    let format = store.format();
    store.admit(|area, _| {
        let mut objects = log.objects.iter();
        objects.try_for_each(|object| put(area, format, object.kind, &object.data).map(drop))
    })
}

fn put(area: &Path, format: super::ObjectFormat, kind: Kind, bytes: &[u8]) -> Result<ObjectId, CentralError> {
    let loose = gix::odb::loose::Store::at(area, hash_kind(format));
    let written = loose.write_buf(kind, bytes);
    written
        .map(|id| from_gix(&id))
        .map_err(|err| unwritten(area, objects::refusal(err.iter_errors()), format!("{err:#}")))
}

/// Why objects could not be written to `area`.
fn unwritten(area: &Path, refused: Option<std::io::Error>, reason: String) -> CentralError {
    match refused {
        Some(refused) => CentralError::cache(area, "written")(refused),
        None => CentralError::Receive(reason.into()),
    }
}

enum StorePackError<E> {
    Read(E),
    Store(CentralError),
}

fn store_pack<E>(
    area: &Path,
    format: super::ObjectFormat,
    blobs: &[ObjectId],
    read: &mut impl FnMut(ObjectId) -> Result<Vec<u8>, E>,
) -> Result<(), StorePackError<E>> {
    let stored = |err: String| StorePackError::Store(CentralError::Receive(err.into()));
    let path = area.join("blobs");
    let created = |err| StorePackError::Store(CentralError::cache(&path, "written")(err));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).map_err(created)?);
    let objects = blobs.iter().map(|id| {
        Ok(PackObject {
            id: to_gix(*id),
            kind: Kind::Blob,
            data: read(*id)?,
            delta_base: None,
        })
    });
    send_pack::pack::write(objects, blobs.len() as u32, hash_kind(format), &mut file).map_err(|err| match err {
        send_pack::pack::WriteError::Source(err) => StorePackError::Read(err),
        send_pack::pack::WriteError::Write(err) => stored(err.to_string()),
        send_pack::pack::WriteError::Count { .. } => stored("a pack could not be made".into()),
    })?;
    std::io::Write::flush(&mut file).map_err(created)?;
    drop(file);
    let mut file = std::io::BufReader::new(std::fs::File::open(&path).map_err(created)?);
    gix_pack::Bundle::write_to_directory(
        &mut file,
        Some(&area.join("pack")),
        &mut gix::progress::Discard,
        &std::sync::atomic::AtomicBool::new(false),
        None::<gix::odb::Handle>,
        hash_kind(format),
        Default::default(),
    )
    .map_err(|err| StorePackError::Store(unwritten(area, objects::refusal(err.iter_errors()), format!("{err:#}"))))?;
    let _ = std::fs::remove_file(&path);
    Ok(())
}

/// What to push, and what must be there for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPlan {
    /// Central's branch.
    pub branch: UntrustedName,
    /// The commit that the branch must point to. `None`: there must be no such branch.
    pub expected: Option<ObjectId>,
    /// The commit it shall point to.
    pub commit: ObjectId,
}

/// A ref beside central's branch that is to be made, moved or taken away.
#[derive(Debug, Clone)]
pub struct Beside<'p> {
    /// Its full name.
    pub name: String,
    /// What it must be for it. `None`: there must be no such ref.
    pub expected: Option<ObjectId>,
    /// The commit it shall point to. `None`: there shall be no such ref.
    pub new: Option<ObjectId>,
    /// What central has not of that.
    pub objects: &'p [PackObject],
}

/// What became of each.
#[derive(Debug)]
pub struct Published {
    /// The documents' commit. `None`: there was none.
    pub documents: Option<Outcome>,
    /// The ref beside it. `None`: there was none.
    pub beside: Option<Outcome>,
}

/// Makes the plan's commit the head of central's branch, if that still is what is expected, and moves a ref beside it, in one
/// push: each for itself. `documents`: with what lies at central's top until then; `met`: see [`send_pack::push_all()`].
pub fn publish(
    met: &mut Option<Greeting>,
    store: &Store,
    url: &RemoteUrl,
    options: &ConnectOptions,
    documents: Option<(&PushPlan, &Root)>,
    beside: Option<&Beside<'_>>,
) -> Result<Published, PushError<CentralError>> {
    let branch = documents.map(|(plan, _)| RefUpdate {
        name: format!("refs/heads/{}", plan.branch).into(),
        expected: plan.expected.map(to_gix),
        new: Some(to_gix(plan.commit)),
    });
    let other = beside.map(|beside| RefUpdate {
        name: beside.name.as_str().into(),
        expected: beside.expected.map(to_gix),
        new: beside.new.map(to_gix),
    });
    let list = match documents {
        Some((plan, before)) => new_objects(store, before, plan.commit).map_err(PushError::Source)?,
        None => Vec::new(),
    };
    let odb = store.odb();
    let push = PushOptions::new(super::AGENT);
    let updates: Vec<RefUpdate> = branch.iter().chain(&other).cloned().collect();
    let outcomes = send_pack::push_all(met, url, options, &push, &updates, |sent| {
        let is_sent = |update: &Option<RefUpdate>| {
            let name = update.as_ref().map(|update| &update.name);
            sent.iter().any(|sent| Some(&sent.name) == name)
        };
        let documents = list.iter().filter(|_| is_sent(&branch)).map(ToSend::Stored);
        let beside = beside
            .filter(|_| is_sent(&other))
            .into_iter()
            .flat_map(|beside| beside.objects);
        let all: Vec<ToSend<'_>> = documents.chain(beside.map(ToSend::Made)).collect();
        Ok(all.into_iter().map(|object| object.load(&odb)))
    })?;
    let mut outcomes = outcomes.into_iter();
    Ok(Published {
        documents: branch.and_then(|_| outcomes.next()),
        beside: other.and_then(|_| outcomes.next()),
    })
}
