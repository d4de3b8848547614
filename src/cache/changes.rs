//! What differs between the rows of one workspace and its documents. Pure.

use std::collections::HashMap;

use super::source::{Identified, each_once};

/// Brings a workspace's rows up to its listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// New paths with new bytes.
    pub added: Vec<Identified>,
    /// Rows whose bytes changed.
    pub changed: Vec<(i64, Identified)>,
    /// Rows whose bytes are now at another path.
    pub moved: Vec<(i64, Identified)>,
    /// Rows without a document.
    pub removed: Vec<i64>,
}

/// Merges a listing with the stored rows, which come one by one in order of their path.
///
/// One by one, because a workspace can have 100,000 rows and nearly all of them are equal: those are compared where SQLite
/// has them, without a copy.
pub(super) struct Merge {
    listed: std::iter::Peekable<std::vec::IntoIter<Identified>>,
    added: Vec<Identified>,
    changed: Vec<(i64, Identified)>,
    removed: Vec<(i64, Vec<u8>)>,
}

impl Merge {
    /// Starts with all documents, in any order. Of several with one path, one is taken.
    pub fn new(mut listed: Vec<Identified>) -> Self {
        each_once(&mut listed, |document| &document.path);
        Merge {
            listed: listed.into_iter().peekable(),
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// The next row; paths in the order of their bytes.
    pub fn stored(&mut self, id: i64, path: &[u8], blob: &[u8]) {
        while let Some(document) = self.listed.next_if(|document| document.path.as_bytes() < path) {
            self.added.push(document);
        }
        match self.listed.next_if(|document| document.path.as_bytes() == path) {
            Some(document) if document.blob.as_bytes() == blob => {}
            Some(document) => self.changed.push((id, document)),
            None => self.removed.push((id, blob.to_vec())),
        }
    }

    /// After the last row.
    pub fn finish(mut self) -> Changes {
        self.added.extend(self.listed);
        let mut vacated: HashMap<Vec<u8>, Vec<i64>> = HashMap::new();
        for (id, blob) in self.removed {
            vacated.entry(blob).or_default().push(id);
        }
        let mut changes = Changes {
            changed: self.changed,
            ..Changes::default()
        };
        for document in self.added {
            match vacated.get_mut(document.blob.as_bytes()).and_then(Vec::pop) {
                Some(id) => changes.moved.push((id, document)),
                None => changes.added.push(document),
            }
        }
        changes.removed = vacated.into_values().flatten().collect();
        changes.removed.sort_unstable();
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str, blob: u8) -> Identified {
        Identified {
            path: path.into(),
            code: "A-T-0001".parse().unwrap(),
            blob: crate::names::ObjectId::from_bytes(&[blob; 20]).unwrap(),
        }
    }

    fn merge(listed: &[(&str, u8)], stored: &[(&str, u8)]) -> Changes {
        let mut merge = Merge::new(listed.iter().map(|(path, blob)| document(path, *blob)).collect());
        for (id, (path, blob)) in stored.iter().enumerate() {
            merge.stored(id as i64, path.as_bytes(), &[*blob; 20]);
        }
        merge.finish()
    }

    #[test]
    fn equal_rows_cost_nothing() {
        let same = [("a", 1), ("b", 2)];
        assert_eq!(merge(&same, &same), Changes::default());
        assert_eq!(merge(&[("b", 2), ("a", 1)], &same), Changes::default());
    }

    #[test]
    fn every_kind_of_change_is_seen_before_between_and_after_the_rows() {
        let changes = merge(
            &[("a", 1), ("b", 2), ("c", 9), ("d", 4), ("x", 7)],
            &[("b", 2), ("c", 3), ("cc", 7), ("d", 4), ("e", 5)],
        );
        assert_eq!(changes.added, [document("a", 1)]);
        assert_eq!(changes.changed, [(1, document("c", 9))]);
        assert_eq!(changes.moved, [(2, document("x", 7))]);
        assert_eq!(changes.removed, [4]);
    }

    #[test]
    fn a_row_moves_once_although_two_documents_have_its_bytes() {
        let changes = merge(&[("new/1", 1), ("new/2", 1)], &[("old", 1)]);
        assert_eq!(changes.moved.len(), 1);
        assert_eq!(changes.added.len(), 1);
        assert!(changes.removed.is_empty());
    }

    #[test]
    fn a_path_listed_twice_is_one_document() {
        assert_eq!(merge(&[("a", 1), ("a", 1)], &[]).added.len(), 1);
    }
}
