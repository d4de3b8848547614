//! A story that can be told again and again: a workspace before a sync, the sync that is cut short in some way, and what
//! has to hold after that.
//!
//! `METIS_TORTURE_URL` names a central of one's own to tell it against (`scripts/torture --url`).

use std::{
    cell::Cell,
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    document::document,
    point::Point,
    process::{Finished, run},
    workspace::{Remote, Workspace},
    world::World,
};

/// What the killed program was about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// The first sync of a workspace: everything comes, and its folder is new in central.
    First,
    /// Documents added, changed and removed on both sides.
    BothWays,
    /// The same, and somebody is faster: the whole cycle runs twice.
    Retry,
    /// Like `BothWays`, with so many packs in the object store that they are put together.
    Packs,
    /// `metis.db` is made from nothing.
    Cache,
}

pub const STORIES: [Story; 5] = [Story::First, Story::BothWays, Story::Retry, Story::Packs, Story::Cache];

pub type Files = BTreeMap<String, Vec<u8>>;

/// A world in which a story can be told again and again, each time a little later.
pub struct Stage {
    pub world: World,
    pub story: Story,
    /// The one that is killed.
    pub own: Workspace,
    /// The one that is not.
    pub other: Workspace,
    /// How many bytes of text, which does not compress well, a new document has.
    pub bulk: usize,
    /// Whether files that nobody has flushed yet may be empty or zeros after the cut.
    pub loses_power: bool,
    /// Somebody else's central instead of the world's.
    foreign: bool,
    round: Cell<usize>,
}

/// What there was before the kill.
pub struct Before {
    pub own: Files,
    pub hydrated: Files,
    central: Files,
    config: String,
    ignored: String,
    tip: Option<String>,
}

impl Stage {
    pub fn new(story: Story) -> Self {
        let world = World::new();
        let foreign = env::var("METIS_TORTURE_URL").ok();
        let remote = match &foreign {
            None => world.local(),
            Some(url) => Remote {
                url: url.clone(),
                env: credentials(),
            },
        };
        // A central of one's own remembers the stories told before.
        let teller = match &foreign {
            None => String::new(),
            Some(_) => format!("-{:06}", fastrand::u32(..1_000_000)),
        };
        let [own, other] =
            ["t-own", "t-other"].map(|prefix| world.workspace_on(&(prefix.to_owned() + &teller), &remote));
        for n in 1..=3 {
            own.write(&format!("OWN-T-{n:04}"), "Mine.");
        }
        for n in 1..=4 {
            other.write(&format!("OTH-T-{n:04}"), "Theirs.");
        }
        own.put("metis-notes.txt", "Not a document.");
        other.sync().report();
        if story != Story::First {
            own.sync().report();
        }
        Stage {
            world,
            story,
            bulk: 0,
            loses_power: false,
            own,
            other,
            foreign: foreign.is_some(),
            round: Cell::new(10),
        }
    }

    /// Sets the stage for one more kill.
    pub fn set(&self) -> Command {
        let n = self.round.replace(self.round.get() + 1);
        match self.story {
            Story::First => {
                if self.own.metis().join(".sync").exists() {
                    self.forget(n);
                }
                return self.own.sync_command(&[]);
            }
            Story::Cache => {
                let _ = fs::remove_file(self.own.metis().join("metis.db"));
                return self.own.metis_sync(&["rebuild-cache"]);
            }
            Story::Packs => self.pile_up(),
            Story::BothWays | Story::Retry => {}
        }
        for (workspace, project) in [(&self.own, "OWN"), (&self.other, "OTH")] {
            workspace.edit(&format!("{project}-T-0001"), &format!("Round {n}."));
            workspace.write(&format!("{project}-T-{n:04}"), &self.text(n));
            if n > 10 {
                workspace.delete(&format!("{project}-T-{:04}", n - 1));
            }
        }
        self.other.sync().report();
        if self.story == Story::Retry {
            let landing = self
                .world
                .central
                .landing("third/THI-T-0001.md", document("THI-T-0001", "Faster", &n.to_string()));
            self.world.points.command(Point::BeforeRef, &landing);
        }
        self.own.sync_command(&[])
    }

