//! Refs beside central's branch: listed and fetched with it in one exchange each.

use std::{ffi::OsString, path::Path};

use metis_sync::{
    central::{
        fetch::{Wanted, fetch_all},
        remote::Remote,
        store::Store,
    },
    names::{ObjectFormat, ObjectId},
    send_pack::connect::{ConnectOptions, Prompt, RemoteUrl, Settings},
};

use crate::support::{
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace,
    world::World,
};

const LOGS: &str = "refs/log/";

fn options(remote: &workspace::Remote) -> ConnectOptions {
    let env = remote.env.clone();
    let lookup = move |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, v)| OsString::from(v));
    let mut options = ConnectOptions::default();
    options.settings = Settings::read(&Default::default(), &lookup);
    options.prompt = Prompt::Never;
    options
}

/// A commit that nothing else is in a history with, or the next one after `parent`, as the value of `name`.
fn log(world: &World, name: &str, parent: Option<ObjectId>, message: &str) -> ObjectId {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let parent = parent.map(|id| id.to_string());
    let mut args = vec!["commit-tree", "-m", message, "main^{tree}"];
    args.extend(parent.iter().flat_map(|id| ["-p", id.as_str()]));
    let id = world.central.git(&[&who[..], &args].concat());
    world.central.git(&["update-ref", name, id.trim()]);
    id.trim().parse().expect("git's format")
}

/// Lists and fetches once; what was listed, and the objects received.
fn synced(remote: &workspace::Remote, cache: &Path, seen: &[Option<ObjectId>; 3]) -> (Vec<ObjectId>, u32) {
    let (url, options) = (RemoteUrl::parse(&remote.url).expect("valid"), options(remote));
    let mut listed = Remote::list_beside(&url, &options, None, vec![LOGS.into()]).expect("listed");
    assert_eq!(listed.branch, "main");
    let names: Vec<&str> = listed.beside.iter().map(|(name, _)| name.raw()).collect();
    assert_eq!(names, ["refs/log/a", "refs/log/b"], "and no other: {}", remote.url);
    let mut tips = vec![listed.head.expect("it was born")];
    tips.extend(listed.beside.iter().map(|(_, tip)| *tip));
    let mut store = Store::open(cache, &remote.url, ObjectFormat::Sha1).expect("writable");
    let wanted: Vec<Wanted> = tips
        .iter()
        .zip(seen)
        .map(|(tip, seen)| Wanted { tip: *tip, seen: *seen })
        .collect();
    let received = fetch_all(&mut listed, &options, &mut store, &wanted, &mut |_| {}).expect("fetched");
    listed.close();
    assert!(tips.iter().all(|tip| store.contains(*tip)));
    (tips, received)
}

#[test]
fn a_branch_and_the_refs_beside_it_come_in_one_exchange() {
    let world = World::new();
    let (a, b) = (
        log(&world, "refs/log/a", None, "a"),
        log(&world, "refs/log/b", None, "b"),
    );
    log(&world, "refs/logs/other", None, "no log");
    let nginx = Nginx::start(&world, Access::Open);
    let (daemon, sshd) = (GitDaemon::start(&world), Sshd::start(&world));
    let remotes = [
        Some(world.local()),
        nginx.as_ref().map(Nginx::remote),
        daemon.as_ref().map(GitDaemon::remote),
        sshd.as_ref().map(Sshd::remote),
    ];
    let mut last = [a, b];
    for (n, remote) in remotes.into_iter().flatten().enumerate() {
        let cache = world.root().join(format!("cache-{n}"));
        let before = nginx.as_ref().map_or(0, |nginx| nginx.requests().len());
        let (tips, received) = synced(&remote, &cache, &[None; 3]);
        assert_eq!(tips[1..], last);
        assert!(received >= 3, "a commit each, and what is in them");
        if let Some(nginx) = nginx.as_ref().filter(|_| remote.url.starts_with("http")) {
            let requests = nginx.requests_since(before, 3);
            let posts = requests.iter().filter(|line| line.starts_with("POST")).count();
            assert_eq!((requests.len(), posts), (3, 2), "{requests:?}");
        }
        let seen = [Some(tips[0]), Some(tips[1]), Some(tips[2])];
        assert_eq!(synced(&remote, &cache, &seen).1, 0, "all is here");
        // Both go on, and a third commit between: what is here is not sent again.
        let between = log(&world, "refs/log/a", Some(last[0]), "a between");
        last = [
            log(&world, "refs/log/a", Some(between), "a again"),
            log(&world, "refs/log/b", Some(last[1]), "b again"),
        ];
        let (tips, received) = synced(&remote, &cache, &seen);
        assert_eq!(tips[1..], last);
        assert_eq!(received, 3, "{}", remote.url);
    }
}
