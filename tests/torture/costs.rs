//! Documents and trees that were made to take for ever, or all of the memory: what they cost is bounded, and all that is asked
//! is answered.

mod talking;

use std::{fmt::Write as _, fs, process::Command};

use crate::{
    scenarios::project::Project,
    support::{
        process::{Finished, run},
        report::Ended,
        workspace::Workspace,
        world::World,
    },
};

/// Makes these files, by their paths, what central has.
fn import(world: &World, files: impl Iterator<Item = (String, String)>) {
    let branch = &world.central.branch;
    let mut stream = format!("commit refs/heads/{branch}\ncommitter a <a@b> 0 +0000\ndata 0\n");
    for (path, text) in files {
        let _ = write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len());
    }
    world
        .central
        .git_reading(&["fast-import", "--quiet", "--force"], stream.as_bytes());
}

fn document(code: &str, says: &str) -> String {
    format!(
        "---\nlevel: task\ntitle: \"Same\"\nshort_code: \"{code}\"\n{says}\ntags: [\"#task\", \"#phase/todo\"]\n---\n\nSame.\n"
    )
}

fn blocked_by(code: &str) -> String {
    format!("blocked_by: [{}]", vec![code; 100].join(", "))
}

/// A workspace that has synced with this central.
fn synced(world: &World) -> Workspace {
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    api.sync().report();
    api
}

/// All that is asked of metis.db, of a document that thousands have to do with.
fn answers(api: &Workspace, code: &str) {
    for asked in [
        &["list"][..],
        &["list", "--ready"],
        &["search", "same"],
        &["query", "children", code],
        &["query", "progress", code],
        &["query", "blocks", code],
        &["query", "upstream", code],
        &["board"],
    ] {
        run(api.metis_sync(asked)).success();
    }
}

/// Each is the parent of all, and blocks all, by the slug that all of them have.
#[test]
fn documents_that_are_all_called_the_same() {
    let world = World::new();
    let says = format!("id: same\nparent: same\n{}", blocked_by("same"));
    let codes = (1..=4000).map(|number| format!("WEB-T-{number:04}"));
    import(
        &world,
        codes.map(|code| (format!("web/{code}.md"), document(&code, &says))),
    );
    let api = synced(&world);
    answers(&api, "WEB-T-0001");
    let below = run(api.metis_sync(&["--json", "query", "progress", "WEB-T-0001"])).success();
    let below: serde_json::Value = serde_json::from_str(&below).expect("it is JSON");
    assert_eq!(below["answer"]["total"], 3999, "{below:.300}");
}

/// Thousands of workspaces have the same code, and thousands of documents wait for it.
#[test]
fn a_code_that_everybody_has() {
    let world = World::new();
    let says = blocked_by("WEB-T-0001");
    let copies = (0..1500).map(|number| (format!("w{number:05}"), "WEB-T-0001".to_owned()));
    let waiting = (0..1500).map(|number| ("zz".to_owned(), format!("ZZ-T-{number:04}")));
    let files = copies.chain(waiting);
    import(
        &world,
        files.map(|(folder, code)| (format!("{folder}/{code}.md"), document(&code, &says))),
    );
    answers(&synced(&world), "WEB-T-0001");
}

/// The same with no more than so much memory, in bytes.
fn within(memory: usize, workspace: &Workspace, command: &Command) -> Finished {
    let mut limited = workspace.program("prlimit");
    limited
        .current_dir(command.get_current_dir().expect("it has one"))
        .arg(format!("--data={memory}"))
        .arg(command.get_program())
        .args(command.get_args());
    run(limited)
}

/// A document may have 16 MiB, of which the board shows the first part: it does not hold all of each.
#[test]
fn a_board_of_long_documents() {
    let world = World::new();
    let long = " ".repeat(12 << 20);
    let codes = (1..=24).map(|number| format!("WEB-T-{number:04}"));
    import(
        &world,
        codes.map(|code| (format!("web/{code}.md"), document(&code, "") + &long)),
    );
    let api = synced(&world);
    within(128 << 20, &api, &api.metis_sync(&["board"])).success();
}

/// An entry of a tree.
fn entry(mode: &str, name: &str, id: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&id[at..at + 2], 16).expect("an id");
    let id: Vec<u8> = (0..id.len()).step_by(2).map(digit).collect();
    [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &id].concat()
}

