//! Own files that `resolve` wrote.

use crate::{
    central,
    fs::DirError,
    names::{ObjectFormat, ObjectId},
    plan::undo::Left,
    stage::Context,
    state::journal::ResolvedFile,
    sync::{SyncErrorKind, resolve},
    workspace,
};

/// What lies at the file's place. `None`: nothing.
fn version(ctx: &Context<'_>, file: &ResolvedFile, format: ObjectFormat) -> Result<Option<ObjectId>, DirError> {
    match ctx.metis.dir().read_file(file.path.raw(), workspace::DOCUMENT_LIMIT) {
        Ok((bytes, _)) => Ok(Some(central::blob_id(format, &bytes))),
        Err(err) if err.is_gone() => Ok(None),
        Err(err) => Err(err),
    }
}

/// Why the file stays as it is. `None`: it can get its bytes of before.
pub fn may_go_back(ctx: &Context<'_>, file: &ResolvedFile, format: ObjectFormat) -> Option<Left> {
    let at_hand = || {
        let kept = file.kept.as_ref();
        kept.is_none_or(|kept| ctx.metis.dir().read_file(kept.raw(), workspace::DOCUMENT_LIMIT).is_ok())
    };
    match version(ctx, file, format) {
        Err(_) => Some(Left::Unreadable),
        Ok(there) if there != file.version => Some(Left::Edited),
        Ok(_) if !at_hand() => Some(Left::NotAtHand),
        Ok(_) => None,
    }
}

/// Gives the file its bytes of before. Returns their version.
pub fn put_back(
    ctx: &Context<'_>,
    file: &ResolvedFile,
    format: ObjectFormat,
) -> Result<Option<ObjectId>, SyncErrorKind> {
    let metis = ctx.metis.dir();
    match &file.kept {
        Some(kept) => {
            let (bytes, _) = metis.read_file(kept.raw(), workspace::DOCUMENT_LIMIT)?;
            resolve::write_file(metis, file.path.raw(), &bytes)?;
            Ok(Some(central::blob_id(format, &bytes)))
        }
        None => {
            metis.remove_file(file.path.raw())?;
            Ok(None)
        }
    }
}
