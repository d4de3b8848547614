//! What the Metis tools keep in `.pending/` while another branch is checked out: documents that they have yet to bring to the
//! source branch, and tombstones of those that they removed.
//!
//! Only the tools of this clone write there. A file that git tracks came with a commit, of a pull request that was merely
//! checked out for example, and is passed over.

use std::collections::BTreeSet;

use super::{Own, OwnDocument, Place, code_of};
use crate::{
    central,
    fs::{DirError, Kind},
    names::ShortCode,
    stage::Context,
    workspace::{self, Reason, frontmatter},
};

const PENDING: &str = ".pending";
/// The end of a file's name that stands for a removed document.
const REMOVAL: &str = ".md.deleted";
/// How deep folders may be nested, as in `.metis/` itself.
const DEPTH_LIMIT: usize = 64;

/// Applies what waits to `own`, the documents of the source branch.
pub(super) fn apply(ctx: &Context<'_>, own: &mut Own<'_>) -> Result<(), DirError> {
    if let Err(err) = ctx.metis.dir().lstat(PENDING) {
        return if err.is_gone() { Ok(()) } else { Err(err) };
    }
    let tracked: BTreeSet<String> = ctx.project.tracked_in(PENDING).into_iter().collect();
    for rest in &tracked {
        own.pass_over(format!("{PENDING}{rest}"), Reason::InPending);
    }
    // It is a link or a submodule itself.
    if tracked.contains("") {
        return Ok(());
    }
    let mut folders = vec![PENDING.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.split('/').count() > DEPTH_LIMIT {
            own.pass_over(folder, Reason::TooDeep);
            continue;
        }
        let entries = match ctx.metis.dir().open_dir(&folder).and_then(|dir| dir.list()) {
            Ok(entries) => entries,
            Err(err) if err.is_gone() => continue,
            Err(err) => return Err(err),
        };
        for entry in entries {
            let Some(name) = entry.name.to_str() else { continue };
            let path = format!("{folder}/{name}");
            let is_tracked = tracked.contains(&path[PENDING.len()..]);
            match entry.kind {
                _ if is_tracked => {}
                Kind::Dir => folders.push(path),
                Kind::File if name.ends_with(REMOVAL) => remove(own, &path),
                Kind::File if name.ends_with(".md") => replace(ctx, own, path)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// The path of the document that the file `path` stands for.
fn meant(path: &str) -> &str {
    &path[PENDING.len() + 1..]
}

fn remove(own: &mut Own<'_>, path: &str) {
    let removed = meant(path).strip_suffix(".deleted").unwrap_or_default();
    own.documents.retain(|_, document| document.path != removed);
}

fn replace(ctx: &Context<'_>, own: &mut Own<'_>, path: String) -> Result<(), DirError> {
    let bytes = match workspace::read_document(ctx.metis.dir(), &path) {
        Ok(bytes) => bytes,
        Err(err) if err.is_gone() => return Ok(()),
        Err(err @ DirError::TooLarge { .. }) => return protect(own, path, Reason::TooLarge).ok_or(err),
        Err(err) => return Err(err),
    };
    let Some(code) = code_of(&bytes) else {
        protect(own, path, Reason::Frontmatter(frontmatter::Damage::Missing));
        return Ok(());
    };
    let document = OwnDocument {
        path: meant(&path).into(),
        blob: central::blob_id(own.format, &bytes),
        place: Place::File(path),
    };
    own.documents.insert(code, document);
    Ok(())
}

/// Keeps central's copy of the document that the file stands for. `None`: it is of none that is known.
fn protect(own: &mut Own<'_>, path: String, reason: Reason) -> Option<()> {
    let here = own.documents.iter().find(|(_, document)| document.path == meant(&path));
    let code = here
        .map(|(code, _)| code.clone())
        .or_else(|| ShortCode::from_file_name(path.rsplit('/').next()?))?;
    own.protect(code, path, reason);
    Some(())
}
