//! Secrets stay where they are, and a cloned configuration leads nowhere.

mod passwords;

use crate::support::{process::run, world::World};

/// Locations that run programs, pass for options, smuggle lines, or are of no scheme that we speak: whether they stand in
/// config.toml or are given to `init`, they are refused before anything is started.
#[test]
fn locations_that_lead_astray() {
    let world = World::new();
    let canary = world.root().join("touched");
    let run_it = format!("touch {}", canary.display());
    let locations = [
        format!("ext::sh -c '{run_it}'"),
        format!("ext::sh -c {}", run_it.replace(' ', "% ")),
        "fd::7".into(),
        "transport-helper::x".into(),
        "ftp://host/r".into(),
        "ftps://host/r".into(),
        "rsync://host/r".into(),
        format!("-oProxyCommand={run_it}"),
        format!("--upload-pack={run_it}"),
        format!("ssh://-oProxyCommand={}/r", run_it.replace('/', "%2f")),
        format!("-oProxyCommand={run_it}:r"),
        "ssh://-luser@host/r".into(),
        "host:-r".into(),
        "ssh://host%0a/r".into(),
        "https://host/%0d%0aHost:%20other".into(),
        "git://host/r%0ahost=other".into(),
        "git://host/r\nhost=other".into(),
        "https://host\t/r".into(),
        "https://host/\u{1b}[2J".into(),
        "https://host/\u{202e}".into(),
        "https://host/\u{0}".into(),
        "https://ho st/r".into(),
        "https://host:99999/r".into(),
        "file://elsewhere/r".into(),
        String::new(),
    ];
    for location in &locations {
        let api = world.workspace("api");
        api.write("API-T-0001", "Mine.");
        let mut table: toml_edit::DocumentMut = api.config().parse().expect("it is TOML");
        table["sync"]["upstream_url"] = toml_edit::value(location);
        // An editor may not write it so, but who means harm does.
        api.put("config.toml", table.to_string());
        let mut attempts = vec![run(api.sync_command(&[])), run(api.metis_sync(&["doctor"]))];
        // What an operating system passes on as an argument at all.
        if !location.contains('\0') {
            let fresh = world.workspace_with_config("api", &world.local(), "[project]\nprefix = \"API\"\n");
            let init = fresh.metis_sync(&["init", "--prefix", "api", "--upstream", location]);
            attempts.push(run(init));
            assert!(!fresh.config().contains("upstream_url"), "{location:?}");
        }
        for ended in attempts {
            assert!(
                ended.code.is_some_and(|code| [1, 2].contains(&code)),
                "{location:?}: {}",
                ended.transcript()
            );
            let said = ended.stderr.clone() + &String::from_utf8_lossy(&ended.stdout);
            let raw = said
                .chars()
                .find(|c| metis_sync::plan::listing::is_hidden(*c) && *c != '\n');
            assert_eq!(raw, None, "{location:?}: {said:?}");
        }
        assert!(!canary.exists(), "{location:?}");
    }
    assert_eq!(world.wire().listings(), 0);
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
