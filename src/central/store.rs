//! Where central's objects lie on this machine: one folder per central in the user's cache directory.
//!
//! ```text
//! <cache>/git-metis-sync/<name of central>/
//!     objects/        packs and loose objects, no refs
//!     shallow         commits whose parents were never fetched, one id a line
//!     left-out        files that are too large to be received, one id a line
//!     incoming-*/     what a running process is receiving
//! ```
//!
//! Rule: a commit that is here has everything it reaches here, except through the commits listed in `shallow`, and except
//! the files in `left-out` and those in folders that no sync looks into. So
//! nothing enters `objects/` before it is complete: [`Store::admit()`] receives into a private folder and moves
//! what came when all of it is there. Whoever is killed leaves only such a folder, which the next one sweeps.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use gix::objs::FindExt;

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{CentralError, ObjectFormat, from_gix, hash_kind, repack, to_gix};
use crate::names::ObjectId;

/// No single object larger than this is ever held in memory: larger ones are an error of their own, whatever small
/// pack they came in.
const ALLOC_LIMIT: usize = 64 << 20;
/// What each handle keeps of decoded objects, as bases of those stored as differences to them.
const PACK_CACHE: usize = 8 << 20;

/// Reads objects; one for each thread.
pub type Handle = gix::odb::Handle;

/// The objects of one central.
pub struct Store {
    root: PathBuf,
    format: ObjectFormat,
    odb: Handle,
    left_out: BTreeSet<ObjectId>,
    in_use: InUse,
    _scratch: Option<Area>,
}

impl Store {
    /// Opens, or creates, the store of the central that `key` names (its URL without secrets) below `cache`.
    pub fn open(cache: &Path, key: &str, format: ObjectFormat) -> Result<Self, CentralError> {
        let root = place(cache, key, format);
        let packs = root.join("objects").join("pack");
        if !packs.is_dir() {
            fs::create_dir_all(&packs).map_err(CentralError::cache(&packs, "created"))?;
        }
        // Here and not only before receiving: whoever was killed after that leaves a next one with nothing to receive.
        sweep(&root);
        let in_use = InUse::of(&packs);
        let odb = open_odb(&root.join("objects"), format)?;
        Ok(Store {
            left_out: ids(&root.join(LEFT_OUT)).into_iter().collect(),
            in_use,
            root,
            format,
            odb,
            _scratch: None,
        })
    }

    /// A store for one process that nobody else sees and that is gone with it. What the lasting store of the same
    /// central holds is visible through it.
    pub fn scratch(cache: &Path, key: &str, format: ObjectFormat) -> Result<Self, CentralError> {
        use std::os::unix::ffi::OsStrExt;
        let temp = std::env::temp_dir();
        let area = Area::create(&temp)?;
        let lasting_root = place(cache, key, format);
        let lasting = lasting_root.join("objects");
        let in_use = InUse::of(&lasting.join("pack"));
        if lasting.is_dir() {
            let info = area.objects().join("info");
            fs::create_dir_all(&info)
                .and_then(|()| fs::write(info.join("alternates"), lasting.as_os_str().as_bytes()))
                .map_err(CentralError::cache(&info, "written"))?;
        }
        let odb = open_odb(&area.objects(), format)?;
        Ok(Store {
            root: area.path.clone(),
            format,
            odb,
            left_out: ids(&lasting_root.join(LEFT_OUT)).into_iter().collect(),
            in_use,
            _scratch: Some(area),
        })
    }

    /// The folder that everything here lies in.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The hash that names the objects.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// A handle for another thread.
    pub fn odb(&self) -> Handle {
        let mut handle = self.odb.clone();
        handle.refresh_never();
        handle.set_pack_cache(pack_cache);
        handle
    }

    /// A handle of its own: what it maps into memory is given back when it and its clones are dropped.
    pub fn fresh_odb(&self) -> Result<Handle, CentralError> {
        let mut handle = open_odb(&self.root.join("objects"), self.format)?;
        handle.refresh_never();
        handle.set_pack_cache(pack_cache);
        Ok(handle)
    }

