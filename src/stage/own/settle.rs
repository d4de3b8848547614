//! What git knows of the files in the work tree, beside what they hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{Own, OwnDocument, OwnError, Place, Reader};
use crate::{
    names::ShortCode,
    plan::{listing, source::ReadFrom},
    project::{Checkout, History, Listing},
    stage::Context,
    state::cursor::Cursor,
    workspace::Reason,
};

/// Goes through what git knows of files that the work tree has otherwise than the commit that it belongs to: what is left
/// out on purpose counts as committed, and what is not merged or only seems to be gone is protected.
///
/// Returns the documents that are not as committed, and `false` if `HEAD` moved while the files were read.
pub fn settle<'a>(
    ctx: &Context<'a>,
    cursor: &Cursor,
    own: &mut Own<'a>,
    history: &mut History<'a>,
) -> Result<(BTreeSet<ShortCode>, bool), OwnError> {
    let Some(at) = own.commit() else {
        return Ok((BTreeSet::new(), true));
    };
    for (code, document) in &own.documents {
        history.know(document.blob, code);
    }
    let listing = history.listing(at).ok_or(OwnError::NoTree(at))?;
    let is_worktree = matches!(own.read_from, ReadFrom::Worktree(_));
    if is_worktree && listing.is_empty() && cursor.agreed.is_none() {
        own.read_from = ReadFrom::Folder;
        return Ok((BTreeSet::new(), true));
    }
    if is_worktree {
        let checkout = ctx.project.checkout().unwrap_or_default();
        protect_unmerged(own, cursor, &listing, &checkout);
        take_what_is_left_out(own, &listing, &checkout);
        own.pass_over_excluded(ctx, cursor);
        protect_missing(ctx, own, cursor, &listing, &checkout);
    }
    let is_as_committed = |code: &ShortCode, document: &OwnDocument| {
        let committed = listing.get(code);
        committed.is_some_and(|committed| committed.blob == document.blob)
    };
    let changed = own.documents.iter();
    let changed = changed.filter(|(code, document)| !is_as_committed(code, document));
    let is_gone = |code: &&ShortCode| !own.documents.contains_key(*code) && !own.excluded.contains_key(*code);
    let gone = listing.keys().filter(is_gone);
    let edited: BTreeSet<ShortCode> = changed.map(|(code, _)| code).chain(gone).cloned().collect();
    protect_half_merged(ctx, own, &edited, &listing, history);
    let still = !is_worktree || ctx.project.head() == own.head;
    Ok((edited, still))
}

/// The documents that are, were or are known to be at a path with a conflict in git's index.
fn protect_unmerged(own: &mut Own<'_>, cursor: &Cursor, listing: &Listing, checkout: &Checkout) {
    for path in checkout.unmerged() {
        let here = own.documents.iter().filter(|(_, document)| document.path == path);
        let there = listing.iter().filter(|(_, document)| document.path == path);
        let known = cursor.base.iter().filter(|(_, base)| base.path == path);
        let codes = here.map(|(code, _)| code).chain(there.map(|(code, _)| code));
        let codes: Vec<ShortCode> = codes.chain(known.map(|(code, _)| code)).cloned().collect();
        for code in codes {
            own.protect(code, path, Reason::Unmerged);
        }
    }
}

/// What git left out of the work tree on purpose is as committed.
fn take_what_is_left_out(own: &mut Own<'_>, listing: &Listing, checkout: &Checkout) {
    for (code, committed) in listing {
        let left_alone = match own.documents.get(code) {
            Some(document) => document.path == committed.path && document.blob != committed.blob,
            None => true,
        };
        if left_alone && checkout.counts_as_committed(committed.path.raw()) {
            let document = OwnDocument {
                path: committed.path.clone(),
                blob: committed.blob,
                place: Place::Committed(committed.clone()),
            };
            own.documents.insert(code.clone(), document);
        }
    }
}

