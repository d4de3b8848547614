//! Every way in which the cursor changes, by what happened.

use std::collections::{BTreeMap, BTreeSet};

use super::{Base, Cursor, Notes};
use crate::{
    names::{ObjectId, Prefix, ShortCode},
    plan::listing::Documents,
    text::UntrustedName,
};

impl Cursor {
    /// Central's rewritten history was accepted: nothing of the old one counts as dealt with.
    pub fn adopt_rewritten(&mut self) {
        self.head = None;
        self.compared = None;
    }

    /// The own documents have to be compared with central anew.
    pub fn compare_anew(&mut self) {
        self.compared = None;
    }

    /// This workspace gets another folder in central: nothing is known of what that holds.
    pub fn leave_folder(&mut self) {
        self.base.clear();
        self.compared = None;
    }

    /// The folders are where hydrating brought them.
    pub fn hydrated(
        &mut self,
        folders: BTreeMap<Prefix, ObjectId>,
        unfinished: BTreeSet<Prefix>,
        left_out: BTreeSet<Prefix>,
    ) {
        self.folders = folders;
        self.unfinished = unfinished;
        self.left_out = left_out;
    }

    /// Every hydrated folder ignores itself.
    pub fn folders_ignore_themselves(&mut self) {
        self.folders_ignored = true;
    }

    /// Versions that were in central before its history was rewritten, and are neither in `central` nor `here`, are no common
    /// ones any more.
    pub fn forget_lost_versions(&mut self, central: &Documents, here: &Documents) {
        if central.is_empty() {
            // A central made anew: this workspace is registered there like any other.
            self.base.clear();
        }
        self.base
            .retain(|code, base| central.get(code) == base.blob.as_ref() || here.get(code) == base.blob.as_ref());
        self.witnesses.clear();
    }

    /// The own documents were compared with central at `head`. `notes`: what came of it; `None`: what was noted before holds.
    pub fn compared_at(&mut self, head: Option<ObjectId>, notes: Option<Notes>) {
        self.compared = head;
        if let Some(notes) = notes {
            self.base = notes.base;
            self.agreed = notes.agreed;
            self.witnesses = notes.witnesses;
            self.root = notes.root;
            self.unsettled = notes.unsettled;
            self.decided = notes.decided;
            self.held_back = notes.held_back;
        }
    }

    /// Of what was pushed when syncs were cut short the one at `at` had arrived, and so had those before it. The own documents may have
    /// changed since.
    pub fn push_had_arrived(&mut self, at: usize) {
        self.pushing.drain(..at);
        if let Some(pushing) = self.pushing.first_mut().filter(|pushing| !pushing.has_arrived) {
            pushing.has_arrived = true;
            let notes = pushing.notes.clone();
            self.compared_at(None, Some(notes));
        }
    }

    /// Everything of central up to `head` was dealt with.
    pub fn dealt_with(&mut self, branch: &UntrustedName, head: Option<ObjectId>) {
        self.head = head;
        self.branch.clone_from(branch);
    }

    /// What was a copy of the folder `prefix`, at `tree`, is this workspace's own from now on: the next sync takes the copy away.
    pub fn owns_from_now_on(&mut self, prefix: &Prefix, tree: Option<ObjectId>) {
        self.folders.extend(tree.map(|tree| (prefix.clone(), tree)));
        self.unfinished.insert(prefix.clone());
    }

    /// A person decided a document; `over`: central's version, which what is here goes over.
    pub fn decide(&mut self, code: ShortCode, over: Option<ObjectId>) {
        self.held_back.remove(&code);
        self.decided.insert(code, over);
    }

    /// A person took the version here of a document out of central, or brought it back here: it is not published again unasked.
    pub fn hold_back(&mut self, code: ShortCode, version: Option<ObjectId>) {
        self.decided.remove(&code);
        self.held_back.insert(code, version);
        self.unsettled = true;
    }

    /// A person had central go back to `entry`, whatever is here.
    pub fn went_back(&mut self, code: ShortCode, entry: Base) {
        self.decided.remove(&code);
        self.base.insert(code, entry);
    }

    /// These folders are at other trees.
    pub fn folders_went_back(&mut self, folders: BTreeMap<Prefix, ObjectId>) {
        self.folders.extend(folders);
    }

    /// What is here of a document is central's version: there is nothing to decide.
    pub fn take_back(&mut self, code: &ShortCode) {
        self.decided.remove(code);
        self.held_back.remove(code);
    }

    /// Whether `metis.db` does not say yet what the files say.
    pub fn note_cache(&mut self, is_due: bool) {
        self.cache_is_due = is_due;
    }
}
