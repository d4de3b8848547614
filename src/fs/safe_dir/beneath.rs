//! Opening what lies beneath a folder without following a link on the way.

use std::{
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags},
    io::Errno,
};

use super::{Kind, Stat};

/// The folder that holds the last name of a path.
pub(super) enum Parent<'a> {
    Here(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl AsFd for Parent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Parent::Here(fd) => *fd,
            Parent::Below(fd) => fd.as_fd(),
        }
    }
}

/// The names `path` is made of, `None` if any is not plain (`..`, `.` in front, a root, a NUL byte).
pub(super) fn plain_names(path: &Path) -> Option<Vec<&Path>> {
    if path.as_os_str().as_bytes().contains(&0) {
        return None;
    }
    path.components()
        .map(|part| match part {
            Component::Normal(name) => Some(Path::new(name)),
            _ => None,
        })
        .collect()
}

/// Open one name in `at`, which may not be a link.
pub(super) fn open_name(at: &impl AsFd, name: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::io::retry_on_intr(|| rustix::fs::openat(at, name, flags, Mode::empty())) {
        // "Not a folder" is also the answer for a link where a folder is asked for, and a link may have been swapped
        // away since; yet "not a folder" means that nothing is there, so it must be certain.
        Err(Errno::NOTDIR) => match rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW).map(Stat::from) {
            Ok(Stat {
                kind: Kind::File | Kind::Other,
                ..
            }) => Err(Errno::NOTDIR),
            _ => Err(Errno::LOOP),
        },
        opened => opened,
    }
}

/// Open the path made of `names`, one by one, none of which may be a link.
pub(super) fn open_by_names(root: BorrowedFd<'_>, names: &[&Path], flags: OFlags) -> Result<OwnedFd, Errno> {
    let (last, folders) = names.split_last().ok_or(Errno::INVAL)?;
    let mut at = Parent::Here(root);
    for folder in folders {
        at = Parent::Below(open_name(&at, folder, OFlags::DIRECTORY)?);
    }
    open_name(&at, last, flags)
}

/// Open `path` in one call that refuses links, or `None` where the kernel lacks that call.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn open_by_kernel(root: &OwnedFd, path: &Path, flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
    use rustix::fs::{ResolveFlags, openat2};
    static WORKS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let works = *WORKS.get_or_init(|| {
        // Besides old kernels, sandboxes that do not know the call refuse it, some with EPERM.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat2(root, ".", flags, Mode::empty(), resolve).is_ok()
    });
    if !works {
        return None;
    }
    match rustix::io::retry_on_intr(|| openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)) {
        // The kernel could not decide because of a rename elsewhere: name by name it is decidable.
        Err(Errno::AGAIN) => None,
        opened => Some(opened),
    }
}
