//! The bytes of own documents.

use std::cell::OnceCell;

use super::{OwnDocument, Place};
use crate::{
    central::{self, CentralError},
    fs::DirError,
    names::ObjectId,
    project::{Conversion, History},
    stage::Context,
    text::UntrustedName,
    workspace,
};

/// Why a document's bytes cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// They are not what was planned any more.
    #[error("{path} changed meanwhile")]
    Changed {
        /// Relative to `.metis/`.
        path: UntrustedName,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// An object cannot be read, or not be stored.
    #[error(transparent)]
    Object(#[from] CentralError),
}

/// Reads own documents, with what is needed for that and costs something made once.
pub struct Reader<'r, 'a> {
    ctx: &'r Context<'a>,
    history: Option<&'r History<'a>>,
    conversion: OnceCell<Option<Conversion<'a>>>,
}

impl<'r, 'a> Reader<'r, 'a> {
    pub(super) fn new(ctx: &'r Context<'a>, history: Option<&'r History<'a>>) -> Self {
        Reader {
            ctx,
            history,
            conversion: OnceCell::new(),
        }
    }

    /// The bytes of a document that go to central. They have the id that the document was found with.
    pub fn read(&self, document: &OwnDocument) -> Result<Vec<u8>, ReadError> {
        let changed = || ReadError::Changed {
            path: document.path.clone(),
        };
        let path = match &document.place {
            Place::Committed(committed) => {
                let history = self.history.ok_or_else(changed)?;
                return Ok(history.bytes(committed)?);
            }
            Place::File(path) => path,
            Place::Here => document.path.raw(),
        };
        let bytes = workspace::read_document(self.ctx.metis.dir(), path).map_err(|err| match err.is_gone() {
            true => changed(),
            false => ReadError::Dir(err),
        })?;
        let format = document.blob.format();
        let is_it = |bytes: &[u8]| central::blob_id(format, bytes) == document.blob;
        if is_it(&bytes) {
            return Ok(bytes);
        }
        let conversion = self
            .conversion
            .get_or_init(|| self.ctx.project.conversion(true, &self.ctx.connect.interrupt));
        if let Some(conversion) = conversion
            && let Ok(converted) = conversion.to_git(path, &bytes)
            && is_it(&converted)
        {
            return Ok(converted);
        }
        // git takes the file for unchanged although its rules would make other bytes of it.
        let committed = self.history.and_then(|history| history.object(document.blob));
        committed.filter(|bytes| is_it(bytes)).ok_or_else(changed)
    }

    /// A blob of the project's own objects.
    pub fn object(&self, id: ObjectId) -> Option<Vec<u8>> {
        self.history?.object(id)
    }
}
