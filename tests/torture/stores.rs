//! Two centrals on one machine: what one has sent is not taken for the other's.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::support::{snapshot::Snapshot, workspace::Workspace, world::World};

fn stores(api: &Workspace) -> BTreeSet<PathBuf> {
    let cache = api.home.join(".cache/git-metis-sync");
    let entries = fs::read_dir(cache).expect("it synced");
    entries.map(|entry| entry.expect("readable").path()).collect()
}

/// A central that names a commit of another one's, which this machine has, must send it itself.
#[test]
fn a_central_cannot_name_what_another_one_sent() {
    let (world, elsewhere) = (World::new(), World::new());
    let api = world.workspace("api");
    api.write("API-T-0001", "A secret.");
    api.sync().report();
    let known = stores(&api);
    assert_eq!(known.len(), 1);
    let ours = known.first().expect("a store").clone();
    let before = Snapshot::of(&ours);

    let web = world.workspace_on("web", &elsewhere.local()).beside(&api);
    web.write("WEB-T-0001", "Mine.");
    let head = elsewhere.central.dir.join("refs/heads/main");
    let own = fs::read(&head).expect("it has a commit");
    let tip = world.central.tip().expect("it has a commit");
    fs::write(&head, format!("{tip}\n")).expect("temp folder is writable");
    let ended = web.sync();
    assert_ne!(ended.0.code, Some(0), "{}", ended.0.transcript());
    assert!(web.hydrated("api").is_empty());
    let theirs: Vec<_> = stores(&api).difference(&known).cloned().collect();
    assert!(theirs.len() <= 1, "{theirs:?}");

    // What it can send lies beside, and the other one's store is as it was.
    fs::write(&head, own).expect("temp folder is writable");
    elsewhere
        .central
        .land("api/API-T-0001.md", "---\nshort_code: API-T-0001\n---\nForged.\n");
    web.sync().report();
    assert_eq!(stores(&api).len(), 2);
    assert_eq!(Snapshot::of(&ours), before);
    api.edit("API-T-0001", "More.");
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    assert!(!String::from_utf8_lossy(&world.central.folder("api")["API-T-0001.md"]).contains("Forged"));
    assert!(String::from_utf8_lossy(&web.hydrated("api")["API-T-0001.md"]).contains("Forged"));
}
