//! Laws that hold after any history: everybody agrees, a second sync finds nothing to do, a document is gone only where its
//! owner removed it, and bytes arrive as they left.

use std::fs;

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{stage::is_of_one_that_died, trace};
use crate::support::{document::document, point::Point, process::run, workspace::Workspace, world::World};

const OWNERS: [&str; 3] = ["api", "web", "ops"];

/// What somebody does next. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Deed {
    Write {
        who: usize,
        number: usize,
        shape: usize,
    },
    Delete {
        who: usize,
        nth: usize,
    },
    /// The same text under another code.
    Rename {
        who: usize,
        nth: usize,
    },
    /// To `archived/`, as the Metis tools do.
    Archive {
        who: usize,
        nth: usize,
    },
    Sync {
        who: usize,
    },
    /// A sync that is killed.
    Killed {
        who: usize,
        call: usize,
        when: usize,
    },
    /// A sync during which another one is faster.
    Race {
        who: usize,
        other: usize,
        late: bool,
    },
}

fn deeds(most: usize) -> impl Strategy<Value = Vec<Deed>> {
    let who = 0..OWNERS.len();
    let deed = prop_oneof![
        5 => (who.clone(), 0..6_usize, 0..SHAPES).prop_map(|(who, number, shape)| Deed::Write { who, number, shape }),
        2 => (who.clone(), 0..8_usize).prop_map(|(who, nth)| Deed::Delete { who, nth }),
        1 => (who.clone(), 0..8_usize).prop_map(|(who, nth)| Deed::Rename { who, nth }),
        1 => (who.clone(), 0..8_usize).prop_map(|(who, nth)| Deed::Archive { who, nth }),
        4 => who.clone().prop_map(|who| Deed::Sync { who }),
        2 => (who.clone(), 0..CALLS.len(), 1..40_usize).prop_map(|(who, call, when)| Deed::Killed { who, call, when }),
        2 => (who.clone(), 1..OWNERS.len(), any::<bool>())
            .prop_map(|(who, step, late)| Deed::Race { who, other: (who + step) % OWNERS.len(), late }),
    ];
    vec(deed, most / 2..=most)
}

const CALLS: [&str; 4] = ["?rename,renameat,?renameat2", "fsync", "write", "openat"];

const SHAPES: usize = 8;

/// Documents as editors of all kinds leave them.
fn bytes(code: &str, shape: usize, round: usize) -> Vec<u8> {
    let text = document(code, "A title", &format!("Round {round}."));
    match shape {
        0 => text.into_bytes(),
        1 => text.replace('\n', "\r\n").into_bytes(),
        2 => format!("\u{feff}{text}").into_bytes(),
        3 => [text.as_bytes(), b"\xff\xfe\x80 no UTF-8 \xc3\n"].concat(),
        4 => text.trim_end().as_bytes().to_vec(),
        5 => format!("---\nshort_code: {code}\nround: {round}\n---\n").into_bytes(),
        6 => [text.as_bytes(), b"mixed\r\nends\rof\nlines\0and more\r"].concat(),
        _ => [text.as_bytes(), "long ".repeat(20_000).as_bytes()].concat(),
    }
}

struct History {
    world: World,
    people: Vec<Workspace>,
    round: usize,
}

impl History {
    fn new() -> Self {
        let world = World::new();
        let people: Vec<_> = OWNERS.iter().map(|prefix| world.workspace(prefix)).collect();
        for person in &people {
            // None of git's business with line ends is ours.
            fs::write(
                person.home.join(".gitconfig"),
                "[core]\n\tautocrlf = true\n\teol = crlf\n",
            )
            .expect("writable");
        }
        History {
            world,
            people,
            round: 0,
        }
    }

    fn code(&self, who: usize, number: usize) -> String {
        format!("{}-T-{number:04}", OWNERS[who].to_uppercase())
    }

    fn nth(&self, who: usize, nth: usize) -> Option<(String, Vec<u8>)> {
        let documents = self.people[who].documents();
        let (name, bytes) = documents.iter().nth(nth % documents.len().max(1))?;
        Some((name.trim_end_matches(".md").to_owned(), bytes.clone()))
    }

