//! What has to be done in one folder.

use std::collections::BTreeSet;

use super::{FolderWork, edited, read_listing};
use crate::{
    central::{self, CentralError, store::Store, tree},
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        hydrate::{self, FolderPlan, Known, Write},
        listing::{self, Documents},
    },
    stage::{Context, Limits, Warning},
    workspace::{self, FolderState, Marker},
};

/// Why nothing is copied to where git tracks something, and the way out of it.
pub fn tracked_by_git(prefix: &Prefix) -> String {
    format!(
        "git tracks files in .metis/{prefix}/, so they count as this project's own. If they are copies of that workspace, take \
         them out with `git rm --cached -r .metis/{prefix}`, commit that, and sync again; else move them to another folder"
    )
}

/// Takes the files to write from the `room` for them. An error if there is not enough.
pub fn fitting(work: Option<FolderWork>, room: &mut u64, limits: Limits) -> Result<Option<FolderWork>, String> {
    let documents = work.as_ref().map_or(0, |work| work.files.write.len());
    *room = room.checked_sub(documents as u64).ok_or_else(|| {
        format!(
            "with its {documents} documents this sync would write more than {}; sync again to go on, or raise \
             sync.limits.entries in .metis/.sync/config.toml",
            limits.entries
        )
    })?;
    Ok(work)
}

/// A folder to be brought to a tree.
pub struct Folder<'p, 'a> {
    pub ctx: &'p Context<'a>,
    pub store: &'p Store,
    pub prefix: &'p Prefix,
    pub tree: ObjectId,
    /// Whether every file is read.
    pub recheck: bool,
}