    /// Sixty packs in the own machine's object store, as after as many syncs.
    fn pile_up(&self) {
        let made = self.world.root().join("packs");
        let program = |name: &str| {
            let mut program = self.own.program(name);
            program.current_dir(&made);
            program
        };
        if !made.exists() {
            fs::create_dir(&made).expect("temp folder is writable");
            let mut pack = program("sh");
            pack.args([
                "-ec",
                "git init --quiet --bare store; cd store
                 for n in $(seq 60); do
                     echo $n | git hash-object -w --stdin | git pack-objects --quiet ../pack >/dev/null
                 done",
            ]);
            run(pack).success();
        }
        let mut copy = program("sh");
        copy.args(["-ec", "cp pack-* \"$HOME\"/.cache/git-metis-sync/*/objects/pack/"]);
        run(copy).success();
    }

    fn text(&self, n: usize) -> String {
        let mut numbers = fastrand::Rng::with_seed(n as u64);
        let lines = (0..self.bulk / 65).map(|_| format!("{:032x}{:032x}", numbers.u128(..), numbers.u128(..)));
        lines.fold("New.".into(), |text, line| text + "\n" + &line)
    }

    /// As if the own workspace had never synced, here or there. Its documents are others than before: those of a clone
    /// without a memory that central's history knows are taken for removed by a colleague.
    fn forget(&self, n: usize) {
        for name in self.own.documents().keys() {
            self.own.delete(name.trim_end_matches(".md"));
        }
        self.own.sync_with(&["--allow-deletes"]).report();
        assert!(self.central().folder(&self.own.prefix).is_empty());
        for folder in [".sync", &self.other.prefix] {
            fs::remove_dir_all(self.own.metis().join(folder)).expect("it is there");
        }
        fs::remove_file(self.own.metis().join("metis.db")).expect("it is there");
        fs::remove_dir_all(self.own.home.join(".cache")).expect("it is there");
        for of_round in 1..=3 {
            self.own.write(&format!("OWN-T-{n:04}{of_round}"), "Mine.");
        }
    }

