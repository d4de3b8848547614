//! The workspaces that this user registered, in git's own user-wide configuration, as `git maintenance` keeps its repositories.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    process::Output,
};

use crate::send_pack::connect;

const KEY: &str = "metis-sync.watch";

fn git(args: &[&OsStr]) -> io::Result<Output> {
    connect::git().args(["config", "--global"]).args(args).answer()
}

fn succeeded(output: Output) -> io::Result<Output> {
    match output.status.success() {
        true => Ok(output),
        false => Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

/// All of them.
pub fn all() -> io::Result<Vec<PathBuf>> {
    let output = git(&["-z", "--get-all", KEY].map(OsStr::new))?;
    // There are none.
    if output.status.code() == Some(1) {
        return Ok(Vec::new());
    }
    let output = succeeded(output)?;
    let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Ok(paths.map(|path| OsString::from_vec(path.to_vec()).into()).collect())
}

/// Adds one. Returns whether it was not there.
pub fn add(path: &Path) -> io::Result<bool> {
    if all()?.iter().any(|there| there == path) {
        return Ok(false);
    }
    succeeded(git(&[OsStr::new("--add"), OsStr::new(KEY), path.as_os_str()])?).map(|_| true)
}

/// Takes one out. Returns whether it was there.
pub fn remove(path: &Path) -> io::Result<bool> {
    if !all()?.iter().any(|there| there == path) {
        return Ok(false);
    }
    // What is to go is named by a pattern, in git before 2.30 too.
    let quoted: Vec<u8> = path
        .as_os_str()
        .as_bytes()
        .iter()
        .flat_map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || *byte >= 0x80 || b"/-_".contains(byte) => vec![*byte],
            // In brackets it would mean all others.
            b'^' => b"\\^".to_vec(),
            byte => vec![b'[', *byte, b']'],
        })
        .collect();
    let pattern = [b"^".as_slice(), &quoted, b"$"].concat();
    let unset = git(&[OsStr::new("--unset-all"), OsStr::new(KEY), OsStr::from_bytes(&pattern)]);
    succeeded(unset?).map(|_| true)
}