    fn happen(&mut self, deed: &Deed) {
        self.round += 1;
        match *deed {
            Deed::Write { who, number, shape } => {
                let code = self.code(who, number);
                let present = self.people[who].documents().contains_key(&format!("{code}.md"));
                let bytes = bytes(&code, shape, self.round);
                if present {
                    self.people[who].delete(&code);
                }
                self.people[who].write_at(format!("backlog/{code}.md"), &code, bytes);
            }
            Deed::Delete { who, nth } => {
                if let Some((code, _)) = self.nth(who, nth) {
                    self.people[who].delete(&code);
                }
            }
            Deed::Rename { who, nth } => {
                if let Some((old, text)) = self.nth(who, nth) {
                    let new = self.code(who, 1000 + self.round);
                    let mut bytes = Vec::new();
                    let mut rest = text.as_slice();
                    while let Some(at) = rest.windows(old.len()).position(|part| part == old.as_bytes()) {
                        bytes.extend_from_slice(&rest[..at]);
                        bytes.extend_from_slice(new.as_bytes());
                        rest = &rest[at + old.len()..];
                    }
                    bytes.extend_from_slice(rest);
                    self.people[who].delete(&old);
                    self.people[who].write_at(format!("backlog/{new}.md"), &new, bytes);
                }
            }
            Deed::Archive { who, nth } => {
                if let Some((code, bytes)) = self.nth(who, nth) {
                    self.people[who].delete(&code);
                    self.people[who].write_at(format!("archived/{code}.md"), &code, bytes);
                }
            }
            Deed::Sync { who } => self.syncs(who),
            Deed::Killed { who, call, when } => {
                if trace::available() {
                    let sync = self.people[who].sync_command(&["--allow-deletes"]);
                    trace::with_injected(&self.people[who], &sync, CALLS[call], "signal=KILL", &when.to_string());
                }
            }
            Deed::Race { who, other, late } => {
                let point = if late { Point::BeforeRef } else { Point::BeforePush };
                let faster = self.people[other].sync_command(&["--allow-deletes"]);
                self.world.points.command(point, &faster);
                self.syncs(who);
                // If nothing was pushed there was no race, and it is not to come later.
                for script in fs::read_dir(self.world.root().join("points").join(point.name())).expect("it is there") {
                    let script = script.expect("readable folder").path();
                    if script.extension().is_some_and(|ext| ext == "sh") {
                        fs::remove_file(script).expect("it is ours");
                    }
                }
            }
        }
        // Whatever happened: what a folder of central has was its owner's at some time, whole, and what its owner never
        // removed is not gone. The final comparison says the rest.
        self.world.central.fsck_strict();
    }

    fn syncs(&self, who: usize) {
        let before: Vec<_> = OWNERS.iter().map(|prefix| self.world.central.folder(prefix)).collect();
        let overtaken = self.world.points.waiting() > 0;
        let report = self.people[who].sync_with(&["--allow-deletes"]).report();
        assert!(report.behind.is_empty() && report.kept.is_empty(), "{report:?}");
        // After a kill the next sync of the same workspace says so.
        let warnings = &report.warnings;
        assert!(
            warnings.iter().all(|warning| is_of_one_that_died(warning)),
            "{warnings:?}"
        );
        assert_eq!(self.world.central.folder(OWNERS[who]), self.people[who].documents());
        for (other, folder) in before.iter().enumerate() {
            if other != who && !overtaken {
                assert_eq!(
                    self.world.central.folder(OWNERS[other]),
                    *folder,
                    "not its own to change"
                );
            }
        }
    }

    fn ends(&self) {
        // A race that nobody came to is over.
        for _ in 0..2 {
            for who in 0..self.people.len() {
                self.syncs(who);
            }
        }
        self.world.assert_converged(&self.people);
        self.world.wire();
        for person in &self.people {
            let before = person.snapshot();
            let report = person.sync().report();
            assert_eq!(report.outcome, "up-to-date");
            let after = person.snapshot();
            assert!(after.since(&before).is_empty(), "{:?}", after.since(&before));
            // A projection of exactly these files, whatever the way that led here.
            let first = run(person.metis_sync(&["rebuild-cache"])).success();
            assert!(
                first.contains("\"unchanged\"") || first.contains("unchanged"),
                "{first}"
            );
        }
        let wire = self.world.wire();
        assert_eq!((wire.wants(), wire.pushes()), (0, 0));
    }
}

/// The same histories each time, so that a failure is not a matter of luck; `METIS_TORTURE_SEED` has others.
fn histories(cases: u32, most: usize) {
    let seed = std::env::var("METIS_TORTURE_SEED").unwrap_or_default();
    let mut bytes = [7; 32];
    for (byte, of_seed) in bytes.iter_mut().zip(seed.bytes()) {
        *byte = of_seed;
    }
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let told = runner.run(&deeds(most), |deeds| {
        let mut history = History::new();
        for deed in &deeds {
            history.happen(deed);
        }
        history.ends();
        Ok(())
    });
    if let Err(err) = told {
        panic!("{err}");
    }
}

#[test]
fn any_history_converges() {
    histories(5, 20);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn many_long_histories_converge() {
    histories(40, 40);
}
