//! A project that two people work on, each in a clone of their own, with a workspace of another project beside it.
//!
//! Documents go by their number and hold one line of text each, so that what central has can be compared as a line:
//! `1=v2 2=v1 3=v1`.

use std::{os::unix::fs::symlink, path::PathBuf};

use super::{
    checkout::{program, text},
    world::World,
};

pub use super::checkout::{Checkout, exits};

pub struct Team {
    pub world: World,
    pub ann: Checkout,
    pub bob: Checkout,
    /// The workspace of another project.
    pub web: Checkout,
    pub origin: PathBuf,
}

/// What `moves_on` leaves in central.
pub const NEWEST: &str = "1=v2 2=v1 3=v1 4=new";

impl Team {
    /// Three documents that were pushed, and synced by everybody. Central has what the project's `main` has.
    pub fn new() -> Self {
        Team::publishing("main")
    }

    /// The same with another `[sync] source`.
    pub fn publishing(source: &str) -> Self {
        Team::with_documents(source, 3)
    }

    pub fn with_documents(source: &str, documents: u32) -> Self {
        let world = World::new();
        symlink(program(), world.root().join("bin/git-metis-sync")).expect("temp folder has links");
        let team = Team {
            ann: Checkout::new(&world, "ann", "API"),
            bob: Checkout::new(&world, "bob", "API"),
            web: Checkout::new(&world, "web", "WEB"),
            origin: world.root().join("ann-origin.git"),
            world,
        };
        team.begin(&team.ann, "api", source, documents);
        team.begin(&team.web, "web", "main", 2);
        for everybody in [&team.ann, &team.web, &team.ann] {
            everybody.syncs();
        }
        team.clone_for(&team.bob, "");
        team.bob.syncs();
        team
    }

    /// A project under git with a remote, and a workspace in it that has never synced.
    #[track_caller]
    pub fn begin(&self, person: &Checkout, prefix: &str, source: &str, documents: u32) {
        let origin = person.dir.display().to_string() + "-origin.git";
        person.put(".metis/config.toml", self.config(person, prefix, source));
        person.put(".metis/.gitignore", "/.sync/\n/metis.db\n/.pending/\n");
        for number in 1..=documents {
            person.write(number, "v1");
        }
        person.git(&format!("init -q --bare -b main {origin}"));
        person.git("init -q -b main");
        person.commit("begin");
        person.git(&format!("remote add origin file://{origin}"));
        person.git("push -q -u origin main");
    }

    pub fn config(&self, person: &Checkout, prefix: &str, source: &str) -> String {
        format!(
            "[project]\nprefix = \"{}\"\n\n[workspace]\nprefix = \"{prefix}\"\n\n\
             [sync]\nupstream_url = \"{}\"\nsource = \"{source}\"\nrecord = \"local\"\n",
            person.project,
            self.world.central.url()
        )
    }

    /// A person who has nothing of the project yet.
    pub fn person(&self, name: &str) -> Checkout {
        self.stranger(name, "API")
    }

    /// Somebody who works on another project, whose documents have codes of their own.
    pub fn stranger(&self, name: &str, project: &'static str) -> Checkout {
        Checkout::new(&self.world, name, project)
    }

    /// Somebody else's clone of the project, made with these options.
    #[track_caller]
    pub fn clone(&self, name: &str, options: &str) -> Checkout {
        let person = self.person(name);
        self.clone_for(&person, options);
        person
    }

    #[track_caller]
    fn clone_for(&self, person: &Checkout, options: &str) {
        let (origin, dir) = (self.origin.display(), person.dir.display());
        person.git(&format!("clone -q {options} file://{origin} {dir}"));
    }

    /// Ann commits a newer plan and a new one, pushes and syncs; branch `old` and tag `v1.0` are from before.
    #[track_caller]
    pub fn moves_on(&self) {
        self.ann.git("branch old");
        self.ann.git("tag v1.0");
        self.ann.write(1, "v2");
        self.ann.write(4, "new");
        self.ann.commit("newer plans");
        self.ann.git("push -q origin main old v1.0");
        self.ann.syncs();
        assert_eq!(self.plans(), NEWEST);
    }

    /// All that central has of the project: number and text of each document whose bytes are as `write` makes them, the bytes
    /// of any other file.
    pub fn plans(&self) -> String {
        self.plans_of("api")
    }

    pub fn plans_of(&self, prefix: &str) -> String {
        let files = self.world.central.folder(prefix);
        let plan = |(name, bytes): (&String, &Vec<u8>)| {
            let code = name.trim_end_matches(".md");
            let number = code.rsplit('-').next().and_then(|digits| digits.parse::<u32>().ok());
            let key = match number {
                Some(number) if !code.starts_with("WEB") || prefix == "web" => number.to_string(),
                _ => code.to_owned(),
            };
            format!("{key}={}", text(code, bytes))
        };
        files.iter().map(plan).collect::<Vec<_>>().join(" ")
    }

    /// An ordinary edit on main still gets through: what was asserted before was not kept by doing nothing.
    #[track_caller]
    pub fn edits_get_through(&self, person: &Checkout) {
        person.git("checkout -q -f main");
        person.write(3, "edited");
        person.syncs();
        let plans = self.plans();
        assert!(plans.split(' ').any(|plan| plan == "3=edited"), "{plans}");
        person.commit("edited");
    }
}
