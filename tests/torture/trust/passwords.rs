//! A password gets where it belongs and nowhere else.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use crate::support::{
    access_proxy::http_proxy,
    process::run,
    scripted::Scripted,
    servers::{Access, Nginx, skip},
    workspace::Remote,
    world::World,
};
use crate::torture::trace;

/// Every file below `folder` that has `needle` in it, apart from those in `but`.
fn mentions(folder: &Path, needle: &str, but: &[&Path]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable folder").path();
        let meta = fs::symlink_metadata(&path).expect("it is there");
        if meta.is_dir() {
            found.extend(mentions(&path, needle, but));
        } else if meta.is_file() && !but.contains(&path.as_path()) {
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
            &["-vv", "sync"],
            &["status"],
            &["doctor"],
            &["log"],
            &["sync", "--dry-run"],
        ] {
            let mut command = workspace.metis_sync(args);
            command.env("METIS_SYNC_TRACE", workspace.home.join("trace.jsonl"));
            let ended = run(command);
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
            assert_eq!(mentions(machine, secret, &[&config]), Vec::<PathBuf>::new());
        }
    }
}

/// On every transport, nor is a password among the arguments of any program that is started, where other users of the machine
/// see it.
#[test]
fn a_password_is_no_argument() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let remote = nginx.remote();
    let address = remote.url.strip_prefix("https://").expect("it is https");
    let log = world.root().join("started.log");
    let secrets = ["canary-4f1c", "correct%20horse", "correct horse"];
    let helper = "[credential]\n\thelper = store\n\tuseHttpPath = true\n";
    let cases = [
        (
            format!("https://{}:correct%20horse@{address}", Nginx::USER),
            "",
            Some(0),
        ),
        // By a helper, which is told afterwards whether it was right.
        (remote.url.clone(), "correct%20horse", Some(0)),
        (remote.url.clone(), "canary-4f1c", Some(5)),
        ("ssh://ann:canary-4f1c@127.0.0.1:9/central.git".into(), "", Some(6)),
        ("git://ann:canary-4f1c@127.0.0.1:9/central.git".into(), "", None),
        ("http://ann:canary-4f1c@127.0.0.1:9/central.git".into(), "", Some(6)),
    ];
    for (url, stored, exit) in cases {
        let env = remote.env.clone();
        let workspace = world.workspace_on("api", &Remote { url, env });
        let store = workspace.home.join(".git-credentials");
        if !stored.is_empty() {
            fs::write(workspace.home.join(".gitconfig"), helper).expect("temp folder is writable");
            let line = format!("https://{}:{stored}@{address}\n", Nginx::USER);
            fs::write(&store, line).expect("temp folder is writable");
        }
        workspace.write("API-T-0001", "Mine.");
        let traced = workspace.sync_command(&["--allow-deletes"]);
        let mut strace = workspace.program("strace");
        strace
            .env("METIS_SYNC_TRACE", workspace.home.join("trace"))
            .args(["-f", "-v", "-s", "100000", "-e", "trace=execve", "-o"])
            .arg(&log)
            .arg(traced.get_program())
            .args(traced.get_args());
        let ended = run(strace);
        if exit.is_some() {
            assert_eq!(ended.code, exit, "{}", ended.transcript());
        }
        let started = fs::read_to_string(&log).expect("strace wrote it");
        assert!(started.contains("git-metis-sync"), "{started}");
        let said = [ended.stderr.as_bytes(), &ended.stdout].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let machine = workspace.home.parent().expect("the machine");
        let config = workspace.metis().join("config.toml");
        for secret in secrets {
            assert!(!started.contains(secret), "{secret}: {started}");
            assert!(!said.contains(secret), "{secret}: {said}");
            assert_eq!(mentions(machine, secret, &[&config, &store]), Vec::<PathBuf>::new());
        }
    }
}

/// A proxy's password goes to the proxy, and is shown and written nowhere: configured or in the environment, right, wrong, and
/// where the proxy is away or repeats what it was told.
#[test]
fn a_proxys_password_is_seen_nowhere() {
    use base64::Engine as _;
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let secret = "canary-9e2d";
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("pu:{secret}"));
    let (right, asked) = http_proxy("pu:canary-9e2d");
    let (wrong, _) = http_proxy("pu:another");
    let repeats = Scripted::start(|_, mut stream| {
        let mut head = [0; 8192];
        let length = stream.read(&mut head).unwrap_or(0);
        let said = String::from_utf8_lossy(&head[..length]).replace("\r\n", "\n");
        let answer = format!(
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
            said.len()
        );
        let _ = stream.write_all(answer.as_bytes());
    });
    for (port, exit) in [(right.port, 0), (wrong.port, 5), (9, 6), (repeats.port, 6)] {
        let proxy = format!("http://pu:{secret}@127.0.0.1:{port}");
        let config = format!("[http]\n\tproxy = {proxy}\n");
        for (env, config) in [
            (None, config.as_str()),
            (Some(("http_proxy", proxy.as_str())), ""),
            (Some(("all_proxy", proxy.as_str())), ""),
        ] {
            let mut remote = nginx.remote();
            remote
                .env
                .extend(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let api = world.workspace_on("api", &remote);
            api.write("API-T-0001", "Mine.");
            let settings = api.home.join(".gitconfig");
            fs::write(&settings, config).expect("temp folder is writable");
            for args in [
                &["--json", "sync", "--allow-deletes"][..],
                &["-v", "sync"],
                &["status"],
                &["doctor"],
                &["log"],
            ] {
                let ended = run(api.metis_sync(args));
                if args[0] == "--json" {
                    assert_eq!(ended.code, Some(exit), "{env:?}: {}", ended.transcript());
                }
                let said = ended.stderr.clone() + &String::from_utf8_lossy(&ended.stdout);
                for secret in [secret, &encoded] {
                    assert!(!said.contains(secret), "{args:?}: {said}");
                }
            }
            let machine = api.home.parent().expect("the machine");
            for secret in [secret, &encoded] {
                assert_eq!(mentions(machine, secret, &[&settings]), Vec::<PathBuf>::new());
            }
        }
    }
    assert!(!asked.lock().expect("nobody panics with it").is_empty());
}
