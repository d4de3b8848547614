//! Writing the files of all folders, in the order in which their blobs lie in the pack, by several threads.
//!
//! Blobs are mostly stored as differences to their neighbours: read in the pack's order, each base is at hand from the
//! blob before; in any other order each blob costs the decoding of its whole chain.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use crate::{
    central::{
        self,
        objects::Handle,
        store::{Store, Suspicion},
    },
    names::ObjectId,
    plan::{
        hydrate::Write,
        listing::{SkipReason, Skipped},
    },
    stage::{Limits, SMALLEST_FILE},
    text::{Untrusted, UntrustedName},
    workspace::{FolderError, FolderWriter, OnDisk},
};

/// Files that a thread takes at a time: neighbours in the pack stay together.
const CHUNK: usize = 128;
/// Writing files is the kernel's work, which more threads than this only make wait for each other.
const MAX_THREADS: usize = 4;

/// A folder to write to.
pub struct Folder<'a> {
    /// Its writer, marked as being changed.
    pub writer: FolderWriter<'a>,
    /// What to write.
    pub files: &'a [Write],
}

/// What became of a folder's files.
#[derive(Debug, Default)]
pub struct Copied {
    /// Files written.
    pub written: usize,
    /// Locally edited files, kept under these paths first.
    pub kept: Vec<UntrustedName>,
    /// Files left out.
    pub skipped: Vec<Skipped>,
    /// The first failure. The folder's other files may or may not have been written.
    pub failed: Option<Untrusted>,
}

/// What all files have in common.
pub struct Terms<'a> {
    /// For what central sends.
    pub limits: Limits,
    /// Files that are too large to have been received.
    pub left_out: &'a BTreeSet<ObjectId>,
    /// The name of this sync among kept files.
    pub stamp: &'a str,
    /// Ends the work when set.
    pub interrupt: &'a AtomicBool,
}

enum File {
    Written,
    InPlace,
    Kept(UntrustedName),
    Skipped(Skipped),
}

/// Writes the files that do not hold the right bytes yet. A failure stops its folder, not the others.
/// `told` hears of files done and files in all.
pub fn copy(
    store: &Store,
    folders: &[Folder<'_>],
    terms: &Terms<'_>,
    told: &mut dyn FnMut(usize, usize),
) -> Vec<Copied> {
    let jobs: Vec<(usize, &Write)> = folders
        .iter()
        .enumerate()
        .flat_map(|(folder, f)| f.files.iter().map(move |write| (folder, write)))
        .collect();
    let all = jobs.len();
    let groups = match all {
        0..=CHUNK => vec![jobs],
        _ => store.by_pack(jobs, |(_, write)| write.blob),
    };
    let outcomes: Vec<Mutex<Copied>> = folders.iter().map(|_| Mutex::default()).collect();
    let written = AtomicU64::new(0);
    let done = AtomicUsize::new(0);
    let suspicion = store.suspicion();
    let work = |odb: &Handle, next: &AtomicUsize, jobs: &[(usize, &Write)], told: &mut dyn FnMut(usize, usize)| {
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            let Some(chunk) = jobs.get(start..jobs.len().min(start + CHUNK)).filter(|c| !c.is_empty()) else {
                return;
            };
            for (folder, write) in chunk {
                let outcome = &outcomes[*folder];
                if lock(outcome).failed.is_some() {
                    continue;
                }
                let file = if terms.interrupt.load(Ordering::Relaxed) {
                    Err("interrupted".into())
                } else {
                    copy_one(suspicion, odb, write, &folders[*folder].writer, terms, &written)
                };
                let mut outcome = lock(outcome);
                match file {
                    Ok(File::InPlace) => {}
                    Ok(File::Written) => outcome.written += 1,
                    Ok(File::Kept(path)) => {
                        outcome.written += 1;
                        outcome.kept.push(path);
                    }
                    Ok(File::Skipped(skipped)) => outcome.skipped.push(skipped),
                    Err(reason) => outcome.failed = Some(reason),
                }
            }
            told(done.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len(), all);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS));
    for jobs in &groups {
        // One pack at a time, and its own view of it: what was mapped for the pack before is given back.
        let odb = match store.fresh_odb() {
            Ok(odb) => odb,
            Err(err) => {
                for (folder, _) in jobs {
                    lock(&outcomes[*folder])
                        .failed
                        .get_or_insert_with(|| err.to_string().into());
                }
                continue;
            }
        };
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 1..threads.min(jobs.len().div_ceil(CHUNK)) {
                let (odb, next, work) = (odb.clone(), &next, &work);
                scope.spawn(move || work(&odb, next, jobs, &mut |_, _| {}));
            }
            work(&odb, &next, jobs, told);
        });
    }
    outcomes
        .into_iter()
        .map(|outcome| outcome.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()))
        .collect()
}

fn lock(outcome: &Mutex<Copied>) -> std::sync::MutexGuard<'_, Copied> {
    outcome.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn copy_one(
    suspicion: &Suspicion,
    odb: &Handle,
    write: &Write,
    writer: &FolderWriter<'_>,
    terms: &Terms<'_>,
    written: &AtomicU64,
) -> Result<File, Untrusted> {
    let hash = |bytes: &[u8]| central::blob_id(write.blob.format(), bytes);
    let name = write.code.file_name();
    let path = || format!("{}/{name}", writer.prefix());
    let failed = |err: FolderError| Untrusted::from(err.to_string());
    let skipped = || {
        File::Skipped(Skipped {
            path: path().into(),
            reason: SkipReason::TooLarge,
        })
    };
    let content = || match terms.left_out.contains(&write.blob) {
        true => Ok(None),
        false => central::objects::blob(odb, write.blob, terms.limits.blob_bytes).map_err(|err| {
            suspicion.note(&err);
            format!("{}: {err}", path())
        }),
    };
    let is_within_limits = |bytes: &[u8]| {
        let size = (bytes.len() as u64).max(SMALLEST_FILE);
        match written.fetch_add(size, Ordering::Relaxed).saturating_add(size) > terms.limits.total_bytes {
            false => Ok(()),
            true => Err(format!(
                "more than {} bytes would be written, with 4096 counted for each file at least; sync again to go on, or \
                 raise sync.limits.total_bytes in .metis/.sync/config.toml",
                terms.limits.total_bytes
            )),
        }
    };
    // There is nothing to look at, unless somebody was very fast.
    if writer.is_new() {
        let Some(bytes) = content()? else { return Ok(skipped()) };
        is_within_limits(&bytes)?;
        if writer.write_new(&name, &bytes).map_err(failed)? {
            return Ok(File::Written);
        }
    }
    let on_disk = writer.check(&name, &write.ours, &hash).map_err(failed)?;
    if matches!(on_disk, OnDisk::Expected(id) | OnDisk::LocallyEdited(id) if id == write.blob) {
        return Ok(File::InPlace);
    }
    let Some(bytes) = content()? else { return Ok(skipped()) };
    is_within_limits(&bytes)?;
    let kept = match on_disk {
        OnDisk::Absent => {
            return match writer.write_new(&name, &bytes).map_err(failed)? {
                true => Ok(File::Written),
                false => Err(format!("{} came while this was written; sync again", path()).into()),
            };
        }
        OnDisk::Expected(_) => None,
        OnDisk::LocallyEdited(_) => Some(writer.keep(&name, terms.stamp).map_err(failed)?),
        OnDisk::NotAFile => {
            return Err(format!("{} is not a regular file; move it away, then sync again", path()).into());
        }
    };
    writer.write(&name, &bytes).map_err(failed)?;
    Ok(kept.map_or(File::Written, |kept| File::Kept(kept.into())))
}
