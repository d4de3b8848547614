//! What the kernel tells of folders. It only wakes: which files changed is found out by a survey.
//!
//! Reading is not asked about, or our own surveys would fill the queue.

use std::{ffi::OsStr, io, os::fd::BorrowedFd, path::Path};

use crate::{stage::own::IGNORE_FILE, workspace::METIS_DIR};

#[cfg(target_os = "linux")]
pub use linux::Events;
#[cfg(not(target_os = "linux"))]
pub use none::Events;

/// What a folder belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The own documents of the workspace with this number.
    Documents(usize),
    /// Its repository's own folders.
    Repository(usize),
    /// The folder that its `.metis/` is in.
    Around(usize),
    /// The refs of the central with this number.
    Central(usize),
}

impl Target {
    /// Whether something of this name is worth a survey.
    pub fn cares_for(self, name: Option<&OsStr>) -> bool {
        let Some(name) = name.and_then(OsStr::to_str) else {
            return true;
        };
        match self {
            // What a sync itself writes, and temporary files. It may write config.toml, too, but no more than a line that no
            // survey looks at.
            Target::Documents(_) => !name.starts_with("metis.db") && (!name.starts_with('.') || name == IGNORE_FILE),
            // Looking into a repository makes index.lock come and go.
            Target::Repository(_) => !name.starts_with("index") && !name.ends_with(".lock") && name != "FETCH_HEAD",
            Target::Around(_) => name == METIS_DIR || name == ".git",
            Target::Central(_) => !name.ends_with(".lock"),
        }
    }

    /// Whether it is about the workspace with this number.
    fn is_of(self, workspace: usize) -> bool {
        match self {
            Target::Documents(number) | Target::Repository(number) | Target::Around(number) => number == workspace,
            Target::Central(_) => false,
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        collections::HashMap,
        mem::MaybeUninit,
        os::fd::{AsFd, OwnedFd},
    };

    use rustix::{
        fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
        io::Errno,
    };

    use super::{BorrowedFd, OsStr, Path, Target, io};
    use std::os::unix::ffi::OsStrExt;

    /// Folders that are watched.
    pub struct Events {
        queue: OwnedFd,
        targets: HashMap<i32, Vec<Target>>,
        buffer: Box<[MaybeUninit<u8>; 16 << 10]>,
    }

    impl Events {
        /// With none yet.
        pub fn new() -> io::Result<Self> {
            Ok(Events {
                queue: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
                targets: HashMap::new(),
                buffer: Box::new([MaybeUninit::uninit(); 16 << 10]),
            })
        }

        /// Watches a folder, not what is below it. One that is watched already stays so.
        pub fn watch(&mut self, folder: &Path, target: Target) -> io::Result<()> {
            let names = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
            let itself = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
            let content = match target {
                Target::Around(_) => WatchFlags::empty(),
                _ => WatchFlags::CLOSE_WRITE,
            };
            // A folder may be watched for several reasons.
            let how = WatchFlags::ONLYDIR | WatchFlags::DONT_FOLLOW | WatchFlags::MASK_ADD;
            let flags = names | itself | content | how;
            let watch = match inotify::add_watch(&self.queue, folder, flags) {
                // It went away meanwhile, which its parent tells.
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
                watch => watch?,
            };
            let targets = self.targets.entry(watch).or_default();
            if !targets.contains(&target) {
                targets.push(target);
            }
            Ok(())
        }

        /// Watches nothing for this workspace any more.
        pub fn forget(&mut self, workspace: usize) {
            let queue = &self.queue;
            self.targets.retain(|watch, targets| {
                targets.retain(|target| !target.is_of(workspace));
                if targets.is_empty() {
                    // It may be gone with its folder.
                    let _ = inotify::remove_watch(queue, *watch);
                }
                !targets.is_empty()
            });
        }

        /// Gives what happened to `tell`. Returns whether something was lost.
        pub fn read(&mut self, tell: &mut dyn FnMut(Target)) -> bool {
            let mut lost = false;
            let mut reader = Reader::new(self.queue.as_fd(), self.buffer.as_mut_slice());
            while let Ok(event) = reader.next() {
                if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                    lost = true;
                    continue;
                }
                let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                for target in self.targets.get(&event.wd()).into_iter().flatten() {
                    if target.cares_for(name) {
                        tell(*target);
                    }
                }
                if event.events().contains(ReadFlags::IGNORED) {
                    self.targets.remove(&event.wd());
                }
            }
            lost
        }

        /// To wait on.
        pub fn queue(&self) -> BorrowedFd<'_> {
            self.queue.as_fd()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use super::{BorrowedFd, Path, Target, io};

    /// Nobody tells of folders here, so files are looked at from time to time.
    pub enum Events {}

    impl Events {
        /// There are none.
        pub fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        /// Cannot be called.
        pub fn watch(&mut self, _: &Path, _: Target) -> io::Result<()> {
            match *self {}
        }

        /// Cannot be called.
        pub fn forget(&mut self, _: usize) {
            match *self {}
        }

        /// Cannot be called.
        pub fn read(&mut self, _: &mut dyn FnMut(Target)) -> bool {
            match *self {}
        }

        /// Cannot be called.
        pub fn queue(&self) -> BorrowedFd<'_> {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    fn heard(events: &mut Events) -> usize {
        let mut count = 0;
        assert!(!events.read(&mut |target| {
            assert_eq!(target, Target::Documents(3));
            count += 1;
        }));
        count
    }

    #[test]
    fn writing_moving_and_removing_are_heard_and_reading_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut events = Events::new().unwrap();
        events.watch(folder.path(), Target::Documents(3)).unwrap();
        events.watch(&at("absent"), Target::Documents(3)).unwrap();
        assert_eq!(heard(&mut events), 0);
        fs::write(at("a.md"), "x").unwrap();
        assert!(heard(&mut events) > 0);
        fs::read(at("a.md")).unwrap();
        fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(heard(&mut events), 0);
        fs::rename(at("a.md"), at("b.md")).unwrap();
        assert!(heard(&mut events) > 0);
        fs::remove_file(at("b.md")).unwrap();
        assert!(heard(&mut events) > 0);
        for ours in ["metis.db", "metis.db-journal", ".metis-sync-1"] {
            fs::write(at(ours), "x").unwrap();
        }
        assert_eq!(heard(&mut events), 0, "what a sync writes");
        fs::create_dir(at("new")).unwrap();
        assert!(heard(&mut events) > 0);
        events.forget(3);
        fs::write(at("c.md"), "x").unwrap();
        assert_eq!(heard(&mut events), 0);
    }

    /// The project's own files are nothing to us, but that the folder is moved is.
    #[test]
    fn of_the_project_only_its_place_counts() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        fs::create_dir(&project).unwrap();
        let mut events = Events::new().unwrap();
        events.watch(&project, Target::Around(0)).unwrap();
        let mut heard = || {
            let mut count = 0;
            events.read(&mut |_| count += 1);
            count
        };
        fs::write(project.join("main.rs"), "x").unwrap();
        assert_eq!(heard(), 0);
        fs::create_dir(project.join(".metis")).unwrap();
        assert!(heard() > 0);
        fs::rename(&project, folder.path().join("elsewhere")).unwrap();
        assert!(heard() > 0);
    }
}
