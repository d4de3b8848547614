//! Private folders for what is on its way in.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{CentralError, private};
use crate::fs::owner;

/// What the folders of all of them are called, also where others have theirs beside them.
const NAME: &str = "git-metis-sync-incoming-";
/// What an earlier version called them.
const EARLIER_NAME: &str = "incoming-";

/// A private folder, locked as long as its owner lives and removed on drop.
pub(super) struct Area {
    pub(super) path: PathBuf,
    _lock: fs::File,
}

impl Area {
    /// A new one in `root`, with `objects/pack/` in it.
    pub(super) fn create(root: &Path) -> Result<Self, CentralError> {
        loop {
            let path = root.join(format!("{NAME}{:016x}", fastrand::u64(..)));
            let created = CentralError::cache(&path, "created");
            let lock = match private::make_dir(&path).and_then(|()| fs::File::open(&path)) {
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
            private::make_dirs(&packs).map_err(created)?;
            return Ok(Area { path, _lock: lock });
        }
    }

    /// The folder for objects in it.
    pub(super) fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes what killed processes of this user left in `root`: nobody has their folder locked.
/// In a folder that others put theirs into, `is_shared`, only what has our name is known to be ours.
pub(super) fn sweep(root: &Path, is_shared: bool) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let named = name.starts_with(NAME) || (!is_shared && name.starts_with(EARLIER_NAME));
        let ours = |meta: fs::Metadata| meta.is_dir() && owner::is_us(meta.uid());
        if !named || !entry.metadata().is_ok_and(ours) {
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

/// A private folder for objects below the cache directory, which sees those of other object folders as well. It is gone when
/// this is dropped.
pub(crate) struct Aside(Area);

impl Aside {
    /// Makes one that sees the objects of `alternates`.
    pub(crate) fn create(cache: &Path, alternates: &[PathBuf]) -> Result<Self, CentralError> {
        use std::os::unix::ffi::OsStrExt;
        let root = private::top(cache).join("aside");
        private::make(cache, &root)?;
        sweep(&root, false);
        let area = Area::create(&root)?;
        let info = area.objects().join("info");
        let mut lines = Vec::new();
        for path in alternates {
            lines.extend_from_slice(path.as_os_str().as_bytes());
            lines.push(b'\n');
        }
        private::make_dirs(&info)
            .and_then(|()| private::write(&info.join("alternates"), &lines))
            .map_err(CentralError::cache(&info, "written"))?;
        Ok(Aside(area))
    }

    /// Where the objects lie.
    pub(crate) fn objects(&self) -> PathBuf {
        self.0.objects()
    }
}

/// Moves packs (index last: it is what makes a pack visible) and loose objects. What is there already is the same.
pub(super) fn move_objects(from: &Path, to: &Path) -> Result<(), CentralError> {
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
            private::move_file(&from.join("pack").join(&name), &target)
                .map_err(CentralError::cache(&target, "written"))?;
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
            private::make_dirs(&target)
                .and_then(|()| private::move_file(&object.path(), &object_target))
                .map_err(CentralError::cache(&object_target, "written"))?;
        }
    }
    Ok(())
}
