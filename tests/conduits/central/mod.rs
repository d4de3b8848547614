//! A folder of each of several projects, and a branch of central that they share.

mod documents;
mod exchange;
mod race;
mod state;
mod trust;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::read;
use crate::support::{
    central::Shape,
    point::{Gate, Point},
    process::{Finished, Running, run},
    servers::{Access, Nginx, Sshd},
    snapshot::Snapshot,
    workspace::{Remote, Workspace},
    world::World,
};

pub const BRANCH: &str = "conduits/skills";

/// A project with the folder `skills`, tied to the branch.
pub struct Project(pub Workspace);

impl Project {
    pub fn new(world: &World, prefix: &str, options: &[&str]) -> Self {
        Self::on(world, prefix, &world.local(), options)
    }

    pub fn on(world: &World, prefix: &str, remote: &Remote, options: &[&str]) -> Self {
        let project = Self::untied(world, prefix, remote);
        let tie = ["conduit", "add", "skills", "skills", "central:skills"];
        project.0.run(&[&tie[..], options].concat()).success();
        project
    }

    pub fn untied(world: &World, prefix: &str, remote: &Remote) -> Self {
        let project = Project(world.workspace_on(prefix, remote));
        fs::create_dir_all(project.folder()).expect("temp folder is writable");
        project
    }

    /// Two projects that have the same files.
    pub fn two_in_step(world: &World, paths: &[&str]) -> [Self; 2] {
        let [shop, web] = ["shop", "web"].map(|prefix| Project::new(world, prefix, &[]));
        for path in paths {
            shop.put(path, "1");
        }
        shop.sync(0);
        web.sync(0);
        [shop, web]
    }

    pub fn folder(&self) -> PathBuf {
        self.0.dir.join("skills")
    }

    pub fn put(&self, path: &str, text: &str) {
        let path = self.folder().join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("temp folder is writable");
        fs::write(path, text).expect("temp folder is writable");
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.folder().join(path)).expect("it is there");
    }

    pub fn tree(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        read(&self.folder(), "", &mut found);
        found
    }

    pub fn texts(&self) -> Vec<String> {
        let texts = self.tree().into_iter();
        texts.map(|(path, text)| format!("{path}={text}")).collect()
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str], exit: i32) -> Finished {
        let finished = self.0.run(&[&["conduit"], arguments].concat());
        assert_eq!(finished.code, Some(exit), "{}", finished.transcript());
        finished
    }

    #[track_caller]
    pub fn report(&self, arguments: &[&str], exit: i32) -> Value {
        let finished = self.run(&[&["--json"], arguments].concat(), exit);
        let mut value: Value = serde_json::from_slice(&finished.stdout).expect("it is JSON");
        value["conduits"][0].take()
    }

    #[track_caller]
    pub fn sync(&self, exit: i32) -> Value {
        self.report(&["sync", "skills"], exit)
    }

    pub fn command(&self) -> Command {
        let mut command = self.0.program(env!("CARGO_BIN_EXE_git-metis-sync"));
        command.args(["conduit", "sync", "skills"]);
        command
    }
}

/// What the branch has: `*` behind the text of a file that may be run.
pub fn branch(world: &World) -> Vec<String> {
    let listed = world.central.git(&["ls-tree", "-r", "-z", BRANCH]);
    let text = |line: &str| {
        let (meta, path) = line.split_once('\t').expect("git's format");
        let text = world
            .central
            .git(&["cat-file", "blob", meta.rsplit(' ').next().expect("an id")]);
        let star = if meta.starts_with("100755") { "*" } else { "" };
        format!("{path}={text}{star}")
    };
    let mut texts: Vec<String> = listed.split_terminator('\0').map(text).collect();
    texts.sort();
    texts
}

fn commits(world: &World) -> usize {
    let log = world.central.git(&["log", "--format=%s", BRANCH]);
    log.lines().count()
}

/// Makes the branch what git's own `mktree` makes of these lines, in a commit on top of what there is.
pub fn land_tree(world: &World, entries: &[(&str, &str, &str)]) {
    let mut lines = Vec::new();
    for (mode, id, name) in entries {
        let kind = match *mode {
            "40000" => "tree",
            "160000" => "commit",
            _ => "blob",
        };
        lines.extend(format!("{mode} {kind} {id}\t{name}\0").into_bytes());
    }
    let tree = with_input(world, &["mktree", "-z", "--missing"], &lines);
    let parent = world.central.git(&[
        "for-each-ref",
        "--format=%(objectname)",
        &format!("refs/heads/{BRANCH}"),
    ]);
    let parent = parent.trim();
    let mut arguments = vec!["commit-tree", tree.as_str(), "-m", "By hand"];
    if !parent.is_empty() {
        arguments.extend(["-p", parent]);
    }
    let commit = world.central.git(&arguments);
    world
        .central
        .git(&["update-ref", &format!("refs/heads/{BRANCH}"), commit.trim()]);
}

fn with_input(world: &World, arguments: &[&str], input: &[u8]) -> String {
    let source = world.root().join("input");
    fs::write(&source, input).expect("temp folder is writable");
    let mut command = Command::new("sh");
    command
        .current_dir(&world.central.dir)
        .env_clear()
        .envs(world.server_env())
        .args(["-c", "exec git \"$@\" <\"$0\""])
        .arg(source)
        .args(arguments);
    run(command).success().trim().to_owned()
}

pub fn blob(world: &World, text: &str) -> String {
    with_input(world, &["hash-object", "-w", "--stdin"], text.as_bytes())
}
