//! Own documents in a branch that is not checked out.

use super::{Own, OwnDocument, OwnError, Place, code_of};
use crate::{
    central,
    fs::{DirError, Kind},
    names::ObjectId,
    project::History,
    stage::Context,
    state::cursor::Cursor,
    workspace::{self, Reason, frontmatter},
};

/// Where Metis keeps what was written while another branch was checked out.
const PENDING: &str = ".pending";
/// The end of a file's name there that stands for a removed document.
const PENDING_REMOVAL: &str = ".md.deleted";

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
            path: committed.path.clone().into(),
            blob: committed.blob,
            place: Place::Committed(committed.clone()),
        };
        own.documents.insert(code.clone(), document);
    }
    if pending {
        apply_pending(ctx, own)?;
    }
    Ok(())
}

fn apply_pending(ctx: &Context<'_>, own: &mut Own<'_>) -> Result<(), DirError> {
    let mut folders = vec![PENDING.to_owned()];
    while let Some(folder) = folders.pop() {
        let dir = match ctx.metis.dir().open_dir(&folder) {
            Ok(dir) => dir,
            Err(err) if err.is_gone() => continue,
            Err(err) => return Err(err),
        };
        for entry in dir.list()? {
            let Some(name) = entry.name.to_str() else { continue };
            let path = format!("{folder}/{name}");
            let path_below = path[PENDING.len() + 1..].to_owned();
            if entry.kind == Kind::Dir {
                folders.push(path);
            } else if let Some(removed) = path_below.strip_suffix(PENDING_REMOVAL) {
                let removed = format!("{removed}.md");
                own.documents.retain(|_, document| document.path != removed);
            } else if name.ends_with(".md") && entry.kind == Kind::File {
                let bytes = workspace::read_document(ctx.metis.dir(), &path)?;
                match code_of(&bytes) {
                    Some(code) => {
                        let document = OwnDocument {
                            path: path_below.into(),
                            blob: central::blob_id(own.format, &bytes),
                            place: Place::File(path),
                        };
                        own.documents.insert(code, document);
                    }
                    None => {
                        let here = own.documents.iter().find(|(_, document)| document.path == path_below);
                        if let Some(code) = here.map(|(code, _)| code.clone()) {
                            own.protect(code, path, Reason::Frontmatter(frontmatter::Damage::Missing));
                        }
                    }
                }
            }
        }
    }
    Ok(())
}
