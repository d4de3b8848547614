//! Disks of our own, for what cannot be asked of the machine's: small ones, read-only ones, and ones whose power goes.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    process::{Finished, run},
    servers::skip,
};

/// What is in a disk image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Ext4,
    Xfs,
}

impl Format {
    pub const ALL: [Format; 2] = [Format::Ext4, Format::Xfs];

    fn name(self) -> &'static str {
        match self {
            Format::Ext4 => "ext4",
            Format::Xfs => "xfs",
        }
    }

    /// The smallest that its tools accept.
    fn size(self) -> u64 {
        match self {
            Format::Ext4 => 64 << 20,
            Format::Xfs => 320 << 20,
        }
    }
}

/// A file system of its own at a folder, unmounted when this is dropped: drop it before the world that it is in.
pub struct Disk {
    at: PathBuf,
    image: Option<PathBuf>,
}

impl Disk {
    /// Memory for what is at `folder`. What is in the folder stays in it. `None`, after saying that the test is skipped, where
    /// nothing can be mounted.
    pub fn small(folder: &Path) -> Option<Self> {
        let disk = Self::moved_in(folder, None, &["-t", "tmpfs", "tmpfs"])?;
        disk.make_room();
        Some(disk)
    }

    /// An image of this format in a file beside `folder`, for what is in the folder.
    pub fn image(folder: &Path, format: Format) -> Option<Self> {
        let maker = format!("mkfs.{}", format.name());
        for program in [maker.as_str(), "xfs_io"] {
            if !installed(program) {
                skip(&format!("{program} is not installed"));
                return None;
            }
        }
        let image = folder.with_extension(format.name());
        let file = fs::File::create(&image).expect("temp folder is writable");
        file.set_len(format.size()).expect("a file may have holes");
        let mut make = as_admin(&maker);
        make.arg("-q").arg(&image);
        run(make).success();
        let source = image.to_str().expect("a plain name").to_owned();
        Self::moved_in(folder, Some(image), &["-o", "loop", &source])
    }

    fn moved_in(folder: &Path, image: Option<PathBuf>, mount: &[&str]) -> Option<Self> {
        let aside = folder.with_extension("aside");
        fs::create_dir_all(folder).expect("temp folder is writable");
        fs::rename(folder, &aside).expect("one file system");
        fs::create_dir(folder).expect("temp folder is writable");
        let mut command = as_admin("mount");
        command.args(mount).arg(folder);
        let mounted = run(command);
        let disk = Disk {
            at: folder.to_owned(),
            image,
        };
        if mounted.code != Some(0) {
            skip(&format!("nothing can be mounted here: {}", mounted.stderr.trim()));
            return None;
        }
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(aside.join(".")).arg(folder);
        run(copy).success();
        fs::remove_dir_all(aside).expect("it is ours");
        disk.flush();
        Some(disk)
    }

    /// Everything that was written is on the disk.
    pub fn flush(&self) {
        let folder = fs::File::open(&self.at).expect("it is mounted");
        rustix::fs::syncfs(folder).expect("it is a disk");
    }

    /// Other options for a disk that is in use: more room, or nothing to be written.
    pub fn remount(&self, options: &str) {
        run(self.mount_again(options)).success();
    }

    /// Leaves room for so many bytes and files more than there are. Only for a small one.
    pub fn leave(&self, bytes: u64, files: u64) {
        let now = rustix::fs::statvfs(&self.at).expect("it is mounted");
        // Of no size at all is one without a limit, and does not get one again.
        let size = ((now.f_blocks - now.f_bfree) * now.f_frsize + bytes).max(now.f_frsize);
        let inodes = now.f_files - now.f_ffree + files;
        self.remount(&format!("size={size},nr_inodes={inodes}"));
    }

    /// Room enough for everything again.
    pub fn make_room(&self) {
        self.remount("size=64m,nr_inodes=10000");
    }

    fn mount_again(&self, options: &str) -> Command {
        let mut command = as_admin("mount");
        command.args(["-o", &format!("remount,{options}")]).arg(&self.at);
        command
    }

    /// The power goes and comes again: what was not flushed is gone. With `journal`, the disk's own journal got through and
    /// what the files hold did not, which is what happens every few seconds to files that nobody flushes.
    ///
    /// Nobody may have a file open on it.
    pub fn lose_power(&self, journal: bool) {
        if journal {
            // Of another file's: that brings the whole journal along, and no other file's bytes.
            let file = fs::File::create(self.at.join("another-program.txt")).expect("there is room");
            file.sync_all().expect("it is a disk");
        }
        let mut shutdown = as_admin("xfs_io");
        shutdown.args(["-x", "-c", "shutdown"]).arg(&self.at);
        run(shutdown).success();
        self.unmount(&[]).success();
        let image = self.image.as_ref().expect("a disk that is not memory");
        let mut mount = as_admin("mount");
        mount.args(["-o", "loop"]).arg(image).arg(&self.at);
        run(mount).success();
        let _ = fs::remove_file(self.at.join("another-program.txt"));
        self.flush();
    }

    fn unmount(&self, options: &[&str]) -> Finished {
        let mut command = as_admin("umount");
        command.args(options).arg(&self.at);
        run(command)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount(&["--lazy"]);
    }
}

fn as_admin(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", search_path());
    command
}

fn search_path() -> String {
    let path = env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".into());
    format!("{path}:/usr/local/sbin:/usr/sbin:/sbin")
}

fn installed(program: &str) -> bool {
    search_path()
        .split(':')
        .any(|dir| Path::new(dir).join(program).is_file())
}
