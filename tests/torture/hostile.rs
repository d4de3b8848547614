//! A central that means harm. Each fixture is a commit that a plain git server accepts. Whatever is in it: nothing outside
//! the hydrated folder is touched, memory stays small, the other workspaces are in step, our own documents get there, and
//! each thing that was left out is named once.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use crate::support::{
    document::document,
    process::run,
    report::{Ended, Report},
    servers::GitDaemon,
    workspace::Workspace,
    world::World,
};

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
        let mut command = Command::new("git");
        command
            .args(["hash-object", "-w", "--literally", "-t", kind, "--stdin"])
            .current_dir(&self.world.central.dir)
            .env_clear()
            .envs(self.world.server_env())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("git runs");
        child.stdin.take().expect("piped").write_all(bytes).expect("git reads");
        let output = child.wait_with_output().expect("git ends");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("an id").trim().to_owned()
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

/// Names that are no document's, in many ways.
fn names() -> Vec<Fixture> {
    let file = |name: &[u8]| ("100644", name.to_vec(), text());
    let long = format!("WEB-T-{}.md", "1".repeat(300));
    let cases: Vec<(&str, Vec<&[u8]>)> = vec![
        ("two dots", vec![b".."]),
        ("a dot", vec![b"."]),
        ("a path out", vec![b"../../victim.md", b"../config.toml"]),
        ("an absolute path", vec![b"/tmp/metis-torture-victim"]),
        ("git's folder", vec![b".git", b".GIT"]),
        (
            "git's folder on other systems",
            vec![b".git ", b"git~1", b".g\xe2\x80\x8cit"],
        ),
        ("our folder", vec![b".metis", b".METIS", b".Metis"]),
        ("our files", vec![b"config.toml", b"metis.db"]),
        ("leading dashes", vec![b"-rf", b"--upload-pack=touch x.md"]),
        (
            "control characters",
            vec![b"WEB-T-0002\n.md", b"\x1b]0;owned\x07.md", b"\x7f\x08.md"],
        ),
        (
            "text that runs backwards",
            vec!["WEB-T-0002\u{202e}dm.md".as_bytes(), "\u{2066}x".as_bytes()],
        ),
        (
            "characters without width",
            vec!["WEB-T-0002\u{200b}.md".as_bytes(), "\u{feff}WEB-T-0002.md".as_bytes()],
        ),
        ("no UTF-8", vec![b"\xff\xfe.md", b"WEB-T-0002\xc3.md"]),
        ("300 bytes", vec![long.as_bytes()]),
        ("other case", vec![b"web-t-0001.md", b"WEB-T-0001.MD", b"Web-T-0001.md"]),
        (
            "composed and decomposed",
            vec!["WEB-T-\u{e9}.md".as_bytes(), "WEB-T-e\u{301}.md".as_bytes()],
        ),
        (
            "devices of other systems",
            vec![b"CON.md", b"NUL", b"COM1.md", b"WEB-T-0001.md:stream"],
        ),
        ("trailing dots and spaces", vec![b"WEB-T-0001.md.", b"WEB-T-0001.md "]),
        ("a backslash", vec![b"..\\victim.md", b"WEB-T-0001\\.md"]),
        ("a temp file of ours", vec![b"metis.db.sync-build-1-0"]),
        (
            "digits of another script",
            vec!["WEB-T-\u{661}\u{662}\u{663}\u{664}.md".as_bytes()],
        ),
    ];
    let all = cases
        .into_iter()
        .map(|(name, names)| inside(name, names.iter().map(|n| file(n)).collect(), names.len()));
    let mut all: Vec<_> = all.collect();
    // Passed over in silence, like any dot-file: what counts is that it changes nothing.
    all.push(Fixture {
        come: 0,
        ..inside(
            "our marker",
            vec![file(b".hydrated"), file(b".metis-sync-tmp-1-0000000000000000-0")],
            0,
        )
    });
    all
}