    /// Groups by the pack that the objects lie in, each group from front to end; what is in no pack comes last.
    pub fn by_pack<T>(&self, items: Vec<T>, id: impl Fn(&T) -> ObjectId) -> Vec<Vec<T>> {
        let packs = self.root.join("objects").join("pack");
        let indices: Vec<gix_pack::index::File> = fs::read_dir(packs)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "idx"))
            .filter_map(|path| gix_pack::index::File::at(path, hash_kind(self.format)).ok())
            .collect();
        let place = |item: &T| {
            let id = to_gix(id(item));
            indices
                .iter()
                .enumerate()
                .find_map(|(pack, index)| Some((pack, index.pack_offset_at_index(index.lookup(id)?))))
                .unwrap_or((usize::MAX, 0))
        };
        let mut placed: Vec<((usize, u64), T)> = items.into_iter().map(|item| (place(&item), item)).collect();
        placed.sort_by_key(|(place, _)| *place);
        let mut groups: Vec<Vec<T>> = Vec::new();
        let mut last = None;
        for ((pack, _), item) in placed {
            match groups.last_mut() {
                Some(group) if last == Some(pack) => group.push(item),
                _ => groups.push(vec![item]),
            }
            last = Some(pack);
        }
        groups
    }

    /// Whether an object is here.
    pub fn contains(&self, id: ObjectId) -> bool {
        use gix::objs::Exists;
        self.odb.exists(&to_gix(id))
    }

    /// The content of a blob, unless it is larger than `limit` bytes (`Ok(None)`).
    pub fn blob(&self, id: ObjectId, limit: u64) -> Result<Option<Vec<u8>>, CentralError> {
        if self.left_out.contains(&id) {
            return Ok(None);
        }
        blob(&self.odb, id, limit)
    }

    /// The files of central that are too large to be here.
    pub fn left_out(&self) -> &BTreeSet<ObjectId> {
        &self.left_out
    }

    fn leave_out(&mut self, files: BTreeSet<ObjectId>) -> Result<(), CentralError> {
        Boundary(self.root.join(LEFT_OUT)).add(&files.iter().copied().collect::<Vec<_>>())?;
        self.left_out.extend(files);
        Ok(())
    }

    /// The commits whose parents are not here.
    pub fn shallow(&self) -> Vec<ObjectId> {
        self.boundary().commits()
    }

    /// For noting commits whose parents will not come.
    pub(crate) fn boundary(&self) -> Boundary {
        Boundary(self.root.join("shallow"))
    }

    /// Lets `receive` put objects into a private folder (laid out like `objects/`), then moves them in. Nothing is
    /// moved if it fails.
    pub fn admit<T>(
        &mut self,
        receive: impl FnOnce(&Path, Handle) -> Result<T, CentralError>,
    ) -> Result<T, CentralError> {
        self.admit_partly(|area, bases| Ok((receive(area, bases)?, BTreeSet::new())))
    }

    /// Like [`admit()`](Self::admit), for what may lack files that are too large: `receive` says which.
    pub(crate) fn admit_partly<T>(
        &mut self,
        receive: impl FnOnce(&Path, Handle) -> Result<(T, BTreeSet<ObjectId>), CentralError>,
    ) -> Result<T, CentralError> {
        let area = Area::create(&self.root)?;
        let (out, left_out) = receive(&area.objects(), self.odb.clone())?;
        if !left_out.is_empty() {
            // Before the commit that has them.
            self.leave_out(left_out)?;
        }
        move_objects(&area.objects(), &self.root.join("objects"))?;
        self.repack(&area.objects())?;
        drop(area);
        self.odb = open_odb(&self.root.join("objects"), self.format)?;
        Ok(out)
    }

    /// Puts small packs together, if there are many and nobody else uses the store. `area` is empty and private.
    fn repack(&self, area: &Path) -> Result<(), CentralError> {
        let objects = self.root.join("objects");
        let Some(plan) = repack::census(&objects).ok().and_then(repack::plan) else {
            return Ok(());
        };
        let Some(_alone) = self.in_use.alone() else {
            return Ok(());
        };
        let odb = open_odb(&objects, self.format)?;
        // Where there is no room, or an object cannot be read, all stays as it is: whoever needs that one finds out, and
        // nobody else is to be held up by it.
        if let Ok(replaced) = repack::apply(&plan, &objects, area, &odb) {
            move_objects(area, &objects)?;
            for path in replaced {
                // What stays is there twice, which harms nobody.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    /// A private folder that is gone afterwards: for looking at objects that must not enter the store.
    pub fn aside<T>(&self, look: impl FnOnce(&Path) -> Result<T, CentralError>) -> Result<T, CentralError> {
        let area = Area::create(&self.root)?;
        look(&area.objects())
    }

    /// Throws everything away, as after a damage. Other processes that use the store find their objects missing and
    /// fetch anew.
    pub fn reset(&mut self) -> Result<(), CentralError> {
        let objects = self.root.join("objects");
        let doomed = self.root.join(format!("incoming-{:016x}", fastrand::u64(..)));
        fs::rename(&objects, &doomed).map_err(CentralError::cache(&objects, "reset"))?;
        let _ = fs::remove_dir_all(&doomed);
        for list in ["shallow", LEFT_OUT] {
            let _ = fs::remove_file(self.root.join(list));
        }
        self.left_out.clear();
        let packs = objects.join("pack");
        fs::create_dir_all(&packs).map_err(CentralError::cache(&packs, "created"))?;
        self.in_use = InUse::of(&packs);
        self.odb = open_odb(&objects, self.format)?;
        Ok(())
    }
}

/// Shared by all who use a store, so that nobody takes packs away under them. A file system without locks never has
/// anybody alone.
struct InUse(Option<fs::File>);

impl InUse {
    /// Who puts packs together has it for a moment; whoever does not end is not waited for, as what is missed then is
    /// fetched anew.
    fn of(packs: &Path) -> Self {
        let Ok(folder) = fs::File::open(packs) else {
            return InUse(None);
        };
        for _ in 0..200 {
            match flock(&folder, FlockOperation::NonBlockingLockShared) {
                Ok(()) => return InUse(Some(folder)),
                Err(Errno::WOULDBLOCK) => std::thread::sleep(Duration::from_millis(10)),
                Err(_) => return InUse(None),
            }
        }
        InUse(None)
    }

    /// `None` if others use it.
    fn alone(&self) -> Option<Alone<'_>> {
        let folder = self.0.as_ref()?;
        match flock(folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Some(Alone(folder)),
            Err(_) => {
                // Asking gave up what was held.
                let _ = flock(folder, FlockOperation::NonBlockingLockShared);
                None
            }
        }
    }
}

/// Nobody else uses the store until it is dropped.
struct Alone<'a>(&'a fs::File);

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        let _ = flock(self.0, FlockOperation::NonBlockingLockShared);
    }
}

