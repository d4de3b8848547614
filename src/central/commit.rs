//! The commit that a sync makes.

use jiff::Timestamp;

use super::{ObjectFormat, from_gix, hash_kind};
use crate::names::{ObjectId, Prefix};

/// A commit's id and bytes.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// Its id.
    pub id: ObjectId,
    /// Its content, without git's header.
    pub bytes: Vec<u8>,
}

/// Makes the commit for `tree` on top of `parent`: `sync: <prefix> @ <time>`, as every client of this kind writes it.
///
/// `author` is a name and an e-mail address without `<`, `>` and control characters.
pub fn new(
    tree: ObjectId,
    parent: Option<ObjectId>,
    prefix: &Prefix,
    author: &(String, String),
    now: Timestamp,
    format: ObjectFormat,
) -> NewCommit {
    let (name, email) = author;
    // Before 1970 git has no notation that all servers read.
    let seconds = now.as_second().max(0);
    let stamp = Timestamp::from_second(seconds).unwrap_or_default();
    let who = format!("{name} <{email}> {seconds} +0000");
    let parent = parent.map(|id| format!("parent {id}\n")).unwrap_or_default();
    let bytes =
        format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nsync: {prefix} @ {stamp}\n").into_bytes();
    let id = gix::objs::compute_hash(hash_kind(format), gix::objs::Kind::Commit, &bytes)
        .expect("hashing bounded data in memory cannot fail");
    NewCommit {
        id: from_gix(&id),
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_workspace_and_second() {
        let tree = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        let author = ("A B".to_owned(), "a@b".to_owned());
        let now: Timestamp = "2026-02-26T01:30:00.75Z".parse().unwrap();
        let commit = new(
            tree,
            Some(tree),
            &"api".parse().unwrap(),
            &author,
            now,
            ObjectFormat::Sha1,
        );
        assert_eq!(
            String::from_utf8(commit.bytes).unwrap(),
            format!(
                "tree {tree}\nparent {tree}\nauthor A B <a@b> 1772069400 +0000\n\
                 committer A B <a@b> 1772069400 +0000\n\nsync: api @ 2026-02-26T01:30:00Z\n"
            )
        );
    }

    /// 81#33: a clock before the epoch must not make a commit that servers reject.
    #[test]
    fn a_clock_before_1970_still_makes_a_commit() {
        let tree = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        let author = ("A".to_owned(), "a@b".to_owned());
        let now: Timestamp = "1969-01-01T00:00:00Z".parse().unwrap();
        let commit = new(tree, None, &"api".parse().unwrap(), &author, now, ObjectFormat::Sha1);
        assert!(String::from_utf8(commit.bytes).unwrap().contains("> 0 +0000\n"));
    }
}
