//! Where file systems begin.

use std::path::{Path, PathBuf};

/// The folder at which the file system begins that `path` lies on. A folder that is mounted once more elsewhere counts as one of
/// its own, where the system tells.
pub fn begin_of(path: &Path) -> PathBuf {
    let here = mount_of(path);
    let above = path.ancestors().take_while(|at| here.is_some() && mount_of(at) == here);
    above.last().unwrap_or(path).to_owned()
}

/// What tells mounts apart while the system runs. `None` where nothing is told of `path`.
fn mount_of(path: &Path) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        if let Ok(told) = statx(CWD, path, AtFlags::NO_AUTOMOUNT, StatxFlags::MNT_ID)
            && StatxFlags::from_bits_retain(told.stx_mask).contains(StatxFlags::MNT_ID)
        {
            return Some(told.stx_mnt_id);
        }
    }
    let stat = rustix::fs::stat(path).ok()?;
    // Its type differs between platforms.
    #[allow(clippy::unnecessary_cast)]
    Some(stat.st_dev as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_on_the_file_system_of_those_above() {
        let temp = tempfile::tempdir().unwrap();
        let below = temp.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        assert_eq!(begin_of(&below), begin_of(temp.path()));
        assert!(below.starts_with(begin_of(&below)));
        assert_eq!(begin_of(Path::new("/")), Path::new("/"));
        let nowhere = temp.path().join("nowhere");
        assert_eq!(begin_of(&nowhere), nowhere);
    }
}
