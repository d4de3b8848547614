//! What git says of files in the work tree: which ones it left out on purpose, which are not merged, and the bytes it would
//! commit for them.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::Stdio,
};

use gix::index::entry::{Flags, Mode, Stage};

use super::Project;
use crate::{central::from_gix, names::ObjectId, send_pack::connect, text::shown};

/// A file below `.metis/` as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    is_unmerged: bool,
    /// It need not be on disk: a sparse checkout leaves it out.
    is_left_out: bool,
    /// It is to be taken as it is committed, whatever is there.
    is_assumed_unchanged: bool,
    object: ObjectId,
    len: u32,
    seconds: u32,
    nanoseconds: u32,
}

/// The index of the work tree, as far as it is about `.metis/`.
#[derive(Debug, Default)]
pub struct Checkout {
    files: BTreeMap<String, Entry>,
    /// Folders that a sparse checkout leaves out as a whole, each with a slash at its end.
    left_out: Vec<String>,
    /// Submodules, relative to `.metis/`, each with a slash at its end.
    submodules: Vec<String>,
    /// `.metis/` on disk, where a file counts as it is although a sparse checkout leaves it out: git takes it back in once it is
    /// there.
    taken_back_in: Option<PathBuf>,
    /// When the index was written, in seconds and nanoseconds: what changed in that moment is not known to be unchanged.
    written: (i64, u32),
}

impl Checkout {
    /// The files that git could not merge.
    pub fn unmerged(&self) -> impl Iterator<Item = &str> {
        let unmerged = self.files.iter().filter(|(_, entry)| entry.is_unmerged);
        unmerged.map(|(path, _)| path.as_str())
    }

    /// Whether the file is to be taken as it is committed, be it on disk or not.
    pub fn counts_as_committed(&self, path: &str) -> bool {
        let entry = self.files.get(path);
        let is_left_out = entry.is_some_and(|entry| entry.is_left_out)
            || self.left_out.iter().any(|folder| path.starts_with(folder.as_str()));
        let is_there = || {
            let metis = self.taken_back_in.as_ref();
            metis.is_some_and(|metis| metis.join(path).symlink_metadata().is_ok())
        };
        entry.is_some_and(|entry| entry.is_assumed_unchanged) || (is_left_out && !is_there())
    }

    /// Whether a submodule lies where the file was.
    pub fn is_in_submodule(&self, path: &str) -> bool {
        self.submodules.iter().any(|folder| path.starts_with(folder.as_str()))
    }

    /// The object of a file of this size and time of change, if git takes it for unchanged.
    fn unchanged(&self, path: &str, len: u64, mtime_ns: i64) -> Option<ObjectId> {
        let entry = self.files.get(path).filter(|entry| !entry.is_unmerged)?;
        let (seconds, nanoseconds) = (
            mtime_ns.div_euclid(1_000_000_000),
            mtime_ns.rem_euclid(1_000_000_000) as u32,
        );
        let same = u64::from(entry.len) == len
            && i64::from(entry.seconds) == seconds
            && (entry.nanoseconds == nanoseconds || entry.nanoseconds == 0);
        let is_racy = (seconds, nanoseconds) >= self.written;
        (same && !is_racy).then_some(entry.object)
    }
}

/// The bytes that git would commit for a file: with its line ends, encodings and filters.
pub struct Conversion<'a> {
    pipeline: RefCell<gix::filter::Pipeline<'a>>,
    index: gix::worktree::IndexPersistedOrInMemory,
    checkout: Checkout,
    top: PathBuf,
    metis: PathBuf,
    rules: u64,
}

