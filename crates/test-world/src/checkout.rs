//! One person's clone of a project under git, and what they do there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    document::document,
    process::{Finished, eventually, run},
    world::World,
};

/// One clone of a project, and the person who works there.
pub struct Checkout {
    pub dir: PathBuf,
    pub home: PathBuf,
    /// First part of the codes of its documents.
    pub(crate) project: &'static str,
    env: Vec<(String, String)>,
}

impl Checkout {
    /// A person with a home folder, and a folder of their name that is not there yet.
    pub(crate) fn new(world: &World, name: &str, project: &'static str) -> Self {
        let home = world.root().join("home").join(name);
        fs::create_dir_all(&home).expect("temp folder is writable");
        let config = format!(
            "[user]\nname = {name}\nemail = {name}@example.org\n[init]\ndefaultBranch = main\n[gc]\nauto = 0\n\
             [maintenance]\nauto = false\n[advice]\ndetachedHead = false\n[protocol \"file\"]\nallow = always\n\
             [pull]\nrebase = false\n[merge]\nconflictStyle = merge\n"
        );
        fs::write(home.join(".gitconfig"), config).expect("temp folder is writable");
        let mut env = world.client_env();
        for (variable, value) in [
            ("HOME", home.display().to_string().as_str()),
            ("GIT_EDITOR", "true"),
            ("GIT_MERGE_AUTOEDIT", "no"),
        ] {
            env.push((variable.into(), value.into()));
        }
        Checkout {
            dir: world.root().join(name),
            home,
            project,
            env,
        }
    }

    /// Somewhere else, the same person.
    pub fn elsewhere(&self, dir: impl Into<PathBuf>) -> Self {
        Checkout {
            dir: dir.into(),
            home: self.home.clone(),
            project: self.project,
            env: self.env.clone(),
        }
    }

    pub fn metis(&self) -> PathBuf {
        self.dir.join(".metis")
    }

    pub fn code(&self, number: u32) -> String {
        format!("{}-T-{number:04}", self.project)
    }

    /// Where document `number` is, relative to the project.
    pub fn path(&self, number: u32) -> String {
        format!(".metis/backlog/{}.md", self.code(number))
    }

    /// The bytes of document `number` with this text.
    pub fn document(&self, number: u32, text: &str) -> String {
        document(&self.code(number), &format!("Title of {}", self.code(number)), text)
    }

    pub fn write(&self, number: u32, text: &str) {
        self.put(self.path(number), self.document(number, text));
    }

    /// What document `number` holds on disk.
    pub fn read(&self, number: u32) -> String {
        let bytes = fs::read(self.dir.join(self.path(number))).expect("the document is there");
        text(&self.code(number), &bytes)
    }

    pub fn remove(&self, number: u32) {
        fs::remove_file(self.dir.join(self.path(number))).expect("the document is there");
    }

