//! A folder held open, and everything done inside it without ever following a symbolic link.
//!
//! Paths are checked, opened and changed relative to an open folder, never by name from the root of the disk. Whoever
//! swaps a folder for a link while we work makes our call fail; nothing outside is read, written or removed.

mod across;
mod beneath;
mod error;
mod stat;
mod write;

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags},
    io::Errno,
};

use beneath::{Parent, open_by_names, open_name, plain_names};
pub use error::DirError;
pub use stat::{Entry, Kind, Stat};
pub use write::{FileMode, replace};

/// How often a file that changes under the reader is read again, and a temporary file swept away by another
/// process is written again.
const TRIES: usize = 4;

/// A folder held open. Paths given to its methods are relative, made of plain names (`a/b.md`), and nothing on the way,
/// the last name included, may be a symbolic link.
///
/// All methods take `&self` and may be called from several threads.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Open the folder at `path`. Links on the way to it are the user's own choice and are followed.
    pub fn open_root(path: &Path) -> Result<Dir, DirError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))
            .map_err(|errno| DirError::new("open", path.to_owned(), errno))?;
        Ok(Dir {
            fd,
            path: path.to_owned(),
        })
    }

    /// An empty folder that nothing can be put into, in the place of the one at `path` that is not there.
    pub fn absent(path: &Path) -> Result<Dir, DirError> {
        let failed = |err: io::Error| {
            let errno = Errno::from_io_error(&err).unwrap_or(Errno::IO);
            DirError::new("open", std::env::temp_dir(), errno)
        };
        // It is gone when this function returns; the open handle stays.
        let temp = tempfile::tempdir().map_err(failed)?;
        let dir = Dir::open_root(temp.path())?;
        Ok(Dir {
            path: path.to_owned(),
            ..dir
        })
    }

    /// The path by which this folder was opened, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file system says of the folder itself.
    pub fn stat(&self) -> Result<Stat, DirError> {
        let stat = rustix::fs::fstat(&self.fd).map_err(|errno| DirError::new("examine", self.path.clone(), errno))?;
        Ok(stat.into())
    }

    /// The bytes that may be written to its file system. `None` where that is not told, or there is no limit.
    pub fn free(&self) -> Option<u64> {
        let told = rustix::fs::fstatvfs(&self.fd).ok()?;
        (told.f_blocks > 0).then(|| told.f_bavail.saturating_mul(told.f_frsize))
    }

    /// Open the folder at `path`.
    pub fn open_dir(&self, path: impl AsRef<Path>) -> Result<Dir, DirError> {
        let path = path.as_ref();
        Ok(Dir {
            fd: self.open_beneath(path, OFlags::RDONLY | OFlags::DIRECTORY)?,
            path: self.path.join(path),
        })
    }

    /// Open the folder at `path`, made with its parents if it is not there.
    pub fn create_dir(&self, path: impl AsRef<Path>) -> Result<Dir, DirError> {
        let path = path.as_ref();
        let mut at = Parent::Here(self.fd.as_fd());
        for name in plain_names(path).ok_or_else(|| self.escapes(path))? {
            match rustix::fs::mkdirat(&at, name, Mode::from(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(self.error("create folder", path, errno)),
            }
            at = Parent::Below(open_name(&at, name, OFlags::DIRECTORY).map_err(|e| self.error("open", path, e))?);
        }
        match at {
            Parent::Below(fd) => Ok(Dir {
                fd,
                path: self.path.join(path),
            }),
            Parent::Here(_) => Err(self.escapes(path)),
        }
    }

    /// Make the folder at `path`, whose parent exists. [`DirError::Exists`] if anything has that name.
    pub fn create_new_dir(&self, path: impl AsRef<Path>) -> Result<(), DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        rustix::fs::mkdirat(&parent, name, Mode::from(0o777)).map_err(|e| self.error("create folder", path, e))
    }

    /// The whole regular file at `path` and its [`Stat`], of one moment: a file that changes meanwhile is read again.
    ///
    /// What cannot be noticed is a single write, begun before the reading and not over after it. Its time is recent, so a
    /// scan trusts nothing about that file next time either.
    ///
    /// Fails with [`DirError::TooLarge`] beyond `limit` bytes and [`DirError::Unstable`] when it never holds still.
    pub fn read_file(&self, path: impl AsRef<Path>, limit: u64) -> Result<(Vec<u8>, Stat), DirError> {
        let path = path.as_ref();
        for _ in 0..TRIES {
            let (mut file, before) = self.open_file(path)?;
            if before.len > limit {
                return Err(self.too_large(path, limit));
            }
            let bytes = self.read_at_most(&mut file, path, before.len, limit.saturating_add(1))?;
            if bytes.len() as u64 > limit {
                return Err(self.too_large(path, limit));
            }
            let after = self.stat_file(&file, path)?;
            if before == after && bytes.len() as u64 == after.len {
                return Ok((bytes, after));
            }
        }
        Err(DirError::Unstable {
            path: self.path.join(path),
        })
    }

    /// The first `len` bytes at most of the regular file at `path`.
    pub fn read_head(&self, path: impl AsRef<Path>, len: u64) -> Result<Vec<u8>, DirError> {
        let path = path.as_ref();
        let (mut file, _) = self.open_file(path)?;
        self.read_at_most(&mut file, path, len, len)
    }

    /// What is at `path`, without following a link that is there.
    pub fn lstat(&self, path: impl AsRef<Path>) -> Result<Stat, DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        let stat =
            rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| self.error("examine", path, e))?;
        Ok(stat.into())
    }

    /// The same of an entry that [`list()`](Self::list) named.
    pub fn lstat_entry(&self, name: &str) -> Result<Stat, DirError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(stat.into()),
            Err(errno) => Err(self.error("examine", Path::new(name), errno)),
        }
    }

    /// The entries of this folder, sorted by name, without `.` and `..`.
    pub fn list(&self) -> Result<Vec<Entry>, DirError> {
        self.list_where(|_| true)
    }

    /// Those whose names are `wanted`.
    pub fn list_where(&self, wanted: impl Fn(&OsStr) -> bool) -> Result<Vec<Entry>, DirError> {
        let fail = |errno| DirError::new("read folder", self.path.clone(), errno);
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." || !wanted(name) {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => match self.lstat(name) {
                    Ok(stat) => stat.kind,
                    Err(DirError::Missing { .. }) => continue,
                    Err(err) => return Err(err),
                },
                file_type => file_type.into(),
            };
            entries.push(Entry {
                name: name.to_owned(),
                kind,
            });
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn parent<'p>(&self, path: &'p Path) -> Result<(Parent<'_>, &'p Path), DirError> {
        let mut names = plain_names(path).ok_or_else(|| self.escapes(path))?;
        let name = names.pop().ok_or_else(|| self.escapes(path))?;
        let parent = match path.parent() {
            Some(parent) if !names.is_empty() => {
                Parent::Below(self.open_beneath(parent, OFlags::RDONLY | OFlags::DIRECTORY)?)
            }
            _ => Parent::Here(self.fd.as_fd()),
        };
        Ok((parent, name))
    }

    fn open_beneath(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, DirError> {
        let names = plain_names(path)
            .filter(|names| !names.is_empty())
            .ok_or_else(|| self.escapes(path))?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(opened) = beneath::open_by_kernel(&self.fd, path, flags) {
            return opened.map_err(|e| self.error("open", path, e));
        }
        open_by_names(self.fd.as_fd(), &names, flags).map_err(|e| self.error("open", path, e))
    }

    /// The regular file at `path`, open for reading, and what it was when it was opened.
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<(File, Stat), DirError> {
        let path = path.as_ref();
        // NONBLOCK: a pipe in a document's place must not hold us up.
        let file = File::from(self.open_beneath(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?);
        let stat = self.stat_file(&file, path)?;
        match stat.kind {
            Kind::File => Ok((file, stat)),
            _ => Err(self.error("read", path, Errno::ISDIR)),
        }
    }

    fn stat_file(&self, file: &File, path: &Path) -> Result<Stat, DirError> {
        let stat = rustix::fs::fstat(file).map_err(|e| self.error("examine", path, e))?;
        Ok(stat.into())
    }

    fn read_at_most(&self, file: &mut File, path: &Path, expected: u64, most: u64) -> Result<Vec<u8>, DirError> {
        let mut bytes = Vec::with_capacity(expected.min(most) as usize + 1);
        match file.take(most).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(err) => Err(self.io("read", path, err)),
        }
    }

    fn escapes(&self, path: &Path) -> DirError {
        DirError::Escapes { path: path.to_owned() }
    }

    fn too_large(&self, path: &Path, limit: u64) -> DirError {
        DirError::TooLarge {
            path: self.path.join(path),
            limit,
        }
    }

    fn error(&self, action: &'static str, path: &Path, errno: Errno) -> DirError {
        DirError::new(action, self.path.join(path), errno)
    }

    fn io(&self, action: &'static str, path: &Path, source: io::Error) -> DirError {
        DirError::Io {
            action,
            path: self.path.join(path),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
        sync::atomic::{AtomicBool, Ordering},
    };

    use rustix::fs::RenameFlags;

    use super::*;

    fn temp_dir() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_root(temp.path()).unwrap();
        (temp, dir)
    }

    #[test]
    fn what_is_written_is_read_back_and_replaced_whole() {
        let (temp, dir) = temp_dir();
        dir.create_dir("a/b").unwrap();
        dir.write_atomic("a/b/c.md", b"one", FileMode::Plain).unwrap();
        dir.write_atomic("a/b/c.md", b"two and more", FileMode::Plain).unwrap();

        let (bytes, stat) = dir.read_file("a/b/c.md", 100).unwrap();
        assert_eq!(bytes, b"two and more");
        assert_eq!((stat.kind, stat.len, stat.mode), (Kind::File, 12, 0o644));
        assert_eq!(dir.read_head("a/b/c.md", 3).unwrap(), b"two");
        assert_eq!(
            dir.open_dir("a/b").unwrap().list().unwrap().len(),
            1,
            "no temporary file is left"
        );

        assert!(matches!(
            dir.read_file("a/b/c.md", 11),
            Err(DirError::TooLarge { limit: 11, .. })
        ));
        assert!(matches!(
            dir.write_atomic("a/b", b"", FileMode::Plain),
            Err(DirError::NotAFile { .. })
        ));
        assert!(matches!(dir.read_file("a/b", 11), Err(DirError::NotAFile { .. })));
        assert!(matches!(dir.remove_dir("a"), Err(DirError::NotEmpty { .. })));

        dir.rename("a/b/c.md", "d.md").unwrap();
        dir.remove_dir("a/b").unwrap();
        dir.remove_file("d.md").unwrap();
        assert!(dir.read_file("d.md", 11).unwrap_err().is_gone());
        dir.sync_all().unwrap();
        drop(temp);
    }

    #[test]
    fn a_users_permissions_survive_when_asked_for() {
        let (temp, dir) = temp_dir();
        let file = temp.path().join("config.toml");
        let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o660)).unwrap();

        dir.write_atomic("config.toml", b"x", FileMode::Keep).unwrap();
        assert_eq!(mode(), 0o660);
        dir.write_atomic("config.toml", b"x", FileMode::Plain).unwrap();
        assert_eq!(mode(), 0o644);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let (_temp, dir) = temp_dir();
        for path in ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a\0b"] {
            assert!(
                matches!(dir.read_file(path, 9), Err(DirError::Escapes { .. })),
                "{path:?}"
            );
            assert!(
                matches!(dir.create_dir(path), Err(DirError::Escapes { .. })),
                "{path:?}"
            );
            assert!(
                matches!(dir.remove_file(path), Err(DirError::Escapes { .. })),
                "{path:?}"
            );
        }
    }

    #[test]
    fn links_are_told_from_what_is_not_there() {
        let (temp, dir) = temp_dir();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("x.md"), "theirs").unwrap();
        symlink(outside.path(), temp.path().join("link")).unwrap();
        symlink("/nowhere", temp.path().join("dangling.md")).unwrap();
        fs::write(temp.path().join("file"), "").unwrap();

        type Open = fn(&Dir, &Path, OFlags) -> Result<(), Errno>;
        let by_names: Open =
            |dir, path, flags| open_by_names(dir.fd.as_fd(), &plain_names(path).unwrap(), flags).map(drop);
        let by_best: Open = |dir, path, flags| match dir.open_beneath(path, flags) {
            Ok(_) => Ok(()),
            Err(DirError::Symlink { .. }) => Err(Errno::LOOP),
            Err(DirError::NotADirectory { .. }) => Err(Errno::NOTDIR),
            Err(DirError::Missing { .. }) => Err(Errno::NOENT),
            Err(err) => panic!("{err}"),
        };
        for open in [by_names, by_best] {
            let open = |path: &str, flags| open(&dir, Path::new(path), flags);
            assert_eq!(open("link/x.md", OFlags::RDONLY), Err(Errno::LOOP));
            assert_eq!(open("link", OFlags::DIRECTORY), Err(Errno::LOOP));
            assert_eq!(open("dangling.md", OFlags::RDONLY), Err(Errno::LOOP));
            assert_eq!(open("file/x.md", OFlags::RDONLY), Err(Errno::NOTDIR));
            assert_eq!(open("none/x.md", OFlags::RDONLY), Err(Errno::NOENT));
            assert_eq!(open("file", OFlags::RDONLY), Ok(()));
        }

        assert!(matches!(dir.lstat("link/x.md"), Err(DirError::Symlink { .. })));
        assert_eq!(dir.lstat("dangling.md").unwrap().kind, Kind::Symlink);
        for path in ["link/x.md", "link/new.md", "dangling.md"] {
            let written = dir.write_atomic(path, b"ours", FileMode::Plain);
            assert!(matches!(written, Err(DirError::Symlink { .. })), "{path}");
        }
        assert!(matches!(dir.create_dir("link/sub"), Err(DirError::Symlink { .. })));
        assert!(matches!(dir.remove_file("link/x.md"), Err(DirError::Symlink { .. })));
        assert_eq!(fs::read(outside.path().join("x.md")).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_pipe_in_a_documents_place_does_not_hold_us_up() {
        let (_temp, dir) = temp_dir();
        rustix::fs::mknodat(&dir.fd, "x.md", FileType::Fifo, Mode::from(0o644), 0).unwrap();
        assert!(matches!(dir.read_file("x.md", 9), Err(DirError::NotAFile { .. })));
        assert_eq!(dir.lstat("x.md").unwrap().kind, Kind::Other);
    }

    #[test]
    fn a_kept_file_is_never_overwritten() {
        let (_temp, dir) = temp_dir();
        dir.create_new("x.md", b"first").unwrap();
        assert!(matches!(
            dir.create_new("x.md", b"second"),
            Err(DirError::Exists { .. })
        ));
        assert_eq!(dir.read_file("x.md", 99).unwrap().0, b"first");
        assert_eq!(dir.list().unwrap().len(), 1, "no temporary file is left");
    }

    #[test]
    fn a_removed_folder_is_known_by_its_links() {
        let (temp, dir) = temp_dir();
        let sub = dir.create_dir("sub").unwrap();
        assert_ne!(sub.stat().unwrap().links, 0);
        fs::remove_dir(temp.path().join("sub")).unwrap();
        assert_eq!(sub.stat().unwrap().links, 0);
        assert!(sub.write_atomic("x", b"", FileMode::Plain).unwrap_err().is_gone());
    }

    #[test]
    fn a_folder_swapped_for_a_link_at_any_moment_lets_nothing_out() {
        let (temp, dir) = temp_dir();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("victim.md"), "theirs").unwrap();
        fs::create_dir(temp.path().join("api")).unwrap();
        symlink(outside.path(), temp.path().join("link")).unwrap();

        let done = AtomicBool::new(false);
        let (mut through, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    rustix::fs::renameat_with(&dir.fd, "api", &dir.fd, "link", RenameFlags::EXCHANGE).unwrap();
                }
            });
            let by_names = |path: &str| {
                let names = plain_names(Path::new(path)).unwrap();
                open_by_names(dir.fd.as_fd(), &names, OFlags::RDONLY)
                    .map(drop)
                    .map_err(|errno| DirError::new("open", path.into(), errno))
            };
            let mut round = 0;
            // Both sides of the race must have been seen, or nothing was tried.
            while round < 12_000 || ((through == 0 || refused == 0) && round < 1_000_000) {
                round += 1;
                let results = [
                    dir.write_atomic("api/new.md", b"ours", FileMode::Plain),
                    dir.write_atomic("api/victim.md", b"ours", FileMode::Plain),
                    by_names("api/new.md"),
                    dir.read_file("api/victim.md", 99)
                        .map(|(bytes, _)| assert_eq!(bytes, b"ours")),
                    dir.remove_file("api/victim.md"),
                    dir.create_dir("api/sub").map(drop),
                    dir.create_new("api/kept.md", b"ours"),
                    dir.rename("api/kept.md", "api/kept-2.md"),
                    dir.remove_file("api/kept-2.md"),
                ];
                for result in results {
                    match result {
                        Ok(()) => through += 1,
                        Err(DirError::Symlink { .. }) => refused += 1,
                        Err(DirError::Missing { .. } | DirError::Exists { .. }) => {}
                        Err(err) => panic!("{err}"),
                    }
                }
            }
            done.store(true, Ordering::Relaxed);
        });

        assert!(through > 0 && refused > 0, "{through} {refused}");
        assert_eq!(fs::read(outside.path().join("victim.md")).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "nothing new outside");
    }

    #[test]
    fn a_file_is_read_as_it_was_at_one_moment() {
        let (temp, dir) = temp_dir();
        let file = temp.path().join("x.md");
        let versions = [vec![b'a'; 200_000], vec![b'b'; 200_000]];
        fs::write(&file, &versions[0]).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for version in versions.iter().cycle() {
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                    fs::write(temp.path().join("next"), version).unwrap();
                    fs::rename(temp.path().join("next"), &file).unwrap();
                }
            });
            for _ in 0..500 {
                match dir.read_file("x.md", 1 << 20) {
                    Ok((bytes, _)) => assert!(versions.contains(&bytes)),
                    Err(DirError::Unstable { .. }) => {}
                    Err(err) => panic!("{err}"),
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