impl Folder<'_, '_> {
    /// What to do where the folder is in this `state`; `None` if it is in step. An error says why nothing can be done. Folders
    /// that turn out to be unmarked copies are added to `copies`.
    pub fn work(
        &self,
        state: &FolderState,
        copies: &mut BTreeSet<Prefix>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<FolderWork>, String> {
        let Folder { ctx, prefix, .. } = self;
        let is_in_step = matches!(state, FolderState::Marked(marker) if marker.tree == Some(self.tree)
            && marker.applying.is_none()
            && marker.central == ctx.upstream_name);
        if is_in_step && !self.recheck {
            return Ok(None);
        }
        let target = self.target(warnings)?;
        let nothing = Documents::new();
        let from_nothing = || hydrate::plan(Known::Finished(&nothing), &target);
        let (from, files) = match state {
            FolderState::Absent => (None, from_nothing()),
            FolderState::Newer => {
                return Err(format!(
                    ".metis/{prefix}/ was written by a later version of git-metis-sync; use that one"
                ));
            }
            FolderState::Reserved => {
                return Err(format!(
                    "the Metis tools keep own documents in .metis/{prefix}/, so a workspace of that name cannot be copied there"
                ));
            }
            FolderState::Unreadable(err) => return Err(err.to_string()),
            // Without a marker, but nothing in it is anybody's work: a copy that somebody took out of git, or brought here.
            FolderState::Foreign if is_copy(ctx, prefix, &target) => {
                copies.insert((*prefix).clone());
                (None, from_nothing())
            }
            FolderState::Foreign => {
                return Err(format!(
                    ".metis/{prefix}/ is a folder of your own; move or rename it, then sync again"
                ));
            }
            FolderState::Adoptable => (None, self.by_every_file(None, None, &target)?),
            FolderState::Marked(marker) if self.recheck => (marker.tree, self.by_content(marker, &target)?),
            FolderState::Marked(marker) => (marker.tree, self.by_marker(marker, &target)?),
        };
        if is_in_step && files.is_empty() {
            return Ok(None);
        }
        Ok(Some(FolderWork {
            prefix: (*prefix).clone(),
            tree: self.tree,
            from,
            files,
        }))
    }

    /// What central has, within limits.
    fn target(&self, warnings: &mut Vec<Warning>) -> Result<Documents, String> {
        let limit = self.ctx.limits.entries;
        let entries = tree::entries(self.store, self.tree).map_err(|err| self.unreadable(&err))?;
        let target = listing::folder(self.prefix, entries);
        if target.documents.len() as u64 > limit {
            return Err(format!(
                "it holds {} documents, more than the limit of {limit}; raise sync.limits.entries in \
                 .metis/.sync/config.toml to have them",
                target.documents.len(),
            ));
        }
        let named = warnings.len();
        warnings.extend(Warning::left_out(target.skipped, Some(self.prefix), named));
        if let Some(letters) = &self.ctx.config.project_prefix
            && target.documents.keys().any(|code| code.letters() == letters)
        {
            warnings.push(Warning::SharedCodes {
                prefix: self.prefix.clone(),
                letters: letters.into(),
            });
        }
        Ok(target.documents)
    }

    fn unreadable(&self, err: &CentralError) -> String {
        self.store.suspicion().note(err);
        err.to_string()
    }

    /// Where a marker says which tree the folder is at.
    fn by_marker(&self, marker: &Marker, target: &Documents) -> Result<FolderPlan, String> {
        let held = read_listing(self.store, self.prefix, marker.tree);
        let (None, Some(held)) = (marker.applying, &held) else {
            let to = read_listing(self.store, self.prefix, marker.applying);
            return self.by_every_file(held.as_ref(), to.as_ref(), target);
        };
        let mut files = hydrate::plan(Known::Finished(held), target);
        let edited = edited(self.ctx, self.prefix, held).map_err(|err| err.to_string())?;
        let untouched = edited.into_iter().filter_map(|code| {
            let blob = *held.get(&code)?;
            (target.get(&code) == Some(&blob)).then_some(Write {
                code,
                blob,
                ours: vec![blob],
            })
        });
        files.write.extend(untouched);
        Ok(files)
    }

    /// Where no marker is trusted: what does not have the content that it should.
    fn by_content(&self, marker: &Marker, target: &Documents) -> Result<FolderPlan, String> {
        let [from, to] = [marker.tree, marker.applying].map(|tree| read_listing(self.store, self.prefix, tree));
        let mut files = self.by_every_file(from.as_ref(), to.as_ref(), target)?;
        files.write.retain(|write| {
            let path = format!("{}/{}", self.prefix, write.code.file_name());
            let read = self.ctx.metis.dir().read_file(path, self.ctx.limits.blob_bytes);
            !read.is_ok_and(|(bytes, _)| central::blob_id(write.blob.format(), &bytes) == write.blob)
        });
        Ok(files)
    }

    /// Where every file has to be looked at.
    fn by_every_file(
        &self,
        from: Option<&Documents>,
        to: Option<&Documents>,
        target: &Documents,
    ) -> Result<FolderPlan, String> {
        let nothing = Documents::new();
        let present = workspace::documents_in(self.ctx.metis.dir(), self.prefix).map_err(|err| err.to_string())?;
        let known = Known::Unfinished {
            from: from.unwrap_or(&nothing),
            to: to.unwrap_or(&nothing),
            present: &present,
        };
        Ok(hydrate::plan(known, target))
    }
}

/// Whether `prefix`'s folder holds nothing but documents as central's `target` has them.
fn is_copy(ctx: &Context<'_>, prefix: &Prefix, target: &Documents) -> bool {
    let Ok(entries) = ctx
        .metis
        .dir()
        .open_dir(prefix.as_str())
        .and_then(|folder| folder.list())
    else {
        return false;
    };
    entries.iter().all(|entry| {
        if workspace::is_ours_in_folder(&entry.name) {
            return true;
        }
        let code = entry.name.to_str().and_then(ShortCode::from_file_name);
        let Some((code, blob)) = code.and_then(|code| target.get_key_value(&code)) else {
            return false;
        };
        let path = format!("{prefix}/{}", code.file_name());
        let read = ctx.metis.dir().read_file(path, ctx.limits.blob_bytes);
        read.is_ok_and(|(bytes, _)| central::blob_id(blob.format(), &bytes) == *blob)
    })
}
