//! A tiny `git push` of one branch, on nothing but this crate and gix to read objects.
//!
//! ```text
//! cargo run --example push -- URL BRANCH [EXPECTED]
//! ```
//!
//! Pushes `BRANCH` of the repository in the current directory. `EXPECTED` is the commit that the branch must have at the
//! other end, `none` if it must not exist; without it, whatever it has there is taken for expected, as `git push --force`
//! does. Exit code 0: done, 3: somebody was faster, 4: refused, 5: unknown, 1: everything else.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
};

use gix::{ObjectId, Repository, objs::Kind};
use send_pack::{
    Outcome, PackObject, PushOptions, RefUpdate,
    connect::{self, ConnectOptions, Direction, RemoteUrl, Settings},
};

const AGENT: &str = "push-example/1";

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match push() {
        Ok(Outcome::Applied) => ExitCode::SUCCESS,
        Ok(Outcome::Moved { actual }) => {
            let now = actual.map_or_else(|| "nothing".into(), |id| id.to_string());
            eprintln!("moved: the branch has {now}");
            ExitCode::from(3)
        }
        Ok(Outcome::Refused(refusal)) => {
            eprintln!("refused: {}\n{}", refusal.reason, refusal.server_text);
            ExitCode::from(4)
        }
        Ok(Outcome::Unknown { cause }) => {
            eprintln!("unknown: {cause}\nlook at the branch before you push again");
            ExitCode::from(5)
        }
        Err(err) => {
            eprintln!("error: {err}");
            ExitCode::FAILURE
        }
    }
}

fn push() -> Result<Outcome, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (location, branch, expected) = match arguments.as_slice() {
        [location, branch] => (location, branch, None),
        [location, branch, expected] => (location, branch, Some(expected)),
        _ => return Err("usage: push URL BRANCH [EXPECTED]".into()),
    };
    let repo = gix::discover(".")?;
    let config = repo.config_snapshot();
    let interrupt = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, interrupt.clone())?;
    }
    let mut options = ConnectOptions::default();
    options.settings = Settings::read(config.plumbing(), &|name| std::env::var_os(name));
    options.interrupt = interrupt;
    let url = RemoteUrl::parse(connect::rewrite(
        location.as_bytes(),
        config.plumbing(),
        Direction::Push,
    ))?;

    let name = format!("refs/heads/{branch}");
    let new = repo.rev_parse_single(name.as_str())?.detach();
    let expected = match expected.map(String::as_str) {
        None => listed(&url, &options, &name)?,
        Some("none") => None,
        Some(id) => Some(id.parse()?),
    };
    let update = RefUpdate {
        name: name.into(),
        expected,
        new: Some(new),
    };
    let list = new_objects(&repo, new, expected)?;
    let load = |object: &New| -> Result<PackObject, Failure> {
        let found = repo.find_object(object.id)?;
        let base = object
            .base
            .and_then(|id| Some((id, repo.find_object(id).ok()?.data.clone())));
        Ok(PackObject {
            id: object.id,
            kind: found.kind,
            data: found.data.clone(),
            delta_base: base,
        })
    };
    send_pack::push(&url, &options, &PushOptions::new(AGENT), &update, || {
        Ok::<_, Failure>(list.iter().map(load))
    })
    .map_err(|err| match err {
        send_pack::PushError::Source(err) => err,
        err => err.to_string().into(),
    })
}

/// What the branch has at the other end.
fn listed(url: &RemoteUrl, options: &ConnectOptions, name: &str) -> Result<Option<ObjectId>, Failure> {
    use gix::protocol::transport::{Protocol, Service};
    let mut session = connect::open(url, Service::ReceivePack, Protocol::V1, options)?;
    let refs = session.handshake.refs.take().unwrap_or_default();
    session.close();
    let value = |(ref_name, target, _): (&gix::bstr::BStr, Option<&gix::oid>, _)| {
        (ref_name == name).then(|| target.map(ToOwned::to_owned)).flatten()
    };
    Ok(refs.iter().map(|r| r.unpack()).find_map(value))
}

/// An object that the other end lacks, and one like it that it has.
struct New {
    id: ObjectId,
    base: Option<ObjectId>,
}

/// The commits from `expected` (or the beginning) to `new`, and what is in their trees and not in their parents'.
fn new_objects(repo: &Repository, new: ObjectId, expected: Option<ObjectId>) -> Result<Vec<New>, Failure> {
    let (mut list, mut seen) = (Vec::new(), HashSet::new());
    let known = expected.filter(|id| repo.has_object(*id));
    for commit in repo.rev_walk([new]).with_hidden(known).all()? {
        let commit = commit?.object()?;
        list.push(New {
            id: commit.id,
            base: None,
        });
        let parent = commit.parent_ids().next().and_then(|id| id.object().ok());
        let old = parent.and_then(|parent| Some(parent.into_commit().tree_id().ok()?.detach()));
        // Of a parent that is sent as well, the tree is no base: whoever receives a delta must have what it is against.
        let had = known.is_some() && commit.parent_ids().any(|id| Some(id.detach()) == known);
        changed(repo, commit.tree_id()?.detach(), old, had, &mut seen, &mut list)?;
    }
    Ok(list)
}

fn changed(
    repo: &Repository,
    new: ObjectId,
    old: Option<ObjectId>,
    had: bool,
    seen: &mut HashSet<ObjectId>,
    list: &mut Vec<New>,
) -> Result<(), Failure> {
    if Some(new) == old || !seen.insert(new) {
        return Ok(());
    }
    let base = old.filter(|_| had);
    list.push(New { id: new, base });
    let old = old.and_then(|id| repo.find_object(id).ok()?.try_into_tree().ok());
    let mut had_entries = HashMap::new();
    for entry in old.iter().flat_map(|tree| tree.iter()) {
        let entry = entry?;
        had_entries.insert(entry.filename().to_owned(), (entry.mode().is_tree(), entry.object_id()));
    }
    for entry in repo.find_object(new)?.try_into_tree()?.iter() {
        let entry = entry?;
        let before = had_entries.get(entry.filename());
        let before = before
            .filter(|(is_tree, _)| *is_tree == entry.mode().is_tree())
            .map(|(_, id)| *id);
        if before == Some(entry.object_id()) || entry.mode().is_commit() {
            continue;
        }
        if entry.mode().is_tree() {
            changed(repo, entry.object_id(), before, had, seen, list)?;
        } else if seen.insert(entry.object_id()) {
            let before =
                before.filter(|id| had && repo.find_header(*id).is_ok_and(|header| header.kind() == Kind::Blob));
            list.push(New {
                id: entry.object_id(),
                base: before,
            });
        }
    }
    Ok(())
}