/// The folder of one central below the user's cache directory.
fn place(cache: &Path, key: &str, format: ObjectFormat) -> PathBuf {
    let name = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, key.as_bytes())
        .expect("hashing a URL cannot fail")
        .to_hex_with_len(16)
        .to_string();
    let suffix = match format {
        ObjectFormat::Sha1 => "",
        ObjectFormat::Sha256 => "-sha256",
    };
    cache.join("git-metis-sync").join(name + suffix)
}

/// A private folder for objects below `cache`, which sees those of the object folders `alternates` as well and is gone
/// afterwards.
pub(crate) fn aside<T>(
    cache: &Path,
    alternates: &[PathBuf],
    look: impl FnOnce(&Path) -> Result<T, CentralError>,
) -> Result<T, CentralError> {
    use std::os::unix::ffi::OsStrExt;
    let root = cache.join("git-metis-sync").join("aside");
    fs::create_dir_all(&root).map_err(CentralError::cache(&root, "created"))?;
    sweep(&root);
    let area = Area::create(&root)?;
    let info = area.objects().join("info");
    let mut lines = Vec::new();
    for path in alternates {
        lines.extend_from_slice(path.as_os_str().as_bytes());
        lines.push(b'\n');
    }
    fs::create_dir_all(&info)
        .and_then(|()| fs::write(info.join("alternates"), lines))
        .map_err(CentralError::cache(&info, "written"))?;
    look(&area.objects())
}