    pub fn central(&self) -> Central<'_> {
        match self.foreign {
            false => Central::Ours(&self.world),
            true => Central::Foreign(self.clone_of_foreign()),
        }
    }

    fn clone_of_foreign(&self) -> PathBuf {
        let dir = self.world.root().join("look.git");
        let _ = fs::remove_dir_all(&dir);
        let mut clone = self.own.program("git");
        clone
            .args(["clone", "--quiet", "--bare"])
            .arg(env::var("METIS_TORTURE_URL").expect("it is what this is for"))
            .arg(&dir);
        run(clone).success();
        dir
    }

    pub fn before(&self) -> Before {
        let central = self.central();
        Before {
            own: self.own.documents(),
            hydrated: self.own.hydrated(&self.other.prefix),
            central: central.folder(&self.own.prefix),
            config: self.own.config(),
            ignored: fs::read_to_string(self.own.metis().join(".gitignore")).expect("it is there"),
            tip: central.tip(),
        }
    }

    /// Right after the kill.
    pub fn assert_whole(&self, before: &Before, point: &str) {
        self.assert_local(before, point);
        self.assert_central(before, point, false);
    }

    /// Right after a sync that met failures. Some documents may not have been readable: then the others may be in central.
    pub fn assert_whole_after(&self, ended: &Finished, before: &Before, point: &str) {
        self.assert_local(before, point);
        self.assert_central(before, point, ended.transcript().contains(UNREAD));
    }

    fn assert_local(&self, before: &Before, point: &str) {
        assert_eq!(self.own.documents(), before.own, "{point}: own documents");
        let new = self.other.documents();
        for (name, bytes) in self.own.hydrated(&self.other.prefix) {
            let whole = [&before.hydrated, &new]
                .iter()
                .any(|files| files.get(&name) == Some(&bytes));
            let is_void = bytes.iter().all(|byte| *byte == 0);
            let torn = self.loses_power && is_void && self.is_being_hydrated();
            assert!(
                whole || torn,
                "{point}: {name} is neither old nor new: {} bytes, being hydrated: {}",
                bytes.len(),
                self.is_being_hydrated()
            );
        }
        let config = self.own.config();
        config
            .parse::<toml_edit::DocumentMut>()
            .unwrap_or_else(|err| panic!("{point}: config.toml: {err}"));
        assert_eq!(without_record(&config), without_record(&before.config), "{point}");
        let ignored = fs::read_to_string(self.own.metis().join(".gitignore")).expect("it is there");
        let first = before.ignored.lines().next().expect("not empty");
        assert!(ignored.starts_with(first), "{point}: {ignored}");
    }

    fn assert_central(&self, before: &Before, point: &str, partly: bool) {
        let central = self.central();
        central.fsck_strict();
        let folder = central.folder(&self.own.prefix);
        let known = |(name, bytes): (&String, &Vec<u8>)| {
            [&before.own, &before.central]
                .iter()
                .any(|files| files.get(name) == Some(bytes))
        };
        assert!(
            folder == before.own || folder == before.central || (partly && folder.iter().all(known)),
            "{point}: central has neither all of it nor nothing"
        );
        assert_eq!(
            central.folder(&self.other.prefix),
            self.other.documents(),
            "{point}: others' folders"
        );
        if central.tip() == before.tip {
            assert_eq!(folder, before.central, "{point}");
        }
    }

    /// What a sync that may have failed says is true: success is all of it or names what is missing, and no failure is a
    /// crash of the program.
    pub fn assert_honest(&self, ended: &Finished, before: &Before, point: &str) {
        let said = ended.transcript();
        assert!(ended.code.is_some_and(|code| code != 101), "{point}: {said}");
        if self.story == Story::Cache {
            return;
        }
        let central = self.central().folder(&self.own.prefix);
        if said.contains("Nothing was pushed.") {
            assert_eq!(central, before.central, "{point}: {said}");
        }
        if said.contains("What there was to push is in central.") {
            assert_eq!(central, self.own.documents(), "{point}: {said}");
        }
        if ended.code != Some(0) {
            return;
        }
        // What cannot be read is not pushed, and named.
        assert!(
            central == self.own.documents() || said.contains(UNREAD),
            "{point}: said to be pushed: {said}"
        );
        let complete = self.own.hydrated(&self.other.prefix) == self.other.documents();
        assert!(
            complete || said.contains("could not be hydrated"),
            "{point}: said to be hydrated: {said}"
        );
    }

    /// Whether the folder's marker says that its files are still to be looked at, by the next sync.
    fn is_being_hydrated(&self) -> bool {
        let marker = self.own.metis().join(&self.other.prefix).join(".hydrated");
        fs::read_to_string(marker).is_ok_and(|marker| marker.contains("applying"))
    }

    /// The next sync needs no help, tells at most of the kill, and leaves nothing that does.
    pub fn assert_recovers(&self, point: &str) {
        let ended = self.own.sync();
        assert_eq!(ended.0.code, Some(0), "{point}: {}", ended.0.transcript());
        let report = ended.report();
        assert!(
            report.warnings.iter().all(|warning| is_of_one_that_died(warning)),
            "{point}: {}",
            ended.0.transcript()
        );
        let central = self.central();
        central.fsck_strict();
        assert_eq!(central.folder(&self.own.prefix), self.own.documents(), "{point}");
        assert_eq!(self.own.hydrated(&self.other.prefix), self.other.documents(), "{point}");
        let mut left = self.world.left_over();
        for top in [self.own.metis(), self.own.home.join(".cache")] {
            strangers(&top, &mut left);
        }
        assert_eq!(left, Vec::<PathBuf>::new(), "{point}: left over");
        assert_eq!(self.world.points.waiting(), 0, "{point}");
        let db = rusqlite::Connection::open(self.own.metis().join("metis.db")).expect("it is a database");
        let sound: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("it can be read");
        assert_eq!(sound, "ok", "{point}");
        let both = [&self.own.prefix, &self.other.prefix];
        let documents: i64 = db.query_row(COUNT, both, |row| row.get(0)).expect("it has the tables");
        let expected = self.own.documents().len() + self.other.documents().len();
        assert_eq!(documents, i64::try_from(expected).expect("few"), "{point}");
    }
}

