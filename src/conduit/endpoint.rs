//! The folders of a conduit: where they are, that they lie apart, and that nobody else works on them.

use std::{
    fs::{File, TryLockError},
    path::{Component, Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::OFlags;

use super::{ConduitError, definition::Defined};
use crate::{
    fs::Dir,
    plan::conduit::Side,
    state::files::StateDir,
    workspace::{ConfigFile, METIS_DIR},
};

const PAUSE: Duration = Duration::from_millis(20);

/// In this program's folder of the user's cache.
const LOCKS: &str = "conduits";

/// A conduit's folders, open. `None`: that side is none.
pub struct Endpoints {
    pub roots: [Option<Dir>; 2],
}

/// What tells folders apart, whatever they are called.
pub type Identity = (u64, u64);

/// Opens the folders of a conduit of the project at `project`. Links on the way to them are followed, once, but not those in
/// the project that lead out of it: a commit may have put them there.
pub fn open(project: &Path, defined: &Defined) -> Result<Endpoints, ConduitError> {
    let definition = &defined.definition;
    let remote = definition.remote().map(|(side, _)| side);
    let open = |side| match remote == Some(side) {
        true => Ok(None),
        false => open_one(project, defined, side).map(Some),
    };
    let roots = [open(Side::Alpha)?, open(Side::Beta)?];
    if let [Some(alpha), Some(beta)] = &roots
        && meet(&lineage(alpha)?, &lineage(beta)?)
    {
        let both = format!(
            "{} and {} are the same folder, or one lies in the other",
            definition.alpha, definition.beta
        );
        return Err(ConduitError::Overlap(both.into()));
    }
    Ok(Endpoints { roots })
}

fn open_one(project: &Path, defined: &Defined, side: Side) -> Result<Dir, ConduitError> {
    let path = project.join(defined.definition.on(side));
    let refused = |reason: &str| ConduitError::Endpoint {
        side,
        path: path.clone(),
        reason: reason.into(),
    };
    let real = path
        .canonicalize()
        .map_err(|err| refused(&format!("cannot be opened: {err}")))?;
    let dir = Dir::open_root(&real).map_err(|err| refused(&format!("cannot be opened: {err}")))?;
    let top = project.canonicalize().unwrap_or_else(|_| project.to_owned());
    if !real.starts_with(&top) {
        if defined.file == ConfigFile::Shared {
            return Err(refused(
                "lies outside the project, where only a definition of this clone's own may lead (`conduit add --local`)",
            ));
        }
        if enters(&top, &path) {
            return Err(refused(
                "leads out of the project by a link in it, which may have come with a commit: define the conduit with the folder \
                 that is meant",
            ));
        }
    }
    let parts: Vec<&str> = real.iter().filter_map(|part| part.to_str()).collect();
    if parts.iter().any(|part| part.eq_ignore_ascii_case(".git")) {
        return Err(refused("lies in a git directory"));
    }
    if let Some(at) = parts.iter().position(|part| *part == METIS_DIR) {
        if parts.get(at + 1).is_some_and(|part| part.starts_with('.')) {
            return Err(refused("lies in the state of this program"));
        }
        if defined.definition.writes(side) {
            return Err(refused(
                "lies in .metis, which a conduit may only read (a mirror, or selective)",
            ));
        }
    }
    Ok(dir)
}

/// Whether anything on the way to `path`, but its ends, lies in the folder `top`.
fn enters(top: &Path, path: &Path) -> bool {
    let mut at = PathBuf::new();
    path.components().any(|part| {
        at.push(part);
        // Links before this one have been judged.
        let folder = at.parent().and_then(|folder| folder.canonicalize().ok());
        matches!(part, Component::Normal(_)) && folder.is_some_and(|folder| folder.starts_with(top))
    })
}

/// A folder and all those above it.
pub fn lineage(dir: &Dir) -> Result<Vec<Identity>, ConduitError> {
    dir.path()
        .ancestors()
        .map(|path| {
            let stat = Dir::open_root(path)?.stat()?;
            Ok((stat.device, stat.inode))
        })
        .collect()
}

/// Whether one is the other, or lies in it.
pub fn meet(a: &[Identity], b: &[Identity]) -> bool {
    a.contains(&b[0]) || b.contains(&a[0])
}

impl Endpoints {
    /// Keeps syncs of this user's other projects away from both folders until what is returned is dropped. The locks lie in the
    /// folder `cache`, as whoever can read a folder can lock it. Where there are no such locks, and against other users, the
    /// looks before and after each change have to do.
    pub fn lock(&self, cache: &Path, wait: Duration) -> Result<Vec<File>, ConduitError> {
        let start = Instant::now();
        let locks = StateDir::create_private(&cache.join(LOCKS))?;
        let mut held = Vec::new();
        // In an order that all agree on, so that two never wait for each other.
        let mut roots: Vec<(Identity, &Dir)> = Vec::new();
        for root in self.roots.iter().flatten() {
            let stat = root.stat()?;
            roots.push(((stat.device, stat.inode), root));
        }
        roots.sort_by_key(|(identity, _)| *identity);
        for ((device, inode), root) in roots {
            let name = format!("{device:x}-{inode:x}.lock");
            let Some(file) = locks.open_file(&name, OFlags::RDWR | OFlags::CREATE)? else {
                continue;
            };
            while let Err(TryLockError::WouldBlock) = file.try_lock() {
                if start.elapsed() >= wait {
                    return Err(ConduitError::Busy(
                        format!("one of {}, for another project", root_name(root.path())).into(),
                    ));
                }
                thread::sleep(PAUSE);
            }
            held.push(file);
        }
        Ok(held)
    }
}

fn root_name(path: &Path) -> String {
    crate::text::shown(path).to_string()
}
