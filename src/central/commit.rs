//! The commit that a sync makes.

use jiff::Timestamp;

use std::{collections::BTreeSet, fmt::Write};

use super::{ObjectFormat, from_gix, hash_kind};
use crate::names::{ObjectId, Prefix, ShortCode};

/// Where the documents of a commit come from. Clients that do not know the trailers pass over them.
///
/// ```text
/// Project-Commit: <the project's commit that was synced from>
/// Project-Root: <a commit without parents that it goes back to> <path of .metis/ in the project>
/// Project-Uncommitted: <codes that were not as in that commit>
/// Workspace-Left: <a folder that the commit takes away: another one took its place, or its own was retired>
/// Conduit-Writer: <the workspace that alone writes this branch, which mirrors a folder of it>
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trailers {
    /// `Project-Commit`
    pub commit: Option<ObjectId>,
    /// `Project-Root`
    pub root: Option<(ObjectId, String)>,
    /// `Project-Uncommitted`
    pub uncommitted: BTreeSet<ShortCode>,
    /// `Workspace-Left`
    pub left: Option<Prefix>,
    /// `Conduit-Writer`
    pub writer: Option<Prefix>,
}

impl Trailers {
    /// Reads them from a commit's message. What does not belong there is passed over.
    pub fn read(message: &[u8]) -> Self {
        let mut trailers = Trailers::default();
        for line in String::from_utf8_lossy(message).lines() {
            let Some((key, value)) = line.split_once(": ") else {
                continue;
            };
            match key {
                "Project-Commit" => trailers.commit = value.trim().parse().ok(),
                "Project-Root" => {
                    let parts = value.split_once(' ');
                    trailers.root = parts.and_then(|(root, path)| Some((root.parse().ok()?, path.to_owned())));
                }
                "Project-Uncommitted" => {
                    let codes = value.split_whitespace();
                    trailers.uncommitted.extend(codes.filter_map(|code| code.parse().ok()));
                }
                "Workspace-Left" => trailers.left = value.trim().parse().ok(),
                "Conduit-Writer" => trailers.writer = value.trim().parse().ok(),
                _ => {}
            }
        }
        trailers
    }

    fn write(&self, message: &mut String) {
        if self.commit.is_some() || self.left.is_some() || self.writer.is_some() {
            message.push('\n');
        }
        if let Some(commit) = self.commit {
            let _ = writeln!(message, "Project-Commit: {commit}");
            if let Some((root, path)) = &self.root {
                let _ = writeln!(message, "Project-Root: {root} {path}");
            }
            if !self.uncommitted.is_empty() {
                let codes: Vec<&str> = self.uncommitted.iter().map(ShortCode::as_str).collect();
                let _ = writeln!(message, "Project-Uncommitted: {}", codes.join(" "));
            }
        }
        if let Some(left) = &self.left {
            let _ = writeln!(message, "Workspace-Left: {left}");
        }
        if let Some(writer) = &self.writer {
            let _ = writeln!(message, "Conduit-Writer: {writer}");
        }
    }
}

/// A commit's id and bytes.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// Its id.
    pub id: ObjectId,
    /// Its content, without git's header.
    pub bytes: Vec<u8>,
}

/// Makes the commit for `tree` on top of `parent`. Its message begins with `<subject> @ <time>`; that of a sync of documents is
/// `sync: <prefix>`, as every client of this kind writes it.
///
/// `author` is a name and an e-mail address without `<`, `>` and control characters.
pub fn new(
    tree: ObjectId,
    parent: Option<ObjectId>,
    subject: &str,
    author: &(String, String),
    now: Timestamp,
    trailers: &Trailers,
    format: ObjectFormat,
) -> NewCommit {
    let (name, email) = author;
    // Before 1970 git has no notation that all servers read.
    let seconds = now.as_second().max(0);
    let stamp = Timestamp::from_second(seconds).unwrap_or_default();
    let who = format!("{name} <{email}> {seconds} +0000");
    let parent = parent.map(|id| format!("parent {id}\n")).unwrap_or_default();
    let mut text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\n{subject} @ {stamp}\n");
    trailers.write(&mut text);
    let bytes = text.into_bytes();
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
            "sync: api",
            &author,
            now,
            &Trailers::default(),
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
        let commit = new(
            tree,
            None,
            "sync: api",
            &author,
            now,
            &Trailers::default(),
            ObjectFormat::Sha1,
        );
        assert!(String::from_utf8(commit.bytes).unwrap().contains("> 0 +0000\n"));
    }

    #[test]
    fn trailers_are_read_as_they_were_written() {
        let commit: ObjectId = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        let trailers = Trailers {
            commit: Some(commit),
            root: Some((commit, "sub folder/.metis".into())),
            uncommitted: ["API-T-0001", "API-T-0002"].map(|code| code.parse().unwrap()).into(),
            left: "old".parse().ok(),
            writer: "api".parse().ok(),
        };
        let without_project = Trailers {
            left: "old".parse().ok(),
            ..Trailers::default()
        };
        for trailers in [trailers, without_project] {
            let mut message = "sync: api @ x\n".to_owned();
            trailers.write(&mut message);
            assert_eq!(Trailers::read(message.as_bytes()), trailers);
            assert!(message.starts_with("sync: api @ x\n\n"));
        }
        assert_eq!(Trailers::read(b"sync: api @ x\n"), Trailers::default());
        let odd = b"Project-Commit: main\nProject-Root: x\nProject-Uncommitted: ../x API-T-0001 \xff\n";
        assert_eq!(Trailers::read(odd).uncommitted.len(), 1);
        assert_eq!(Trailers::read(odd).commit, None);
    }
}