/// A folder of central that is sent once and lies in many places, with a million entries that are no documents.
#[test]
fn strangers_without_end_in_many_folders() {
    let world = World::new();
    let object = |kind: &str, bytes: &[u8]| {
        world
            .central
            .git_reading(&["hash-object", "-w", "--literally", "-t", kind, "--stdin"], bytes)
    };
    let blob = object("blob", b"x");
    let strangers: Vec<u8> = (0..900_000)
        .flat_map(|number| entry("100644", &format!("s{number:07}"), &blob))
        .collect();
    let strangers = object("tree", &strangers);
    let good = document("WEB-T-0001", "");
    let web = object(
        "tree",
        &entry("100644", "WEB-T-0001.md", &object("blob", good.as_bytes())),
    );
    let many = (0..12).flat_map(|number| entry("40000", &format!("a{number:05}"), &strangers));
    let root: Vec<u8> = many.chain(entry("40000", "web", &web)).collect();
    let commit = world
        .central
        .git_reading(&["commit-tree", &object("tree", &root), "-m", "x"], b"");
    world
        .central
        .git(&["update-ref", &format!("refs/heads/{}", world.central.branch), &commit]);

    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let report = Ended(within(512 << 20, &api, &api.sync_command(&[]))).report();
    assert_eq!(report.pushed, ["API-T-0001"]);
    assert!(
        api.hydrated("web").contains_key("WEB-T-0001.md"),
        "the others are in step"
    );
    let named = report
        .warnings
        .iter()
        .filter(|warning| warning.starts_with("skipped a00"));
    assert_eq!(named.count(), 100_000);
    let more = |warning: &&String| warning.contains("more entries of a00");
    let too_long = |warning: &&String| warning.contains("its list of files is one of the longest");
    assert!(report.warnings.iter().any(|warning| more(&warning)));
    assert!(report.warnings.iter().any(|warning| too_long(&warning)));
    assert!(report.warnings.len() < 100_050, "{}", report.warnings.len());
}

/// A colleague's commit is asked about before it is pulled, and stands for more paths than can be counted.
#[test]
fn a_commit_that_nobody_could_check_out() {
    let world = World::new();
    let api = synced(&world);
    let project = Project::around(&world, &api);
    let colleague = project.colleague("main");
    let object = |kind: &str, bytes: &[u8]| {
        let file = world.root().join("object");
        fs::write(&file, bytes).expect("temp folder is writable");
        let args = ["hash-object", "-w", "--literally", "-t", kind];
        let file = file.display().to_string();
        project
            .git(colleague, &[&args[..], &[&file]].concat())
            .trim()
            .to_owned()
    };
    let mut tree = object("tree", &entry("100644", "x.md", &object("blob", b"x")));
    for _ in 0..12 {
        let ten = (0..10).flat_map(|number| entry("40000", &format!("d{number}"), &tree));
        tree = object("tree", &ten.collect::<Vec<u8>>());
    }
    let metis = object("tree", &entry("40000", "bomb", &tree));
    let root = object("tree", &entry("40000", ".metis", &metis));
    let commit = project.git(colleague, &["commit-tree", &root, "-p", "HEAD", "-m", "x"]);
    project.git(
        colleague,
        &["push", "--quiet", "origin", &format!("{}:main", commit.trim())],
    );
    api.edit("API-T-0001", "More.");
    let report = Ended(within(512 << 20, &api, &api.sync_command(&[]))).report();
    assert_eq!(report.pushed, ["API-T-0001"]);
    let said = |warning: &String| warning.contains("more files in .metis/ than can be looked at");
    assert!(report.warnings.iter().any(said), "{:?}", report.warnings);
}

/// Keys with dots in tables in tables: a few kilobytes are thousands of levels, and whatever goes down all of them calls itself each time.
#[test]
fn a_configuration_that_is_nested_without_end() {
    let world = World::new();
    let api = synced(&world);
    let keys = vec!["a"; 79].join(".");
    let nested = (0..78).fold("1".to_owned(), |inner, _| format!("{{{keys} = {inner}}}"));
    let config = api.config();
    api.put("config.toml", format!("{config}\n[other]\n{keys} = {nested}\n"));
    for asked in [
        &["sync"][..],
        &["status"],
        &["list"],
        &["trust"],
        &["conduit", "list"],
        &["doctor"],
    ] {
        let stopped = run(api.metis_sync(asked));
        assert!(
            stopped.code.is_some() && stopped.transcript().contains("levels deep"),
            "{asked:?}: {}",
            stopped.transcript()
        );
    }
    run(api.metis_sync(&["log"])).success();
    api.put("config.toml", config);
    api.sync().report();
}