/// What is said of a document that cannot be read.
const UNREAD: &str = "central's copy of it stays as it is";

const COUNT: &str = "SELECT count(*) FROM sync_documents JOIN sync_workspaces w ON workspace = w.id \
                     WHERE prefix IN (?1, ?2)";

/// What a person's ssh and git need to get in, where the central is theirs.
fn credentials() -> Vec<(String, String)> {
    ["SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_ASKPASS"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), env::var(name).ok()?)))
        .collect()
}

fn without_record(config: &str) -> String {
    let others = |line: &&str| !line.starts_with("last_synced_commit");
    config.lines().filter(others).collect::<Vec<_>>().join("\n")
}

/// What no finished sync leaves: temp files, private folders, journals of SQLite, locks of git, folders with nothing in
/// them, and a lock that says somebody holds it.
pub fn strangers(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut empty = true;
    for entry in entries {
        empty = false;
        let path = entry.expect("readable folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let temporary = ["tmp", "incoming-", "sync-build", "-journal", "-wal", "-shm", ".lock"]
            .iter()
            .any(|mark| name.contains(mark));
        let held = name == "lock" && fs::metadata(&path).is_ok_and(|meta| meta.len() > 0);
        if temporary || held {
            found.push(path);
        } else if path.is_dir() {
            strangers(&path, found);
        }
    }
    // Object stores have folders without objects, as git's own do: `pack`, and those named by an id's first byte.
    if empty && folder.file_name().is_some_and(|name| name != "pack" && name.len() != 2) {
        found.push(folder.to_owned());
    }
}

/// Central as the checks see it: the world's own, or a fresh copy of somebody else's.
pub enum Central<'a> {
    Ours(&'a World),
    Foreign(PathBuf),
}

impl Central<'_> {
    fn git(&self, args: &[&str]) -> Vec<u8> {
        let dir = match self {
            Central::Ours(world) => &world.central.dir,
            Central::Foreign(dir) => dir,
        };
        let mut git = Command::new("git");
        git.env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .arg("-C")
            .arg(dir)
            .args(args);
        let finished = run(git);
        assert_eq!(finished.code, Some(0), "{}", finished.transcript());
        finished.stdout
    }

    pub fn fsck_strict(&self) {
        self.git(&["fsck", "--strict", "--no-progress", "--no-dangling"]);
    }

    pub fn tip(&self) -> Option<String> {
        let tip = self.git(&["for-each-ref", "--format=%(objectname)", "--count=1", "refs/heads"]);
        (!tip.is_empty()).then(|| String::from_utf8_lossy(&tip).trim().to_owned())
    }

    pub fn folder(&self, prefix: &str) -> Files {
        if let Central::Ours(world) = self {
            return world.central.folder(prefix);
        }
        let Some(tip) = self.tip() else {
            return Files::new();
        };
        let listing = self.git(&["ls-tree", "-z", "--name-only", &tip, &format!("{prefix}/")]);
        let listing = String::from_utf8(listing).expect("plain names");
        if listing.is_empty() {
            return Files::new();
        }
        let mut files = Files::new();
        for path in listing.split_terminator('\0') {
            let bytes = self.git(&["cat-file", "blob", &format!("{tip}:{path}")]);
            files.insert(path[prefix.len() + 1..].to_owned(), bytes);
        }
        files
    }
}

/// Whether a warning is that an earlier sync was killed.
pub fn is_of_one_that_died(warning: &str) -> bool {
    warning.starts_with("an earlier run here was ended before it was done")
}
