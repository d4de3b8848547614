//! The bare repository in the middle, looked at with git.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::process::run;

/// What central is before anybody syncs.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// `sha1` or `sha256`.
    pub format: &'static str,
    /// The branch that HEAD names.
    pub head: &'static str,
    /// The branch that has a first commit (a README), if any.
    pub born: Option<&'static str>,
}

impl Default for Shape {
    fn default() -> Self {
        Shape {
            format: "sha1",
            head: "main",
            born: Some("main"),
        }
    }
}

/// One entry of a tree, all folders walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub mode: String,
    pub path: String,
    pub id: String,
}

pub struct Central {
    pub dir: PathBuf,
    /// The branch that the workspaces are expected to use.
    pub branch: String,
    /// `sha1` or `sha256`.
    pub format: &'static str,
    env: Vec<(String, String)>,
    land: PathBuf,
}

impl Central {
    pub fn create(dir: PathBuf, shape: Shape, env: Vec<(String, String)>, bin: &Path) -> Self {
        let central = Central {
            dir,
            branch: shape.head.to_owned(),
            format: shape.format,
            env,
            land: bin.join("land"),
        };
        fs::create_dir_all(&central.dir).expect("temp folder is writable");
        central.git(&[
            "init",
            "--quiet",
            "--bare",
            &format!("--object-format={}", shape.format),
            &format!("--initial-branch={}", shape.head),
        ]);
        central.git(&["config", "http.receivepack", "true"]);
        if let Some(branch) = shape.born {
            central.land_on(branch, "README.md", "The planning documents of all projects.\n");
        }
        central
    }

    /// `file://` URL.
    pub fn url(&self) -> String {
        format!("file://{}", self.dir.display())
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(&self.dir)
            .env_clear()
            .envs(self.env.iter().cloned());
        command
    }

    /// Run git here; it must succeed.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        let mut command = self.command("git");
        command.args(args);
        run(command).success()
    }

    /// The same, with this on its standard input. Returns what it says, without the last line's end.
    #[track_caller]
    pub fn git_reading(&self, args: &[&str], input: &[u8]) -> String {
        let mut command = self.command("git");
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("git runs");
        child.stdin.take().expect("piped").write_all(input).expect("git reads");
        let output = child.wait_with_output().expect("git ends");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// A commit by somebody who is no client of ours, on top of whatever the branch has when it runs: one file
    /// changed, everything else kept.
    pub fn landing(&self, path: &str, bytes: impl AsRef<[u8]>) -> Command {
        self.landing_on(&self.branch, path, bytes.as_ref())
    }

    fn landing_on(&self, branch: &str, path: &str, bytes: &[u8]) -> Command {
        let source = self.dir.join(format!("incoming-{}", path.replace('/', "-")));
        fs::write(&source, bytes).expect("temp folder is writable");
        let mut command = self.command(&self.land);
        command.args([branch, path]).arg(source);
        command
    }

    /// The same, now.
    #[track_caller]
    pub fn land(&self, path: &str, bytes: impl AsRef<[u8]>) {
        run(self.landing(path, bytes)).success();
    }

    #[track_caller]
    fn land_on(&self, branch: &str, path: &str, text: &str) {
        run(self.landing_on(branch, path, text.as_bytes())).success();
    }

    /// Every file of the branch, in git's order.
    pub fn entries(&self) -> Vec<Entry> {
        let listing = self.git(&["ls-tree", "-r", "-z", &self.branch]);
        let entry = |line: &str| {
            let (meta, path) = line.split_once('\t').expect("git's format");
            let mut words = meta.split(' ');
            let mode = words.next().expect("git's format").to_owned();
            let id = words.nth(1).expect("git's format").to_owned();
            Entry {
                mode,
                path: path.to_owned(),
                id,
            }
        };
        listing.split_terminator('\0').map(entry).collect()
    }

    /// The bytes of every file of the branch by path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        // First, since somebody may be pushing: what is listed is there.
        let entries = self.entries();
        let mut command = self.command("git");
        command.args(["cat-file", "--batch", "--batch-all-objects"]);
        let dump = run(command).stdout;
        let mut objects = BTreeMap::new();
        let mut rest = dump.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let header = std::str::from_utf8(&rest[..end]).expect("git's format");
            let mut words = header.split(' ');
            let id = words.next().expect("git's format");
            let size: usize = words.nth(1).and_then(|size| size.parse().ok()).expect("git's format");
            objects.insert(id, &rest[end + 1..][..size]);
            rest = &rest[end + 1 + size + 1..];
        }
        entries
            .into_iter()
            .map(|entry| (entry.path, objects[entry.id.as_str()].to_owned()))
            .collect()
    }

    /// The files of one workspace's folder by name.
    pub fn folder(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let inside =
            |(path, bytes): (String, Vec<u8>)| Some((path.strip_prefix(prefix)?.strip_prefix('/')?.to_owned(), bytes));
        self.files().into_iter().filter_map(inside).collect()
    }

    /// Subjects of the branch's commits, newest first.
    pub fn log(&self) -> Vec<String> {
        self.git(&["log", "--format=%s", &self.branch])
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The branch's commit, `None` while it is unborn.
    pub fn tip(&self) -> Option<String> {
        let tip = self.git(&[
            "for-each-ref",
            "--format=%(objectname)",
            &format!("refs/heads/{}", self.branch),
        ]);
        tip.lines().next().map(str::to_owned)
    }

    /// Every object is whole and follows git's rules to the letter.
    #[track_caller]
    pub fn fsck_strict(&self) {
        self.git(&["fsck", "--strict", "--no-progress", "--no-dangling"]);
    }
}