impl Conversion<'_> {
    /// Changes when the rules do.
    pub fn rules(&self) -> u64 {
        self.rules
    }

    /// What git would commit. `path` is relative to `.metis/`.
    pub fn to_git(&self, path: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let path = self.metis.join(path);
        self.attributes_are_files(&path)?;
        let mut pipeline = self.pipeline.borrow_mut();
        // Encodings that gitoxide does not know, git may.
        let Ok(mut converted) = pipeline.convert_to_git(bytes, &path, &self.index) else {
            return self.as_git_would(&path, bytes).map_err(|err| err.to_string());
        };
        let mut out = Vec::with_capacity(bytes.len());
        converted.read_to_end(&mut out).map_err(|err| err.to_string())?;
        Ok(out)
    }

    /// Fails where reading the attributes of the file at `path` would wait for somebody to write them.
    fn attributes_are_files(&self, path: &Path) -> Result<(), String> {
        let waits = |folder: &&Path| {
            let attributes = self.top.join(folder).join(".gitattributes").symlink_metadata();
            attributes.is_ok_and(|found| !(found.is_file() || found.is_dir() || found.is_symlink()))
        };
        match path.ancestors().skip(1).find(waits) {
            Some(folder) => Err(format!("{} is not a file", shown(&folder.join(".gitattributes")))),
            None => Ok(()),
        }
    }

    /// What git itself makes of the bytes, in an object folder that goes again.
    fn as_git_would(&self, path: &Path, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let objects = tempfile::tempdir()?;
        let run = |args: &[&OsStr], stdin: &[u8]| {
            let mut child = connect::git()
                .arg("-C")
                .arg(&self.top)
                .args(args)
                .env("GIT_OBJECT_DIRECTORY", objects.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            if let Some(mut pipe) = child.stdin.take() {
                pipe.write_all(stdin)?;
            }
            let output = child.wait_with_output()?;
            match output.status.success() {
                true => Ok(output.stdout),
                false => Err(io::Error::other("git does not know how")),
            }
        };
        let mut with_path = OsString::from("--path=");
        with_path.push(path);
        let named = run(
            &["hash-object", "-w", "--stdin"]
                .map(OsStr::new)
                .into_iter()
                .chain([with_path.as_os_str()])
                .collect::<Vec<_>>(),
            bytes,
        )?;
        let id = String::from_utf8_lossy(&named).trim().to_owned();
        run(&["cat-file", "blob", &id].map(OsStr::new), b"")
    }

    /// The project's object for a file of this size and time of change, if git takes it for unchanged.
    pub fn unchanged(&self, path: &str, len: u64, mtime_ns: i64) -> Option<ObjectId> {
        self.checkout.unchanged(path, len, mtime_ns)
    }
}

impl Project {
    /// The index. `None`: there is none to read.
    pub fn checkout(&self) -> Option<Checkout> {
        let repo = self.repo.as_ref().filter(|repo| repo.workdir().is_some())?;
        let index = repo.try_index().ok()??;
        let metis = self.metis_path();
        let is_set = |key: &str| matches!(self.config.boolean(key), Ok(Some(true)));
        let takes_back_in = is_set("core.sparseCheckout") && !is_set("sparse.expectFilesOutsideOfPatterns");
        let mut checkout = Checkout {
            taken_back_in: repo.workdir().filter(|_| takes_back_in).map(|top| top.join(&metis)),
            ..Checkout::default()
        };
        if let Ok(written) = repo.index_path().metadata() {
            use std::os::unix::fs::MetadataExt;
            checkout.written = (written.mtime(), u32::try_from(written.mtime_nsec()).unwrap_or_default());
        }
        for entry in index.entries() {
            let path = String::from_utf8_lossy(entry.path(&index)).into_owned();
            let below = match metis.as_str() {
                "" => Some(path.as_str()),
                metis => path.strip_prefix(metis).and_then(|rest| rest.strip_prefix('/')),
            };
            let folder = path.trim_end_matches('/');
            if entry.mode == Mode::DIR || entry.mode == Mode::COMMIT {
                // One that has `.metis/` in it has all of that in it.
                let is_above = metis == folder || metis.starts_with(&format!("{folder}/"));
                let inside = below
                    .filter(|below| !below.is_empty())
                    .map(|below| format!("{}/", below.trim_end_matches('/')));
                let Some(folder) = inside.or_else(|| is_above.then(String::new)) else {
                    continue;
                };
                match entry.mode == Mode::DIR {
                    true => checkout.left_out.push(folder),
                    false => checkout.submodules.push(folder),
                }
                continue;
            }
            let Some(below) = below else { continue };
            let entry = Entry {
                is_unmerged: entry.stage() != Stage::Unconflicted,
                is_left_out: entry.flags.contains(Flags::SKIP_WORKTREE),
                is_assumed_unchanged: entry.flags.contains(Flags::ASSUME_VALID),
                object: from_gix(&entry.id),
                len: entry.stat.size,
                seconds: entry.stat.mtime.secs,
                nanoseconds: entry.stat.mtime.nsecs,
            };
            checkout.files.insert(below.to_owned(), entry);
        }
        Some(checkout)
    }

