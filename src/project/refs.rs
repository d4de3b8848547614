//! The project's refs. Where they are tables, which gitoxide cannot read, git is asked.

use super::Project;
use crate::{central::from_gix, names::ObjectId, send_pack::connect};

impl Project {
    /// Whether refs are stored in tables.
    fn has_tables(&self) -> bool {
        let storage = self.config.string("extensions.refStorage");
        storage.is_some_and(|storage| storage.eq_ignore_ascii_case(b"reftable"))
    }

    /// Whether git did not answer in time. It is not asked again then, and what it was asked for is not known to be missing.
    pub fn is_stalled(&self) -> bool {
        self.is_stalled.get()
    }

    fn ask(&self, args: &[&str]) -> Option<String> {
        let repo = self.repo.as_ref()?;
        if self.is_stalled() {
            return None;
        }
        let git = match repo.workdir() {
            Some(top) => connect::git().arg("-C").arg(top),
            None => connect::git().arg("--git-dir").arg(repo.git_dir()),
        };
        let output = git.args(args).answer();
        if output
            .as_ref()
            .is_err_and(|err| err.kind() == std::io::ErrorKind::TimedOut)
        {
            self.is_stalled.set(true);
        }
        let output = output.ok()?;
        let answer = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| answer.trim_end().to_owned())
    }

    /// The commit that `HEAD` is at.
    pub fn head(&self) -> Option<ObjectId> {
        match self.has_tables() {
            true => self.commit_of("HEAD"),
            false => self.repo.as_ref()?.head_id().ok().map(|id| from_gix(&id)),
        }
    }

    /// The full name of the branch that `HEAD` names, be it without a commit. `None`: it names none.
    pub(super) fn head_name(&self) -> Option<gix::refs::FullName> {
        match self.has_tables() {
            true => self.ask(&["symbolic-ref", "-q", "HEAD"])?.try_into().ok(),
            false => self.repo.as_ref()?.head_name().ok()?,
        }
    }

    /// Both, of one moment.
    pub(super) fn head_and_name(&self) -> (Option<ObjectId>, Option<gix::refs::FullName>) {
        if self.has_tables() {
            return (self.head(), self.head_name());
        }
        let head = self.repo.as_ref().and_then(|repo| repo.head().ok());
        head.map_or((None, None), |mut head| {
            let name = head.referent_name().map(ToOwned::to_owned);
            let at = head.try_peel_to_id().ok().flatten();
            (at.map(|id| from_gix(&id)), name)
        })
    }

    /// The names of the local branches.
    pub fn branches(&self) -> Vec<String> {
        if self.has_tables() {
            let listed = self.ask(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
            return listed.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
        }
        let Some(references) = self.repo.as_ref().and_then(|repo| repo.references().ok()) else {
            return Vec::new();
        };
        let branches = references.local_branches().into_iter().flatten().flatten();
        branches.map(|branch| branch.name().shorten().to_string()).collect()
    }

    /// The commit that a ref points to.
    pub(super) fn commit_of(&self, name: &str) -> Option<ObjectId> {
        if self.has_tables() {
            let commit = format!("{name}^{{commit}}");
            return self.ask(&["rev-parse", "-q", "--verify", &commit])?.parse().ok();
        }
        let mut reference = self.repo.as_ref()?.try_find_reference(name).ok()??;
        reference.peel_to_id().ok().map(|id| from_gix(&id))
    }

    /// The commits of all refs whose names begin with one of `prefixes`.
    pub(super) fn tips(&self, prefixes: &[&str]) -> Vec<ObjectId> {
        if self.has_tables() {
            let format = "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)";
            let listed = self.ask(&[["for-each-ref", format].as_slice(), prefixes].concat());
            return listed
                .iter()
                .flat_map(|text| text.lines())
                .filter_map(|id| id.parse().ok())
                .collect();
        }
        let Some(repo) = &self.repo else { return Vec::new() };
        let Ok(platform) = repo.references() else {
            return Vec::new();
        };
        let mut tips = Vec::new();
        for prefix in prefixes {
            let Ok(refs) = platform.prefixed(*prefix) else { continue };
            for mut reference in refs.filter_map(Result::ok) {
                tips.extend(reference.peel_to_id().ok().map(|id| from_gix(&id)));
            }
        }
        tips
    }

    /// Everything in the stash.
    pub(super) fn stashes(&self) -> Vec<ObjectId> {
        if self.has_tables() {
            let listed = self.ask(&["rev-list", "--walk-reflogs", "refs/stash", "--"]);
            return listed
                .iter()
                .flat_map(|text| text.lines())
                .filter_map(|id| id.parse().ok())
                .collect();
        }
        let reference = self
            .repo
            .as_ref()
            .and_then(|repo| repo.try_find_reference("refs/stash").ok().flatten());
        let Some(reference) = reference else { return Vec::new() };
        let mut log = reference.log_iter();
        let lines = log.all().ok().flatten();
        let mut out: Vec<_> = lines
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .map(|line| from_gix(&line.new_oid()))
            .collect();
        out.extend(self.commit_of("refs/stash"));
        out
    }
}
