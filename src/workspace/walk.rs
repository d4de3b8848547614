//! The walk through `.metis`: what is there under each name, without judging what it means.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::{
    frontmatter::{self, Damage, FRONTMATTER_LIMIT},
    hydrated::MARKER_FILE,
    owned_document::{DOCUMENT_LIMIT, Reason},
    stat_cache::{CacheEntry, StatCache},
};
use crate::fs::{Dir, DirError, Entry, Kind, Stat};
use crate::names::{ObjectId, Prefix, ShortCode};

/// How deep folders may be nested.
const DEPTH_LIMIT: usize = 64;

/// What a `*.md` turned out to be.
#[derive(Debug)]
pub(super) enum What {
    /// A whole document.
    Document { code: ShortCode, blob: ObjectId, len: u64 },
    /// A readable file that says of no document that it is it: a README.
    Plain(Damage),
    /// A file that may be a document, and the codes that its content claims.
    Broken(Reason, Vec<ShortCode>),
    /// A link, a pipe, a device.
    NotAFile(Kind),
}

/// Everything seen in one walk.
#[derive(Debug)]
pub(super) struct Walked {
    /// Each `*.md` by its path relative to `.metis`.
    pub files: Vec<(PathBuf, What)>,
    /// Folders that could not be looked into.
    pub blind: Vec<(PathBuf, Reason)>,
    /// The files that were read, or need not be.
    pub cache: StatCache,
    /// Whether a folder below the top has rules of its own for what git commits.
    pub has_attributes: bool,
}

/// A file that was read.
#[derive(Debug, Clone, Copy)]
pub struct FileRead<'a> {
    /// Relative to `.metis/`; `None` if it is not UTF-8.
    pub path: Option<&'a str>,
    /// What is in it.
    pub bytes: &'a [u8],
    /// When it changed last, in nanoseconds.
    pub mtime_ns: i64,
}

/// The object id that a file gets in git, and the bytes that it stands for where they are not those on disk; or why it cannot
/// be told.
pub type Hash<'a> = &'a dyn Fn(FileRead<'_>) -> Result<(ObjectId, Option<Vec<u8>>), String>;

/// What a walk needs to know.
pub(super) struct Walk<'a> {
    pub metis: &'a Dir,
    /// Top-level folders that hold copies of central's, marker or not.
    pub hydrated: &'a BTreeSet<Prefix>,
    pub hash: Hash<'a>,
    /// Length of the ids that `hash` gives.
    pub id_len: usize,
}

