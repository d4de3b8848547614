//! The temporary files behind atomic writes, and the clearing away of those that a killed run left.

use std::{
    ffi::{OsStr, OsString},
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::safe_dir::{Dir, DirError, Kind};

/// What every temporary file's name begins with: `.metis-sync-tmp-<pid>-<process token>-<number>`.
pub const TEMP_PREFIX: &str = ".metis-sync-tmp-";

/// The age from which a temporary file is a leftover though a process with its pid is alive: pids come round again, and
/// no write takes this long.
const LEFTOVER_AGE: Duration = Duration::from_secs(3600);

/// A name that no other write of this or another process uses.
pub fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{TEMP_PREFIX}{}-{:016x}-{number}", std::process::id(), process_token())
}

/// Whether `name` is one that a write could have made for its temporary file, in whatever process.
pub fn is_temp(name: &OsStr) -> bool {
    parse(name).is_some()
}

/// Remove the temporary files in `dir` (not in folders below) whose writer is dead, or that are over an hour old at
/// `now`. Returns how many were removed.
pub fn sweep_temps(dir: &Dir, now: SystemTime) -> Result<usize, DirError> {
    let mut swept = 0;
    for name in leftover_temps(dir, now)? {
        match dir.remove_file(&name) {
            Ok(()) => swept += 1,
            Err(DirError::Missing { .. }) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(swept)
}

/// The names of the files that [`sweep_temps()`] would remove.
pub fn leftover_temps(dir: &Dir, now: SystemTime) -> Result<Vec<OsString>, DirError> {
    let mut leftovers = Vec::new();
    for entry in dir.list_where(is_temp)? {
        if entry.kind != Kind::File {
            continue;
        }
        match dir.lstat(&entry.name) {
            Ok(stat) if stat.kind == Kind::File && is_leftover(&entry.name, stat.mtime_ns, now) => {
                leftovers.push(entry.name);
            }
            Ok(_) | Err(DirError::Missing { .. }) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(leftovers)
}

/// Whether nobody works any more on what has this name and was changed then, in nanoseconds since 1970.
pub fn is_leftover(name: &OsStr, mtime_ns: i64, now: SystemTime) -> bool {
    let Some((pid, token)) = parse(name) else { return false };
    let writer_is_dead = match pid == std::process::id() {
        // In a container every run may have the same pid; the token tells us from a predecessor.
        true => token != process_token(),
        false => !is_alive(pid),
    };
    writer_is_dead || is_old(mtime_ns, now)
}

fn process_token() -> u64 {
    static TOKEN: OnceLock<u64> = OnceLock::new();
    *TOKEN.get_or_init(|| RandomState::new().build_hasher().finish())
}

fn parse(name: &OsStr) -> Option<(u32, u64)> {
    let mut parts = name.to_str()?.strip_prefix(TEMP_PREFIX)?.split('-');
    let pid = parts.next()?.parse().ok()?;
    let token = u64::from_str_radix(parts.next()?, 16).ok()?;
    let _number: u64 = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some((pid, token))
}

fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

fn is_old(mtime_ns: i64, now: SystemTime) -> bool {
    let written = SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(mtime_ns).unwrap_or(0));
    now.duration_since(written).is_ok_and(|age| age > LEFTOVER_AGE)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_dead_writers_files_are_swept() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_root(temp.path()).unwrap();
        let name = |pid: u32, token: u64| format!("{TEMP_PREFIX}{pid}-{token:016x}-7");
        let write = |name: &str| fs::write(temp.path().join(name), "half a docu").unwrap();

        let in_flight = fresh_name();
        let predecessor = name(std::process::id(), !process_token());
        let dead = name(i32::MAX as u32 - 1, 1);
        let of_init = name(1, 1);
        let users_own = format!("{TEMP_PREFIX}notes");
        for file in [&in_flight, &predecessor, &dead, &of_init, &users_own] {
            write(file);
        }
        let folder = name(i32::MAX as u32 - 1, 2);
        fs::create_dir(temp.path().join(&folder)).unwrap();
        std::os::unix::fs::symlink("/nowhere", temp.path().join(name(i32::MAX as u32 - 1, 3))).unwrap();

        assert_eq!(sweep_temps(&dir, SystemTime::now()).unwrap(), 2);
        for gone in [&predecessor, &dead] {
            assert!(!temp.path().join(gone).exists(), "{gone}");
        }
        for kept in [&in_flight, &of_init, &users_own, &folder] {
            assert!(temp.path().join(kept).exists(), "{kept}");
        }

        let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
        assert_eq!(sweep_temps(&dir, tomorrow).unwrap(), 2);
        assert!(!temp.path().join(of_init).exists());
        assert!(temp.path().join(users_own).exists());
    }
}