    /// Any file of the project.
    pub fn put(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().expect("below the project")).expect("temp folder is writable");
        fs::write(path, bytes).expect("temp folder is writable");
    }

    pub fn program(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let dir = if self.dir.exists() { &self.dir } else { &self.home };
        command.current_dir(dir).env_clear().envs(self.env.iter().cloned());
        command
    }

    /// git with the words of `line` as its arguments.
    pub fn try_git(&self, line: &str) -> Finished {
        let mut command = self.program("git");
        command.args(line.split_whitespace());
        run(command)
    }

    /// The same, which must succeed.
    #[track_caller]
    pub fn git(&self, line: &str) -> String {
        self.try_git(line).success()
    }

    /// git that must stop, with a conflict for example.
    #[track_caller]
    pub fn git_stops(&self, line: &str) {
        let finished = self.try_git(line);
        assert_ne!(finished.code, Some(0), "it was to stop: {}", finished.transcript());
    }

    /// Commits all that git does not ignore.
    #[track_caller]
    pub fn commit(&self, message: &str) {
        self.git("add --all");
        let mut command = self.program("git");
        command.args(["commit", "--quiet", "-m", message]);
        run(command).success();
    }

    /// Writes document `number` and commits that.
    #[track_caller]
    pub fn commits(&self, number: u32, text: &str) {
        self.write(number, text);
        self.commit(&format!("edit {}", self.code(number)));
    }

    /// The same, and pushes it.
    #[track_caller]
    pub fn pushes(&self, number: u32, text: &str) {
        self.commits(number, text);
        self.git("push -q");
    }

    /// The same, and syncs.
    #[track_caller]
    pub fn publishes(&self, number: u32, text: &str) {
        self.pushes(number, text);
        self.syncs();
    }

    /// Pulls and syncs.
    #[track_caller]
    pub fn catches_up(&self) {
        self.git("pull -q");
        self.syncs();
    }

    /// A commit that touches no document.
    #[track_caller]
    pub fn commit_code(&self) {
        let file = self
            .dir
            .join(format!("{}.c", self.home.file_name().expect("a name").display()));
        let mut code = fs::read(&file).unwrap_or_default();
        code.extend_from_slice(b"more();\n");
        fs::write(&file, code).expect("temp folder is writable");
        self.git("add *.c");
        self.git("commit -q -m code");
    }

    /// A sync by hand.
    pub fn sync(&self) -> Finished {
        self.sync_with(&[])
    }

    pub fn sync_with(&self, options: &[&str]) -> Finished {
        let mut arguments = vec!["--no-progress", "sync"];
        arguments.extend(options);
        self.run(&arguments)
    }

    /// `git-metis-sync` in this clone.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = self.program(program());
        command.current_dir(&self.home).arg("-C").arg(&self.dir).args(arguments);
        run(command)
    }

    /// A sync that must succeed; what it printed.
    #[track_caller]
    pub fn syncs(&self) -> String {
        self.sync_exits(0)
    }

    /// A sync that must end with this exit code; all that it said.
    #[track_caller]
    pub fn sync_exits(&self, code: i32) -> String {
        exits(&self.sync(), code)
    }

    #[track_caller]
    pub fn install_hooks(&self) {
        self.install_hooks_for(&[]);
    }

    #[track_caller]
    pub fn install_hooks_for(&self, events: &[&str]) {
        let installed = self.run(&[&["hooks", "install"], events].concat());
        assert_eq!(installed.code, Some(0), "{}", installed.transcript());
    }

    /// Waits until no sync that a hook has started is running here: a hook returns when its worker is a process.
    #[track_caller]
    pub fn hooks_end(&self) {
        let here = self.dir.to_string_lossy();
        let works_here = |line: &[u8]| {
            let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
            let in_this = words.windows(2).any(|pair| pair[0] == "-C" && pair[1] == here);
            in_this && words.windows(2).any(|pair| pair[0] == "hooks" && pair[1] == "run")
        };
        eventually("the syncs of hooks end", || {
            let processes = fs::read_dir("/proc").expect("Linux").flatten();
            !processes.into_iter().any(|process| {
                // A process that is about to run a program has it already, and no words yet.
                let is_beginning = |line: &[u8]| line.is_empty() && fs::read_link(process.path().join("exe")).is_ok();
                let line = fs::read(process.path().join("cmdline"));
                line.is_ok_and(|line| works_here(&line) || is_beginning(&line))
            })
        });
    }
}

/// What a program said that must have ended with this exit code.
#[track_caller]
pub fn exits(finished: &Finished, code: i32) -> String {
    assert_eq!(finished.code, Some(code), "{}", finished.transcript());
    format!("{}{}", String::from_utf8_lossy(&finished.stdout), finished.stderr)
}

/// The program that is tried.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("METIS_MODEL").map_or_else(|| crate::process::built("git-metis-sync"), PathBuf::from)
}

/// The text of a document that `Checkout::document` made, else its bytes.
pub(crate) fn text(code: &str, bytes: &[u8]) -> String {
    let frame = document(code, &format!("Title of {code}"), "\0");
    let (head, tail) = frame.split_once('\0').expect("it was put in");
    let body = bytes
        .strip_prefix(head.as_bytes())
        .and_then(|rest| rest.strip_suffix(tail.as_bytes()));
    body.unwrap_or(bytes).escape_ascii().to_string()
}