/// A file that lists objects which are not here: one id a line.
pub(crate) struct Boundary(PathBuf);

const LEFT_OUT: &str = "left-out";

fn ids(list: &Path) -> Vec<ObjectId> {
    fs::read_to_string(list)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect()
}

impl Boundary {
    fn commits(&self) -> Vec<ObjectId> {
        ids(&self.0)
    }

    /// Adds to it. Has to happen before what lacks them is admitted: a note too many costs bytes, a missing one would
    /// make the server leave out what it believes to be here.
    pub(crate) fn add(&self, objects: &[ObjectId]) -> Result<(), CentralError> {
        let known: BTreeSet<ObjectId> = ids(&self.0).into_iter().collect();
        let new: String = objects
            .iter()
            .filter(|id| !known.contains(id))
            .map(|id| format!("{id}\n"))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.0)
            .and_then(|mut file| io::Write::write_all(&mut file, new.as_bytes()))
            .map_err(CentralError::cache(&self.0, "written"))
    }
}

fn pack_cache() -> Box<dyn gix_pack::cache::DecodeEntry + Send + 'static> {
    Box::new(gix_pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE))
}

/// Reads a blob through any handle; see [`Store::blob()`], which knows of files that are left out.
pub fn blob(odb: &Handle, id: ObjectId, limit: u64) -> Result<Option<Vec<u8>>, CentralError> {
    use gix::odb::HeaderExt;
    let unreadable = |err: gix::Error| CentralError::Object {
        id,
        reason: err.to_string(),
    };
    let gix_id = to_gix(id);
    let mut buffer = Vec::new();
    let kind = match odb.find(&gix_id, &mut buffer) {
        Ok(object) => object.kind,
        // Too large to be read at all is too large.
        Err(err) => match odb.header(gix_id) {
            Ok(header) if header.size() > limit => return Ok(None),
            _ => return Err(unreadable(err)),
        },
    };
    if kind != gix::objs::Kind::Blob {
        return Err(CentralError::Object {
            id,
            reason: format!("it is a {kind}, not a file"),
        });
    }
    Ok((buffer.len() as u64 <= limit).then_some(buffer))
}

pub(crate) fn open_odb(objects: &Path, format: ObjectFormat) -> Result<Handle, CentralError> {
    let options = gix::odb::store::init::Options {
        alloc_limit_bytes: Some(ALLOC_LIMIT),
        ..Default::default()
    };
    gix::odb::at_opts(objects, hash_kind(format), None, options).map_err(CentralError::cache(objects, "opened"))
}

