//! Finding a project's `.metis` folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::config::CONFIG_FILE;
use crate::fs::{Dir, DirError};
use crate::text::shown;

/// The name of the folder that holds a project's planning documents.
pub const METIS_DIR: &str = ".metis";

/// Why there is no workspace to work in. Never to be taken for an empty one.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum MetisDirError {
    #[error("no .metis folder in {} or above it", shown(start))]
    NotFound { start: PathBuf },
    #[error("{} has no config.toml, so it is not a Metis workspace", shown(path))]
    NoConfig { path: PathBuf },
    #[error(
        "{} is another user's, or lies where other users may put things, so it is not this user's workspace",
        shown(path)
    )]
    Foreign { path: PathBuf },
    #[error("cannot look for .metis from {}: {source}", shown(start))]
    Start { start: PathBuf, source: io::Error },
    #[error("cannot read the workspace: {0}")]
    Unreadable(#[from] DirError),
}

/// A project's `.metis` folder, held open.
#[derive(Debug)]
pub struct MetisDir {
    dir: Dir,
    /// The project's folder, where it has no `.metis` on disk.
    project: Option<PathBuf>,
}

impl MetisDir {
    /// The nearest `.metis` folder with a `config.toml`, in `start` or above it.
    ///
    /// A `.metis` that cannot be read is an error and not a reason to look further up: another project's workspace
    /// is never taken for this one's. Nor is one that does not count by `counts`, which is given a folder and the `.metis` in
    /// it. The folder itself may be reached through links of the user's.
    pub fn discover(start: &Path, counts: &dyn Fn(&Path, &Path) -> bool) -> Result<MetisDir, MetisDirError> {
        let absolute = start.canonicalize().map_err(|source| MetisDirError::Start {
            start: start.to_owned(),
            source,
        })?;
        let mut without_config = None;
        for folder in absolute.ancestors() {
            let path = folder.join(METIS_DIR);
            match path.symlink_metadata() {
                Ok(_) => {}
                Err(err) if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
                Err(source) => return Err(MetisDirError::Start { start: path, source }),
            }
            if !counts(folder, &path) {
                return Err(MetisDirError::Foreign { path });
            }
            match MetisDir::open(&path) {
                Err(MetisDirError::NoConfig { path }) => without_config = without_config.or(Some(path)),
                found => return found,
            }
        }
        Err(match without_config {
            Some(path) => MetisDirError::NoConfig { path },
            None => MetisDirError::NotFound { start: absolute },
        })
    }

    /// The workspace whose `.metis` folder is at `path` itself.
    pub fn open(path: &Path) -> Result<MetisDir, MetisDirError> {
        let dir = Dir::open_root(path)?;
        match dir.lstat(CONFIG_FILE) {
            Ok(_) => Ok(MetisDir { dir, project: None }),
            Err(err) if err.is_gone() => Err(MetisDirError::NoConfig { path: path.to_owned() }),
            Err(err) => Err(err.into()),
        }
    }

    /// The same, be it without a `config.toml`.
    pub fn open_without_config(path: &Path) -> Result<MetisDir, MetisDirError> {
        Ok(MetisDir {
            dir: Dir::open_root(path)?,
            project: None,
        })
    }

    /// Of a `project` that has no `.metis` on disk: a bare repository, or one with a branch checked out that has none. What
    /// this clone notes lies in `home`, which need not be there yet; nothing else is put there.
    pub fn without_folder(home: &Path, project: &Path) -> Result<MetisDir, MetisDirError> {
        let dir = match Dir::open_root(home) {
            Err(err) if err.is_gone() => Dir::absent(home),
            dir => dir,
        };
        Ok(MetisDir {
            dir: dir?,
            project: Some(project.to_owned()),
        })
    }

    /// Whether there is a folder on disk that documents can lie in.
    pub fn has_folder(&self) -> bool {
        self.project.is_none()
    }

    /// The folder, for everything done inside it.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Its absolute path, for messages and for what can only be opened by name (a lock, a database).
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A new `.metis` in `project` with this config.toml. One that has a config.toml already is an error.
    pub fn create(project: &Path, config: &str) -> Result<MetisDir, MetisDirError> {
        let project_dir = Dir::open_root(project)?;
        let dir = project_dir.create_dir(METIS_DIR)?;
        dir.create_new(CONFIG_FILE, config.as_bytes())?;
        MetisDir::open(&project_dir.path().join(METIS_DIR))
    }

    /// The folder that holds `.metis`.
    pub fn project(&self) -> &Path {
        let holds = || self.path().parent().unwrap_or(self.path());
        self.project.as_deref().unwrap_or_else(holds)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn the_nearest_workspace_above_is_found() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("project/.metis/adrs")).unwrap();
        fs::create_dir_all(root.join("project/src/.metis")).unwrap();
        fs::write(root.join("project/.metis/config.toml"), "").unwrap();
        symlink(root.join("project"), root.join("alias")).unwrap();
        fs::create_dir(root.join("other")).unwrap();
        symlink(root.join("project/.metis"), root.join("other/.metis")).unwrap();

        for start in [
            "project",
            "project/src",
            "project/.metis",
            "project/.metis/adrs",
            "alias/src",
        ] {
            let found = MetisDir::discover(&root.join(start), &|_, _| true).unwrap();
            assert_eq!(found.path(), root.join("project/.metis"), "{start}");
            assert_eq!(found.project(), root.join("project"));
        }
        assert_eq!(
            MetisDir::discover(&root.join("other"), &|_, _| true).unwrap().project(),
            root.join("other")
        );
    }

    #[test]
    fn a_broken_workspace_is_an_error_and_never_an_empty_one() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        fs::create_dir_all(root.join(".metis")).unwrap();
        fs::write(root.join(".metis/config.toml"), "").unwrap();
        fs::create_dir_all(root.join("dangling")).unwrap();
        symlink("/nowhere", root.join("dangling/.metis")).unwrap();
        fs::create_dir_all(root.join("file")).unwrap();
        fs::write(root.join("file/.metis"), "").unwrap();
        let bare = tempfile::tempdir().unwrap();
        fs::create_dir(bare.path().join(METIS_DIR)).unwrap();

        let discover = |start: &Path| MetisDir::discover(start, &|_, _| true).unwrap_err();
        assert!(matches!(discover(&root.join("dangling")), MetisDirError::Unreadable(_)));
        assert!(matches!(discover(&root.join("file")), MetisDirError::Unreadable(_)));
        assert!(matches!(discover(&root.join("none")), MetisDirError::Start { .. }));
        assert!(matches!(discover(bare.path()), MetisDirError::NoConfig { .. }));
        assert!(matches!(
            discover(tempfile::tempdir().unwrap().path()),
            MetisDirError::NotFound { .. }
        ));
    }
}