    /// Whether a file below `.metis/` is not on disk because git left it out of the work tree.
    pub fn leaves_out(&self, path: &str) -> bool {
        let Some(top) = self.repo.as_ref().and_then(|repo| repo.workdir()) else {
            return false;
        };
        let file = top.join(self.metis_path()).join(path);
        file.symlink_metadata().is_err()
            && self
                .checkout()
                .is_some_and(|checkout| checkout.counts_as_committed(path))
    }

    /// How files become what git would commit. `None`: nothing says that they are committed otherwise than byte for byte,
    /// and it is not `certain` that something does.
    pub fn conversion(&self, certain: bool) -> Option<Conversion<'_>> {
        let repo = self.repo.as_ref().filter(|repo| repo.workdir().is_some())?;
        let rules = self.conversion_rules().or(certain.then_some(0))?;
        let (pipeline, index) = repo.filter_pipeline(None).ok()?;
        Some(Conversion {
            pipeline: RefCell::new(pipeline),
            index,
            checkout: self.checkout().unwrap_or_default(),
            top: repo.workdir()?.to_owned(),
            metis: PathBuf::from(self.metis_path()),
            rules,
        })
    }

    /// A number for everything that says how files are converted. `None`: nothing says so.
    fn conversion_rules(&self) -> Option<u64> {
        let repo = self.repo.as_ref()?;
        let top = repo.workdir()?;
        let mut said = Vec::new();
        for key in ["core.autocrlf", "core.eol"] {
            if let Some(value) = self.config.string(key).filter(|value| value.as_slice() != b"false") {
                said.extend_from_slice(&value);
            }
        }
        let mut files = vec![repo.common_dir().join("info/attributes")];
        files.extend(self.global_attributes());
        let mut folder = top.to_owned();
        files.push(folder.join(".gitattributes"));
        for part in &self.metis {
            use std::os::unix::ffi::OsStrExt;
            folder.push(std::ffi::OsStr::from_bytes(part));
            files.push(folder.join(".gitattributes"));
        }
        for file in files {
            said.extend(read_if_small(&file).unwrap_or_default());
        }
        if said.is_empty() {
            return None;
        }
        for section in self.config.sections_by_name("filter").into_iter().flatten() {
            said.extend_from_slice(section.to_bstring().as_slice());
        }
        // FNV-1a: tells one set of rules from another; it need not withstand an enemy.
        Some(said.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// Where git looks for the user's own attributes.
    fn global_attributes(&self) -> Option<PathBuf> {
        let home = || std::env::var_os("HOME").map(PathBuf::from);
        if let Some(Ok(path)) = self.config.path("core.attributesFile").map(|path| {
            path.interpolate(gix::config::path::interpolate::Context {
                home_dir: home().as_deref(),
                ..Default::default()
            })
        }) {
            return Some(path);
        }
        std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(home()?.join(".config")))
            .map(|dir| dir.join("git/attributes"))
    }
}

/// Attributes are short; anything else under that name is none.
fn read_if_small(path: &Path) -> Option<Vec<u8>> {
    const LIMIT: u64 = 1 << 20;
    if !path.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(LIMIT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
