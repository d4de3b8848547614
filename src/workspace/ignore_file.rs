//! The lines that keep our files out of the project's own repository: in `.metis/.gitignore`, which `init` writes, and in
//! git's own `info/exclude`, which no branch and no pull changes.
//!
//! Ours stand between two marker lines; every other byte belongs to the user. Earlier versions of this program listed
//! hydrated folders in `.metis/.gitignore`, an older tool did so after a heading: both lists are read.

use std::{collections::BTreeSet, path::Path};

use super::METIS_DIR;
use crate::fs::{Dir, DirError, FileMode};
use crate::names::Prefix;

/// A folder's list for git.
pub(super) const IGNORE_FILE: &str = ".gitignore";
const EXCLUDE_FILE: &str = "info/exclude";
const IGNORE_LIMIT: u64 = 1 << 20;

const BEGIN: &[u8] = b"# >>> git-metis-sync: written by the program, changes in here are lost >>>";
const END: &[u8] = b"# <<< git-metis-sync <<<";
const OLD_HEADING: &[u8] = b"# Hydrated remote workspaces";

/// What is beside the documents in every workspace: this clone's state, the database and what SQLite keeps beside it.
const FILES: [&str; 5] = [".sync/", "metis.db", "metis.db-journal", "metis.db-shm", "metis.db-wal"];
/// What is there only while something is written, or after a run was killed.
const PASSING: [&str; 2] = ["metis.db.sync-build-*", ".metis-sync-tmp-*"];

/// The folders listed in `.gitignore` of `metis`; none if there is no such file.
pub(super) fn read_ignored(metis: &Dir) -> Result<BTreeSet<Prefix>, DirError> {
    read(metis, IGNORE_FILE).map(|bytes| ignored_folders(&bytes))
}

/// Have `.gitignore` of `metis` name the files that a sync keeps beside the documents, in our block. A file in which somebody
/// saw to the database is left as it is. Returns whether it had to be written.
pub fn ignore_own_files(metis: &Dir) -> Result<bool, DirError> {
    let lines = FILES.map(|name| format!("/{name}").into_bytes());
    let bytes = read(metis, IGNORE_FILE)?;
    match lines_of(&bytes).any(|line| covers(line, b"/metis.db")) {
        true => Ok(false),
        false => put(metis, IGNORE_FILE, with_lines(&bytes, &lines)),
    }
}

/// The same in git's own list, which every branch has. `common_dir` is what the repository's work trees share, `below` the
/// path of `.metis/` in the work tree.
pub fn exclude_own_files(common_dir: &Path, below: &[u8]) -> Result<bool, DirError> {
    let dir = Dir::open_root(common_dir)?;
    // One list for all workspaces of the repository, wherever they are.
    let folder: Vec<u8> = match below {
        // It is a repository of its own.
        b"" => Vec::new(),
        _ if last_part(below) == METIS_DIR.as_bytes() => b"**/.metis".to_vec(),
        _ => [b'/']
            .into_iter()
            .chain(below.iter().copied().flat_map(escaped))
            .collect(),
    };
    let line = |name: &str| [&folder[..], b"/", name.as_bytes()].concat();
    let lines: Vec<Vec<u8>> = FILES.iter().chain(&PASSING).map(|name| line(name)).collect();
    let bytes = read(&dir, EXCLUDE_FILE)?;
    if ignores_all(&bytes, below) {
        return Ok(false);
    }
    let new = with_lines(&bytes, &lines);
    if new.is_some() {
        dir.create_dir("info")?;
    }
    put(&dir, EXCLUDE_FILE, new)
}

/// Take the folders out of our block in `.gitignore` of `metis`. Returns whether there were any.
pub fn unlist_folders(metis: &Dir) -> Result<bool, DirError> {
    put(metis, IGNORE_FILE, without_folders(&read(metis, IGNORE_FILE)?))
}

/// Whether our block in `.gitignore` of `metis` lists folders.
pub fn lists_folders(metis: &Dir) -> bool {
    read(metis, IGNORE_FILE).is_ok_and(|bytes| without_folders(&bytes).is_some())
}

fn read(dir: &Dir, file: &str) -> Result<Vec<u8>, DirError> {
    match dir.read_file(file, IGNORE_LIMIT) {
        Ok((bytes, _)) => Ok(bytes),
        // A link counts as nothing here, as it does for git; writing will refuse it.
        Err(DirError::Missing { .. } | DirError::Symlink { .. }) => Ok(Vec::new()),
        Err(err) => Err(err),
    }
}

fn put(dir: &Dir, file: &str, bytes: Option<Vec<u8>>) -> Result<bool, DirError> {
    match bytes {
        None => Ok(false),
        Some(bytes) => dir.write_flushed(file, &bytes, FileMode::Keep).map(|()| true),
    }
}

fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or_default()
}

/// Whether a line of the user's has git ignore the whole of `.metis/`.
fn ignores_all(bytes: &[u8], below: &[u8]) -> bool {
    let last = last_part(below);
    lines_of(bytes).any(|line| {
        let line = line.strip_suffix(b"/").unwrap_or(line);
        let line = line.strip_prefix(b"**/").unwrap_or(line);
        !line.is_empty() && (line == last || line.strip_prefix(b"/") == Some(below))
    })
}

/// The folders that a `.gitignore` lists in our block or below the older tool's heading.
///
/// That tool adds later folders at the end of the file, so its list has no end.
fn ignored_folders(bytes: &[u8]) -> BTreeSet<Prefix> {
    let (mut in_block, mut below_heading) = (false, false);
    let mut folders = BTreeSet::new();
    for line in lines_of(bytes) {
        match line {
            BEGIN => in_block = true,
            END => in_block = false,
            OLD_HEADING => below_heading = true,
            line if in_block => folders.extend(line.strip_prefix(b"/").and_then(folder)),
            line if below_heading => folders.extend(folder(line)),
            _ => {}
        }
    }
    folders
}

/// The bytes of a list that has `lines`: those that no line of it covers are added to our block, which is made at the
/// end if there is none. `None` if there is nothing to add. Line endings are as in the first line.
fn with_lines(bytes: &[u8], lines: &[Vec<u8>]) -> Option<Vec<u8>> {
    let missing: Vec<&Vec<u8>> = lines
        .iter()
        .filter(|line| !lines_of(bytes).any(|there| covers(there, line)))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let eol: &[u8] = match bytes.split_inclusive(|b| *b == b'\n').next() {
        Some(first) if first.ends_with(b"\r\n") => b"\r\n",
        _ => b"\n",
    };
    let mut new = bytes.to_vec();
    let block_end = block(bytes).map(|(_, end)| end);
    if block_end.is_none() && !new.is_empty() && !new.ends_with(b"\n") {
        new.extend(eol);
    }
    let body = missing.into_iter().flat_map(|line| [line.as_slice(), eol]);
    let added: Vec<u8> = match block_end {
        Some(_) => body.flatten().copied().collect(),
        None => [BEGIN, eol]
            .into_iter()
            .chain(body)
            .chain([END, eol])
            .flatten()
            .copied()
            .collect(),
    };
    let at = block_end.unwrap_or(new.len());
    new.splice(at..at, added);
    Some(new)
}

/// Whether git passes over everything that `line` names because of `there`.
fn covers(there: &[u8], line: &[u8]) -> bool {
    let name = line.strip_prefix(b"/").unwrap_or(line);
    let wide = there.strip_prefix(b"/").unwrap_or(there);
    let open = wide.strip_suffix(b"*").filter(|start| !start.contains(&b'*'));
    there == line
        || wide == b"*"
        || (line.starts_with(b"/") && (wide == name || (wide == b"*.db" && name == b"metis.db")))
        || (line.starts_with(b"/")
            && open.is_some_and(|start| start.starts_with(b"metis.db") && name.starts_with(start)))
}

/// The bytes of a `.gitignore` whose block lists no folders; `None` if it lists none.
fn without_folders(bytes: &[u8]) -> Option<Vec<u8>> {
    let (start, end) = block(bytes)?;
    let is_ours = |line: &&[u8]| text(line).strip_prefix(b"/").and_then(folder).is_none();
    let body: Vec<u8> = bytes[start..end]
        .split_inclusive(|b| *b == b'\n')
        .filter(is_ours)
        .flatten()
        .copied()
        .collect();
    (body.len() < end - start).then(|| [&bytes[..start], &body, &bytes[end..]].concat())
}

/// Where the lines between our marker lines begin and end. A block without an end is none.
fn block(bytes: &[u8]) -> Option<(usize, usize)> {
    let (mut at, mut start) = (0, None);
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match text(line) {
            BEGIN => start = Some(at + line.len()),
            END if start.is_some() => return Some((start?, at)),
            _ => {}
        }
        at += line.len();
    }
    None
}

fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == b'\n').map(text)
}

fn text(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_end()
}

fn folder(line: &[u8]) -> Option<Prefix> {
    std::str::from_utf8(line.strip_suffix(b"/")?).ok()?.parse().ok()
}

/// A byte of a path as a pattern that means just it.
fn escaped(byte: u8) -> impl Iterator<Item = u8> {
    let special = matches!(byte, b'*' | b'?' | b'[' | b'\\' | b' ' | b'!' | b'#');
    special.then_some(b'\\').into_iter().chain([byte])
}

#[cfg(test)]
mod tests;
