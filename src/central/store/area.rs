//! Private folders for what is on its way in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::CentralError;

/// A private folder, locked as long as its owner lives and removed on drop.
pub(super) struct Area {
    pub(super) path: PathBuf,
    _lock: fs::File,
}

impl Area {
    /// A new one in `root`, with `objects/pack/` in it.
    pub(super) fn create(root: &Path) -> Result<Self, CentralError> {
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

/// Removes what killed processes left in `root`: nobody has their folder locked.
pub(super) fn sweep(root: &Path) {
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
