//! Real workspaces, where there are some: `METIS_SYNC_CORPUS` names a folder with `<project>/metis-dir/` in it.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use crate::support::{
    servers::{Access, Nginx, Sshd, skip},
    workspace::{Remote, Workspace},
    world::World,
};

/// Below `folder`, every `*.md` with its bytes, dot-entries and code indexes aside.
fn documents_below(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("the corpus is readable") {
        let path = entry.expect("the corpus is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            documents_below(&path, found);
        } else if name.ends_with(".md") && !name.starts_with("code-index") {
            found.push((path.clone(), fs::read(&path).expect("the corpus is readable")));
        }
    }
}

/// A naive second opinion: the first `short_code:` line.
fn code_in(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line = text
        .lines()
        .take_while(|line| !line.starts_with("# "))
        .find_map(|line| line.strip_prefix("short_code:"))?;
    Some(line.trim().trim_matches('"').to_owned())
}

fn setting(config: &str, key: &str) -> String {
    let line = config
        .lines()
        .find(|line| line.starts_with(key))
        .expect("each has a project prefix");
    line.split('"').nth(1).expect("a string").to_owned()
}

#[test]
fn real_workspaces_converge_over_file() {
    let world = World::new();
    converge(&world, &world.local());
}

#[test]
fn real_workspaces_converge_over_ssh() {
    let world = World::new();
    if let Some(sshd) = Sshd::start(&world) {
        converge(&world, &sshd.remote());
    }
}

#[test]
fn real_workspaces_converge_over_http() {
    let world = World::new();
    if let Some(nginx) = Nginx::start(&world, Access::Open) {
        converge(&world, &nginx.remote());
    }
}

#[track_caller]
fn converge(world: &World, remote: &Remote) {
    let Some(corpus) = env::var_os("METIS_SYNC_CORPUS") else {
        return skip("METIS_SYNC_CORPUS names no folder with real workspaces");
    };
    let mut projects: Vec<_> = fs::read_dir(corpus)
        .expect("the corpus is readable")
        .flatten()
        .map(|e| e.path())
        .collect();
    projects.retain(|project| project.join("metis-dir").is_dir());
    projects.sort();
    let workspaces: Vec<Workspace> = projects
        .iter()
        .map(|project| copied(world, remote, &project.join("metis-dir")))
        .collect();

    // What cannot be read as a document is reported and not pushed; everything else is.
    let mut expected = BTreeMap::new();
    for workspace in &workspaces {
        let report = workspace.sync().report();
        let mut documents = workspace.documents();
        documents.retain(|name, _| !report.warnings.iter().any(|warning| warning.contains(name)));
        assert_eq!(
            report.pushed.len(),
            documents.len(),
            "{}: {:?}",
            workspace.prefix,
            report.warnings
        );
        assert!(report.warnings.len() <= 2, "{:?}", report.warnings);
        expected.insert(workspace.prefix.clone(), documents);
    }
    for workspace in &workspaces {
        workspace.sync().report();
    }
    world.central.fsck_strict();
    for (prefix, documents) in &expected {
        assert!(world.central.folder(prefix) == *documents, "central's {prefix}/");
        for reader in workspaces.iter().filter(|reader| reader.prefix != *prefix) {
            assert!(reader.hydrated(prefix) == *documents, "{prefix}/ in {}", reader.prefix);
        }
    }

    let tip = world.central.tip();
    world.wire();
    for workspace in &workspaces {
        let before = workspace.snapshot();
        assert_eq!(workspace.sync().report().outcome, "up-to-date");
        assert_eq!(workspace.snapshot().since(&before), Vec::<&Path>::new());
    }
    assert_eq!(world.central.tip(), tip);
    let wire = world.wire();
    assert_eq!((wire.wants(), wire.pushes()), (0, 0), "no object is asked for or sent");
}

/// The workspace as its owner has it, joined to central with `init`.
fn copied(world: &World, remote: &Remote, metis_dir: &Path) -> Workspace {
    let config = fs::read_to_string(metis_dir.join("config.toml")).expect("the corpus is readable");
    let prefix = setting(&config, "prefix").to_lowercase();
    let workspace = world.workspace_with_config(&prefix, remote, &config);
    if let Ok(ignored) = fs::read(metis_dir.join(".gitignore")) {
        workspace.put(".gitignore", ignored);
    }
    let mut files = Vec::new();
    documents_below(metis_dir, &mut files);
    for (path, bytes) in files {
        let place = path.strip_prefix(metis_dir).expect("below it").to_owned();
        let code = code_in(&bytes).unwrap_or_else(|| panic!("{} has no code", path.display()));
        workspace.write_at(place, &code, bytes);
    }
    workspace
        .run(&["init", "--upstream", &remote.url, "--prefix", &prefix])
        .success();
    assert!(
        workspace.config().starts_with(config.trim_end()),
        "what was in config.toml is still there"
    );
    workspace
}
