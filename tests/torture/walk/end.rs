//! How what was begun comes to an end: what git has not finished, and both clones on one main.

use std::{fmt::Write as _, fs};

use super::{By, Walk, number};

impl Walk {
    /// What git has not finished.
    fn unfinished(&self, who: usize) -> Option<&'static str> {
        let folder = self.clone(who).dir.join(".git");
        let states = [
            ("rebase-merge", "rebase"),
            ("MERGE_HEAD", "merge"),
            ("CHERRY_PICK_HEAD", "cherry-pick"),
            ("REVERT_HEAD", "revert"),
        ];
        states
            .into_iter()
            .find_map(|(file, name)| folder.join(file).exists().then_some(name))
    }

    pub(super) fn unmerged(&self, who: usize) -> bool {
        !self.ask(who, "ls-files --unmerged").is_empty()
    }

    /// Another text where both have one, no document where one side has none.
    fn resolve(&mut self, who: usize) {
        for line in self.ask(who, "status --porcelain").lines() {
            let (state, path) = line.split_at(3);
            match (state.trim_end(), number(path)) {
                ("UU" | "AA", Some(number)) => self.write(who, number),
                ("DU" | "UD" | "DD" | "AU" | "UA", _) => {
                    self.git(who, &format!("rm -q --cached {path}"));
                    let _ = fs::remove_file(self.clone(who).dir.join(path));
                }
                _ => {}
            }
        }
        self.git(who, "add --all");
    }

    /// Goes on with what git has not finished, or gives it up, perhaps with a sync in the middle.
    pub(super) fn finish(&mut self, who: usize) -> Result<(), String> {
        for _ in 0..20 {
            let unfinished = self.unfinished(who);
            if unfinished.is_none() && !self.unmerged(who) {
                return Ok(());
            }
            if self.random.percent(40) {
                self.sync(who)?;
            }
            match unfinished {
                Some(what) if self.random.percent(30) => {
                    self.git(who, &format!("{what} --abort"));
                    continue;
                }
                _ => self.resolve(who),
            }
            let goes_on = match unfinished {
                Some("rebase") => self.git(who, "rebase --continue") || self.unmerged(who),
                Some(_) => self.git(who, "commit -q --no-edit"),
                None => self.random.percent(50) || self.git(who, "commit -q -m resolved"),
            };
            match unfinished {
                // A resolution may leave nothing to commit.
                Some("rebase") if !goes_on => self.git(who, "rebase --skip"),
                Some(what) if !goes_on => self.git(who, &format!("{what} --abort")),
                _ => true,
            };
        }
        self.git(who, "reset -q --hard");
        Ok(())
    }

    /// Everybody goes to main, merges and pushes; then central has what main has, no more and no less.
    pub(super) fn come_together(&mut self) -> Result<(), String> {
        let _ = writeln!(self.log, "everybody goes to main");
        for who in [0, 1] {
            self.finish(who)?;
            self.git(who, "stash clear");
            if self.branch(who) == "main" && self.random.percent(50) {
                self.git(who, "add --all");
                self.git(who, "commit -q -m last");
            }
            for line in [
                "reset -q --hard",
                "clean -q -f -d .metis/backlog",
                "checkout -q main",
                "branch -q -D feature",
            ] {
                self.git(who, line);
            }
        }
        for who in [0, 1, 0, 1, 0, 1] {
            self.git(who, "pull -q");
            while self.unmerged(who) || self.unfinished(who).is_some() {
                self.resolve(who);
                self.git(who, "commit -q --no-edit");
            }
            self.git(who, "push -q origin main");
            self.judge(who, By::Hook)?;
        }
        for who in [0, 1] {
            self.git(who, "push -q origin :feature");
            self.git(who, "fetch -q --prune");
        }
        let main = self.commit_of(0, "main").expect("a branch");
        if self.commit_of(1, "main").as_ref() != Some(&main) {
            return Err("git itself did not end in one main".to_owned());
        }
        for who in [0, 1, 0, 1] {
            let finished = self.clone(who).sync_with(&["--allow-deletes"]);
            self.note(who, "sync --allow-deletes", &finished);
        }
        self.judge_the_end(&main)
    }
}
