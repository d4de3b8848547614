//! A central that means harm. Each fixture is a commit that a plain git server accepts. Whatever is in it: nothing outside
//! the hydrated folder is touched, memory stays small, the other workspaces are in step, our own documents get there, and
//! each thing that was left out is named once.

mod commits;
mod fixtures;
mod zeros;

use std::{collections::BTreeSet, fs};

use crate::support::{
    document::document,
    process::run,
    report::{Ended, Report},
    servers::GitDaemon,
    workspace::Workspace,
    world::World,
};
use fixtures::{heads, kinds, names, trees};

/// What the program may allocate, its threads' stacks included.
const MEMORY: usize = 200 << 20;

/// An entry of a tree: mode, name, what it points to.
type Entry = (&'static str, Vec<u8>, Object);

#[derive(Clone)]
enum Object {
    Blob(Vec<u8>),
    /// Anything that is there already, or is not.
    Id(String),
}

/// Something to be found in `web/`, and beside it.
#[derive(Default)]
struct Fixture {
    name: String,
    inside: Vec<Entry>,
    beside: Vec<Entry>,
    /// How many entries are left out.
    skips: usize,
    /// Documents of `web/` besides the good one that do come.
    come: usize,
}

fn text() -> Object {
    Object::Blob(b"Not for you.\n".to_vec())
}

/// Nothing here has this object.
fn nowhere() -> Object {
    Object::Id("1234567890123456789012345678901234567890".into())
}

fn inside(name: &str, entries: Vec<Entry>, skips: usize) -> Fixture {
    Fixture {
        name: name.into(),
        come: entries.len() - skips,
        inside: entries,
        skips,
        ..Fixture::default()
    }
}

fn beside(name: &str, entries: Vec<Entry>, skips: usize) -> Fixture {
    Fixture {
        name: format!("at the top: {name}"),
        beside: entries,
        skips,
        ..Fixture::default()
    }
}

/// The central, and how things get into it.
struct Den {
    world: World,
    daemon: GitDaemon,
    round: usize,
}

impl Den {
    fn new() -> Option<(Self, Workspace)> {
        let world = World::new();
        world.central.git(&["config", "uploadpack.allowFilter", "true"]);
        let daemon = GitDaemon::start(&world)?;
        let api = world.workspace_on("api", &daemon.remote());
        api.write("API-T-0001", "Mine.");
        // Beside .metis/, where a name that climbs out of it would end up.
        for file in ["config.toml", "victim.md"] {
            fs::write(api.dir.join(file), "The project's own.").expect("temp folder is writable");
        }
        let den = Den {
            world,
            daemon,
            round: 0,
        };
        Some((den, api))
    }

    fn object(&self, kind: &str, bytes: &[u8]) -> String {
        let args = ["hash-object", "-w", "--literally", "-t", kind, "--stdin"];
        self.world.central.git_reading(&args, bytes)
    }

    /// A tree exactly of these entries, in git's order but for what git would not have.
    fn tree(&self, entries: &[Entry]) -> String {
        let mut sorted: Vec<_> = entries.iter().collect();
        sorted.sort_by_key(|(mode, name, _)| {
            let mut key = name.clone();
            if mode.starts_with('4') {
                key.push(b'/');
            }
            key
        });
        let mut bytes = Vec::new();
        for (mode, name, object) in sorted {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name);
            bytes.push(0);
            let id = match object {
                Object::Blob(blob) => self.object("blob", blob),
                Object::Id(id) => id.clone(),
            };
            bytes.extend((0..20).map(|n| u8::from_str_radix(&id[2 * n..2 * n + 2], 16).expect("an id")));
        }
        self.object("tree", &bytes)
    }

    fn good(&self, code: &str) -> Entry {
        let text = document(code, "Good", &format!("Round {}.", self.round));
        (
            "100644",
            format!("{code}.md").into_bytes(),
            Object::Blob(text.into_bytes()),
        )
    }

    /// Makes it central's newest commit, together with a new version of everybody's good documents.
    fn publish(&mut self, fixture: &Fixture) {
        self.round += 1;
        let mut web = vec![self.good("WEB-T-0001")];
        web.extend(fixture.inside.iter().cloned());
        let mut root = vec![
            ("40000", b"web".to_vec(), Object::Id(self.tree(&web))),
            (
                "40000",
                b"ops".to_vec(),
                Object::Id(self.tree(&[self.good("OPS-T-0001")])),
            ),
        ];
        let central = &self.world.central;
        let listing = central.git(&["ls-tree", "main", "api"]);
        if let Some(id) = listing.split(['\t', ' ']).nth(2) {
            root.push(("40000", b"api".to_vec(), Object::Id(id.to_owned())));
        }
        root.extend(fixture.beside.iter().cloned());
        let tree = self.tree(&root);
        let commit = central.git(&[
            "commit-tree",
            &tree,
            "-p",
            "main",
            "-m",
            "sync: web @ 2026-02-26T01:30:00Z",
        ]);
        central.git(&["update-ref", "refs/heads/main", commit.trim()]);
    }

    fn sync(&self, workspace: &Workspace) -> Ended {
        let traced = workspace.sync_command(&[]);
        let mut command = workspace.program("prlimit");
        command
            .current_dir(traced.get_current_dir().expect("it has one"))
            .arg(format!("--data={MEMORY}"))
            .arg(traced.get_program())
            .args(traced.get_args());
        Ended(run(command))
    }

    /// Syncs, and shows that all promises hold.
    fn met_by(&mut self, api: &Workspace, fixture: &Fixture) -> Report {
        let name = &fixture.name;
        self.publish(fixture);
        api.edit("API-T-0001", &format!("Round {}.", self.round));
        let before = api.snapshot();
        let ended = self.sync(api);
        assert_eq!(ended.0.code, Some(0), "{name}: {}", ended.0.transcript());
        let report = ended.report();

        let after = api.snapshot();
        for path in after.since(&before) {
            let mut parts = path.iter().map(|part| part.to_str().unwrap_or("?"));
            let allowed = ["web", "ops", ".sync", "metis.db", "config.toml", ".gitignore"];
            assert_eq!(parts.next(), Some(".metis"), "{name}: {}", path.display());
            let second = parts.next();
            assert!(
                second.is_none_or(|part| allowed.contains(&part)),
                "{name}: {}",
                path.display()
            );
        }
        let here = api.hydrated("web");
        assert_eq!(here.len(), 1 + fixture.come, "{name}: {:?}", here.keys());
        assert!(
            here.keys()
                .all(|name| name.ends_with(".md") && name.starts_with("WEB-T-"))
        );
        let round = format!("Round {}.", self.round);
        for (folder, file) in [("web", "WEB-T-0001.md"), ("ops", "OPS-T-0001.md")] {
            let text = String::from_utf8_lossy(&api.hydrated(folder)[file]).into_owned();
            assert!(text.contains(&round), "{name}: {folder}/ is in step");
        }
        let ours = self.world.central.git(&["cat-file", "-p", "main:api/API-T-0001.md"]);
        assert!(ours.contains(&round), "{name}: our own document got there");

        let skipped: Vec<&String> = report.warnings.iter().filter(|w| w.starts_with("skipped ")).collect();
        assert_eq!(skipped.len(), fixture.skips, "{name}: {:?}", report.warnings);
        let once: BTreeSet<_> = skipped.iter().collect();
        assert_eq!(once.len(), skipped.len(), "{name}: {skipped:?}");
        let said = [ended.0.stderr.as_bytes(), &ended.0.stdout].concat();
        let said = String::from_utf8(said).expect("output is UTF-8");
        let raw = said
            .chars()
            .find(|c| metis_sync::plan::listing::is_hidden(*c) && *c != '\n');
        assert_eq!(raw, None, "{name}: {said:?}");
        report
    }
}

fn meet(fixtures: impl FnOnce(&Den) -> Vec<Fixture>) -> usize {
    let Some((mut den, api)) = Den::new() else { return 0 };
    den.publish(&Fixture::default());
    den.sync(&api).report();
    let fixtures = fixtures(&den);
    for fixture in &fixtures {
        den.met_by(&api, fixture);
    }
    // Gone as they came.
    den.met_by(&api, &Fixture::default());
    drop(den.daemon);
    fixtures.len()
}

#[test]
fn names_that_are_no_documents() {
    meet(|_| names());
}

#[test]
fn entries_that_are_no_files() {
    meet(kinds);
}

#[test]
fn documents_that_explode() {
    meet(|_| heads());
}

#[test]
fn trees_that_explode() {
    meet(trees);
}
