//! Somebody who pushes with the library: commits made in memory, pushed to a real repository.

use std::{collections::BTreeMap, convert::Infallible, ffi::OsString, path::PathBuf, process::Command, time::Duration};

use gix::{ObjectId, hash, objs};
use metis_sync::send_pack::{
    self, Outcome, PackObject, PushError, PushOptions, RefUpdate,
    connect::{ConnectOptions, Deadlines, Prompt, RemoteUrl, Settings},
};

use crate::support::{process::run, workspace::Remote};

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
    ConnectOptions {
        settings: Settings::read(&config.parse().expect("valid configuration"), &lookup),
        deadlines: Deadlines {
            idle: Duration::from_secs(30),
            ..Deadlines::default()
        },
        prompt: Prompt::Never,
        ..ConnectOptions::default()
    }
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

#[track_caller]
pub fn applied(pushed: Pushed) {
    match pushed {
        Ok(Outcome::Applied) => {}
        other => panic!("not applied: {other:?}"),
    }
}

/// The repository behind a server, looked at with git.
pub struct Repository {
    pub dir: PathBuf,
}

impl Repository {
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        run(self.command(args)).success()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        // Servers with a user of their own own their repositories.
        command.args(["-c", "safe.directory=*", "-C"]).arg(&self.dir).args(args);
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    pub fn tip(&self) -> Option<ObjectId> {
        let tip = self.git(&["for-each-ref", "--format=%(objectname)", "refs/heads/main"]);
        let tip = tip.trim();
        (!tip.is_empty()).then(|| tip.parse().expect("git's format"))
    }

    /// The files of a commit.
    pub fn files(&self, commit: ObjectId) -> BTreeMap<String, ObjectId> {
        let listing = self.git(&["ls-tree", "-r", &commit.to_string()]);
        let entry = |line: &str| {
            let (meta, name) = line.split_once('\t').expect("git's format");
            let id = meta.rsplit(' ').next().expect("git's format");
            (name.to_owned(), id.parse().expect("git's format"))
        };
        listing.lines().map(entry).collect()
    }

    pub fn commits(&self) -> usize {
        self.git(&["rev-list", "--count", "main"])
            .trim()
            .parse()
            .expect("a number")
    }

    /// The branch as it was before.
    pub fn reset(&self, to: ObjectId) {
        self.git(&["update-ref", "refs/heads/main", &to.to_string()]);
    }

    pub fn fsck(&self) {
        self.git(&["fsck", "--strict", "--no-progress", "--no-dangling"]);
    }

    pub fn hook(&self, name: &str, body: &str) {
        let path = self.dir.join("hooks").join(name);
        let draft = self.dir.join("hooks").join(format!("{name}.draft"));
        std::fs::create_dir_all(self.dir.join("hooks")).expect("writable");
        std::fs::write(&draft, format!("#!/bin/sh\n{body}\n")).expect("writable");
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(&draft).arg(&path);
        run(install).success();
        std::fs::remove_file(draft).expect("writable");
    }

    pub fn unhook(&self, name: &str) {
        std::fs::remove_file(self.dir.join("hooks").join(name)).expect("there is one");
    }
}
