//! Secrets stay where they are, and a cloned configuration leads nowhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::{
    process::run,
    servers::{Access, Nginx},
    workspace::Remote,
    world::World,
};

/// Every file below `folder` that has `needle` in it, apart from `but`.
fn mentions(folder: &Path, needle: &str, but: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable folder").path();
        let meta = fs::symlink_metadata(&path).expect("it is there");
        if meta.is_dir() {
            found.extend(mentions(&path, needle, but));
        } else if meta.is_file() && path != but {
            let bytes = fs::read(&path).expect("a file");
            if bytes.windows(needle.len()).any(|part| part == needle.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}

/// A password in the URL is used, and appears in no output, log, journal, database, cache or error: neither when all goes
/// well nor when it is wrong, the server is away, or nothing can be made of the URL.
#[test]
fn a_password_is_seen_nowhere() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let remote = nginx.remote();
    let address = remote.url.strip_prefix("https://").expect("it is https");
    let canary = "canary-4f1c";
    let right = format!("https://{}:correct%20horse@{address}", Nginx::USER);
    let with = |scheme: &str, rest: &str| format!("{scheme}://ann:{canary}@{rest}");
    let closed = "127.0.0.1:9/central.git";
    let urls = [
        (right, Some(0)),
        (with("https", address), Some(5)),
        (with("https", closed), Some(6)),
        (with("http", closed), Some(6)),
        (with("ssh", "127.0.0.1:9/central.git"), None),
        (with("git", closed), None),
        (with("ftp", closed), Some(1)),
        (format!("https://{address}?token={canary}"), None),
        (format!("ext::https://ann:{canary}@host/x"), Some(1)),
        (format!("-https://ann:{canary}@host/x"), Some(1)),
        (format!("https://ann:{canary}@host%0a/x"), Some(1)),
    ];
    for (url, exit) in urls {
        let workspace = world.workspace_on(
            "api",
            &Remote {
                url,
                env: remote.env.clone(),
            },
        );
        workspace.write("API-T-0001", "Mine.");
        let config = workspace.metis().join("config.toml");
        for args in [
            &["--json", "sync"][..],
            &["-v", "sync"],
            &["status"],
            &["doctor"],
            &["log"],
            &["sync", "--dry-run"],
        ] {
            let ended = run(workspace.metis_sync(args));
            if args == ["--json", "sync"] && exit.is_some() {
                assert_eq!(ended.code, exit, "{}", ended.transcript());
            }
            let said = [ended.stderr.as_bytes(), &ended.stdout].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            for secret in [canary, "correct%20horse", "correct horse"] {
                assert!(!said.contains(secret), "{args:?}: {said}");
            }
        }
        let machine = workspace.home.parent().expect("the machine");
        for secret in [canary, "correct%20horse", "correct horse"] {
            assert_eq!(mentions(machine, secret, &config), Vec::<PathBuf>::new());
        }
    }
}

/// What a `git pull` may bring: another central in config.toml. Nothing goes there, and nothing comes from there.
#[test]
fn another_upstream_stops_the_sync() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    api.sync().report();
    let elsewhere = World::new();
    let here = api.config();
    api.put(
        "config.toml",
        here.replace(&world.central.url(), &elsewhere.central.url()),
    );
    api.edit("API-T-0001", "Secret.");
    let tip = elsewhere.central.tip();
    let failure = api.sync().failure(3);
    assert!(failure.next.is_some_and(|next| next.contains("init --upstream")));
    assert_eq!(elsewhere.central.tip(), tip);
    assert_eq!(elsewhere.wire().listings(), 0, "it was not even asked");
    api.put("config.toml", here);
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
}
