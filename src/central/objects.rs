//! Reading objects, wherever they lie, within bounds.

use std::{io, path::Path};

use gix::objs::FindExt;
use rustix::io::Errno;

use super::{CentralError, commit::Trailers, from_gix, hash_kind, to_gix};
use crate::names::{ObjectFormat, ObjectId};

/// No single object larger than this is ever held in memory: larger ones are an error of their own, whatever small
/// pack they came in.
pub(crate) const ALLOC_LIMIT: usize = 64 << 20;
/// What each handle keeps of decoded objects, as bases of those stored as differences to them.
const PACK_CACHE: usize = 8 << 20;

/// Reads objects; one for each thread.
pub type Handle = gix::odb::Handle;

/// Opens an object folder as git lays it out.
pub(crate) fn open(objects: &Path, format: ObjectFormat) -> Result<Handle, CentralError> {
    let options = gix::odb::store::init::Options {
        alloc_limit_bytes: Some(ALLOC_LIMIT),
        ..Default::default()
    };
    gix::odb::at_opts(objects, hash_kind(format), None, options).map_err(CentralError::cache(objects, "opened"))
}

pub(super) fn pack_cache() -> Box<dyn gix_pack::cache::DecodeEntry + Send + 'static> {
    Box::new(gix_pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE))
}

/// Reads a blob through any handle; see [`Store::blob()`](super::store::Store::blob), which knows of files that are left out.
pub fn blob(odb: &Handle, id: ObjectId, limit: u64) -> Result<Option<Vec<u8>>, CentralError> {
    use gix::odb::HeaderExt;
    let unreadable = |err: gix::Error| CentralError::Object {
        id,
        reason: err.to_string().into(),
    };
    let gix_id = to_gix(id);
    let mut buffer = Vec::new();
    let kind = match odb.find(&gix_id, &mut buffer) {
        Ok(object) => object.kind,
        // Too large to be read at all is too large.
        Err(err) => match odb.header(gix_id) {
            Ok(header) if header.size() > limit => return Ok(None),
            _ => return Err(unreadable(err)),
        },
    };
    if kind != gix::objs::Kind::Blob {
        return Err(CentralError::Object {
            id,
            reason: format!("it is a {kind}, not a file").into(),
        });
    }
    Ok((buffer.len() as u64 <= limit).then_some(buffer))
}

/// The length of a blob. `None`: it is something else.
pub fn blob_len(odb: &Handle, id: ObjectId) -> Result<Option<u64>, CentralError> {
    use gix::odb::HeaderExt;
    let unreadable = |reason: String| CentralError::Object {
        id,
        reason: reason.into(),
    };
    let header = odb.header(to_gix(id)).map_err(|err| unreadable(err.to_string()))?;
    Ok((header.kind() == gix::objs::Kind::Blob).then(|| header.size()))
}

/// The length of an object of any kind. `None`: it cannot be read.
pub fn len(odb: &Handle, id: ObjectId) -> Option<u64> {
    use gix::odb::HeaderExt;
    Some(odb.header(to_gix(id)).ok()?.size())
}

/// When a commit was made, in seconds since 1970.
pub fn time(odb: &Handle, id: ObjectId) -> Result<i64, CentralError> {
    let unreadable = |reason: String| CentralError::Object {
        id,
        reason: reason.into(),
    };
    let mut buffer = Vec::new();
    let commit = odb
        .find_commit_iter(&to_gix(id), &mut buffer)
        .map_err(|err| unreadable(err.to_string()))?;
    let committer = commit.committer().map_err(|err| unreadable(err.to_string()))?;
    Ok(committer.time().map_err(|err| unreadable(err.to_string()))?.seconds)
}

/// The ids of a commit's tree and parents.
pub(crate) fn commit(odb: &Handle, id: ObjectId) -> Result<(ObjectId, Vec<ObjectId>), CentralError> {
    let unreadable = |reason: String| CentralError::Object {
        id,
        reason: reason.into(),
    };
    let mut buffer = Vec::new();
    let mut commit = odb
        .find_commit_iter(&to_gix(id), &mut buffer)
        .map_err(|err| unreadable(err.to_string()))?;
    let parents = commit.parent_ids().map(|id| from_gix(&id)).collect();
    let tree = commit.tree_id().map_err(|err| unreadable(err.to_string()))?;
    Ok((from_gix(&tree), parents))
}

/// A commit's message.
pub(crate) fn message(odb: &Handle, id: ObjectId) -> Result<Vec<u8>, CentralError> {
    let unreadable = |reason: String| CentralError::Object {
        id,
        reason: reason.into(),
    };
    let mut buffer = Vec::new();
    let commit = odb
        .find_commit(&to_gix(id), &mut buffer)
        .map_err(|err| unreadable(err.to_string()))?;
    Ok(commit.message.to_vec())
}

/// What a commit's message says of where its documents come from.
pub(crate) fn trailers(odb: &Handle, id: ObjectId) -> Result<Trailers, CentralError> {
    Ok(Trailers::read(&message(odb, id)?))
}

/// What this machine's system said, if one of `errors` is its refusal to write: no room, no right, no descriptors. It is
/// no damage, and fetching anew would meet the same.
pub(crate) fn refusal<'a>(errors: impl Iterator<Item = &'a (dyn std::error::Error + 'static)>) -> Option<io::Error> {
    use io::ErrorKind::{FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    errors
        .filter_map(|err| err.downcast_ref::<io::Error>())
        .find_map(|err| match (err.kind(), err.raw_os_error()) {
            // Wrapped in another error, which names a file that nobody else knows.
            (kind @ (StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem), None) => Some(kind.into()),
            (StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem | PermissionDenied, Some(code)) => {
                Some(io::Error::from_raw_os_error(code))
            }
            (_, Some(code)) if [Errno::MFILE, Errno::NFILE].contains(&Errno::from_raw_os_error(code)) => {
                Some(io::Error::from_raw_os_error(code))
            }
            _ => None,
        })
}
