//! Reading single files.

use std::path::Path;

use crate::{
    central::{blob_id, blob_id_of},
    fs::{Dir, DirError, Kind, Stat},
    names::{ObjectFormat, ObjectId},
    plan::conduit::{Form, Item},
};

/// How often a file that changes under the reader is read again.
const TRIES: usize = 4;

/// How a folder is read: as whatever is on the other side can have it.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The hash that names contents.
    pub format: ObjectFormat,
    /// Whether the permission to run a file counts; else each side keeps its own.
    pub exec: bool,
    /// Larger files are left out.
    pub largest: u64,
    /// Whether symbolic links are carried.
    pub links: bool,
}

impl Reading {
    pub fn form(&self, stat: &Stat) -> Form {
        match stat.mode & 0o100 {
            0o100 if self.exec => Form::Executable,
            _ => Form::File,
        }
    }
}

/// The id of the file's content, and what it was when that was read.
pub fn read(dir: &Dir, name: &str, format: ObjectFormat) -> Result<(ObjectId, Stat), DirError> {
    for _ in 0..TRIES {
        let (mut file, before) = dir.open_file(name)?;
        let id = match blob_id_of(format, &mut file, before.len) {
            Ok(id) => id,
            Err(err) if err.kind() == std::io::ErrorKind::UnexpectedEof => continue,
            Err(source) => {
                return Err(DirError::Io {
                    action: "read",
                    path: dir.path().join(name),
                    source,
                });
            }
        };
        if dir.lstat(name)? == before {
            return Ok((id, before));
        }
    }
    Err(DirError::Unstable {
        path: dir.path().join(name),
    })
}

/// The link at `path`, and where it leads.
pub fn read_link(dir: &Dir, path: &str, format: ObjectFormat) -> Result<(Item, Vec<u8>), DirError> {
    let text = dir.read_link(path)?;
    let item = Item {
        id: blob_id(format, &text),
        form: Form::Link,
    };
    Ok((item, text))
}

/// What the file at `path` is, or the link, read whatever was known of it. `None`: there is none.
pub fn look(dir: &Dir, path: &str, reading: Reading) -> Result<Option<Item>, DirError> {
    match dir.lstat(path) {
        Ok(stat) if stat.kind == Kind::File => {}
        Ok(stat) if stat.kind == Kind::Symlink && reading.links => {
            return match read_link(dir, path, reading.format) {
                Err(err) if err.is_gone() => Ok(None),
                read => Ok(Some(read?.0)),
            };
        }
        Ok(_) => return Ok(None),
        Err(err) if err.is_gone() => return Ok(None),
        Err(err) => return Err(err),
    }
    let (id, stat) = read(dir, path, reading.format)?;
    let form = reading.form(&stat);
    Ok(Some(Item { id, form }))
}

/// Whether the folder takes names for one that differ in case only: asked by a name that is there.
pub fn folds(root: &Dir) -> bool {
    let Ok(entries) = root.list() else { return false };
    let swapped = |name: &str| -> String {
        let swap = |c: char| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        };
        name.chars().map(swap).collect()
    };
    let names = || entries.iter().filter_map(|entry| entry.name.to_str());
    let name = names().find(|name| name.chars().any(|c| c.is_ascii_alphabetic()));
    name.is_some_and(|name| {
        let other = swapped(name);
        let inode = |name: &str| root.lstat(Path::new(name)).ok().map(|stat| (stat.device, stat.inode));
        !names().any(|name| name == other) && inode(&other).is_some() && inode(&other) == inode(name)
    })
}
