//! A story that can be told again and again: a workspace before a sync, the sync that is cut short in some way, and what
//! has to hold after that.
//!
//! `METIS_TORTURE_URL` names a central of one's own to tell it against (`scripts/torture --url`).

mod central;
mod checks;

use std::{cell::Cell, collections::BTreeMap, env, fs, path::PathBuf, process::Command};

use crate::support::{
    document::document,
    point::Point,
    process::run,
    workspace::{Remote, Workspace},
    world::World,
};
use central::Central;

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
}

/// What a person's ssh and git need to get in, where the central is theirs.
fn credentials() -> Vec<(String, String)> {
    ["SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_ASKPASS"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), env::var(name).ok()?)))
        .collect()
}

/// Whether a warning is that an earlier sync was killed.
pub fn is_of_one_that_died(warning: &str) -> bool {
    warning.starts_with("an earlier run here was ended before it was done")
}
