//! Central over git: listing and fetching, the object store, trees and commits, publishing.
//!
//! No repository is needed on our side, only a place for objects: [`store`] keeps those of one central in the user's
//! cache directory, without refs, checkouts, remotes or credentials. It may be deleted at any time.
//!
//! | question | module |
//! |---|---|
//! | what does central's branch point to | [`remote`] |
//! | what does it hide from those who fetch | [`hidden`] |
//! | how do new objects get here | [`fetch`] |
//! | how does one pack become several of bounded size | `incoming` |
//! | where do they lie | [`store`] |
//! | how is one read | [`objects`] |
//! | how does the store stay quick | `repack` |
//! | is the head a descendant of what we saw | [`history`] |
//! | what is in a tree, how is one made with our folder changed | [`tree`] |
//! | what does our commit say | [`commit`] |
//! | how does it get to central | [`publish`] |
//! | what is a device's log made of | [`device_log`] |
//! | whose turn is it among the writers of this machine | [`turn`] |

use crate::{
    names::{self, ObjectFormat},
    send_pack::connect::ConnectError,
    text::Untrusted,
};

pub mod commit;
pub mod device_log;
pub mod fetch;
#[cfg(test)]
pub(crate) mod fixture;
pub mod hidden;
pub mod history;
mod incoming;
pub mod objects;
pub mod past;
pub mod publish;
pub mod remote;
mod repack;
pub mod store;
pub mod tree;
pub mod turn;

/// What is fuzzed by itself.
#[doc(hidden)]
pub use incoming::fuzzing;

/// Why central could not be worked with.
#[derive(Debug, thiserror::Error)]
pub enum CentralError {
    /// The connection could not be made or broke.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The cache directory with central's objects could not be used.
    #[error("the object cache {path} could not be {action}: {source}")]
    Cache {
        /// Where.
        path: std::path::PathBuf,
        /// What was tried, as a participle.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no place for objects that is this user's alone.
    #[error("this user has no home directory, so there is no place for central's objects")]
    NoHome,
    /// An object that should be there is not, or cannot be decoded. The cache may be damaged.
    #[error("object {id} of central could not be read: {reason}")]
    Object {
        /// Which.
        id: names::ObjectId,
        /// What is wrong with it.
        reason: Untrusted,
    },
    /// Objects could not be received or stored.
    #[error("the objects that central sent could not be stored: {0}")]
    Receive(Untrusted),
    /// A folder or commit is larger than what may be held in memory. Files of that size are left out.
    #[error(
        "central holds a folder or commit object of more than {} MiB: remove it there, nothing was changed here",
        objects::ALLOC_LIMIT >> 20
    )]
    TooLarge,
    /// Central holds something where a workspace's folder belongs.
    #[error("central has {what} where the folder {prefix}/ should be; move it away there, nothing was pushed")]
    NotAFolder {
        /// The folder.
        prefix: names::Prefix,
        /// What is there instead.
        what: &'static str,
    },
    /// Central's owned folder has a folder of the name of a document.
    #[error("central has a folder where the document {0} should be; move it away there, nothing was pushed")]
    NotADocument(Untrusted),
}

impl CentralError {
    fn cache(path: &std::path::Path, action: &'static str) -> impl FnOnce(std::io::Error) -> CentralError {
        let path = path.to_owned();
        move |source| CentralError::Cache { path, action, source }
    }

    /// Whether throwing the object cache away and fetching anew may help.
    pub fn is_damaged_cache(&self) -> bool {
        matches!(self, CentralError::Object { .. } | CentralError::Receive(_))
    }

    /// The object that should be here and is not, or is not what it should be.
    pub fn object(&self) -> Option<names::ObjectId> {
        match self {
            CentralError::Object { id, .. } => Some(*id),
            _ => None,
        }
    }
}

/// What we call ourselves to servers.
pub const AGENT: &str = concat!("git-metis-sync/", env!("CARGO_PKG_VERSION"));

/// Our id as gitoxide's.
pub(crate) fn to_gix(id: names::ObjectId) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(id.as_bytes())
}

/// gitoxide's id as ours.
pub(crate) fn from_gix(id: &gix::oid) -> names::ObjectId {
    names::ObjectId::from_bytes(id.as_bytes()).expect("git's ids have 20 or 32 bytes")
}

/// gitoxide's name for a hash.
pub(crate) fn hash_kind(format: ObjectFormat) -> gix::hash::Kind {
    match format {
        ObjectFormat::Sha1 => gix::hash::Kind::Sha1,
        ObjectFormat::Sha256 => gix::hash::Kind::Sha256,
    }
}

/// The id that a blob of these bytes has.
pub fn blob_id(format: ObjectFormat, bytes: &[u8]) -> names::ObjectId {
    let id = gix::objs::compute_hash(hash_kind(format), gix::objs::Kind::Blob, bytes)
        .expect("hashing bounded data in memory cannot fail");
    from_gix(&id)
}

/// The id that a blob of `len` bytes has, which are read from `bytes` piece by piece. They are one too many, or too few, only
/// for who writes to the file meanwhile: then it is an error.
pub fn blob_id_of(format: ObjectFormat, bytes: &mut impl std::io::Read, len: u64) -> std::io::Result<names::ObjectId> {
    let mut hasher = gix::hash::hasher(hash_kind(format));
    hasher.update(format!("blob {len}\0").as_bytes());
    let mut buffer = [0; 64 << 10];
    let mut read = 0;
    loop {
        match bytes.read(&mut buffer)? {
            0 if read == len => break,
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                read += n as u64;
                hasher.update(&buffer[..n]);
            }
        }
    }
    let id = hasher.try_finalize().map_err(std::io::Error::other)?;
    Ok(from_gix(&id))
}
