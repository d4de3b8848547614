//! One project's planning documents on one person's machine.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    document::document,
    process::{Finished, Running, run},
    report::Ended,
    snapshot::Snapshot,
};

/// Where a workspace of a given age or habit keeps its documents, seen in real ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `strategies/NULL/initiatives/<I>/tasks/`, as older Metis tools laid it out.
    Strategies,
    /// `initiatives/<I>/tasks/`, the newest one.
    Initiatives,
    /// Tasks without an initiative, in `backlog/<kind>/`.
    Backlog,
    /// Everything in `archived/…`.
    Archived,
    /// All in `.metis/<owned prefix>/`, as central has it.
    Flat,
}

/// How a central is reached.
#[derive(Debug, Clone)]
pub struct Remote {
    pub url: String,
    /// What a client needs in its environment to get in.
    pub env: Vec<(String, String)>,
}

/// A folder with a `.metis/` in it and the person who works there.
pub struct Workspace {
    pub prefix: String,
    /// The project, parent of `.metis/`.
    pub dir: PathBuf,
    pub home: PathBuf,
    layout: Layout,
    env: Vec<(String, String)>,
    /// Where each own document is, relative to `.metis/`.
    places: RefCell<BTreeMap<String, PathBuf>>,
}

impl Workspace {
    /// A fresh one with a `config.toml` like the Metis tools' and no document yet.
    pub fn create(dir: PathBuf, home: PathBuf, prefix: &str, env: Vec<(String, String)>, config: &str) -> Self {
        let workspace = Workspace {
            prefix: prefix.to_owned(),
            dir,
            home,
            layout: Layout::Initiatives,
            env,
            places: RefCell::default(),
        };
        fs::create_dir_all(&workspace.home).expect("temp folder is writable");
        workspace.put(".gitignore", "metis.db\nmetis-mcp-server.log\n");
        workspace.put("config.toml", config);
        workspace
    }

    pub fn laid_out(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// On the machine of somebody who has another workspace too: same home, same cache.
    pub fn beside(mut self, other: &Workspace) -> Self {
        self.home.clone_from(&other.home);
        self
    }

    pub fn metis(&self) -> PathBuf {
        self.dir.join(".metis")
    }

    /// Write any file below `.metis/`, also one that is not for writing.
    pub fn put(&self, place: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.metis().join(place);
        fs::create_dir_all(path.parent().expect("below .metis")).expect("temp folder is writable");
        if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.permissions().readonly()) {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
        }
        fs::write(&path, bytes).expect("temp folder is writable");
        path
    }

    /// Write the document `code` where this workspace's layout has it, with frontmatter of its kind around `body`.
    pub fn write(&self, code: &str, body: &str) -> PathBuf {
        self.write_at(
            self.place_of(code),
            code,
            document(code, &format!("Title of {code}"), body),
        )
    }

    /// Write exactly these bytes as the document `code`.
    pub fn write_at(&self, place: impl Into<PathBuf>, code: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let place = place.into();
        let path = self.put(&place, bytes);
        self.places.borrow_mut().insert(code.to_owned(), place);
        path
    }

    /// Add a paragraph to an own document.
    pub fn edit(&self, code: &str, addition: &str) {
        let place = self.places.borrow()[code].clone();
        let mut text = fs::read(self.metis().join(&place)).expect("the document is there");
        text.extend_from_slice(format!("\n{addition}\n").as_bytes());
        self.put(place, text);
    }

    pub fn delete(&self, code: &str) {
        let place = self.places.borrow_mut().remove(code).expect("an own document");
        fs::remove_file(self.metis().join(place)).expect("the document is there");
    }

    /// Where the layout puts a document, relative to `.metis/`.
    pub fn place_of(&self, code: &str) -> PathBuf {
        let project = code.split('-').next().unwrap_or_default();
        let initiative = format!("initiatives/{project}-I-0001");
        let name = match code.split('-').nth(1) {
            _ if self.layout == Layout::Flat => format!("{}/{code}.md", self.prefix),
            Some("V") => "vision.md".to_owned(),
            Some("A") => format!("adrs/{code}.md"),
            Some("S") => format!("specifications/{code}/specification.md"),
            Some("I") => format!("initiatives/{code}/initiative.md"),
            _ if self.layout == Layout::Backlog => format!("backlog/features/{code}.md"),
            _ => format!("{initiative}/tasks/{code}.md"),
        };
        match self.layout {
            Layout::Strategies if name.starts_with("initiatives/") => Path::new("strategies/NULL").join(name),
            Layout::Archived => Path::new("archived").join(name),
            _ => name.into(),
        }
    }

    /// Own documents by central's file name, as they are on disk now.
    pub fn documents(&self) -> BTreeMap<String, Vec<u8>> {
        let read = |(code, place): (&String, &PathBuf)| {
            (
                format!("{code}.md"),
                fs::read(self.metis().join(place)).expect("the document is there"),
            )
        };
        self.places.borrow().iter().map(read).collect()
    }

    /// What is here of workspace `prefix`, by file name; the marker and other dot-entries are not part of it.
    pub fn hydrated(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.metis().join(prefix)) else {
            return BTreeMap::new();
        };
        entries
            .map(|entry| entry.expect("readable folder"))
            .map(|entry| (entry.file_name().into_string().expect("a plain name"), entry.path()))
            .filter(|(name, _)| !name.starts_with('.'))
            .map(|(name, path)| (name, fs::read(path).expect("a file")))
            .collect()
    }

    pub fn config(&self) -> String {
        fs::read_to_string(self.metis().join("config.toml")).expect("config.toml is there")
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.dir)
    }

    /// Any program as this person runs it: their home, nothing of the machine's or the tester's settings.
    pub fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.dir)
            .env_clear()
            .env("HOME", &self.home)
            .envs(self.env.iter().cloned());
        command
    }

    /// `git-metis-sync` with these arguments, from outside the workspace.
    pub fn metis_sync(&self, args: &[&str]) -> Command {
        let mut command = self.program(crate::process::built("git-metis-sync"));
        command
            .current_dir(&self.home)
            // Nothing goes on in the background unless a story wants it.
            .env("METIS_SYNC_RECORDS", "later")
            .arg("-C")
            .arg(&self.dir)
            .args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Finished {
        run(self.metis_sync(args))
    }

    pub fn sync(&self) -> Ended {
        self.sync_with(&[])
    }

    pub fn sync_with(&self, options: &[&str]) -> Ended {
        Ended(run(self.sync_command(options)))
    }

    /// A sync that goes on while the test does something else.
    pub fn start_sync(&self) -> Running {
        Running::start(self.sync_command(&[]))
    }

    pub fn sync_command(&self, options: &[&str]) -> Command {
        let mut command = self.metis_sync(&["--json", "sync"]);
        command.args(options);
        command
    }
}
