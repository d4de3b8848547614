//! Makes a commit of a directory, without a repository, and pushes it.
//!
//! ```text
//! cargo run --example directory -- DIRECTORY URL BRANCH
//! ```
//!
//! Files and folders become what git would make of them; hidden ones and symbolic links are left out. Exit code 0: the branch
//! has the commit, 1: it has not, and why.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::{
    convert::Infallible,
    error::Error,
    fs,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use gix_hash::ObjectId;
use gix_object::Kind;
use gix_transport::{Protocol, Service};
use send_pack::{
    Outcome, PackObject, PushOptions, RefUpdate,
    connect::{self, ConnectOptions, RemoteUrl, Settings},
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, location, branch] = arguments.as_slice() else {
        return Err("usage: directory DIRECTORY URL BRANCH".into());
    };
    let mut options = ConnectOptions::default();
    options.settings = Settings::read(&gix_config::File::from_globals()?, &|name| std::env::var_os(name));
    let (url, name) = (RemoteUrl::parse(location)?, format!("refs/heads/{branch}"));

    let parent = value_of(&url, &options, &name)?;
    let mut objects = Vec::new();
    let tree = tree(Path::new(directory), &mut objects)?.ok_or("there is nothing to commit")?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let who = format!("example <example@example.org> {seconds} +0000");
    let parents = parent.map(|id| format!("parent {id}\n")).unwrap_or_default();
    let commit = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\n{directory}\n");
    let commit = add(Kind::Commit, commit.into_bytes(), &mut objects)?;

    let update = RefUpdate {
        name: name.into(),
        expected: parent,
        new: Some(commit),
    };
    let source = || Ok::<_, Infallible>(objects.clone().into_iter().map(Ok));
    match send_pack::push(&url, &options, &PushOptions::new("directory/1"), &update, source)? {
        Outcome::Applied => println!("{branch} is at {commit}"),
        Outcome::Moved { .. } => return Err("somebody else was faster; run this again".into()),
        Outcome::Refused(refusal) => return Err(format!("{}\n{}", refusal.reason, refusal.server_text).into()),
        Outcome::Unknown { cause } => return Err(format!("look at the branch before you try again: {cause}").into()),
    }
    Ok(())
}

/// What the branch has now.
fn value_of(url: &RemoteUrl, options: &ConnectOptions, name: &str) -> Result<Option<ObjectId>, Box<dyn Error>> {
    let mut session = connect::open(url, Service::ReceivePack, Protocol::V1, options)?;
    let refs = session.handshake.refs.take().unwrap_or_default();
    session.close();
    let value = refs.iter().map(|r| r.unpack()).find(|(known, ..)| *known == name);
    Ok(value.and_then(|(_, target, _)| target.map(ToOwned::to_owned)))
}

/// The tree of `directory`; `None` if there is nothing in it, as git has no empty folders.
fn tree(directory: &Path, objects: &mut Vec<PackObject>) -> Result<Option<ObjectId>, Box<dyn Error>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name().into_vec());
        if name.starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            // git sorts folders as if a slash were part of the name.
            let id = tree(&entry.path(), objects)?;
            entries.extend(id.map(|id| ([&name[..], b"/"].concat(), name, "40000", id)));
        } else if kind.is_file() {
            let mode = match entry.metadata()?.permissions().mode() & 0o100 {
                0 => "100644",
                _ => "100755",
            };
            let id = add(Kind::Blob, fs::read(entry.path())?, objects)?;
            entries.push((name.clone(), name, mode, id));
        }
    }
    entries.sort();
    let mut data = Vec::new();
    for (_, name, mode, id) in &entries {
        data.extend([mode.as_bytes(), b" ", name, b"\0", id.as_slice()].concat());
    }
    (!entries.is_empty())
        .then(|| add(Kind::Tree, data, objects))
        .transpose()
}

fn add(kind: Kind, data: Vec<u8>, objects: &mut Vec<PackObject>) -> Result<ObjectId, Box<dyn Error>> {
    let id = gix_object::compute_hash(gix_hash::Kind::Sha1, kind, &data)?;
    let delta_base = None;
    objects.push(PackObject {
        id,
        kind,
        data,
        delta_base,
    });
    Ok(id)
}
