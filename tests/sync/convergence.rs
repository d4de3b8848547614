//! Workspaces of every layout end up with each other's documents, byte for byte, whatever carries them.

mod changes;

use std::{collections::BTreeSet, fs};

use crate::support::{
    central::Shape,
    document::{document, with_parent},
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::{Layout, Remote, Workspace},
    world::World,
};

/// Six projects as they are found: old and new layouts, and bytes that a careless tool would "repair".
fn six(world: &World, remote: &Remote) -> Vec<Workspace> {
    let api = world.workspace_on("api", remote).laid_out(Layout::Strategies);
    api.write("API-V-0001", "Where this goes.");
    api.write("API-I-0001", "The first initiative.");
    api.write("API-T-0001", "Its first task.");
    api.write_at(
        "strategies/NULL/initiatives/API-I-0001/tasks/API-T-0002.md",
        "API-T-0002",
        document("API-T-0002", "From Windows", "Zeilen enden hier anders: ä ö ü").replace('\n', "\r\n"),
    );

    let web = world.workspace_on("web", remote).laid_out(Layout::Initiatives);
    web.write("WEB-V-0001", "Where that goes.");
    web.write("WEB-I-0001", "Needs the API.");
    let across = with_parent(
        &document("WEB-T-0001", "Across workspaces", "Belongs to another project."),
        "API-I-0001",
    );
    web.write_at("initiatives/WEB-I-0001/tasks/WEB-T-0001.md", "WEB-T-0001", across);

    let guide = world.workspace_on("guide", remote);
    guide.write("GUIDE-S-0001", "A specification.");
    guide.write("GUIDE-A-0001", "A decision.");
    let no_newline = document("GUIDE-A-0002", "Ends without a newline", "Nothing follows");
    guide.write_at("adrs/GUIDE-A-0002.md", "GUIDE-A-0002", no_newline.trim_end());
    // An image beside a document is not a document, and stays where it is.
    guide.put(
        "specifications/GUIDE-S-0001/sketch.png",
        [0x89, b'P', b'N', b'G', 0, 0xff],
    );

    let ops = world.workspace_on("ops-2", remote).laid_out(Layout::Backlog);
    ops.write("OPS2-T-0001", "A feature.");
    ops.write_at(
        "backlog/bugs/OPS2-T-0002.md",
        "OPS2-T-0002",
        document("OPS2-T-0002", "A bug", "With ünïcödé 🦀."),
    );
    ops.write_at("backlog/tech-debt/renamed-by-hand.md", "OPS2-T-0003", {
        document("OPS2-T-0003", "The code decides, not the file name", "")
    });

    let old = world.workspace_on("old", remote).laid_out(Layout::Archived);
    old.write("OLD-I-0001", "Done long ago.");
    old.write("OLD-T-0001", "Also done.");
    old.write("OLD-A-0001", "Decided and superseded.");

    let flat = world.workspace_on("flat", remote).laid_out(Layout::Flat);
    flat.write("FLAT-V-0001", "All in one folder.");
    flat.write("FLAT-T-0001", "As central has it.");

    vec![api, web, guide, ops, old, flat]
}

/// 81#3, 81#14, 81#16, 81#26–28, 81#35: two rounds bring everybody everything, the third has nothing to do.
fn everybody_gets_everything(world: &World, remote: &Remote) {
    let workspaces = six(world, remote);

    for (earlier, workspace) in workspaces.iter().enumerate() {
        let report = workspace.sync().report();
        let own: Vec<String> = workspace
            .documents()
            .into_keys()
            .map(|name| name.replace(".md", ""))
            .collect();
        assert_eq!(report.pushed, own, "{}", workspace.prefix);
        assert_eq!(
            (report.outcome.as_str(), report.registered, report.retries),
            ("synced", true, 0)
        );
        assert_eq!(
            (report.removed.len(), report.behind.len(), report.kept.len()),
            (0, 0, 0)
        );
        assert_eq!(
            report.pulled.len(),
            earlier,
            "the workspaces that had registered before {}",
            workspace.prefix
        );
        assert_eq!(report.commit, world.central.tip());
        assert_eq!(report.head, report.commit);
        assert_eq!(report.warnings, Vec::<String>::new());
        assert!(
            workspace
                .config()
                .contains(&format!("last_synced_commit = \"{}\"", report.head.unwrap()))
        );
        assert!(
            workspace.config().starts_with("# Kept by hand.\n[project]\n"),
            "{}",
            workspace.config()
        );
    }
    for (position, workspace) in workspaces.iter().enumerate() {
        let report = workspace.sync().report();
        let later: BTreeSet<_> = workspaces[position + 1..]
            .iter()
            .map(|later| later.prefix.clone())
            .collect();
        assert_eq!(report.pulled.keys().cloned().collect::<BTreeSet<_>>(), later);
        for (prefix, pulled) in &report.pulled {
            let owner = workspaces.iter().find(|workspace| &workspace.prefix == prefix).unwrap();
            assert_eq!((pulled.written as usize, pulled.removed), (owner.documents().len(), 0));
        }
        assert_eq!((report.pushed, report.commit, report.registered), (vec![], None, false));
    }
    world.assert_converged(&workspaces);
    looks_as_specified(world, &workspaces);

    let before: Vec<_> = workspaces.iter().map(Workspace::snapshot).collect();
    let objects = world.central.git(&["count-objects", "-v"]);
    let tip = world.central.tip();
    world.wire();
    for (workspace, before) in workspaces.iter().zip(&before) {
        let report = workspace.sync().report();
        assert_eq!(
            (report.outcome.as_str(), report.pulled.len(), report.commit),
            ("up-to-date", 0, None)
        );
        assert_eq!(
            workspace.snapshot().since(before),
            Vec::<&std::path::Path>::new(),
            "{} is untouched",
            workspace.prefix
        );
    }
    let wire = world.wire();
    assert_eq!(
        (wire.listings(), wire.wants(), wire.pushes()),
        (workspaces.len(), 0, 0),
        "one listing each, no more"
    );
    assert_eq!(world.central.git(&["count-objects", "-v"]), objects);
    assert_eq!(world.central.tip(), tip);
}

