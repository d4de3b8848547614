//! `watch`: real processes, real files, real centrals.

mod conduits;
mod files;
mod gone;
mod installed;
mod many;
mod repositories;
mod trouble;

use std::{
    cell::RefCell,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::support::{process::eventually, workspace::Workspace};

/// A watcher that runs until the test is done with it.
pub struct Watching {
    child: RefCell<Child>,
    log: PathBuf,
}

impl Watching {
    /// Starts it; what it says goes to a file.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let file = File::create(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        Watching {
            child: RefCell::new(child),
            log: log.to_owned(),
        }
    }

    /// Of one workspace, once its first sync has gone well.
    #[track_caller]
    pub fn of(workspace: &Workspace) -> Self {
        let watching = Watching::at_once(workspace);
        eventually("its first sync", || noted(workspace)["last_success"].is_string());
        watching
    }

    /// The same, whatever comes of it.
    pub fn at_once(workspace: &Workspace) -> Self {
        let _ = fs::remove_file(workspace.metis().join(".sync/watch.json"));
        Watching::start(workspace.metis_sync(&["watch"]), &workspace.home.join("watch.log"))
    }

    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    #[track_caller]
    fn says(&self, words: &str) {
        eventually(words, || self.said().contains(words));
    }

    /// How often it said so.
    fn count(&self, words: &str) -> usize {
        self.said().matches(words).count()
    }

    fn pid(&self) -> u32 {
        self.child.borrow().id()
    }

    /// Asks it to end. Returns its exit code.
    pub fn end(self) -> Option<i32> {
        let mut child = self.child.borrow_mut();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap().code()
    }

    pub fn kill(self) {
        let mut child = self.child.borrow_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn has_ended(&self) -> bool {
        self.child.borrow_mut().try_wait().unwrap().is_some()
    }

    /// Kills the one that watches `workspace`, where what was started is a program around it, and waits for that one's end.
    pub fn kill_watcher(self, workspace: &Workspace) {
        let holder = fs::read(workspace.metis().join(".sync/watch.lock")).unwrap_or_default();
        let holder: serde_json::Value = serde_json::from_slice(&holder).unwrap_or_default();
        let pid = holder["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid
            .and_then(rustix::process::Pid::from_raw)
            .filter(|_| !self.has_ended())
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        self.child.borrow_mut().wait().unwrap();
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the watcher said:\n{}", self.said());
        }
        let mut child = self.child.borrow_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// What the watcher of a workspace has noted.
fn noted(workspace: &Workspace) -> serde_json::Value {
    let note = fs::read(workspace.metis().join(".sync/watch.json")).unwrap_or_default();
    serde_json::from_slice(&note).unwrap_or_default()
}

/// Without a pause before a push, and with these lines besides.
pub fn hasty(workspace: &Workspace, more: &str) {
    let config = workspace.config();
    workspace.put(
        "config.toml",
        format!("{config}\n[sync.watch]\nsettle_seconds = 0\n{more}"),
    );
}
