//! Many small packs become one.
//!
//! Each sync that brings something leaves a pack, each push a few loose objects. A lookup asks every pack, so a store
//! that was fetched into a thousand times would be slower than a new one. What is small is copied into one pack; what is
//! large stays as it is, so a byte is copied a few times in all.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use gix::objs::Find as _;
use gix_pack::data::{
    self,
    output::{
        Count,
        bytes::FromEntriesIter,
        count::PackLocation,
        entry::iter_from_counts::{Mode, Options},
    },
};

use super::objects::{self, Handle};

/// So many small packs are left alone.
const PACKS: usize = 50;
/// A pack of so many bytes is not small.
const SMALL: u64 = 4 << 20;
/// No pack of more bytes is made.
const LARGEST: u64 = 16 << 20;
/// So many loose objects in one of the 256 folders are left alone: about a thousand in all, of which git says the same.
const LOOSE: usize = 4;
/// The folder that is looked into.
const SAMPLE: &str = "17";

/// Why packs could not be put together. They are as they were.
#[derive(Debug, thiserror::Error)]
pub(super) enum RepackError {
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// gitoxide could not read them, or not write the new one.
    #[error(transparent)]
    Pack(#[from] gix::Error),
    /// Not all that was in them is in the new one.
    #[error("{lost} objects of the cache could not be read")]
    Lost {
        /// How many.
        lost: u32,
    },
}

/// What is to be put together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RepackPlan {
    /// Packs, without ending.
    packs: Vec<PathBuf>,
    /// Whether loose objects are to go with them.
    with_loose: bool,
    /// Packs that lost their index to somebody who was killed while removing them.
    strays: Vec<PathBuf>,
}

/// What lies in a store.
#[derive(Debug, Clone, Default)]
pub(super) struct Census {
    /// Packs without ending, and their bytes.
    packs: Vec<(PathBuf, u64)>,
    /// Loose objects in one of 256 folders.
    loose: usize,
    /// Packs without an index.
    strays: Vec<PathBuf>,
}

/// Counts what lies in `objects`.
pub(super) fn census(objects: &Path) -> io::Result<Census> {
    let mut census = Census::default();
    for entry in fs::read_dir(objects.join("pack"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ext| ext == "idx") {
            let pack = path.with_extension("pack");
            census.packs.push((path.with_extension(""), fs::metadata(pack)?.len()));
        } else if path.extension().is_some_and(|ext| ext == "pack") && !path.with_extension("idx").exists() {
            census.strays.push(path);
        }
    }
    census.loose = fs::read_dir(objects.join(SAMPLE)).map_or(0, Iterator::count);
    Ok(census)
}

/// Decides what to put together: the smallest first, as many as go into one pack. `None` if it is not worth it.
pub(super) fn plan(mut census: Census) -> Option<RepackPlan> {
    census.packs.retain(|(_, size)| *size < SMALL);
    let with_loose = census.loose > LOOSE;
    if census.packs.len() <= PACKS && !with_loose {
        return None;
    }
    census
        .packs
        .sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
    let mut left = LARGEST;
    let packs = census.packs.into_iter().map_while(|(pack, size)| {
        left = left.checked_sub(size)?;
        Some(pack)
    });
    Some(RepackPlan {
        packs: packs.collect(),
        with_loose,
        strays: census.strays,
    })
}

/// Makes the pack in `area`, from what `odb` sees in `objects`. Returns the files in `objects` that it replaces.
///
/// # Errors
/// Nothing in `objects` was changed.
pub(super) fn apply(plan: &RepackPlan, objects: &Path, area: &Path, odb: &Handle) -> Result<Vec<PathBuf>, RepackError> {
    let format = odb.store_ref().object_hash();
    let mut odb = odb.clone();
    odb.prevent_pack_unload();
    let mut replaced = plan.strays.clone();
    let mut ids = BTreeSet::new();
    for pack in &plan.packs {
        let index = gix_pack::index::File::at(pack.with_extension("idx"), format)?;
        ids.extend(index.iter().map(|entry| entry.oid));
        // A pack that nobody finds any more goes after its index.
        replaced.extend(["idx", "pack"].map(|ext| pack.with_extension(ext)));
    }
    if plan.with_loose {
        for (id, path) in loose_objects(objects, format) {
            let mut buffer = Vec::new();
            // A torn one stays as it is: it is found out by whoever needs it.
            if odb.try_find(&id, &mut buffer)?.is_some() {
                ids.insert(id);
                replaced.push(path);
            }
        }
    }
    let count = ids.len() as u32;
    let path = area.join("gathered");
    let mut file = BufWriter::new(File::create_new(&path)?);
    let counts = ids.into_iter().map(|id| Count {
        id,
        entry_pack_location: PackLocation::NotLookedUp,
    });
    let options = Options {
        mode: Mode::PackCopyAndBaseObjects,
        thread_limit: Some(1),
        allow_thin_pack: false,
        ..Options::default()
    };
    let progress = Box::new(gix::progress::Discard);
    let entries = data::output::entry::iter_from_counts(counts.collect(), odb, progress, options)?
        .map(|chunk| chunk.map(|(_, entries)| entries));
    for written in FromEntriesIter::new(entries, &mut file, count, data::Version::V2, format) {
        written?;
    }
    file.flush()?;
    drop(file);
    let written = gix_pack::Bundle::write_to_directory(
        &mut BufReader::new(File::open(&path)?),
        Some(&area.join("pack")),
        &mut gix::progress::Discard,
        &AtomicBool::new(false),
        None::<Handle>,
        format,
        gix_pack::bundle::write::Options {
            alloc_limit_bytes: Some(objects::ALLOC_LIMIT),
            ..Default::default()
        },
    )?;
    fs::remove_file(&path)?;
    if written.index.num_objects != count {
        return Err(RepackError::Lost {
            lost: count.saturating_sub(written.index.num_objects),
        });
    }
    // What it replaces may be on the disk already: after a loss of power it has to be, too.
    for entry in fs::read_dir(area.join("pack"))? {
        File::open(entry?.path())?.sync_all()?;
    }
    Ok(replaced)
}

fn loose_objects(objects: &Path, format: gix::hash::Kind) -> Vec<(gix::ObjectId, PathBuf)> {
    let mut found = Vec::new();
    for byte in 0..=255_u8 {
        let folder = objects.join(format!("{byte:02x}"));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let hex = format!("{byte:02x}{}", entry.file_name().to_string_lossy());
            if let Ok(id) = gix::ObjectId::from_hex(hex.as_bytes())
                && id.kind() == format
            {
                found.push((id, entry.path()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