/// Documents that only seem to be gone.
fn protect_missing(ctx: &Context<'_>, own: &mut Own<'_>, cursor: &Cursor, listing: &Listing, checkout: &Checkout) {
    let emptied = emptied_folders(ctx, listing);
    let paths = listing.iter().map(|(code, committed)| (code, committed.path.raw()));
    let noted = cursor.base.iter().filter(|(_, base)| base.blob.is_some());
    let noted = noted.map(|(code, base)| (code, base.path.raw()));
    for (code, path) in paths.chain(noted) {
        // What is withdrawn is there, and counts as gone all the same.
        if own.documents.contains_key(code) || own.protects(code) || ctx.withdrawn.contains(code) {
            continue;
        }
        if checkout.is_in_submodule(path) {
            own.protect(code.clone(), path, Reason::InSubmodule);
        } else if emptied.contains(folder_of(path)) {
            own.protect(code.clone(), path, Reason::Emptied);
        } else if let Some(name) = renamed(ctx, path) {
            own.protect(code.clone(), path, Reason::Renamed(name.into()));
        }
    }
}

/// Edited documents with the marks of a merge in them that were not committed like that.
fn protect_half_merged<'a>(
    ctx: &Context<'a>,
    own: &mut Own<'a>,
    edited: &BTreeSet<ShortCode>,
    listing: &Listing,
    history: &History<'a>,
) {
    let reader = Reader::new(ctx, Some(history));
    for code in edited {
        let Some(document) = own.documents.get(code) else {
            continue;
        };
        let path = document.path.clone();
        let marked = |bytes: Option<Vec<u8>>| bytes.is_some_and(|bytes| has_conflict_markers(&bytes));
        let before = || listing.get(code).and_then(|committed| history.bytes(committed).ok());
        if marked(reader.read(document).ok()) && !marked(before()) {
            own.protect(code.clone(), path, Reason::ConflictMarkers);
        }
    }
}

/// The folders that hold several committed documents, are there, and have nothing in them. git takes an empty folder away; one
/// that stays is likely to be the place of a disk.
fn emptied_folders(ctx: &Context<'_>, listing: &Listing) -> BTreeSet<String> {
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for committed in listing.values() {
        *held.entry(folder_of(committed.path.raw())).or_default() += 1;
    }
    let several = held
        .into_iter()
        .filter(|(folder, count)| !folder.is_empty() && *count > 1);
    let is_empty = |folder: &str| {
        let listed = ctx.metis.dir().open_dir(folder).and_then(|dir| dir.list());
        listed.is_ok_and(|entries| entries.is_empty())
    };
    several
        .filter(|(folder, _)| is_empty(folder))
        .map(|(folder, _)| folder.to_owned())
        .collect()
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The name under which the file at `path` may be meant: in other letters, or as a placeholder of a file that lies on a
/// server.
fn renamed(ctx: &Context<'_>, path: &str) -> Option<String> {
    let path = Path::new(path);
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = match folder {
        Some(folder) => ctx.metis.dir().open_dir(folder).ok()?.list().ok()?,
        None => ctx.metis.dir().list().ok()?,
    };
    let placeholder = format!(".{name}.icloud");
    entries.into_iter().find_map(|entry| {
        let other = entry.name.to_str()?;
        let is_same_name = other.to_lowercase() == name.to_lowercase() && other != name;
        (is_same_name || other == placeholder).then(|| listing::printable(other.as_bytes()))
    })
}

/// Whether a merge was left unfinished in a text: the three lines that git writes around two versions.
pub fn has_conflict_markers(bytes: &[u8]) -> bool {
    let mut stage = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        stage = match stage {
            0 if line.starts_with(b"<<<<<<< ") => 1,
            1 if line == b"=======" => 2,
            2 if line.starts_with(b">>>>>>> ") => return true,
            stage => stage,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_merge_is_told_by_its_three_lines() {
        let merge = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n";
        let diff3 = "<<<<<<< HEAD\nb\n||||||| base\nx\n=======\nc\n>>>>>>> topic\n";
        let windows = merge.replace('\n', "\r\n");
        for text in [merge, diff3, &windows] {
            assert!(has_conflict_markers(text.as_bytes()), "{text}");
        }
        for text in [
            "Title\n=======\n",
            "<<<<<<< \n",
            ">>>>>>> x\n=======\n<<<<<<< y\n",
            "    <<<<<<< HEAD\n=======\n",
        ] {
            assert!(!has_conflict_markers(text.as_bytes()), "{text}");
        }
    }
}
