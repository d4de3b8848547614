//! What somebody does next.

use std::fmt::Write as _;

use super::{Walk, random::Random};

/// A few steps of each kind, some kinds more often than others.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Edit,
    Add,
    Remove,
    Commit,
    Code,
    Sync,
    Push,
    Pull,
    PullRebase,
    ToFeature,
    ToMain,
    ToOlder,
    Merge,
    Squash,
    Rebase,
    Pick,
    DeleteFeature,
    Stash,
    Pop,
    Reset,
    Amend,
    Revert,
    Restore,
    GiveUp,
}

const STEPS: [(usize, Step); 24] = [
    (4, Step::Edit),
    (1, Step::Add),
    (1, Step::Remove),
    (3, Step::Commit),
    (1, Step::Code),
    (3, Step::Sync),
    (2, Step::Push),
    (2, Step::Pull),
    (1, Step::PullRebase),
    (1, Step::ToFeature),
    (2, Step::ToMain),
    (1, Step::ToOlder),
    (1, Step::Merge),
    (1, Step::Squash),
    (1, Step::Rebase),
    (1, Step::Pick),
    (1, Step::DeleteFeature),
    (1, Step::Stash),
    (1, Step::Pop),
    (1, Step::Reset),
    (1, Step::Amend),
    (1, Step::Revert),
    (1, Step::Restore),
    (1, Step::GiveUp),
];

impl Step {
    pub fn next(random: &mut Random) -> Self {
        let mut left = random.below(STEPS.iter().map(|(often, _)| often).sum());
        for (often, step) in STEPS {
            match left.checked_sub(often) {
                Some(rest) => left = rest,
                None => return step,
            }
        }
        unreachable!("less than the sum")
    }
}

impl Walk {
    pub fn take(&mut self, who: usize, step: Step, branch: &str) -> Result<(), String> {
        let documents = self.documents(who);
        let clean = self.ask(who, "status --porcelain").is_empty();
        let one = documents.get(self.random.below(documents.len().max(1))).copied();
        match (step, one) {
            (Step::Edit, Some(number)) => self.write(who, number),
            (Step::Add, _) => {
                let number = 1000 + self.random.below(60) as u32;
                self.write(who, number);
            }
            (Step::Remove, Some(number)) if documents.len() > 6 => {
                let _ = writeln!(self.log, "    {number} removed");
                self.clone(who).remove(number);
            }
            (Step::Commit, _) => {
                self.git(who, "add --all");
                self.git(who, "commit -q -m work");
            }
            (Step::Code, _) => self.clone(who).commit_code(),
            (Step::Sync, _) => self.sync(who)?,
            (Step::ToFeature, _) => {
                if !self.git(who, "checkout -q feature") {
                    self.git(who, "checkout -q -b feature");
                }
            }
            (Step::Squash, _) if branch == "main" && clean => {
                if self.git(who, "merge -q --squash feature") {
                    self.git(who, "commit -q -m squash");
                }
            }
            (Step::Pick, _) if branch == "main" && clean => {
                if !self.git(who, "cherry-pick feature") && !self.unmerged(who) {
                    self.git(who, "cherry-pick --abort");
                }
            }
            (Step::Amend, _) => {
                let unpushed = self.ask(who, "rev-list --count origin/main..HEAD");
                if !matches!(unpushed.trim(), "" | "0") {
                    self.git(who, "add --all");
                    self.git(who, "commit -q --amend --no-edit");
                }
            }
            (Step::Restore | Step::GiveUp, Some(number)) => {
                let back = match step {
                    Step::Restore => 1 + self.random.below(2),
                    _ => 0,
                };
                let path = self.clone(who).path(number);
                self.git(who, &format!("checkout -q HEAD~{back} -- {path}"));
            }
            _ => {
                // To revert the first commit is to remove everything.
                let first = self.commit_of(who, "HEAD~1").is_none();
                if let Some(line) = command(step, branch, clean, first, &mut self.random) {
                    self.git(who, &line);
                }
            }
        }
        Ok(())
    }
}

/// The step as one command of git's, if it makes sense here.
fn command(step: Step, branch: &str, clean: bool, first: bool, random: &mut Random) -> Option<String> {
    let line = match step {
        Step::Push if branch == "feature" => "push -q --force origin feature",
        Step::Push => "push -q origin main",
        Step::Pull if branch == "main" => random.of(&["pull -q", "pull -q --autostash"]),
        Step::PullRebase if branch == "main" => random.of(&["pull -q --rebase", "pull -q --rebase --autostash"]),
        Step::ToMain => "checkout -q main",
        Step::ToOlder => random.of(&[
            "checkout -q --detach HEAD~1",
            "checkout -q --detach HEAD~2",
            "checkout -q --detach HEAD~3",
        ]),
        Step::Merge if branch == "main" => random.of(&["merge -q feature", "merge -q origin/feature"]),
        Step::Rebase if branch == "feature" => "rebase -q main",
        Step::DeleteFeature if branch != "feature" => "branch -q -D feature",
        Step::Stash => "stash -q -u",
        Step::Pop => "stash pop -q",
        Step::Reset => random.of(&[
            "reset -q --hard HEAD~1",
            "reset -q --hard HEAD~2",
            "reset -q --hard",
            "reset -q --hard ORIG_HEAD",
        ]),
        Step::Revert if clean && !first => "revert --no-edit HEAD",
        _ => return None,
    };
    Some(line.to_owned())
}
