//! What must hold of central after each step.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{MAIN, PEOPLE, REMOTE, Walk};

/// What started the syncs that are judged.
#[derive(Debug, Clone, Copy)]
pub enum By {
    Hand,
    Hook,
}

/// Document and the id of its bytes: git's own, so that central and the project can be compared.
pub type Plans = BTreeMap<String, String>;

impl Walk {
    pub fn central(&self) -> Plans {
        plans(&self.team.world.central.git(&["ls-tree", "-r", "main", "api/"]))
    }

    pub fn tree(&self, who: usize, commit: &str) -> Plans {
        plans(&self.ask(who, &format!("ls-tree -r {commit} .metis/backlog/")))
    }

    fn text(&self, id: Option<&String>) -> String {
        let text = |id: &String| self.team.world.central.git(&["cat-file", "blob", id]);
        id.map_or("nothing".to_owned(), text)
    }

    /// Once the hooks are done: whether central may have become what it is since it was looked at last.
    pub fn judge(&mut self, who: usize, by: By) -> Result<(), String> {
        self.clone(who).hooks_end();
        let after = self.central();
        let before = std::mem::replace(&mut self.seen, after.clone());
        let codes: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for code in codes {
            let (old, new) = (before.get(code), after.get(code));
            if old == new {
                continue;
            }
            let person = PEOPLE[who];
            let (before, after) = (self.text(old), self.text(new));
            let (from, to) = (last_line(&before), last_line(&after));
            let _ = writeln!(self.log, "    central: {code} from {from:?} to {to:?}");
            let wrong = |why: &str| {
                Err(format!(
                    "{code} went from {from:?} to {to:?} by {by:?} of {person}: {why}"
                ))
            };
            if after.contains("\n<<<<<<< ") {
                return wrong("conflict markers");
            }
            let Some(old) = old else { continue };
            let tree = |name: &str| self.tree(who, name);
            let elsewhere = self.source == "main" && self.branch(who) != "main";
            if elsewhere && tree(MAIN).get(code) == Some(old) && new != tree(REMOTE).get(code) {
                return wrong("it was main's, and main is not checked out");
            }
            // What a hook publishes is in the remote; by hand it is main, or an edit of it.
            let sources: &[&str] = match by {
                By::Hand if self.source == "worktree" => &["HEAD"],
                By::Hand => &[MAIN],
                By::Hook => &[MAIN, REMOTE],
            };
            for source in sources {
                let Some(source) = self.commit_of(who, source) else {
                    continue;
                };
                if self.tree(who, &source).get(code) == new
                    && let Some(newer) = self.newer_with(&source, code, old)
                {
                    return wrong(&format!("{newer} is newer and has the former"));
                }
            }
        }
        Ok(())
    }

    /// Whether central has exactly the documents of this commit.
    pub fn judge_the_end(&self, main: &str) -> Result<(), String> {
        let (want, have) = (self.tree(0, main), self.central());
        let codes: BTreeSet<_> = want.keys().chain(have.keys()).collect();
        let mut differ = String::new();
        for code in codes {
            let (here, there) = (want.get(code), have.get(code));
            if here != there {
                let text = here.map_or("nothing".into(), |id| self.ask(0, &format!("cat-file blob {id}")));
                let _ = write!(
                    differ,
                    "; {code} is {:?} in main and {:?} in central",
                    last_line(&text),
                    last_line(&self.text(there))
                );
            }
        }
        match differ.is_empty() {
            true => Ok(()),
            false => Err(format!("in the end{differ}")),
        }
    }

    /// A main that came after `source` and has this version of the document.
    fn newer_with(&self, source: &str, code: &str, version: &String) -> Option<String> {
        for (who, person) in PEOPLE.iter().enumerate() {
            for name in [MAIN, REMOTE] {
                let newer = self.commit_of(who, name)?;
                if newer != source
                    && self.holds(who, &format!("merge-base --is-ancestor {source} {newer}"))
                    && self.tree(who, &newer).get(code) == Some(version)
                {
                    return Some(format!("{name} of {person}"));
                }
            }
        }
        None
    }
}

fn last_line(text: &str) -> &str {
    text.trim_end().lines().next_back().unwrap_or_default()
}

pub fn plans(listing: &str) -> Plans {
    let plan = |line: &str| {
        let (meta, path) = line.split_once('\t')?;
        let code = path.rsplit('/').next()?.strip_suffix(".md")?;
        Some((code.to_owned(), meta.split(' ').nth(2)?.to_owned()))
    };
    listing.lines().filter_map(plan).collect()
}
