//! The objects that a machine keeps of central stay few files, however often is synced.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::support::{workspace::Workspace, world::World};

/// Everything below the workspace's object store.
fn files(workspace: &Workspace) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            match path.is_dir() {
                true => walk(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    walk(&workspace.home.join(".cache/git-metis-sync"), &mut found);
    found
}

fn packs(workspace: &Workspace) -> Vec<PathBuf> {
    let is_pack = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "pack");
    files(workspace).into_iter().filter(is_pack).collect()
}

/// Eighty changes of others, each fetched by a sync of its own, and eighty pushes do not leave as many packs; what they
/// brought is all there.
#[test]
fn small_packs_are_put_together() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    api.sync().report();
    let mut most = 0;
    for round in 0..80 {
        world.central.land("web/WEB-T-0001.md", format!("Round {round}.\n"));
        api.edit("API-T-0001", &format!("Round {round}."));
        api.sync().report();
        most = most.max(packs(&api).len());
    }
    assert!((50..60).contains(&most), "{most} packs");
    let left = files(&api);
    assert!(left.len() < 450, "{} files", left.len());
    assert!(
        left.iter().all(|path| !path.to_string_lossy().contains("incoming-")),
        "{left:?}"
    );
    assert_eq!(world.left_over(), Vec::<PathBuf>::new());
    assert_eq!(api.hydrated("web")["WEB-T-0001.md"], b"Round 79.\n");
    assert_eq!(api.run(&["verify"]).code, Some(0));
    // The history that was in many packs is whole in one.
    world.central.land("web/WEB-T-0001.md", "Last.\n");
    api.sync().report();
    assert_eq!(api.hydrated("web")["WEB-T-0001.md"], b"Last.\n");
}

/// While another process works with the same objects no pack is taken away from it.
#[test]
fn packs_in_use_stay() {
    let world = World::new();
    let api = world.workspace("api");
    api.sync().report();
    let folder = packs(&api).first().and_then(|pack| pack.parent()).map(Path::to_owned);
    let folder = folder.unwrap_or_else(|| panic!("{:?}", files(&api)));
    let other = File::open(folder).expect("the folder is there");
    other.lock_shared().expect("nobody has it alone");
    let round = |round: i32| {
        world.central.land("web/WEB-T-0001.md", format!("Round {round}.\n"));
        api.sync().report();
        packs(&api).len()
    };
    let mut last = 0;
    for n in 0..55 {
        let now = round(n);
        assert!(now > last, "{now} packs after {last}");
        last = now;
    }
    drop(other);
    assert!(round(55) < 10);
}
