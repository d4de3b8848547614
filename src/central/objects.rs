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

/// A commit as it is written. What is beside its tree and its parents may be anything: git goes on with a commit that names nobody,
/// and whoever may push could keep all others from pushing by one that is not read here.
fn commit_bytes(odb: &Handle, id: ObjectId) -> Result<Vec<u8>, CentralError> {
    let unreadable = |reason: String| CentralError::Object {
        id,
        reason: reason.into(),
    };
    let mut buffer = Vec::new();
    let kind = odb
        .find(&to_gix(id), &mut buffer)
        .map_err(|err| unreadable(err.to_string()))?
        .kind;
    match kind {
        gix::objs::Kind::Commit => Ok(buffer),
        kind => Err(unreadable(format!("it is a {kind}, not a commit"))),
    }
}

/// Whom a line of a commit's head names, and the seconds since 1970 there. What cannot be read is empty, and 1970.
fn named(commit: &[u8], line: &str) -> (Vec<u8>, i64) {
    let head = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let mut lines = head.filter_map(|said| said.strip_prefix(line.as_bytes())?.strip_prefix(b" "));
    let said = lines.next().unwrap_or_default();
    let name = said.split(|byte| *byte == b'<').next().unwrap_or_default();
    let behind = said.rsplit(|byte| *byte == b'>').next().unwrap_or_default();
    let seconds = String::from_utf8_lossy(behind);
    let seconds = seconds.split_whitespace().next().and_then(|text| text.parse().ok());
    (name.trim_ascii().to_vec(), seconds.unwrap_or_default())
}

/// When a commit was made, in seconds since 1970.
pub fn time(odb: &Handle, id: ObjectId) -> Result<i64, CentralError> {
    Ok(named(&commit_bytes(odb, id)?, "committer").1)
}

/// Who wrote a commit, and when, in seconds since 1970.
pub(crate) fn author(odb: &Handle, id: ObjectId) -> Result<(Vec<u8>, i64), CentralError> {
    Ok(named(&commit_bytes(odb, id)?, "author"))
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
    let commit = commit_bytes(odb, id)?;
    let begins = commit.windows(2).position(|bytes| bytes == b"\n\n");
    Ok(begins.map(|at| commit[at + 2..].to_vec()).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn whoever_is_named_in_a_commit_is_nobody_at_worst() {
        let of = |line: &str| {
            let commit = format!("tree x\n{line}\ncommitter c <c> 9 +0000\n\nauthor m <m> 8 +0000\n");
            let (name, seconds) = named(commit.as_bytes(), "author");
            (String::from_utf8(name).unwrap(), seconds)
        };
        let someone = |name: &str, seconds| (name.to_owned(), seconds);
        for (line, expected) in [
            ("author A B <a@b> 1700000000 +0100", someone("A B", 1_700_000_000)),
            ("author <> 5 -0000", someone("", 5)),
            ("author A <<a>> -5 x", someone("A", -5)),
            ("author A", someone("A", 0)),
            ("author A <a> 99999999999999999999 +0", someone("A", 0)),
            ("author", someone("", 0)),
            ("gpgsig\n author x <x> 1", someone("", 0)),
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
        assert_eq!(named(b"", "author"), (Vec::new(), 0));
    }
}
