//! Hosts that do not take every ref, and answers that get lost.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{dump, json, log_refs, over_every_transport, sync, two, two_on, unpublished};
use serde_json::{Value, json as value};

use crate::support::{
    point::Point,
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::Remote,
    world::World,
};

/// A hook of central's that refuses what `condition` says of `$ref`, in `pre-receive`: both refs of a push, or none.
pub fn refuse(world: &World, condition: &str) {
    let hook = world.central.dir.join("hooks/pre-receive");
    let text =
        format!("#!/bin/sh\nwhile read old new ref; do if {condition}; then echo \"not $ref\" >&2; exit 1; fi; done\n");
    fs::write(&hook, text).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_host_without_other_refs_gets_a_branch() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        refuse(world, "[ \"${ref#refs/heads/}\" = \"$ref\" ]");
        api.edit("API-T-0001", "More.");
        json(&api, &["tag", "add", "WEB-T-0001", "urgent"]);
        let report = json(&api, &["sync"]);
        assert_eq!(
            (&report["pushed"][0], report["records"]["published"].as_u64()),
            (&"API-T-0001".into(), Some(1))
        );
        let warnings = report["warnings"].to_string();
        assert!(warnings.contains("go to a branch below metis/log/"), "{report}");
        assert!(
            log_refs(world)[0].starts_with("refs/heads/metis/log/"),
            "{:?}",
            log_refs(world)
        );
        assert_eq!(sync(&web).0, 1);
        json(&api, &["tag", "add", "WEB-T-0001", "later"]);
        assert_eq!(sync(&api), (0, 1));
        assert_eq!(sync(&web), (1, 0));
        assert_eq!(dump(&api), dump(&web));
        // Of a claim nobody is told that it was made.
        assert_eq!(web.run(&["claim", "API-T-0001"]).code, Some(7));
    });
}

#[test]
fn a_host_that_takes_no_records_keeps_no_documents_back() {
    over_every_transport(|world, remote| {
        let (api, _) = two_on(world, remote);
        refuse(world, "[ \"$ref\" != refs/heads/main ]");
        api.edit("API-T-0001", "More.");
        json(&api, &["tag", "add", "WEB-T-0001", "urgent"]);
        let report = json(&api, &["sync"]);
        assert_eq!(report["pushed"][0], "API-T-0001");
        assert!(
            report["warnings"].to_string().contains("central does not take records"),
            "{report}"
        );
        assert_eq!(unpublished(&api), 1);
        assert_eq!(json(&api, &["sync"])["warnings"], value!([]), "it is said once");
        // Somebody allows it, and the next record takes the first with it.
        fs::remove_file(world.central.dir.join("hooks/pre-receive")).unwrap();
        assert_eq!(
            (sync(&api), unpublished(&api)),
            ((0, 0), 1),
            "nor is it tried each time"
        );
        json(&api, &["tag", "add", "WEB-T-0001", "later"]);
        assert_eq!(sync(&api), (0, 2));
        assert_eq!(unpublished(&api), 0);
        refuse(world, "[ \"$ref\" != refs/heads/main ]");
        json(&api, &["tag", "add", "WEB-T-0001", "last"]);
        assert!(
            json(&api, &["sync"])["warnings"]
                .to_string()
                .contains("does not take records")
        );
        fs::remove_file(world.central.dir.join("hooks/pre-receive")).unwrap();
        let report = json(&api, &["sync", "--recheck"]);
        assert_eq!(
            (&report["records"]["published"], unpublished(&api)),
            (&1.into(), 0),
            "{report}"
        );
    });
}

/// beads#735: what arrived is not sent again, and nobody else is taken for its writer.
#[test]
fn a_lost_answer_is_settled_by_the_next_listing() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&api, &["tag", "add", "WEB-T-0001", "urgent"]);
    let name = super::device(&api);
    let mut gate = world.points.gate(Point::AfterRef);
    let running = api.start_sync();
    gate.wait();
    running.kill();
    gate.open();
    assert_eq!(
        (log_refs(&world).len(), unpublished(&api)),
        (1, 1),
        "it arrived, and nobody here heard of it"
    );
    assert_eq!(
        (json(&api, &["sync"])["records"].clone(), unpublished(&api)),
        (Value::Null, 0)
    );
    assert_eq!(super::device(&api), name);
    sync(&web);
    assert_eq!(dump(&api), dump(&web));
}