/// Central as an old client or a person with git finds it.
fn looks_as_specified(world: &World, workspaces: &[Workspace]) {
    let clone = world.clone_central();
    for workspace in workspaces {
        for (name, bytes) in workspace.documents() {
            let path = clone.join(&workspace.prefix).join(name);
            assert_eq!(fs::read(&path).ok(), Some(bytes), "{}", path.display());
        }
    }
    let documents: usize = workspaces.iter().map(|workspace| workspace.documents().len()).sum();
    let entries = world.central.entries();
    let born = usize::from(entries.iter().any(|entry| entry.path == "README.md"));
    assert_eq!(entries.len(), documents + born, "nothing else: {entries:?}");
    assert!(entries.iter().all(|entry| entry.mode == "100644"), "{entries:?}");

    let mut subjects = world.central.log();
    subjects.reverse();
    assert_eq!(
        subjects.len(),
        workspaces.len() + born,
        "one commit for each sync that pushed: {subjects:?}"
    );
    for (subject, workspace) in subjects[born..].iter().zip(workspaces) {
        let time = subject
            .strip_prefix(&format!("sync: {} @ ", workspace.prefix))
            .expect("the message of section 2");
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00Z");
    }
    let people = world
        .central
        .git(&["log", "-1", "--format=%an <%ae>, %cn <%ce>", &world.central.branch]);
    assert_eq!(
        people.trim(),
        "metis-sync <metis@localhost>, metis-sync <metis@localhost>"
    );
    let merges = world
        .central
        .git(&["rev-list", "--min-parents=2", "--count", &world.central.branch]);
    assert_eq!(merges.trim(), "0");
}

#[test]
fn over_a_file_url() {
    let world = World::new();
    everybody_gets_everything(&world, &world.local());
}

#[test]
fn over_a_plain_path() {
    let world = World::new();
    let url = world.central.dir.display().to_string();
    everybody_gets_everything(&world, &Remote { url, env: Vec::new() });
}

#[test]
fn over_ssh() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    everybody_gets_everything(&world, &sshd.remote());
}

#[test]
fn over_http() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    everybody_gets_everything(&world, &nginx.remote());
}

#[test]
fn over_https() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Tls) else {
        return;
    };
    everybody_gets_everything(&world, &nginx.remote());
}

#[test]
fn over_git_daemon() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    everybody_gets_everything(&world, &daemon.remote());
}

#[test]
fn in_a_central_with_sha256() {
    let world = World::shaped(Shape {
        format: "sha256",
        ..Shape::default()
    });
    everybody_gets_everything(&world, &world.local());
}

/// 81#28
#[test]
fn from_an_empty_central() {
    let world = World::unborn();
    everybody_gets_everything(&world, &world.local());
}

/// The branch is central's HEAD, whatever its name.
#[test]
fn in_a_central_without_main() {
    let world = World::shaped(Shape {
        head: "trunk",
        born: Some("trunk"),
        ..Shape::default()
    });
    everybody_gets_everything(&world, &world.local());
    assert_eq!(
        world.central.git(&["for-each-ref", "--format=%(refname)"]).trim(),
        "refs/heads/trunk"
    );
}