/// Entries that are no plain files.
fn kinds(den: &Den) -> Vec<Fixture> {
    let link = |target: &str| Object::Blob(target.as_bytes().to_vec());
    let twin = |n: u8| ("100644", b"WEB-T-0002.md".to_vec(), Object::Blob(vec![n]));
    let empty = Object::Id(den.tree(&[]));
    let mut fixtures = vec![
        inside(
            "symbolic links",
            vec![
                ("120000", b"WEB-T-0002.md".to_vec(), link("../config.toml")),
                ("120000", b"WEB-T-0003.md".to_vec(), link("/etc/passwd")),
                ("120000", b"sub".to_vec(), link("../..")),
            ],
            3,
        ),
        inside("a submodule", vec![("160000", b"WEB-T-0002.md".to_vec(), nowhere())], 1),
        inside("folders", vec![("40000", b"WEB-T-0002.md".to_vec(), empty.clone())], 1),
        inside("the same name twice", vec![twin(1), twin(2)], 1),
        Fixture {
            come: 1,
            ..inside("the same name three times", vec![twin(1), twin(2), twin(3)], 1)
        },
        beside("two dots", vec![("40000", b"..".to_vec(), empty.clone())], 1),
        beside("git's folder", vec![("40000", b".git".to_vec(), empty.clone())], 1),
        beside("our folder", vec![("40000", b".metis".to_vec(), empty.clone())], 1),
        beside("our state", vec![("40000", b".sync".to_vec(), empty.clone())], 0),
        beside("a dash", vec![("40000", b"-rf".to_vec(), empty.clone())], 1),
        beside(
            "twins",
            vec![
                ("40000", b"WEB".to_vec(), empty.clone()),
                ("40000", b"Ops".to_vec(), empty.clone()),
                ("40000", "w\u{e9}b".as_bytes().to_vec(), empty.clone()),
                ("40000", "we\u{301}b".as_bytes().to_vec(), empty.clone()),
            ],
            4,
        ),
        beside(
            "control characters",
            vec![("40000", b"a\nb\x1b[2J".to_vec(), empty.clone())],
            1,
        ),
        beside("300 bytes", vec![("40000", vec![b'a'; 300], empty.clone())], 1),
        beside("a link", vec![("120000", b"docs".to_vec(), link("/etc"))], 1),
        beside("a submodule", vec![("160000", b"vendor".to_vec(), nowhere())], 1),
        beside("a workspace twice", vec![("40000", b"ops".to_vec(), empty.clone())], 1),
    ];
    // git takes what is neither file, folder nor link for a submodule.
    for (mode, skips) in [
        ("100600", 0),
        ("100777", 0),
        ("100000", 0),
        ("107777", 0),
        ("0100644", 0),
        ("140000", 1),
        ("000000", 1),
        ("177777", 1),
    ] {
        let odd = |name: &[u8]| vec![(mode, name.to_vec(), text())];
        fixtures.push(beside(&format!("mode {mode}"), odd(b"strange"), skips));
        fixtures.push(inside(&format!("mode {mode}"), odd(b"WEB-T-0002.md"), skips));
    }
    fixtures
}

/// Documents with a head that costs more to read than to send.
fn heads() -> Vec<Fixture> {
    let head = |yaml: &str| Object::Blob(format!("---\nshort_code: WEB-T-0002\n{yaml}\n---\n\nText.\n").into_bytes());
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (last, next) in "abcdefghijkl".chars().zip("bcdefghijklm".chars()) {
        bomb.push_str(&format!(
            "{next}: &{next} [{}]\n",
            vec![format!("*{last}"); 9].join(", ")
        ));
    }
    let deep = |open: &str, close: &str| format!("parent: {}{}", open.repeat(200_000), close.repeat(200_000));
    let cases = [
        ("a bomb of aliases", bomb),
        ("200,000 levels in brackets", deep("[", "]")),
        ("200,000 levels in braces", deep("{a: ", "}")),
        (
            "200,000 levels of dashes",
            format!("parent:\n  {}x", "- ".repeat(200_000)),
        ),
        ("200,000 open brackets", format!("parent: {}", "[".repeat(200_000))),
        ("10 MB of head", format!("title: {}", "x".repeat(10 << 20))),
        (
            "10 MB of keys",
            (0..400_000).map(|n| format!("key-{n}: value\n")).collect(),
        ),
        ("a head that never ends", "\0".repeat(1 << 20)),
        ("merge keys", "base: &base {<<: *base}\n<<: *base".to_owned()),
    ];
    cases
        .into_iter()
        .map(|(name, yaml)| inside(name, vec![("100644", b"WEB-T-0002.md".to_vec(), head(&yaml))], 0))
        .collect()
}

