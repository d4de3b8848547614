//! Many workspaces with many documents.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use super::objects;
use crate::scenarios::traffic::Packs;
use crate::support::{document::document, world::World};

const WORKSPACES: usize = 50;
const DOCUMENTS: usize = 200;

fn prefix(workspace: usize) -> String {
    format!("team-{workspace:02}")
}

fn code(workspace: usize, number: usize) -> String {
    let letter = |n: usize| char::from(b'A' + u8::try_from(n).expect("below 26"));
    format!("T{}{}-T-{number:04}", letter(workspace / 26), letter(workspace % 26))
}

/// 50 workspaces of 200 documents each, in one commit on top of central's.
fn fill(world: &World) {
    let mut stream = String::new();
    let subject = "50 workspaces";
    writeln!(
        stream,
        "commit refs/heads/main\ncommitter metis-sync <metis@localhost> 1772069400 +0000\ndata {}\n{subject}\nfrom refs/heads/main^0",
        subject.len()
    )
    .unwrap();
    for workspace in 0..WORKSPACES {
        for number in 1..=DOCUMENTS {
            let code = code(workspace, number);
            let text = document(&code, &format!("Title of {code}"), "Much of a muchness.");
            writeln!(
                stream,
                "M 100644 inline {}/{code}.md\ndata {}\n{text}",
                prefix(workspace),
                text.len()
            )
            .unwrap();
        }
    }
    stream.push_str("done\n");
    world
        .central
        .git_reading(&["fast-import", "--quiet", "--done"], stream.as_bytes());
}

/// 81#34: what it takes depends on what changed, not on what there is.
#[test]
fn fifty_workspaces_of_two_hundred_documents() {
    let world = World::new();
    fill(&world);
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let packs = Packs::sent_to(&world, &api);

    let report = api.sync().report();
    assert_eq!(report.pulled.len(), WORKSPACES);
    assert!(
        report
            .pulled
            .values()
            .all(|pulled| (pulled.written as usize, pulled.removed) == (DOCUMENTS, 0))
    );
    assert_eq!((report.pushed.len(), report.warnings.len()), (1, 0));
    let (documents, trees) = ((WORKSPACES * DOCUMENTS) as u32, WORKSPACES as u32 + 1);
    // README.md, and the newest commit alone.
    assert_eq!(packs.objects(), [documents + 1 + trees + 1]);
    let mut copies = 0;
    for (path, bytes) in world.central.files() {
        if path.starts_with("team-") {
            assert!(fs::read(api.metis().join(&path)).unwrap() == bytes, "{path}");
            copies += 1;
        }
    }
    assert_eq!(copies, documents);

    let before = api.snapshot();
    world.wire();
    assert_eq!(api.sync().report().outcome, "up-to-date");
    let wire = world.wire();
    assert_eq!((wire.listings(), wire.wants(), wire.pushes()), (1, 0, 0));
    assert_eq!(api.snapshot().since(&before), Vec::<&Path>::new());

    // One document of 10,000 changes there, and one here.
    let changed = code(25, 100);
    let text = document(&changed, "Changed", "By its owner.");
    world.central.land(&format!("{}/{changed}.md", prefix(25)), text);
    api.edit("API-T-0001", "Changed.");
    let before = (api.snapshot(), objects(&world));
    let report = api.sync().report();
    assert_eq!((report.pulled.len(), report.pulled[&prefix(25)].written), (1, 1));
    assert_eq!(report.pushed, ["API-T-0001"]);
    assert_eq!(packs.objects(), [4], "a commit, two trees, a document");
    assert_eq!(objects(&world) - before.1, 4);
    let after = api.snapshot();
    let touched: BTreeSet<_> = after
        .since(&before.0)
        .into_iter()
        .filter_map(|path| path.strip_prefix(".metis").ok()?.to_str())
        .filter(|path| !path.starts_with(".sync") && !path.is_empty())
        .map(str::to_owned)
        .collect();
    let folder = prefix(25);
    let expected = [
        "config.toml".to_owned(),
        "metis.db".to_owned(),
        folder.clone(),
        format!("{folder}/.hydrated"),
        format!("{folder}/{changed}.md"),
    ];
    assert_eq!(touched, BTreeSet::from(expected));
    world.central.fsck_strict();
}
