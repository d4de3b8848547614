//! Whose the owned folder is.

use super::{Comparison, PlanError};
use crate::{
    central::history::{self, Owner},
    names::ObjectId,
    plan::{
        folder::Fate,
        guard::{OtherProject, Places},
        listing::Documents,
    },
    project::History,
    stage::Context,
    workspace::CONFIG_FILE,
};

/// Where `.metis/` lies in the project, as a commit's trailer says it.
pub fn path_in_project(ctx: &Context<'_>) -> String {
    let path = ctx.project.metis_path();
    let path: String = path.chars().filter(|c| !c.is_control()).collect();
    if path.is_empty() { ".".into() } else { path }
}

/// Whether the workspace that `owner` tells of, in another folder of this project, is the one at `path`: it was moved.
fn has_moved(history: &mut History<'_>, at: ObjectId, owner: &Owner, path: &str) -> bool {
    let places = owner.commit.and_then(|origin| {
        let (_, base) = history
            .obtain(origin)
            .then(|| history.relation(at, origin).ok())
            .flatten()?;
        let mut has = |commit, path| history.has_file_at(commit, path, CONFIG_FILE);
        Some(Places {
            theirs_before: has(base, &owner.root.1)?,
            theirs_here: has(at, &owner.root.1)?,
            ours_before: has(base, path)?,
            ours_there: has(origin, path)?,
        })
    });
    places.is_some_and(Places::is_moved)
}

impl Comparison<'_, '_> {
    /// Stops where another clone of this workspace has renamed or retired the folder that this one has written.
    pub(super) fn still_named(&self) -> Result<(), PlanError> {
        let prefix = self.prefix;
        let between = [self.snapshot.head, self.cursor.compared];
        let central = self.ctx.central(self.snapshot.branch.raw());
        match history::fate(central, self.store, between, prefix)? {
            None => Ok(()),
            Some(Fate::Retired) => Err(PlanError::OtherProject(OtherProject::Retired(prefix.clone()))),
            Some(Fate::Renamed(new)) => Err(PlanError::OtherProject(OtherProject::RenamedElsewhere {
                old: prefix.clone(),
                new,
            })),
        }
    }

    /// Finds out whether the owned folder, which holds `central`, is the project's that `at` is a commit of, and the commit
    /// that this project is known by. `None`: the project's oldest commits are not to be had.
    pub(super) fn identity(
        &self,
        central: &Documents,
        history: &mut History<'_>,
        at: ObjectId,
    ) -> Result<Option<ObjectId>, PlanError> {
        let (ctx, prefix) = (self.ctx, self.prefix);
        let Some(roots) = history.roots(at) else {
            return Ok(None);
        };
        let first = roots.first().copied();
        let Some(head) = self.snapshot.head else {
            return Ok(first);
        };
        let only = (!central.is_empty()).then_some(prefix);
        let owners = history::owners(ctx.central(self.snapshot.branch.raw()), self.store, head, only)?;
        let path = path_in_project(ctx);
        let is_ours = |(root, at): &(ObjectId, String)| roots.contains(root) && *at == path;
        if let Some(owner) = owners.get(prefix).filter(|_| !central.is_empty()) {
            let is_ours =
                is_ours(&owner.root) || (roots.contains(&owner.root.0) && has_moved(history, at, owner, &path));
            if !is_ours && !self.how.adopt_project {
                return Err(PlanError::OtherProject(OtherProject::Folder {
                    prefix: prefix.clone(),
                    root: owner.root.0,
                    path: (&owner.root.1).into(),
                }));
            }
            return Ok(roots.contains(&owner.root.0).then_some(owner.root.0).or(first));
        }
        // A first push: the project may be in central under another name.
        let root = self.snapshot.root(self.store)?;
        for owner in owners.values() {
            let still_there = || {
                let held = root.documents(self.store, &owner.prefix);
                held.is_ok_and(|held| !held.is_empty())
            };
            let is_another = owner.prefix != *prefix && !ctx.former.contains(&owner.prefix);
            if is_another && is_ours(&owner.root) && still_there() {
                return Err(PlanError::OtherProject(OtherProject::Renamed {
                    old: owner.prefix.clone(),
                    new: prefix.clone(),
                }));
            }
        }
        Ok(first)
    }
}