/// Trees that are larger than what was sent.
fn trees(den: &Den) -> Vec<Fixture> {
    let mut level = den.tree(&[("100644", b"WEB-T-0009.md".to_vec(), text())]);
    for _ in 0..6 {
        let names = (0..10).map(|n| ("40000", format!("d{n}").into_bytes(), Object::Id(level.clone())));
        level = den.tree(&names.collect::<Vec<_>>());
    }
    let mut stream = Command::new("git");
    stream
        .current_dir(&den.world.central.dir)
        .env_clear()
        .envs(den.world.server_env())
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped());
    let mut child = stream.spawn().expect("git runs");
    let path = format!("{}x", "d/".repeat(1000));
    let commit =
        format!("commit refs/heads/deep\ncommitter a <a@b> 0 +0000\ndata 0\nM 100644 inline {path}\ndata 1\nx\n");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(commit.as_bytes()).expect("git reads");
    drop(stdin);
    assert!(child.wait().expect("git ends").success());
    let deep = den.world.central.git(&["rev-parse", "deep^{tree}"]).trim().to_owned();
    let blob = Object::Id(den.object("blob", b"x"));
    let wide: Vec<Entry> = (0..100_000)
        .map(|n| ("100644", format!("n-{n:06}").into_bytes(), blob.clone()))
        .collect();
    vec![
        inside(
            "a million paths",
            vec![("40000", b"million".to_vec(), Object::Id(level.clone()))],
            1,
        ),
        beside(
            "a million paths",
            vec![("40000", b"Million".to_vec(), Object::Id(level))],
            1,
        ),
        inside(
            "1,000 levels",
            vec![("40000", b"deep".to_vec(), Object::Id(deep.clone()))],
            1,
        ),
        beside("1,000 levels", vec![("40000", b"Deep".to_vec(), Object::Id(deep))], 1),
        inside("100,000 entries", wide, 100_000),
    ]
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

/// `size` bytes of zeros as a document and, in a folder of no workspace, as a picture.
fn zeros(size: u64) {
    let Some((mut den, api)) = Den::new() else { return };
    den.publish(&Fixture::default());
    den.sync(&api).report();
    let mut command = Command::new("sh");
    command
        .current_dir(&den.world.central.dir)
        .env_clear()
        .envs(den.world.server_env())
        .args(["-c", &format!("head -c {size} /dev/zero | git hash-object -w --stdin")]);
    let id = run(command).success().trim().to_owned();
    let fixture = inside("zeros", vec![("100644", b"WEB-T-0002.md".to_vec(), Object::Id(id))], 1);
    // In a pack, as the server would have it from a push.
    den.publish(&fixture);
    den.world.central.git(&["repack", "-adq", "--window=0"]);
    let fixture = Fixture { come: 0, ..fixture };
    den.met_by(&api, &fixture);
    // To others who begin with it, and to those who go on from it.
    let fresh = den.world.workspace_on("new", &den.daemon.remote());
    fresh.write("NEW-T-0001", "Mine.");
    assert_eq!(den.sync(&fresh).report().pulled.len(), 3);
    // It was named when it came; now it is as it was.
    den.met_by(&api, &Fixture { skips: 0, ..fixture });
    let verify = run(api.metis_sync(&["verify"]));
    assert_eq!(verify.code, Some(0), "{}", verify.transcript());
    // Nor does it take a server that can leave it out.
    den.world.central.git(&["config", "uploadpack.allowFilter", "false"]);
    let late = den.world.workspace_on("late", &den.daemon.remote());
    late.write("LATE-T-0001", "Mine.");
    let report = den.sync(&late).report();
    assert_eq!((report.pulled.len(), report.pushed.len()), (3, 1), "{report:?}");
    assert!(report.warnings.iter().any(|warning| warning.contains("WEB-T-0002.md")));
    // Cut down to what may be, it comes, although the server has it as a difference to what never came.
    let shorter = den.object("blob", &vec![0; (size / 20).min(12 << 20) as usize]);
    let cut = inside(
        "cut",
        vec![("100644", b"WEB-T-0002.md".to_vec(), Object::Id(shorter))],
        0,
    );
    let cut = Fixture { come: 1, ..cut };
    den.met_by(&api, &cut);
    assert_eq!(
        fs::metadata(api.metis().join("web/WEB-T-0002.md"))
            .expect("it came")
            .len(),
        (size / 20).min(12 << 20)
    );
}

#[test]
fn a_file_that_is_larger_than_what_was_sent() {
    zeros(80 << 20);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn a_gibibyte_of_zeros() {
    zeros(1 << 30);
}
