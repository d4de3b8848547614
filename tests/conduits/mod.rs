//! Two folders of a project that are kept in step, seen from outside.

mod apart;
pub mod central;
mod decisions;
mod disks;
mod links;
mod meanwhile;
mod pulled;
mod safety;
mod seen;
mod surface;
mod told;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use metis_sync::{
    conduit::{Order, Report, Told, sync_now},
    sync::Step,
};
use serde_json::Value;

use crate::{
    scenarios::direct::Steps,
    support::{
        process::{Finished, run},
        workspace::Workspace,
        world::World,
    },
};

/// A project with the folders `left` and `right`, tied by the conduit `notes`.
pub struct Pair {
    pub own: Workspace,
    // Last, as it has the folder that all is in.
    pub world: World,
}

impl Pair {
    /// Both are empty. `options` are those of `conduit add`.
    pub fn new(options: &[&str]) -> Self {
        let pair = Self::untied();
        pair.run(&[&["add", "notes", "left", "right"], options].concat(), 0);
        pair
    }

    /// The folders alone, in a workspace without a central.
    pub fn untied() -> Self {
        let world = World::new();
        let own = world.workspace_with_config("api", &world.local(), "[project]\nprefix = \"API\"\n");
        for side in ["left", "right"] {
            fs::create_dir(own.dir.join(side)).expect("temp folder is writable");
        }
        Pair { own, world }
    }

    /// In a git repository, so that what this process does itself is known to be this clone's too.
    pub fn in_git() -> Self {
        let pair = Self::untied();
        let mut init = pair.own.program("git");
        init.args(["init", "--quiet"]).arg(&pair.own.dir);
        run(init).success();
        pair.run(&["add", "notes", "left", "right"], 0);
        pair
    }

    /// Syncs it within this process. `at` is called at each step. Returns their names, too.
    pub fn sync_here(&self, at: &mut dyn FnMut(Step)) -> (Report, Vec<&'static str>) {
        let mut steps = Steps {
            at: Some(at),
            ..Steps::default()
        };
        let workspace = metis_sync::sync::Workspace::discover(&self.own.dir).expect("it is one");
        let order = Order {
            told: Told::by(&mut steps),
            ..Order::default()
        };
        let report = sync_now(&workspace, "notes", &order).expect("nothing is in its way");
        drop(order);
        (report, steps.seen)
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.own.dir.join(path)
    }

    pub fn put(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("temp folder is writable");
        fs::write(path, text).expect("temp folder is writable");
    }

    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        match path.symlink_metadata().expect("it is there").is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        }
        .expect("it is ours");
    }

    /// What is in a folder: `*` behind the text of a program, `@` before where a link leads.
    pub fn tree(&self, folder: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        read(&self.path(folder), "", &mut found);
        found
    }

    pub fn texts(&self, folder: &str) -> Vec<String> {
        self.tree(folder)
            .into_iter()
            .map(|(path, text)| format!("{path}={text}"))
            .collect()
    }

    /// Both sides have this.
    #[track_caller]
    pub fn assert_both(&self, texts: &[&str]) {
        for side in ["left", "right"] {
            assert_eq!(self.texts(side), texts, "{side}");
        }
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str], exit: i32) -> Finished {
        let finished = self.own.run(&[&["conduit"], arguments].concat());
        assert_eq!(finished.code, Some(exit), "{}", finished.transcript());
        finished
    }

    /// Syncs it, and returns what the JSON document says of it.
    #[track_caller]
    pub fn sync(&self, exit: i32) -> Value {
        self.report(&["sync", "notes"], exit)
    }

    #[track_caller]
    pub fn report(&self, arguments: &[&str], exit: i32) -> Value {
        let finished = self.run(&[&["--json"], arguments].concat(), exit);
        let mut value: Value = serde_json::from_slice(&finished.stdout).expect("it is JSON");
        value["conduits"][0].take()
    }

    /// The texts of all files that were kept.
    pub fn kept(&self) -> Vec<String> {
        let kept = self.tree(".metis/.sync/conduits/notes/kept");
        kept.into_values().collect()
    }
}

pub fn read(folder: &Path, at: &str, found: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("readable folder").path();
        let name = format!("{at}{}", path.file_name().expect("it has one").to_string_lossy());
        let stat = path.symlink_metadata().expect("it is there");
        if stat.is_dir() {
            read(&path, &format!("{name}/"), found);
            continue;
        }
        let text = match stat.is_symlink() {
            true => format!("@{}", fs::read_link(&path).expect("a link").display()),
            false => {
                let star = if stat.permissions().mode() & 0o100 != 0 {
                    "*"
                } else {
                    ""
                };
                fs::read_to_string(&path).expect("text") + star
            }
        };
        found.insert(name, text);
    }
}
