//! Own documents in a branch that is not checked out.

use super::{Own, OwnDocument, OwnError, Place, pending};
use crate::{names::ObjectId, project::History, stage::Context, state::cursor::Cursor};

/// The documents of a commit, with what waits in `.pending/`.
pub(super) fn committed(
    ctx: &Context<'_>,
    cursor: &Cursor,
    own: &mut Own<'_>,
    history: Option<&mut History<'_>>,
    at: ObjectId,
    pending: bool,
) -> Result<(), OwnError> {
    let history = history.ok_or(OwnError::NoTree(at))?;
    for (code, base) in &cursor.base {
        if let Some(blob) = base.blob {
            history.know(blob, code);
        }
    }
    let listing = history.listing(at).ok_or(OwnError::NoTree(at))?;
    for (code, committed) in listing.iter() {
        let document = OwnDocument {
            path: committed.path.clone(),
            blob: committed.blob,
            place: Place::Committed(committed.clone()),
        };
        own.documents.insert(code.clone(), document);
    }
    if pending {
        pending::apply(ctx, own)?;
    }
    Ok(())
}
