//! The logs of devices in central: one ref each, whose newest commit's tree is the whole log.

use std::collections::{BTreeMap, BTreeSet};

use gix::objs::Kind;
use jiff::Timestamp;

use super::{CentralError, commit, from_gix, hash_kind, store::Store, to_gix, tree};
use crate::{
    names::{ObjectFormat, ObjectId},
    plan::listing::EntryKind,
    send_pack::PackObject,
};

/// What the full names of the logs' refs begin with.
pub const REFS: &str = "refs/metis/log/";
/// The same at a host that takes branches and nothing else.
pub const AS_BRANCHES: &str = "refs/heads/metis/log/";
/// The same without `refs/heads/`.
pub const BRANCHES: &str = "metis/log/";

/// What the full names of all refs of logs begin with.
pub fn prefixes() -> Vec<String> {
    [REFS, AS_BRANCHES].map(str::to_owned).into()
}

/// Whether a full name of a ref is that of a log.
pub fn is_log(name: &str) -> bool {
    name.starts_with(REFS) || name.starts_with(AS_BRANCHES)
}

/// No file of a log is larger.
const MAX_FILE: u64 = 17 << 20;

/// A file of a log that is to be pushed.
#[derive(Debug, Clone, Copy)]
pub enum Content<'c> {
    /// It has this text.
    New(&'c str),
    /// It is there already.
    There(ObjectId),
}

/// A commit of a log, with what central has not of it.
#[derive(Debug, Clone)]
pub struct NewLog {
    /// Its id.
    pub commit: ObjectId,
    /// The commit, its tree, and the new files.
    pub objects: Vec<PackObject>,
    /// All its files.
    pub files: BTreeMap<String, ObjectId>,
}

/// Makes the commit of a log with these files on top of `parent`.
pub fn make(
    format: ObjectFormat,
    parent: Option<ObjectId>,
    subject: &str,
    files: &BTreeMap<String, Content<'_>>,
    author: &(String, String),
    now: Timestamp,
) -> NewLog {
    let mut objects = Vec::new();
    let mut ids = BTreeMap::new();
    let mut listing = Vec::new();
    // As git orders files, which is by their bytes.
    for (name, content) in files {
        let id = match content {
            Content::There(id) => *id,
            Content::New(text) => {
                let object = object(format, Kind::Blob, text.as_bytes().to_vec());
                let id = from_gix(&object.id);
                objects.push(object);
                id
            }
        };
        listing.extend_from_slice(format!("100644 {name}\0").as_bytes());
        listing.extend_from_slice(id.as_bytes());
        ids.insert(name.clone(), id);
    }
    let tree = object(format, Kind::Tree, listing);
    let commit = commit::new(
        from_gix(&tree.id),
        parent,
        subject,
        author,
        now,
        &commit::Trailers::default(),
        format,
    );
    objects.push(tree);
    objects.push(PackObject {
        id: to_gix(commit.id),
        kind: Kind::Commit,
        data: commit.bytes,
        delta_base: None,
    });
    NewLog {
        commit: commit.id,
        objects,
        files: ids,
    }
}

fn object(format: ObjectFormat, kind: Kind, data: Vec<u8>) -> PackObject {
    let id =
        gix::objs::compute_hash(hash_kind(format), kind, &data).expect("hashing bounded data in memory cannot fail");
    PackObject {
        id,
        kind,
        data,
        delta_base: None,
    }
}

/// The files of a log as a commit of it has them.
pub struct Files<'s> {
    store: &'s Store,
    ids: BTreeMap<String, ObjectId>,
}

impl<'s> Files<'s> {
    /// Those of `commit`, whose objects are here.
    pub fn of(store: &'s Store, commit: ObjectId) -> Result<Self, CentralError> {
        let entries = tree::entries(store, tree::of_commit(store, commit)?)?;
        let files = entries.into_iter().filter(|entry| entry.kind == EntryKind::File);
        let named = files.filter_map(|entry| Some((String::from_utf8(entry.name).ok()?, entry.id)));
        Ok(Files {
            store,
            ids: named.collect(),
        })
    }

    /// Their names.
    pub fn names(&self) -> BTreeSet<String> {
        self.ids.keys().cloned().collect()
    }

    /// The bytes of one of them. Empty where it is larger than any file of a log, as if nothing were in it.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, CentralError> {
        let Some(id) = self.ids.get(name) else {
            return Ok(Vec::new());
        };
        Ok(self.store.blob(*id, MAX_FILE)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::central::fixture::git;

    #[test]
    fn git_reads_what_is_made() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q", "--bare"], b"");
        let there = String::from_utf8(git(dir.path(), &["hash-object", "-w", "--stdin"], b"old\n")).unwrap();
        let files = BTreeMap::from([
            ("log.json".to_owned(), Content::New("{}\n")),
            (
                "0000000001.jsonl".to_owned(),
                Content::There(there.trim().parse().unwrap()),
            ),
        ]);
        let who = ("Ann".to_owned(), "ann@localhost".to_owned());
        let log = make(
            ObjectFormat::Sha1,
            None,
            "records: x",
            &files,
            &who,
            Timestamp::UNIX_EPOCH,
        );
        for object in &log.objects {
            let kind = object.kind.to_string();
            let id = git(dir.path(), &["hash-object", "-w", "-t", &kind, "--stdin"], &object.data);
            assert_eq!(String::from_utf8(id).unwrap().trim(), object.id.to_string());
        }
        git(
            dir.path(),
            &["update-ref", "refs/metis/log/x", &log.commit.to_string()],
            b"",
        );
        git(dir.path(), &["fsck", "--strict"], b"");
        let shown = git(dir.path(), &["show", &format!("{}:0000000001.jsonl", log.commit)], b"");
        assert_eq!(shown, b"old\n");
    }
}