/// Nobody can push, as with a key that may only read.
#[test]
fn a_push_that_fails_keeps_records_here() {
    let world = World::new();
    let (api, _) = two(&world);
    json(&api, &["tag", "add", "WEB-T-0001", "urgent"]);
    let program = world.root().join("bin/git-receive-pack");
    let whole = fs::read(&program).unwrap();
    fs::write(&program, "#!/bin/sh\necho 'You may read here.' >&2\nexit 1\n").unwrap();
    let report = json(&api, &["sync"]);
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("records written here are not in central yet"),
        "{report}"
    );
    assert_eq!(unpublished(&api), 1);
    fs::write(&program, whole).unwrap();
    assert_eq!(sync(&api), (0, 1));
}

/// The fetch breaks off at some byte of what comes: nothing of it counts, and the next sync takes up all of it once.
fn fetch_cut_off(world: &World, direct: &Remote, port: u16) {
    let (api, _) = two_on(world, direct);
    let tags: Vec<String> = (0..1000).map(|number| format!("tag-{number}")).collect();
    for tags in tags.chunks(100) {
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        json(&api, &[&["tag", "add", "API-T-0001"], &tags[..]].concat());
    }
    sync(&api);
    let limit = Arc::new(AtomicU64::new(u64::MAX));
    let cut = Arc::clone(&limit);
    let proxy = Proxy::to(port, move |_| match cut.load(Ordering::Relaxed) {
        u64::MAX => Fate::Fair,
        bytes => Fate::Cut(Way::ToClient, bytes),
    });
    let mut remote = direct.clone();
    remote.url = proxy.front(&remote.url, port);
    for (_, value) in &mut remote.env {
        // What ssh is told first counts, which then is the URL.
        *value = value.replace(&format!("-p {port} "), "");
    }
    // What all of it is, to one that is not disturbed.
    let before = proxy.bytes(Way::ToClient);
    assert_eq!(sync(&world.workspace_on("whole", &remote)).0, 1000);
    let whole = proxy.bytes(Way::ToClient) - before;
    let reader = world.workspace_on("reader", &remote);
    let mut failed = 0;
    for part in 1..PARTS {
        limit.store(whole * part / PARTS, Ordering::Relaxed);
        let ended = reader.run(&["--json", "sync"]);
        failed += usize::from(ended.code != Some(0));
        let entries = json(&reader, &["record", "status"])["devices"][0]["entries"].clone();
        let known = entries.as_u64().unwrap_or(0);
        assert!([0, 1000].contains(&known), "{known} after {}", ended.transcript());
        if ended.code == Some(0) {
            break;
        }
    }
    assert!(failed >= 5, "{failed} fetches were cut off over {}", remote.url);
    limit.store(u64::MAX, Ordering::Relaxed);
    sync(&reader);
    let status = json(&reader, &["record", "status"]);
    assert_eq!(status["devices"][0]["entries"], 1000, "{status}");
    assert_eq!(dump(&reader), dump(&api));
}

/// At so many places less one.
const PARTS: u64 = 40;

#[test]
fn a_fetch_that_is_cut_off_is_done_again() {
    let world = World::new();
    if let Some(daemon) = GitDaemon::start(&world) {
        fetch_cut_off(&world, &daemon.remote(), daemon.port());
    }
}

#[test]
fn a_fetch_that_is_cut_off_is_done_again_over_ssh() {
    let world = World::new();
    if let Some(sshd) = Sshd::start(&world) {
        fetch_cut_off(&world, &sshd.remote(), sshd.port());
    }
}

#[test]
fn a_fetch_that_is_cut_off_is_done_again_over_http() {
    let world = World::new();
    if let Some(nginx) = Nginx::start(&world, Access::Open) {
        fetch_cut_off(&world, &nginx.remote(), nginx.port());
    }
}
