//! Files that a sync wrote itself.

use std::collections::HashMap;

use super::index::Seen;
use crate::{fs::Stat, names::ObjectId};

/// By path, with their content. A file is not read again that is still as it was written: its
/// change time is another one, as it was put in place after that.
#[derive(Debug, Default)]
pub struct Made(HashMap<String, (Seen, ObjectId)>);

impl Made {
    pub fn note(&mut self, path: String, stat: &Stat, id: ObjectId) {
        self.0.insert(path, (stat.into(), id));
    }

    pub fn find(&self, path: &str, seen: &Seen) -> Option<ObjectId> {
        let (made, id) = self.0.get(path)?;
        let same = (made.len, made.inode, made.mtime_ns) == (seen.len, seen.inode, seen.mtime_ns);
        same.then_some(*id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_until_it_changes() {
        let stat = Stat::of_a_file;
        let id = ObjectId::from_bytes(&[1; 20]).unwrap();
        let mut made = Made::default();
        made.note("a".into(), &stat(1, 1), id);
        assert_eq!(
            made.find("a", &Seen::from(&stat(1, 2))),
            Some(id),
            "it was put in place since"
        );
        assert_eq!(made.find("b", &Seen::from(&stat(1, 2))), None);
        assert_eq!(made.find("a", &Seen::from(&stat(2, 2))), None);
    }
}
