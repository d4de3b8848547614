//! What 100,000 documents cost.

use std::fs;

use super::*;

/// Prints what questions about them cost.
fn ask(what: &str, dir: &Path, workspace: &str) {
    let cache = crate::cache::Cache::open(dir, &made_here).unwrap();
    for question in ["children", "progress", "upstream", "blocks", "workspaces", "workspace"] {
        let code = &"W3-T-00000".parse().unwrap();
        let start = std::time::Instant::now();
        match question {
            "children" => drop(cache.children(code).unwrap()),
            "progress" => drop(cache.progress(code).unwrap()),
            "upstream" => drop(cache.upstream(&"W3-T-09999".parse().unwrap()).unwrap()),
            "blocks" => drop(cache.blocks(code).unwrap()),
            "workspaces" => drop(cache.workspaces().unwrap()),
            _ => drop(cache.workspace(&workspace.parse().unwrap()).unwrap()),
        }
        println!("{what}: query {question}: {:?}", start.elapsed());
    }
}

/// Prints what 100,000 documents cost: `cargo test --release … -- --ignored --nocapture hundred_thousand`.
#[test]
#[ignore = "a measurement"]
fn hundred_thousand_documents() {
    use std::time::Instant;

    let dir = tempfile::tempdir().unwrap();
    let mut world = World::default();
    for workspace in 0..10 {
        for number in 0..10_000 {
            let text = format!(
                "title: Document number {number} of {workspace}\nlevel: task\nphase: todo\nparent: W{workspace}-T-{:05}\n\
                 blocked_by: W{workspace}-T-{:05}\ntags: #task #phase/todo",
                number / 10,
                number / 2
            );
            world.put(
                &format!("ws-{workspace}"),
                &format!("W{workspace}-T-{number:05}"),
                &text,
            );
        }
    }
    let all: std::collections::BTreeMap<_, _> = world
        .workspaces
        .values()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut single = World::default();
    single.workspaces.insert("all".into(), all);
    for (what, mut world) in [("10 × 10,000", world), ("1 × 100,000", single)] {
        let dir = dir.path().join(what);
        fs::create_dir(&dir).unwrap();
        let measure = |label: &str, world: &World| {
            let sources = world.sources();
            let load = |workspace: &WorkspaceSource<'_>, document: &DocumentSource| {
                world.load(&workspace.prefix, &document.path)
            };
            let start = Instant::now();
            let rebuilt = rebuild(&dir, &sources, &load, &parse, &made_here).unwrap();
            println!(
                "{what}: {label}: {:?} ({:?}, read {})",
                start.elapsed(),
                rebuilt.outcome,
                rebuilt.read
            );
        };
        measure("from nothing", &world);
        println!("{what}: {} bytes", fs::metadata(dir.join("metis.db")).unwrap().len());
        for _ in 0..3 {
            measure("unchanged", &world);
        }
        for round in 0..3 {
            let documents = world.workspaces.values_mut().next().unwrap();
            let text = documents.values_mut().nth(777).unwrap();
            *text = format!("title: Changed {round}");
            measure("one changed", &world);
        }
        ask(what, &dir, world.workspaces.keys().next().unwrap());
        fs::remove_file(dir.join("metis.db")).unwrap();
        Connection::open(dir.join("metis.db"))
            .unwrap()
            .execute_batch("CREATE TABLE theirs (x)")
            .unwrap();
        measure("all of it beside foreign tables", &world);
    }
}
