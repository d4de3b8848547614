//! What tells a workspace's own documents, branches and configuration as they are from what they were. Of documents sizes and
//! times are looked at; none is read.

#[cfg(test)]
mod tests;

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::{
    conduit,
    hooks::repository,
    plan::watch::Found,
    project,
    stage::own::{IGNORE_FILE, WORKTREE},
    state::files::FOLDER,
    sync::Workspace,
    text::UntrustedName,
    workspace::{CONFIG_FILE, MARKER_FILE, METIS_DIR},
};

/// Folders below each other. Nobody's plans lie deeper, and a loop of mounts ends.
const DEEPEST: usize = 40;

/// What a folder is to a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Own documents are in it, or files of a conduit.
    Documents,
    /// It is one of the repository's.
    Repository,
    /// `.metis/` is in it.
    Around,
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project's folder.
    project: PathBuf,
    /// What tells `.metis/` from another folder in its place. `None`: there is none.
    metis: Option<(u64, u64)>,
    /// The repository's own folder.
    git_dir: Option<PathBuf>,
    /// The one that its worktrees share.
    common_dir: Option<PathBuf>,
    /// The branch that documents come from, where that is not what is checked out.
    source: Option<UntrustedName>,
    /// The folders of conduits that this clone syncs.
    conduits: Vec<PathBuf>,
    /// Whether one of them has a branch of central for its other side.
    pub shares_branches: bool,
}

impl Place {
    /// Of a workspace.
    pub fn of(workspace: &Workspace) -> Self {
        let settings = workspace.config().sync.as_ref();
        let source = settings.and_then(|settings| settings.source.clone());
        let project = workspace.project();
        let common_dir = project.place().map(|(common_dir, _)| common_dir.to_owned());
        let git_dir = project.dir().and_then(|top| repository::git_dir_of(&top));
        let folder = workspace.metis().project().to_owned();
        Place {
            metis: identity(&folder.join(METIS_DIR)),
            project: folder,
            git_dir: git_dir.or_else(|| common_dir.clone()),
            common_dir,
            source: source.filter(|source| source != WORKTREE),
            conduits: conduit::folders(workspace),
            shares_branches: conduit::share_branches(workspace),
        }
    }

    /// The references that say what is committed: what is checked out, and the source branch.
    fn references(&self) -> impl Iterator<Item = PathBuf> {
        let head = self
            .git_dir
            .as_ref()
            .and_then(|dir| fs::read_to_string(dir.join("HEAD")).ok());
        let head = head.and_then(|text| Some(text.trim().strip_prefix("ref: ")?.to_owned()));
        let source = self
            .source
            .as_ref()
            .map(|source| format!("refs/heads/{}", source.raw()));
        let dir = self.common_dir.clone();
        let of_branch = move |name: String| Some(dir.as_ref()?.join(name));
        head.into_iter().chain(source).filter_map(of_branch)
    }

    /// The folders of the repository in which something happens when branches move or git begins something.
    fn repository(&self) -> impl Iterator<Item = PathBuf> {
        let tables = self.common_dir.iter().map(|dir| dir.join("reftable"));
        let branches = self.references().filter_map(|path| path.parent().map(Path::to_owned));
        self.git_dir.iter().cloned().chain(branches).chain(tables)
    }
}

fn identity(folder: &Path) -> Option<(u64, u64)> {
    let meta = fs::symlink_metadata(folder).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// Looks. `told` hears of each folder before it is read, so that nothing is missed that happens in it after that.
///
/// # Errors
///
/// The workspace is not there any more, or another one is in its place.
pub fn survey(place: &Place, told: &mut dyn FnMut(&Path, Part)) -> io::Result<Found> {
    let (mut print, mut config) = (DefaultHasher::new(), DefaultHasher::new());
    told(&place.project, Part::Around);
    for folder in place.repository() {
        told(&folder, Part::Repository);
    }
    let metis = place.project.join(METIS_DIR);
    if identity(&metis) != place.metis {
        return Err(io::ErrorKind::NotFound.into());
    }
    if place.metis.is_some() {
        told(&metis, Part::Documents);
        configured(&fs::read(metis.join(CONFIG_FILE))?, &mut config);
        let own = metis.join(FOLDER).join(CONFIG_FILE);
        configured(&fs::read(own).unwrap_or_default(), &mut config);
        walk(&metis, DEEPEST, told, &mut print);
    }
    for folder in &place.conduits {
        told(folder, Part::Documents);
        walk_all(folder, DEEPEST, told, &mut print);
    }
    if let Some(git_dir) = &place.git_dir {
        fs::read(git_dir.join("HEAD")).unwrap_or_default().hash(&mut print);
    }
    for reference in place.references() {
        fs::read(reference).unwrap_or_default().hash(&mut print);
    }
    for file in ["packed-refs", "reftable/tables.list"] {
        if let Some(dir) = &place.common_dir {
            stamp(&dir.join(file), &mut print);
        }
    }
    let git_dir = place.git_dir.as_deref();
    let config = config.finish();
    config.hash(&mut print);
    Ok(Found {
        print: print.finish(),
        config,
        is_unfinished: git_dir.is_some_and(|git_dir| project::unfinished(git_dir).is_some()),
        is_held: git_dir.is_some_and(project::is_held),
    })
}

/// All that a config.toml says but for the line that a sync writes.
fn configured(text: &[u8], config: &mut DefaultHasher) {
    let is_ours = |line: &[u8]| line.trim_ascii_start().starts_with(b"last_synced_commit");
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !is_ours(line));
    lines.for_each(|line| line.hash(config));
}

fn walk(folder: &Path, depth: usize, told: &mut dyn FnMut(&Path, Part), print: &mut DefaultHasher) {
    let mut names: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    names.sort();
    for name in names {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with('.') && text != IGNORE_FILE {
            continue;
        }
        let path = folder.join(&name);
        let Ok(meta) = fs::symlink_metadata(&path) else {
            continue;
        };
        if meta.is_dir() {
            let is_copy = path.join(MARKER_FILE).symlink_metadata().is_ok();
            if depth > 0 && !is_copy {
                text.hash(print);
                told(&path, Part::Documents);
                walk(&path, depth - 1, told, print);
            }
        } else if text == IGNORE_FILE || path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("md")) {
            stamp(&path, print);
        }
    }
}

/// All that a conduit may carry.
fn walk_all(folder: &Path, depth: usize, told: &mut dyn FnMut(&Path, Part), print: &mut DefaultHasher) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter(|entry| !conduit::is_private(&entry.file_name().to_string_lossy()))
        .map(|entry| (entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir())))
        .collect();
    found.sort();
    for (path, is_folder) in found {
        if !is_folder {
            stamp(&path, print);
        } else if depth > 0 {
            path.hash(print);
            told(&path, Part::Documents);
            walk_all(&path, depth - 1, told, print);
        }
    }
}

fn stamp(path: &Path, print: &mut DefaultHasher) {
    path.hash(print);
    if let Ok(meta) = fs::symlink_metadata(path) {
        let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
        (meta.len(), meta.ino(), times).hash(print);
    }
}