impl Walk<'_> {
    /// Walk through all folders; read what `cache` cannot answer for. Fails only if `.metis` itself cannot be listed.
    pub fn run(&self, cache: &StatCache, mut seen: StatCache) -> Result<Walked, DirError> {
        let (mut files, mut blind) = (Vec::new(), Vec::new());
        let mut folders = vec![PathBuf::new()];
        let mut has_attributes = false;
        let device = self.metis.stat()?.device;
        while let Some(folder) = folders.pop() {
            let is_root = folder.as_os_str().is_empty();
            let opened = match is_root {
                true => None,
                false => match self.metis.open_dir(&folder) {
                    Ok(dir) => Some(dir),
                    // It went, or was replaced, since it was listed; if a known document went with it, it is looked for.
                    Err(err) if err.is_gone() || matches!(err, DirError::Symlink { .. }) => continue,
                    Err(err) => {
                        blind.push((folder, Reason::Unreadable(err)));
                        continue;
                    }
                },
            };
            let dir = opened.as_ref().unwrap_or(self.metis);
            if let Some(path) = folder.to_str()
                && dir.stat().is_ok_and(|stat| stat.device != device)
            {
                seen.note_mount(path);
            }
            let entries = match dir.list() {
                Ok(entries) => entries,
                Err(err) if is_root => return Err(err),
                Err(err) => {
                    blind.push((folder, Reason::Unreadable(err)));
                    continue;
                }
            };
            // A copy of central's folder stays a copy wherever somebody moved it.
            if !is_root && entries.iter().any(|entry| entry.name == MARKER_FILE) {
                continue;
            }
            for Entry { name, kind } in entries {
                if is_skipped(&name) {
                    has_attributes |= !is_root && name == ".gitattributes";
                    continue;
                }
                let path = folder.join(&name);
                if kind == Kind::Dir {
                    if is_root && self.is_hydrated(&name) {
                        continue;
                    }
                    match path.components().count() > DEPTH_LIMIT {
                        true => blind.push((path, Reason::TooDeep)),
                        false => folders.push(path),
                    }
                } else if name.as_bytes().ends_with(b".md")
                    && let Some(what) = self.look(dir, &name, path.to_str(), cache, &mut seen)
                {
                    files.push((path, what));
                }
            }
        }
        Ok(Walked {
            files,
            blind,
            cache: seen,
            has_attributes,
        })
    }

    fn is_hydrated(&self, name: &OsStr) -> bool {
        let prefix = name.to_str().and_then(|name| name.parse::<Prefix>().ok());
        prefix.is_some_and(|prefix| self.hydrated.contains(&prefix))
    }

    /// What `name` in `dir` is; `None` if it went since it was listed.
    fn look(
        &self,
        dir: &Dir,
        name: &OsString,
        path: Option<&str>,
        cache: &StatCache,
        seen: &mut StatCache,
    ) -> Option<What> {
        let stat = match dir.lstat(name) {
            Ok(stat) if stat.kind == Kind::File => stat,
            Ok(stat) => return Some(What::NotAFile(stat.kind)),
            Err(DirError::Missing { .. }) => return None,
            Err(err) => return Some(What::Broken(Reason::Unreadable(err), Vec::new())),
        };
        if let Some(path) = path
            && let Some(entry) = cache.unchanged(path, &stat, self.id_len)
        {
            seen.insert(path.to_owned(), entry.clone());
            return Some(match &entry.code {
                Some(code) => What::Document {
                    code: code.clone(),
                    blob: entry.blob,
                    len: stat.len,
                },
                None => What::Plain(Damage::Missing),
            });
        }
        let (bytes, stat) = match dir.read_file(name, DOCUMENT_LIMIT) {
            Ok(read) => read,
            Err(DirError::Missing { .. }) => return None,
            Err(DirError::Symlink { .. }) => return Some(What::NotAFile(Kind::Symlink)),
            Err(DirError::NotAFile { .. }) => return Some(What::NotAFile(Kind::Other)),
            Err(DirError::TooLarge { .. }) => return Some(too_large(dir, name)),
            Err(err) => return Some(What::Broken(Reason::Unreadable(err), Vec::new())),
        };
        Some(self.read(&bytes, &stat, path, seen))
    }

    fn read(&self, bytes: &[u8], stat: &Stat, path: Option<&str>, seen: &mut StatCache) -> What {
        let mut remember = |blob, code| {
            if let Some(path) = path {
                seen.insert(path.to_owned(), CacheEntry::new(stat, blob, code));
            }
        };
        let file = FileRead {
            path,
            bytes,
            mtime_ns: stat.mtime_ns,
        };
        let named = (self.hash)(file);
        let canonical = named.as_ref().ok().and_then(|(_, bytes)| bytes.as_deref());
        let bytes = canonical.unwrap_or(bytes);
        match (frontmatter::parse(bytes), &named) {
            (Ok(frontmatter), Ok((blob, _))) => {
                let code = frontmatter.short_code;
                remember(*blob, Some(code.clone()));
                What::Document {
                    code,
                    blob: *blob,
                    len: stat.len,
                }
            }
            (Ok(frontmatter), Err(reason)) => {
                What::Broken(Reason::Unconvertible(reason.into()), vec![frontmatter.short_code])
            }
            (Err(damage), _) if damage.is_plain_file() => {
                if let Ok((blob, _)) = &named {
                    remember(*blob, None);
                }
                What::Plain(damage)
            }
            (Err(damage), _) => {
                let claims = frontmatter::claimed_codes(bytes);
                if let (Some(path), true, Ok((id, _))) = (path, claims.is_empty(), &named) {
                    seen.insert(path.to_owned(), CacheEntry::stranger(stat, *id));
                }
                What::Broken(Reason::Frontmatter(damage), claims)
            }
        }
    }
}

/// A file over the limit is not read, but its head tells which document it is.
fn too_large(dir: &Dir, name: &OsString) -> What {
    let head = match dir.read_head(name, FRONTMATTER_LIMIT as u64 + 64) {
        Ok(head) => head,
        Err(err) => return What::Broken(Reason::Unreadable(err), Vec::new()),
    };
    match frontmatter::parse(&head) {
        Ok(frontmatter) => What::Broken(Reason::TooLarge, vec![frontmatter.short_code]),
        Err(damage) if damage.is_plain_file() => What::Plain(damage),
        Err(_) => What::Broken(Reason::TooLarge, frontmatter::claimed_codes(&head)),
    }
}

/// Entries that hold no documents: our own and other tools' hidden files, and the Metis tools' code index.
fn is_skipped(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.starts_with(b".") || name.starts_with(b"code-index")
}

/// The document that a file called `path` would be by its name.
pub(super) fn code_of_name(path: &Path) -> Option<ShortCode> {
    ShortCode::from_file_name(path.file_name()?.to_str()?)
}

/// The document in whose folder `path` lies, as in `initiatives/API-I-0001/initiative.md`.
pub(super) fn code_of_folder(path: &Path) -> Option<ShortCode> {
    path.parent()?.file_name()?.to_str()?.parse().ok()
}
