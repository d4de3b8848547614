//! What is checked out, and which branch central's documents come from.

use std::path::Path;

use super::{Project, commits::Commits};
use crate::{
    names::ObjectId,
    plan::source::{Head, Situation, Source},
};

/// What git is in the middle of, in the repository or linked worktree whose own folder is `git_dir`.
pub fn unfinished(git_dir: &Path) -> Option<&'static str> {
    [
        ("rebase-merge", "a rebase"),
        ("rebase-apply", "a rebase"),
        ("MERGE_HEAD", "a merge"),
        ("MERGE_AUTOSTASH", "a merge"),
        ("CHERRY_PICK_HEAD", "a cherry-pick"),
        ("REVERT_HEAD", "a revert"),
        ("sequencer", "a series of cherry-picks or reverts"),
        ("BISECT_LOG", "a bisect"),
    ]
    .into_iter()
    .find_map(|(name, what)| git_dir.join(name).symlink_metadata().is_ok().then_some(what))
}

impl Project {
    /// The project's default branch as far as it can be told: what the remote's `HEAD` was when it was cloned, a branch
    /// of an ordinary name, or what is checked out.
    pub fn default_branch(&self) -> Option<String> {
        let repo = self.repo.as_ref()?;
        let remote_head = repo.try_find_reference("refs/remotes/origin/HEAD").ok().flatten();
        let remote_head = remote_head.and_then(|head| {
            let target = head.target().try_name()?.as_bstr().to_string();
            Some(target.strip_prefix("refs/remotes/origin/")?.to_owned())
        });
        let ordinary = || {
            ["main", "master"].into_iter().map(str::to_owned).find(|name| {
                self.commit_of(&format!("refs/heads/{name}")).is_some()
                    || self.commit_of(&format!("refs/remotes/origin/{name}")).is_some()
            })
        };
        let checked_out = || Some(self.head_name()?.shorten().to_string());
        remote_head.or_else(ordinary).or_else(checked_out)
    }

    /// The branch that `HEAD` names.
    pub fn head_branch(&self) -> Option<String> {
        self.head_name().map(|name| name.shorten().to_string())
    }

    /// Whether the files of the work tree are those of `branch`, and git is not in the middle of anything.
    pub fn has_checked_out(&self, branch: &str) -> bool {
        let repo = self.repo.as_ref().filter(|repo| repo.workdir().is_some());
        repo.is_some_and(|repo| self.head_branch().as_deref() == Some(branch) && unfinished(repo.git_dir()).is_none())
    }

    /// The remote-tracking branch of `branch`: the configured one, else `origin`'s of the same name.
    fn tracking(&self, branch: &str) -> Option<ObjectId> {
        let configured = self.configured_tracking(branch);
        self.commit_of(&configured.unwrap_or_else(|| format!("refs/remotes/origin/{branch}")))
    }

    /// The full name of the remote-tracking branch that the configuration names for `branch`.
    fn configured_tracking(&self, branch: &str) -> Option<String> {
        let repo = self.repo.as_ref()?;
        let name: gix::refs::FullName = format!("refs/heads/{branch}").try_into().ok()?;
        repo.branch_remote_tracking_ref_name(name.as_ref(), gix::remote::Direction::Fetch)
            .and_then(Result::ok)
            .map(|name| name.as_bstr().to_string())
            .filter(|name| name.starts_with("refs/remotes/"))
    }

    /// Whether `branch` follows one that its remote has no more, though it has others; git calls such an upstream gone.
    fn is_left_behind(&self, branch: &str) -> bool {
        let (Some(tracking), Some((remote, _))) = (self.configured_tracking(branch), self.counterpart(branch)) else {
            return false;
        };
        self.commit_of(&tracking).is_none() && !self.tips(&[&format!("refs/remotes/{remote}/")]).is_empty()
    }

    /// The remote that `branch` comes from and the full name that it has there.
    pub fn counterpart(&self, branch: &str) -> Option<(String, String)> {
        let config = self.repo.as_ref()?.config_snapshot();
        let value = |key: &str| config.string(format!("branch.{branch}.{key}").as_str());
        Some((
            value("remote").map_or_else(|| "origin".to_owned(), |remote| remote.to_string()),
            value("merge").map_or_else(|| format!("refs/heads/{branch}"), |name| name.to_string()),
        ))
    }

    /// What `plan::source` needs to know. `None`: there is no repository, or git ignores `.metis/` in it.
    pub fn situation(&self, source: Source<'_>) -> Option<Situation> {
        let repo = self.repo.as_ref()?;
        let head = match (repo.workdir().is_none(), self.head_and_name()) {
            (true, _) => Head::Bare,
            (false, (at, Some(name))) => Head::Branch {
                name: name.shorten().to_string(),
                at,
            },
            (false, (Some(at), None)) => Head::Detached(at),
            (false, (None, None)) => return None,
        };
        let (local, tracking) = match source {
            Source::Branch(name) => (self.commit_of(&format!("refs/heads/{name}")), self.tracking(name)),
            Source::Worktree => (None, None),
        };
        let is_left_behind = match source {
            Source::Branch(name) => local.is_some() && tracking.is_none() && self.is_left_behind(name),
            Source::Worktree => false,
        };
        let tracking_is_ahead = match (local, tracking) {
            (Some(local), Some(tracking)) => {
                local == tracking || Commits::of(&repo.objects).descends(tracking, local).unwrap_or(false)
            }
            (local, tracking) => local.is_none() && tracking.is_some(),
        };
        Some(Situation {
            head,
            unfinished: unfinished(repo.git_dir()),
            local,
            tracking,
            tracking_is_ahead,
            is_left_behind,
        })
    }

    /// Whether git is told to pass over what would be committed in `.metis/`.
    pub fn ignores_metis(&self) -> bool {
        let Some(repo) = &self.repo else { return false };
        let path = self.metis_path() + "/x.md";
        (|| {
            let index = repo.index_or_empty().ok()?;
            let mut stack = repo
                .excludes(
                    &index,
                    None,
                    gix::worktree::stack::state::ignore::Source::WorktreeThenIdMappingIfNotSkipped,
                )
                .ok()?;
            let platform = stack.at_entry(path.as_str(), None).ok()?;
            Some(platform.is_excluded())
        })()
        .unwrap_or(false)
    }

    /// The path of `.metis/` in the work tree, its components joined by `/`.
    pub fn metis_path(&self) -> String {
        let parts: Vec<_> = self.metis.iter().map(|part| String::from_utf8_lossy(part)).collect();
        parts.join("/")
    }
}
