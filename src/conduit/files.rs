//! What is done to single files and folders.

use std::{
    fs::{File, Permissions},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
};

use super::reading::{Reading, look, read_link};
use crate::{
    central::{blob_id, blob_id_of},
    fs::{Dir, DirError, Kind, Stat, fresh_name},
    plan::conduit::{Form, Item, fold::fold_key},
    text::UntrustedName,
};

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    #[error("it changed meanwhile, and was left as it is")]
    Changed,
    #[error("it changed while it was copied")]
    Copied,
    #[error("central's object could not be read: it is fetched anew by the next sync")]
    Damaged,
    #[error("something that is left out of the conduit is in the way at {0}")]
    InTheWay(UntrustedName),
    #[error(transparent)]
    Dir(#[from] DirError),
    #[error("cannot copy: {0}")]
    Copy(io::Error),
}

/// These permissions, with the one to run it or without.
pub fn with_form(bits: u32, form: Form) -> u32 {
    match form {
        Form::Executable => bits | (bits & 0o444) >> 2,
        Form::File | Form::Link => bits & !0o111,
    }
}

/// Makes the folders that `path` lies in.
pub fn make_folders(dir: &Dir, path: &str) -> Result<(), DirError> {
    match path.rfind('/') {
        Some(at) => dir.create_dir(&path[..at]).map(drop),
        None => Ok(()),
    }
}

/// Removes a folder in which there are only folders. Whether it is gone.
pub fn remove_empty(dir: &Dir, path: &str) -> bool {
    let Ok(entries) = dir.open_dir(path).and_then(|folder| folder.list()) else {
        return false;
    };
    let inner = entries
        .iter()
        .map(|entry| entry.name.to_str().map(|name| format!("{path}/{name}")));
    let all = inner.map(|inner| inner.is_some_and(|inner| remove_empty(dir, &inner)));
    // Each is tried, also after one that stays.
    all.filter(|gone| !gone).count() == 0 && dir.remove_dir(path).is_ok()
}

/// Exchanges two things in one step, or in three where the file system cannot: then one name is missing for a moment.
pub fn exchange(root: &Dir, path: &str, workshop: &Dir, staged: &str) -> Result<(), DirError> {
    if root.exchange(path, workshop, staged)? {
        return Ok(());
    }
    let aside = format!("{staged}.{}", fresh_name());
    root.move_new(path, workshop, &aside)?;
    workshop.move_new(staged, root, path)?;
    workshop.move_new(&aside, workshop, staged)
}

/// Whether what lies at `staged` is exactly what was seen at `path`: no file more, and none that is not the same.
pub fn is_what_was(
    dir: &Dir,
    staged: &str,
    path: &str,
    was: &[(String, Item)],
    reading: Reading,
) -> Result<bool, DirError> {
    for (at, item) in was {
        let inner = at.strip_prefix(path).unwrap_or_default();
        if look(dir, &format!("{staged}{inner}"), reading)? != Some(*item) {
            return Ok(false);
        }
    }
    Ok(dir.lstat(staged)?.kind != Kind::Dir || files_in(dir, staged)? == was.len())
}

/// How many entries that are no folders lie in a folder and those below.
fn files_in(dir: &Dir, path: &str) -> Result<usize, DirError> {
    let mut files = 0;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in dir.open_dir(&folder)?.list()? {
            match (entry.kind, entry.name.to_str()) {
                (Kind::Dir, Some(name)) => folders.push(format!("{folder}/{name}")),
                _ => files += 1,
            }
        }
    }
    Ok(files)
}

/// Changes only the case, or the composition, of names on the way from `from` to `to`.
pub fn rename(root: &Dir, from: &str, to: &str) -> Result<(), DirError> {
    let ends = to.match_indices('/').map(|(at, _)| at).chain([to.len()]);
    for (old_end, new_end) in from.match_indices('/').map(|(at, _)| at).chain([from.len()]).zip(ends) {
        let (old, new) = (&from[..old_end], &to[..new_end]);
        let old_name = old.rsplit('/').next().unwrap_or_default();
        let new_name = new.rsplit('/').next().unwrap_or_default();
        if old_name != new_name && fold_key(old_name) == fold_key(new_name) {
            let parent = new.strip_suffix(new_name).unwrap_or_default();
            match root.rename(format!("{parent}{old_name}"), new) {
                Err(err) if err.is_gone() => {}
                renamed => renamed?,
            }
        }
    }
    Ok(())
}

/// What is read from one file and written to another one.
struct Copying<R, W>(R, W);

impl<R: Read, W: Write> Read for Copying<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        self.1.write_all(&buffer[..n])?;
        Ok(n)
    }
}

/// Copies a file, if it is still `item`, and returns what came to be.
pub fn copy(dir: &Dir, from: &str, other: &Dir, to: &str, item: Item, bits: u32) -> Result<Stat, Obstacle> {
    if item.is_link() {
        return match read_link(dir, from, item.id.format()) {
            Err(err) if err.is_gone() => Err(Obstacle::Copied),
            read => write(&read?.1, other, to, item, bits),
        };
    }
    let (file, stat) = match dir.open_file(from) {
        Err(err) if err.is_gone() => return Err(Obstacle::Copied),
        opened => opened?,
    };
    let out = other.create_file(to)?;
    let id = match blob_id_of(item.id.format(), &mut Copying(file, &out), stat.len) {
        Ok(id) => id,
        Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => return Err(Obstacle::Copied),
        Err(err) => return Err(Obstacle::Copy(err)),
    };
    if id != item.id {
        return Err(Obstacle::Copied);
    }
    finish(&out, bits)
}

/// Writes what central has of a file, if it is `item`, and returns what came to be.
pub fn write(bytes: &[u8], other: &Dir, to: &str, item: Item, bits: u32) -> Result<Stat, Obstacle> {
    if blob_id(item.id.format(), bytes) != item.id {
        return Err(match item.is_link() {
            true => Obstacle::Copied,
            false => Obstacle::Damaged,
        });
    }
    if item.is_link() {
        other.create_link(bytes, to)?;
        return Ok(other.lstat(to)?);
    }
    let mut out = other.create_file(to)?;
    out.write_all(bytes).map_err(Obstacle::Copy)?;
    finish(&out, bits)
}

fn finish(out: &File, bits: u32) -> Result<Stat, Obstacle> {
    out.set_permissions(Permissions::from_mode(bits))
        .map_err(Obstacle::Copy)?;
    let stat = rustix::fs::fstat(out).map_err(|errno| Obstacle::Copy(errno.into()))?;
    Ok(stat.into())
}
