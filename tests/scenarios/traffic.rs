//! What servers send: the packs themselves.

use std::{fs, path::PathBuf};

use crate::support::{process::quoted, workspace::Workspace, world::World};

/// Keeps every pack that the git servers send which this workspace's syncs start (file URLs and paths).
pub struct Packs(PathBuf);

impl Packs {
    pub fn sent_to(world: &World, workspace: &Workspace) -> Self {
        let dir = world.root().join("packs");
        fs::create_dir_all(&dir).expect("temp folder is writable");
        let script = dir.join("keep.sh");
        let text = format!("\"$@\" | tee {}/$$.pack\n", quoted(&dir.display().to_string()));
        fs::write(&script, text).expect("temp folder is writable");
        let config = format!(
            "[uploadpack]\n\tpackObjectsHook = sh {}\n",
            quoted(&script.display().to_string())
        );
        fs::write(workspace.home.join(".gitconfig"), config).expect("temp folder is writable");
        Packs(dir)
    }

    /// The number of objects in each pack since the last call, smallest first.
    pub fn objects(&self) -> Vec<u32> {
        let mut counts = Vec::new();
        for entry in fs::read_dir(&self.0).expect("it is ours") {
            let path = entry.expect("readable folder").path();
            if path.extension().is_some_and(|extension| extension == "pack") {
                let pack = fs::read(&path).expect("it is ours");
                // "PACK", version, number of objects.
                counts.push(u32::from_be_bytes(pack[8..12].try_into().expect("four bytes")));
                fs::remove_file(path).expect("it is ours");
            }
        }
        counts.sort_unstable();
        counts
    }
}
