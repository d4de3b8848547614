//! What one cycle does and what it does not do twice, counted within the process.

use std::{fs, path::Path};

use super::{SyncOptions, SyncReport, Workspace, sync};
use crate::central::{fixture::git, tree::decoded};

/// A project with a workspace of its own, a central that another one writes to as well, and a place for everything else.
struct World {
    temp: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = World {
            temp: tempfile::tempdir().unwrap(),
        };
        let folders = ["central", "api/.metis", "web", "cache", "state"];
        for folder in folders {
            fs::create_dir_all(world.path(folder)).unwrap();
        }
        git(&world.path("central"), &["init", "-q", "--bare", "-b", "main"], b"");
        git(&world.path("web"), &["init", "-q", "-b", "main"], b"");
        let config = format!(
            "[project]\nprefix = \"API\"\n[workspace]\nprefix = \"api\"\n[sync]\nupstream_url = \"{}\"\n",
            world.path("central").display()
        );
        fs::write(world.path("api/.metis/config.toml"), config).unwrap();
        git(&world.path("api"), &["init", "-q", "-b", "main"], b"");
        world
    }

    fn path(&self, below: &str) -> std::path::PathBuf {
        self.temp.path().join(below)
    }

    fn write(&self, code: &str, text: &str) {
        write(&self.path("api/.metis"), code, text);
    }

    /// Somebody else pushes a document.
    fn web_pushes(&self, text: &str) {
        let web = self.path("web");
        let central = self.path("central");
        let central = central.to_str().unwrap();
        let main = git(&self.path("central"), &["branch", "--list", "main"], b"");
        if !main.is_empty() {
            git(&web, &["pull", "-q", "--ff-only", central, "main"], b"");
        }
        fs::create_dir_all(web.join("web")).unwrap();
        write(&web.join("web"), "WEB-T-0001", text);
        commit(&web);
        git(&web, &["push", "-q", central, "HEAD:main"], b"");
    }

    fn sync(&self) -> SyncReport {
        let state = self.path("state");
        let workspace = Workspace::discover_with_state(&self.path("api"), Some(&state)).unwrap();
        let options = SyncOptions {
            cache_dir: Some(self.path("cache")),
            ..SyncOptions::default()
        };
        sync(&workspace, &options, &mut ()).unwrap()
    }

    /// The root tree of a commit of central.
    fn root(&self, commit: &str) -> crate::names::ObjectId {
        let tree = git(
            &self.path("central"),
            &["rev-parse", &format!("{commit}^{{tree}}")],
            b"",
        );
        String::from_utf8(tree).unwrap().trim().parse().unwrap()
    }
}

fn commit(repository: &Path) {
    git(repository, &["add", "."], b"");
    let who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@localhost"];
    git(repository, &[&who[..], &["commit", "-q", "-m", "Go on"]].concat(), b"");
}

fn write(folder: &Path, code: &str, text: &str) {
    let document = format!("---\nid: {code}\nlevel: task\ntitle: {text}\nshort_code: {code}\n---\n\n{text}\n");
    fs::write(folder.join(format!("{code}.md")), document).unwrap();
}

#[test]
fn a_pushing_cycle_decodes_centrals_root_once() {
    let world = World::new();
    world.web_pushes("One");
    world.write("API-T-0001", "One");
    commit(&world.path("api"));
    assert!(world.sync().registered);
    world.web_pushes("Two");
    world.write("API-T-0001", "Two");
    decoded::take();
    let report = world.sync();
    assert_eq!((report.files_pulled(), report.files_pushed()), (1, 1));
    let decoded = decoded::take();
    let count = |root| decoded.iter().filter(|tree| **tree == root).count();
    assert_eq!((count(world.root("main~1")), count(world.root("main"))), (1, 1));
}

#[test]
fn a_no_op_decodes_no_tree() {
    let world = World::new();
    world.web_pushes("One");
    world.write("API-T-0001", "One");
    world.sync();
    decoded::take();
    assert!(world.sync().is_noop());
    assert_eq!(decoded::take(), []);
}

/// As a loss of power may leave them: the second half of everything is zeros.
fn damage(folder: &Path) -> usize {
    let mut damaged = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            damaged += damage(&path);
        } else if path.extension().is_none_or(|ext| ext != "idx") && path.iter().any(|part| part == "objects") {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle..].fill(0);
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
    }
    damaged
}

/// By whom the damage is found out: by fetching on top of it, by hydrating what is here already, by the comparison of own
/// documents.
#[test]
fn damaged_objects_are_fetched_anew_whoever_needs_them() {
    for finder in ["fetch", "hydrate", "dehydrate"] {
        let world = World::new();
        world.web_pushes("One");
        world.write("API-T-0001", "One");
        world.sync();
        assert!(damage(&world.path("cache")) > 0);
        match finder {
            "fetch" => world.web_pushes("Two"),
            "hydrate" => fs::remove_dir_all(world.path("api/.metis/web")).unwrap(),
            _ => {}
        }
        world.write("API-T-0001", "Two");
        let report = world.sync();
        let pulled = usize::from(finder != "dehydrate");
        assert_eq!((report.files_pulled(), report.files_pushed()), (pulled, 1), "{finder}");
        assert!(report.warnings.is_empty(), "{finder}: {:?}", report.warnings);
        git(&world.path("central"), &["fsck", "--strict"], b"");
        assert!(world.sync().is_noop(), "{finder}");
    }
}
