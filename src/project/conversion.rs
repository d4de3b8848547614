//! The bytes that git would commit for files of the work tree.

use std::{
    cell::RefCell,
    ffi::{OsStr, OsString},
    io::{self, Read},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use gix::{attrs::StateRef, filter::plumbing::Driver, objs::Find};

use super::{Project, filter::Place, worktree::Checkout};
use crate::{names::ObjectId, send_pack::connect, text::shown};

/// The bytes that git would commit for a file: with its line ends, encodings and filters.
pub struct Conversion<'a> {
    project: &'a Project,
    repo: &'a gix::Repository,
    /// Converts line ends and encodings, and runs no program: gitoxide would wait for one without an end.
    pipeline: RefCell<(gix::filter::plumbing::Pipeline, gix::worktree::Stack)>,
    /// The filters, which are programs.
    drivers: Vec<Driver>,
    index: gix::worktree::IndexPersistedOrInMemory,
    checkout: Checkout,
    interrupt: Arc<AtomicBool>,
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
        let (driver, converted) = self.without_programs(&path, bytes);
        if let (None, Some(converted)) = (driver, converted) {
            return Ok(converted);
        }
        let filters = &self.project.filters;
        filters.unless_slow(|| self.with_programs(&path, bytes, driver))
    }

    /// The filter that is to run first, and what becomes of the bytes without it. `None`: gitoxide does not know how.
    fn without_programs(&self, path: &Path, bytes: &[u8]) -> (Option<&Driver>, Option<Vec<u8>>) {
        let mut parts = self.pipeline.borrow_mut();
        let (pipeline, attributes) = &mut *parts;
        let Ok(entry) = attributes.at_path(path, None, &self.repo.objects) else {
            return (None, None);
        };
        let mut driver = None;
        let converted = pipeline.convert_to_git(
            bytes,
            path,
            &mut |_, selected| {
                entry.matching_attributes(selected);
                driver = selected.iter_selected().find_map(|found| match found.assignment.state {
                    StateRef::Value(name) if found.assignment.name.as_str() == "filter" => {
                        self.drivers.iter().find(|driver| driver.name == name.as_bstr())
                    }
                    _ => None,
                });
            },
            &mut |buffer| {
                let entry = self.index.entry_by_path(path.as_os_str().as_bytes().into());
                let blob = entry
                    .map(|entry| self.repo.objects.try_find(&entry.id, buffer))
                    .transpose()?;
                Ok(blob
                    .flatten()
                    .filter(|found| found.kind == gix::objs::Kind::Blob)
                    .map(drop))
            },
        );
        let mut out = Vec::with_capacity(bytes.len());
        let converted = converted.ok().and_then(|mut text| text.read_to_end(&mut out).ok());
        (driver, converted.map(|_| out))
    }

    /// The same with the filter. What is not to be converted without git is git's to do.
    fn with_programs(&self, path: &Path, bytes: &[u8], driver: Option<&Driver>) -> io::Result<Vec<u8>> {
        let Some(driver) = driver else {
            return self.as_git_would(path, bytes);
        };
        let place = Place {
            top: &self.top,
            interrupt: &self.interrupt,
        };
        let filtered = self.project.filters.clean(driver, path, bytes, &place)?;
        let (_, converted) = self.without_programs(path, &filtered);
        converted.map_or_else(|| self.as_git_would(path, bytes), Ok)
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
        // The index may have attributes that no file has.
        let own = quoted(&self.repo.common_dir().join("objects").canonicalize()?);
        let run = |args: &[&OsStr], stdin: &[u8]| {
            let git = connect::git()
                .arg("-C")
                .arg(&self.top)
                .args(args)
                .env("GIT_OBJECT_DIRECTORY", objects.path())
                .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &own)
                .told(stdin)
                .until(&self.interrupt);
            let output = git.answer()?;
            match output.status.success() {
                true => Ok(output.stdout),
                false => Err(io::Error::other("git does not know how")),
            }
        };
        let mut with_path = OsString::from("--path=");
        with_path.push(path);
        let hash = ["hash-object", "-w", "--stdin"].map(OsStr::new);
        let named = run(&[hash.as_slice(), &[with_path.as_os_str()]].concat(), bytes)?;
        let id = String::from_utf8_lossy(&named).trim().to_owned();
        run(&["cat-file", "blob", &id].map(OsStr::new), b"")
    }

    /// The project's object for a file of this size and time of change, if git takes it for unchanged.
    pub fn unchanged(&self, path: &str, len: u64, mtime_ns: i64) -> Option<ObjectId> {
        self.checkout.unchanged(path, len, mtime_ns)
    }
}

impl Project {
    /// How files become what git would commit. `None`: nothing says that they are committed otherwise than byte for byte,
    /// and it is not `certain` that something does.
    /// A program that filters is ended as soon as `interrupt` is set.
    pub fn conversion(&self, certain: bool, interrupt: &Arc<AtomicBool>) -> Option<Conversion<'_>> {
        let repo = self.repo.as_ref().filter(|repo| repo.workdir().is_some())?;
        let rules = self.conversion_rules().or(certain.then_some(0))?;
        let (pipeline, index) = repo.filter_pipeline(None).ok()?;
        let (mut pipeline, attributes) = pipeline.into_parts();
        let drivers = std::mem::take(&mut pipeline.options_mut().drivers);
        Some(Conversion {
            project: self,
            repo,
            pipeline: RefCell::new((pipeline, attributes)),
            drivers,
            index,
            interrupt: Arc::clone(interrupt),
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

/// As git reads a path in a list of paths, whatever is in it.
fn quoted(path: &Path) -> OsString {
    let escaped = path.as_os_str().as_bytes().iter().flat_map(|byte| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        byte => vec![*byte],
    });
    OsString::from_vec([b"\"".to_vec(), escaped.collect(), b"\"".to_vec()].concat())
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