/// What this machine's system said, if one of `errors` is its refusal to write: no room, no right, no descriptors. It is
/// no damage, and fetching anew would meet the same.
pub(crate) fn refusal<'a>(errors: impl Iterator<Item = &'a (dyn std::error::Error + 'static)>) -> Option<io::Error> {
    use io::ErrorKind::{FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    errors
        .filter_map(|err| err.downcast_ref::<io::Error>())
        .find_map(|err| match (err.kind(), err.raw_os_error()) {
            // Wrapped in another error, which names a file that nobody else knows.
            (kind @ (StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem), None) => Some(kind.into()),
            (StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem | PermissionDenied, Some(code)) => {
                Some(io::Error::from_raw_os_error(code))
            }
            (_, Some(code)) if [Errno::MFILE, Errno::NFILE].contains(&Errno::from_raw_os_error(code)) => {
                Some(io::Error::from_raw_os_error(code))
            }
            _ => None,
        })
}

/// The largest allocation that one object of a received pack may cause.
pub(crate) fn alloc_limit() -> usize {
    ALLOC_LIMIT
}

/// Removes what killed processes left in `root`: nobody has their folder locked.
fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("incoming-") {
            continue;
        }
        let path = entry.path();
        let Ok(folder) = fs::File::open(&path) else { continue };
        let abandoned = match folder.try_lock() {
            Ok(()) => true,
            Err(fs::TryLockError::WouldBlock) => false,
            // No locks here: what was begun an hour ago is not going to be finished.
            Err(fs::TryLockError::Error(_)) => entry
                .metadata()
                .and_then(|m| m.modified())
                .is_ok_and(|t| t.elapsed().is_ok_and(|age| age.as_secs() > 3600)),
        };
        if abandoned {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// A private folder, locked as long as its owner lives and removed on drop.
struct Area {
    path: PathBuf,
    _lock: fs::File,
}

impl Area {
    fn create(root: &Path) -> Result<Self, CentralError> {
        loop {
            let path = root.join(format!("incoming-{:016x}", fastrand::u64(..)));
            let created = CentralError::cache(&path, "created");
            let lock = match fs::create_dir(&path).and_then(|()| fs::File::open(&path)) {
                Ok(lock) => lock,
                Err(err) if !path.exists() && root.is_dir() && err.kind() == io::ErrorKind::NotFound => continue,
                Err(err) => return Err(created(err)),
            };
            // Somebody who sweeps may have come between making and locking it, and takes it for a dead one's.
            let taken = matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)) || !path.exists();
            if taken {
                continue;
            }
            let packs = path.join("objects").join("pack");
            fs::create_dir_all(&packs).map_err(created)?;
            return Ok(Area { path, _lock: lock });
        }
    }

    fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Moves packs (index last: it is what makes a pack visible) and loose objects. What is there already is the same.
fn move_objects(from: &Path, to: &Path) -> Result<(), CentralError> {
    let mut packs = Vec::new();
    let listed = |dir: &Path| fs::read_dir(dir).map_err(CentralError::cache(dir, "read"));
    for entry in listed(&from.join("pack"))?.flatten() {
        packs.push(entry.file_name());
    }
    packs.sort_by_key(|name| name.to_string_lossy().ends_with(".idx"));
    for name in packs {
        let target = to.join("pack").join(&name);
        let text = name.to_string_lossy();
        if text.ends_with(".pack") || text.ends_with(".idx") {
            fs::rename(from.join("pack").join(&name), &target).map_err(CentralError::cache(&target, "written"))?;
        }
    }
    for fan in listed(from)?.flatten() {
        let name = fan.file_name();
        if name.len() != 2 {
            continue;
        }
        let target = to.join(&name);
        for object in listed(&fan.path())?.flatten() {
            let object_target = target.join(object.file_name());
            fs::create_dir_all(&target)
                .and_then(|()| fs::rename(object.path(), &object_target))
                .map_err(CentralError::cache(&object_target, "written"))?;
        }
    }
    Ok(())
}

/// The user's cache directory: `$XDG_CACHE_HOME`, else `~/.cache`, else the folder for temporary files.
pub fn user_cache_dir() -> PathBuf {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
}

/// The ids of a commit's tree and parents.
pub(crate) fn commit(odb: &Handle, id: ObjectId) -> Result<(ObjectId, Vec<ObjectId>), CentralError> {
    let unreadable = |reason: String| CentralError::Object { id, reason };
    let mut buffer = Vec::new();
    let mut commit = odb
        .find_commit_iter(&to_gix(id), &mut buffer)
        .map_err(|err| unreadable(err.to_string()))?;
    let parents = commit.parent_ids().map(|id| from_gix(&id)).collect();
    let tree = commit.tree_id().map_err(|err| unreadable(err.to_string()))?;
    Ok((from_gix(&tree), parents))
}
