//! What git tracks below `.metis/`, asked of the index.

use std::collections::BTreeSet;

use gix::objs::FindExt;

use super::Project;
use crate::central::{from_gix, to_gix};

impl Project {
    /// Whether git tracks `path`, relative to `.metis/`, be it unmerged. Where the index cannot be read it is taken for
    /// tracked, so that nothing is changed that might be.
    pub fn tracks(&self, path: &str) -> bool {
        let Some(repo) = &self.repo else { return false };
        let Ok(index) = repo.index_or_empty() else {
            return true;
        };
        let mut whole = self.below_top();
        whole.extend_from_slice(path.as_bytes());
        let entries = index.prefixed_entries(whole.as_slice().into()).unwrap_or_default();
        entries.iter().any(|entry| entry.path(&index) == whole.as_slice())
    }

    /// The top-level folders of `.metis/` in which git tracks a file, by `HEAD` and by the index: what is in them is the
    /// project's own. Reads the whole index, so ask only where something is about to be written.
    pub fn tracked_folders(&self) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        let Some(repo) = &self.repo else { return out };
        if let Ok(head) = repo.head_id()
            && let Some(tree) = self.metis_tree(&repo.objects, from_gix(&head))
        {
            let mut buffer = Vec::new();
            if let Ok(entries) = repo.objects.find_tree_iter(&to_gix(tree), &mut buffer) {
                let folders = entries.filter_map(Result::ok).filter(|entry| entry.mode.is_tree());
                out.extend(folders.map(|entry| entry.filename.to_string()));
            }
        }
        if let Ok(index) = repo.index_or_empty() {
            let below = self.below_top();
            let entries = match below.is_empty() {
                true => Some(index.entries()),
                false => index.prefixed_entries(below.as_slice().into()),
            };
            for entry in entries.unwrap_or_default() {
                let path = &entry.path(&index)[below.len()..];
                if let Some(end) = path.iter().position(|byte| *byte == b'/') {
                    out.insert(String::from_utf8_lossy(&path[..end]).into_owned());
                }
            }
        }
        out
    }

    /// What the path of everything in `.metis/` begins with in the index.
    fn below_top(&self) -> Vec<u8> {
        let parts = self.metis.iter().flat_map(|part| [part.as_slice(), b"/"]);
        parts.flatten().copied().collect()
    }
}
