//! Random walks: two clones of a project, with hooks, do what people do with git, and sync in between.
//!
//! A walk is known by its seed. What must hold: no conflict markers in central; central never goes back to what is older in the
//! project; and when both have come together on one main, central has exactly that.

mod end;
mod judge;
mod random;
mod step;

use std::{
    fmt::Write as _,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    thread,
};

use judge::{By, Plans, plans};
use random::Random;
use step::Step;

use crate::support::{
    process::Finished,
    team::{Checkout, Team},
};

const PEOPLE: [&str; 2] = ["ann", "bob"];
const MAIN: &str = "refs/heads/main";
const REMOTE: &str = "refs/remotes/origin/main";

struct Walk {
    team: Team,
    /// What is published: main, or what is checked out (`worktree`).
    source: &'static str,
    random: Random,
    log: String,
    texts: usize,
    /// What central had when it was looked at last.
    seen: Plans,
}

impl Walk {
    fn new(source: &'static str, seed: u64) -> Self {
        let team = Team::with_documents(source, 8);
        if source == "main" {
            for clone in [&team.ann, &team.bob] {
                clone.install_hooks_for(&["pre-push", "post-merge", "post-rewrite"]);
            }
        }
        Walk {
            source,
            random: Random(seed),
            log: String::new(),
            texts: 0,
            seen: plans(&team.world.central.git(&["ls-tree", "-r", "main", "api/"])),
            team,
        }
    }

    fn clone(&self, who: usize) -> &Checkout {
        [&self.team.ann, &self.team.bob][who]
    }

    /// git, whatever comes of it.
    fn git(&mut self, who: usize, line: &str) -> bool {
        let finished = self.clone(who).try_git(line);
        self.note(who, &format!("git {line}"), &finished)
    }

    fn note(&mut self, who: usize, what: &str, finished: &Finished) -> bool {
        let code = finished
            .code
            .map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let person = PEOPLE[who];
        let _ = writeln!(self.log, "    {person}$ {what} -> {code}");
        let words = String::from_utf8_lossy(&finished.stdout).into_owned() + &finished.stderr;
        if what.starts_with("sync") || finished.code != Some(0) {
            for line in words.lines().take(12) {
                let _ = writeln!(self.log, "        {line}");
            }
        }
        finished.code == Some(0)
    }

    /// What git says to a question; empty if it has no answer.
    fn ask(&self, who: usize, line: &str) -> String {
        let finished = self.clone(who).try_git(line);
        match finished.code {
            Some(0) => String::from_utf8_lossy(&finished.stdout).into_owned(),
            _ => String::new(),
        }
    }

    fn holds(&self, who: usize, line: &str) -> bool {
        self.clone(who).try_git(line).code == Some(0)
    }

    fn branch(&self, who: usize) -> String {
        self.ask(who, "symbolic-ref -q --short HEAD").trim().to_owned()
    }

    fn commit_of(&self, who: usize, name: &str) -> Option<String> {
        let id = self.ask(who, &format!("rev-parse -q --verify {name}^{{commit}}"));
        (!id.is_empty()).then(|| id.trim().to_owned())
    }

    /// The documents on disk, by number.
    fn documents(&self, who: usize) -> Vec<u32> {
        let Ok(entries) = fs::read_dir(self.clone(who).metis().join("backlog")) else {
            return Vec::new();
        };
        let names = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut numbers: Vec<_> = names.filter_map(|name| number(&name)).collect();
        numbers.sort_unstable();
        numbers
    }

    fn write(&mut self, who: usize, number: u32) {
        self.texts += 1;
        let text = format!("text {}", self.texts);
        let _ = writeln!(self.log, "    {}: {number} = {text}", PEOPLE[who]);
        self.clone(who).write(number, &text);
    }

    fn sync(&mut self, who: usize) -> Result<(), String> {
        let finished = self.clone(who).sync();
        self.note(who, "sync", &finished);
        if !matches!(finished.code, Some(0 | 3)) {
            return Err(format!("a sync fails: {}", finished.transcript()));
        }
        self.judge(who, By::Hand)
    }

    fn walk(&mut self, steps: usize) -> Result<(), String> {
        for count in 1..=steps {
            let (who, step) = (self.random.below(2), Step::next(&mut self.random));
            let branch = self.branch(who);
            let _ = writeln!(self.log, "{count}. {} on {branch:?}: {step:?}", PEOPLE[who]);
            self.take(who, step, &branch)?;
            if self.random.percent(30) {
                self.sync(who)?;
            }
            self.finish(who)?;
            self.judge(who, By::Hook)?;
        }
        self.come_together()
    }
}

/// The number in a path of a document.
fn number(path: &str) -> Option<u32> {
    path.rsplit('/')
        .next()?
        .strip_suffix(".md")?
        .rsplit('-')
        .next()?
        .parse()
        .ok()
}

/// What went wrong, with all that led there.
fn fault(source: &'static str, seed: u64, steps: usize) -> Option<String> {
    let mut walk = Walk::new(source, seed);
    let walked = catch_unwind(AssertUnwindSafe(|| walk.walk(steps)));
    let wrong = match walked {
        Ok(Ok(())) => return None,
        Ok(Err(wrong)) => wrong,
        Err(_) => "the walk itself panicked, see above".to_owned(),
    };
    Some(format!(
        "source {source}, seed {seed}, {steps} steps: {wrong}\n{}",
        walk.log
    ))
}

#[track_caller]
fn short_walk(source: &'static str, seed: u64) {
    if let Some(fault) = fault(source, seed, 30) {
        panic!("{fault}");
    }
}

#[test]
fn a_walk_with_seed_1() {
    short_walk("main", 1);
}

#[test]
fn a_walk_with_seed_2() {
    short_walk("main", 2);
}

#[test]
fn a_walk_with_seed_3() {
    short_walk("main", 3);
}

#[test]
fn a_walk_publishing_what_is_checked_out() {
    short_walk("worktree", 4);
}

/// `METIS_WALK_SEEDS=FIRST-LAST` and `METIS_WALK_STEPS` have others.
#[test]
#[ignore = "takes minutes: scripts/torture"]
fn hundreds_of_walks() {
    let (seeds, steps) = (std::env::var("METIS_WALK_SEEDS"), std::env::var("METIS_WALK_STEPS"));
    let seeds = seeds.unwrap_or_else(|_| "1-300".to_owned());
    let (first, last) = seeds.split_once('-').unwrap_or((&seeds, &seeds));
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let steps = steps.map_or(50, |steps| number(&steps) as usize);
    let left = Mutex::new(number(first)..=number(last));
    let faults = Mutex::new(Vec::new());
    let next = || left.lock().expect("nobody panics with it").next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    for source in ["main", "worktree"] {
                        if let Some(fault) = fault(source, seed, steps) {
                            eprintln!("{fault}");
                            let line = fault.lines().next().unwrap_or_default().to_owned();
                            faults.lock().expect("nobody panics with it").push(line);
                        }
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().expect("nobody panicked with it");
    assert!(
        faults.is_empty(),
        "{} walks failed:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
