//! Other users of the machine hold nothing up. Root plays them.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::checkout::as_root;
use crate::{
    conduits::Pair,
    support::{process::run, report::Ended, workspace::Workspace, world::World},
};

const NOBODY: u32 = 65534;

/// Another user's program, which ends with its input.
struct Other(Child);

impl Other {
    /// Holds `file`, which it can merely read, for as long as it runs. `None`: it may not even open it.
    fn holding(file: &Path) -> Option<Self> {
        let mut command = Command::new("flock");
        command.arg(file).args(["sh", "-c", "echo held; cat"]);
        let mut child = command
            .uid(NOBODY)
            .gid(NOBODY)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("flock is part of every Linux");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut said)
            .expect("it says something or ends");
        let other = Other(child);
        (said == "held\n").then_some(other)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Lets everybody look into the folders above the workspace, as they can on most machines.
fn in_the_open(api: &Workspace) {
    for folder in api
        .metis()
        .ancestors()
        .take_while(|folder| folder.starts_with(std::env::temp_dir()))
    {
        if *folder != std::env::temp_dir() {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("it is ours");
        }
    }
}

/// A first version left the folder of state open. Somebody opened the lock then, and still has it.
#[test]
fn a_lock_that_was_opened_before_the_folder_was_closed() {
    if !as_root() {
        return;
    }
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    api.sync().report();
    in_the_open(&api);
    let state = api.metis().join(".sync");
    let lock = state.join("lock");
    assert!(Other::holding(&lock).is_none(), "nobody can open it");

    fs::set_permissions(&state, Permissions::from_mode(0o755)).expect("it is ours");
    fs::set_permissions(&lock, Permissions::from_mode(0o644)).expect("it is ours");
    let _other = Other::holding(&lock).expect("it can be read");
    api.edit("API-T-0001", "More.");
    let synced = api.sync().report();
    assert_eq!(synced.pushed.len(), 1);
    assert_eq!(synced.warnings, [""; 0]);
    assert!(Other::holding(&lock).is_none(), "nobody can open the new one");
}

/// Whoever can read a folder can lock it.
#[test]
fn a_conduits_folders_that_somebody_else_locks() {
    if !as_root() {
        return;
    }
    let pair = Pair::new(&[]);
    in_the_open(&pair.own);
    pair.put("left/a.md", "a");
    let _others = ["left", "right"].map(|side| Other::holding(&pair.path(side)).expect("it can be read"));
    pair.sync(0);
    pair.assert_both(&["a.md=a"]);
    let locks = pair.own.home.join(".cache/git-metis-sync/conduits");
    let names: Vec<_> = fs::read_dir(&locks).expect("it is there").flatten().collect();
    assert_eq!(names.len(), 2, "one for each folder");
    for lock in names {
        assert!(Other::holding(&lock.path()).is_none(), "nobody else can open it");
    }
}

/// Without a home there is no folder that is certainly this user's.
#[test]
fn a_name_in_a_shared_folder_is_not_guessed() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    let shared = world.root().join("shared");
    fs::create_dir(&shared).expect("temp folder is writable");
    let before = world.central.tip();
    let mut sync = api.sync_command(&[]);
    // No place at all, since without it the system knows the tester's home.
    sync.env("HOME", "nowhere").env("TMPDIR", &shared);
    let failure = Ended(run(sync)).failure(1);
    assert!(
        failure.next.expect("a way out").contains("HOME"),
        "what it takes is said"
    );
    assert_eq!(fs::read_dir(&shared).expect("it is there").count(), 0);
    assert_eq!(world.central.tip(), before);
}
