//! Somebody who pushes with the library: commits made in memory, pushed to a real repository.

use std::{collections::BTreeMap, convert::Infallible, ffi::OsString, time::Duration};

use gix_hash::{self as hash, ObjectId};
use gix_object as objs;
use send_pack::{
    Outcome, PackObject, PushError, PushOptions, RefUpdate,
    connect::{ConnectError, ConnectOptions, Prompt, RemoteUrl, Settings},
};

pub use crate::support::repository::Repository;
use crate::support::workspace::Remote;

pub type Pushed = Result<Outcome, PushError<Infallible>>;

/// A commit that exists in memory, with the objects that its parent has not.
#[derive(Clone)]
pub struct Draft {
    pub id: ObjectId,
    pub parent: Option<ObjectId>,
    pub objects: Vec<PackObject>,
    /// Name and blob of every file.
    pub files: BTreeMap<String, ObjectId>,
    root: (ObjectId, Vec<u8>),
}

impl Draft {
    /// A first commit with these files.
    pub fn first(kind: hash::Kind, files: &[(&str, &[u8])]) -> Draft {
        Draft::made(kind, None, BTreeMap::new(), None, files, &[])
    }

    /// The next commit: `files` are new or replace the ones of the same name. Deltas are made for those in `before`.
    pub fn next(&self, files: &[(&str, &[u8])], before: &[(&str, &[u8])]) -> Draft {
        let root = Some(self.root.clone());
        Draft::made(self.id.kind(), Some(self.id), self.files.clone(), root, files, before)
    }

    /// The next commit on top of what somebody else made, whose files are known by their ids.
    pub fn on(parent: ObjectId, tree: BTreeMap<String, ObjectId>, files: &[(&str, &[u8])]) -> Draft {
        Draft::made(parent.kind(), Some(parent), tree, None, files, &[])
    }

    fn made(
        kind: hash::Kind,
        parent: Option<ObjectId>,
        mut tree: BTreeMap<String, ObjectId>,
        old_root: Option<(ObjectId, Vec<u8>)>,
        files: &[(&str, &[u8])],
        before: &[(&str, &[u8])],
    ) -> Draft {
        let mut objects = Vec::new();
        for (name, bytes) in files {
            let base = before.iter().find(|(old, _)| old == name);
            let delta_base = base.map(|(_, old)| (id(kind, objs::Kind::Blob, old), old.to_vec()));
            let blob = object(kind, objs::Kind::Blob, bytes.to_vec(), delta_base);
            tree.insert((*name).to_owned(), blob.id);
            objects.push(blob);
        }
        let mut entries = Vec::new();
        for (name, blob) in &tree {
            entries.extend_from_slice(format!("100644 {name}\0").as_bytes());
            entries.extend_from_slice(blob.as_slice());
        }
        let root = object(kind, objs::Kind::Tree, entries.clone(), old_root);
        let who = "A <a@example.org> 1772069400 +0000";
        let parent_line = parent.map(|id| format!("parent {id}\n")).unwrap_or_default();
        let text = format!("tree {}\n{parent_line}author {who}\ncommitter {who}\n\nsync\n", root.id);
        let commit = object(kind, objs::Kind::Commit, text.into_bytes(), None);
        let draft = (root.id, entries);
        let new_id = commit.id;
        objects.extend([root, commit]);
        Draft {
            id: new_id,
            parent,
            objects,
            files: tree,
            root: draft,
        }
    }
}

fn id(kind: hash::Kind, object: objs::Kind, data: &[u8]) -> ObjectId {
    objs::compute_hash(kind, object, data).expect("bounded data")
}

fn object(hash: hash::Kind, kind: objs::Kind, data: Vec<u8>, delta_base: Option<(ObjectId, Vec<u8>)>) -> PackObject {
    PackObject {
        id: id(hash, kind, &data),
        kind,
        data,
        delta_base,
    }
}

/// How to connect to `remote`; what it needs in the environment is given to the library only.
pub fn options(remote: &Remote) -> ConnectOptions {
    options_with(remote, "")
}

/// The same with git configuration.
pub fn options_with(remote: &Remote, config: &str) -> ConnectOptions {
    let env = remote.env.clone();
    let lookup = move |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, v)| OsString::from(v));
    let mut options = ConnectOptions::default();
    options.deadlines.idle = Duration::from_secs(30);
    options.settings = Settings::read(&config.parse().expect("valid configuration"), &lookup);
    options.prompt = Prompt::Never;
    options
}

pub fn url(text: &str) -> RemoteUrl {
    RemoteUrl::parse(text).unwrap_or_else(|err| panic!("{err}"))
}

/// `draft` as `main`, where its parent must be.
pub fn push(remote: &Remote, draft: &Draft) -> Pushed {
    push_with(&remote.url, &options(remote), draft)
}

pub fn push_with(at: &str, options: &ConnectOptions, draft: &Draft) -> Pushed {
    send_pack::push(
        &url(at),
        options,
        &PushOptions::new("test/1.0"),
        &to_main(draft.parent, Some(draft.id)),
        || Ok(draft.objects.clone().into_iter().map(Ok)),
    )
}

pub fn to_main(expected: Option<ObjectId>, new: Option<ObjectId>) -> RefUpdate {
    RefUpdate {
        name: "refs/heads/main".into(),
        expected,
        new,
    }
}

/// A first commit, for tests to which it does not matter what is in it.
pub fn first() -> Draft {
    Draft::first(hash::Kind::Sha1, &[("a.md", b"one\n")])
}

/// Why the connection did not do.
#[track_caller]
pub fn failed(pushed: Pushed) -> ConnectError {
    match pushed {
        Err(PushError::Connect(cause)) => cause,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn applied(pushed: Pushed) {
    match pushed {
        Ok(Outcome::Applied) => {}
        other => panic!("not applied: {other:?}"),
    }
}
