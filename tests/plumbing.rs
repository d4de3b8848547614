//! The stages as processes in a shell pipe.

use std::{collections::BTreeMap, os::unix::process::CommandExt, path::Path, process::Command};

use crate::support::{
    point::Point,
    process::{Finished, Running, run},
    workspace::Workspace,
    world::World,
};

const WHOLE: &str = "git metis-sync fetch | git metis-sync hydrate | git metis-sync dehydrate \
                     | git metis-sync push | git metis-sync rebuild-cache";

/// A shell in the workspace, which finds the program as git does: by its name in PATH.
fn shell(workspace: &Workspace, script: &str) -> Command {
    let mut command = workspace.program("sh");
    let program = Path::new(env!("CARGO_BIN_EXE_git-metis-sync"));
    let path = command
        .get_envs()
        .find_map(|(name, value)| (name == "PATH").then(|| value.unwrap_or_default().to_owned()))
        .expect("tests set PATH");
    let folder = program.parent().expect("a folder");
    command.env("PATH", format!("{}:{}", folder.display(), path.to_string_lossy()));
    command.args(["-c", script]);
    command
}

fn piped(workspace: &Workspace, script: &str) -> Finished {
    run(shell(workspace, script))
}

/// What the cache has: every document and relation, and how many documents each workspace is said to have.
fn cache(workspace: &Workspace) -> Vec<String> {
    let db = rusqlite::Connection::open(workspace.metis().join("metis.db")).expect("the cache is there");
    let mut rows = Vec::new();
    for table in [
        "SELECT prefix, owned, documents FROM sync_workspaces",
        "SELECT prefix, path, code, title, type, phase, archived, tags, hex(blob) FROM sync_documents d
            JOIN sync_workspaces w ON d.workspace = w.id",
        "SELECT code, kind, position, target FROM sync_relations r JOIN sync_documents d ON r.document = d.id",
    ] {
        let mut question = db.prepare(table).expect("our tables are there");
        let columns = question.column_count();
        let answer = question.query_map([], |row| {
            let values: Result<Vec<_>, _> = (0..columns)
                .map(|at| row.get::<_, rusqlite::types::Value>(at))
                .collect();
            values.map(|values| format!("{values:?}"))
        });
        rows.extend(answer.expect("it can be read").map(|row| row.expect("it can be read")));
    }
    assert!(rows.len() > 2, "{rows:?}");
    rows.sort();
    rows
}

/// Everything below `.metis/` that people see.
fn seen(workspace: &Workspace) -> BTreeMap<String, Vec<u8>> {
    let mut files = workspace.documents();
    for prefix in ["api", "web"] {
        for (name, bytes) in workspace.hydrated(prefix) {
            files.insert(format!("{prefix}/{name}"), bytes);
        }
    }
    files
}

/// Two worlds with the same history: in one of them web syncs, in the other it pipes.
fn worlds() -> [(World, Workspace, Workspace); 2] {
    [(); 2].map(|()| {
        let world = World::new();
        let (api, web) = (world.workspace("api"), world.workspace("web"));
        api.write("API-V-0001", "vision");
        api.write("API-T-0001", "task");
        web.write("WEB-T-0001", "task");
        api.sync().report();
        (world, api, web)
    })
}

#[test]
fn the_whole_pipe_equals_a_sync() {
    let [(one, api_one, web_one), (two, api_two, web_two)] = worlds();
    for round in 0..3 {
        web_one.sync().report();
        let record = piped(&web_two, WHOLE).success();
        assert!(record.contains("\"schema\":1"), "{record}");
        assert_eq!(one.central.files(), two.central.files(), "round {round}");
        assert_eq!(seen(&web_one), seen(&web_two), "round {round}");
        assert_eq!(cache(&web_one), cache(&web_two), "round {round}");
        for (api, web) in [(&api_one, &web_one), (&api_two, &web_two)] {
            api.edit("API-T-0001", "more");
            api.sync().report();
            web.edit("WEB-T-0001", "more");
        }
    }
    two.central.fsck_strict();
}

/// With records in the pipe: the others' are taken up, and own ones are sent, as a sync does it; and alone.
#[test]
fn records_are_a_stage() {
    let [_, (_world, api, web)] = worlds();
    let with_records = WHOLE.replacen("hydrate |", "hydrate | git metis-sync records |", 1);
    api.run(&["tag", "add", "WEB-T-0001", "urgent"]).success();
    api.sync().report();
    web.run(&["tag", "add", "API-T-0001", "later"]).success();
    let script = with_records.replace("| git metis-sync rebuild-cache", "");
    let record: serde_json::Value = serde_json::from_str(&piped(&web, &script).success()).expect("a record");
    assert_eq!(
        (&record["records"]["received"], &record["records"]["published"]),
        (&1.into(), &1.into()),
        "{record}"
    );
    assert!(record["commit"].is_string(), "{record}");
    let alone = || web.run(&["records", "--alone"]).success();
    let done = |said: String| serde_json::from_str::<serde_json::Value>(&said).expect("JSON")["records"].clone();
    assert_eq!(done(alone()), serde_json::json!({ "received": 0, "published": 0 }));
    api.sync().report();
    let dump = |workspace: &Workspace| workspace.run(&["--json", "record", "list"]).success();
    assert_eq!(dump(&web), dump(&api));
    api.run(&["tag", "rm", "WEB-T-0001", "urgent"]).success();
    assert_eq!(done(api.run(&["records", "--alone"]).success())["published"], 1);
    assert_eq!(done(alone())["received"], 1);
    assert_eq!(piped(&web, "git metis-sync records </dev/null").code, Some(2));
}

#[test]
fn a_second_pipe_and_a_sync_after_it_have_nothing_to_do() {
    let [_, (world, _, web)] = worlds();
    piped(&web, WHOLE).success();
    let tip = world.central.tip();
    piped(&web, WHOLE).success();
    assert_eq!(world.central.tip(), tip);
    assert_eq!(web.sync().report().outcome, "up-to-date");
}

/// `fetch` looks, with `hydrate` it pulls, with `dehydrate` the commit is made, and with `push` only the cache is left to do.
/// Whatever was begun, the next sync goes on from there.
#[test]
fn each_prefix_of_the_pipe_is_of_use_by_itself() {
    for stages in 1..=4 {
        let [_, (world, api, web)] = worlds();
        let tip = world.central.tip();
        let prefix: Vec<&str> = WHOLE.split('|').map(str::trim).take(stages).collect();
        let record = piped(&web, &prefix.join(" | ")).success();
        let record: serde_json::Value = serde_json::from_str(&record).expect("a record");

        let pulled = if stages >= 2 { api.documents() } else { BTreeMap::new() };
        assert_eq!(web.hydrated("api"), pulled, "{record}");
        assert_eq!(record["commit"].is_string(), stages >= 3, "{record}");
        assert_eq!(world.central.tip() == tip, stages < 4, "{record}");
        assert_eq!(record["head"].as_str(), world.central.tip().as_deref());
        if stages == 4 {
            assert_eq!(world.central.folder("web"), web.documents());
            piped(&web, "git metis-sync rebuild-cache </dev/null").success();
            let answer = cache(&web);
            web.sync().report();
            assert_eq!(cache(&web), answer, "it had been brought up to date");
        }
        web.sync().report();
        assert_eq!(world.central.folder("web"), web.documents());
        assert_eq!(web.hydrated("api"), api.documents());
        world.central.fsck_strict();
    }
}

/// Stages need not come in the order of the pipe: the commit can be looked at before anything is written here.
#[test]
fn a_commit_without_hydrating() {
    let [_, (world, _, web)] = worlds();
    let tip = world.central.tip();
    let record = piped(&web, "git metis-sync fetch | git metis-sync dehydrate").success();
    let record: serde_json::Value = serde_json::from_str(&record).expect("a record");
    assert_eq!(
        (&record["pushed"][0], &record["registered"]),
        (&"WEB-T-0001".into(), &true.into())
    );
    assert_eq!(world.central.tip(), tip, "made, not sent");
    assert!(web.hydrated("api").is_empty());
}

#[test]
fn each_stage_takes_flags_instead_of_a_record() {
    let [_, (world, api, web)] = worlds();
    let head = world.central.tip().expect("api pushed");
    piped(&web, &format!("git metis-sync hydrate --head {head}")).success();
    assert_eq!(web.hydrated("api"), api.documents());
    let record = piped(&web, &format!("git metis-sync dehydrate --head {head}")).success();
    let record: serde_json::Value = serde_json::from_str(&record).expect("a record");
    let commit = record["commit"].as_str().expect("a commit");
    assert_eq!(world.central.tip().as_deref(), Some(head.as_str()), "made, not sent");
    piped(&web, &format!("git metis-sync push --head {head} --commit {commit}")).success();
    assert_eq!(world.central.tip().as_deref(), Some(commit));
    piped(&web, "git metis-sync rebuild-cache </dev/null").success();
}

#[test]
fn the_pipe_exits_with_the_code_of_the_stage_that_failed() {
    let [_, (world, _, web)] = worlds();
    std::fs::rename(&world.central.dir, world.root().join("away")).expect("temp folder is writable");
    let failed = piped(&web, WHOLE);
    assert_eq!(failed.code, Some(1), "{}", failed.transcript());
    assert_eq!(
        failed.stderr.matches("error:").count(),
        1,
        "said once: {}",
        failed.stderr
    );
    assert!(failed.stderr.contains("there is no repository"), "{}", failed.stderr);

    let garbage = piped(&web, "echo '{}' | git metis-sync hydrate");
    assert_eq!(garbage.code, Some(2), "{}", garbage.transcript());
    let other = piped(
        &web,
        "echo '{\"schema\":9,\"stage\":\"fetch\",\"format\":\"sha1\",\"head\":null}' | git metis-sync push",
    );
    assert_eq!(other.code, Some(2), "{}", other.transcript());
}

/// 82#1, by hand: the loop around exit code 4 that `docs/plumbing.md` shows.
#[test]
fn a_refused_push_exits_4_and_the_loop_in_sh_gets_through() {
    let [_, (world, api, web)] = worlds();
    api.edit("API-T-0001", "overtakes");
    world.points.command(Point::BeforeRef, &api.sync_command(&[]));
    let refused = piped(&web, WHOLE.rsplit_once('|').expect("a pipe").0);
    assert_eq!(refused.code, Some(4), "{}", refused.transcript());
    assert_eq!(world.points.waiting(), 0, "the race happened");

    api.edit("API-T-0001", "overtakes again");
    world.points.command(Point::BeforeRef, &api.sync_command(&[]));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/retry-loop");
    piped(&web, &format!("sh {} 3", script.display())).success();
    assert_eq!(world.points.waiting(), 0, "the race happened");
    assert_eq!(world.central.folder("web"), web.documents());
    assert_eq!(world.central.folder("api"), api.documents());
    world.central.fsck_strict();
}

/// All five processes, wherever the one that talks to central is. A server may go on and complete what it had received whole.
#[test]
fn a_pipe_that_is_killed_in_the_middle_harms_nothing() {
    for point in Point::ALL {
        let [_, (world, api, web)] = worlds();
        let mut gate = world.points.gate(point);
        // git would put its own folder in front of PATH, and find its own servers there.
        let mut pipe = shell(&web, &WHOLE.replace("git metis-sync", "git-metis-sync"));
        pipe.process_group(0);
        let running = Running::start(pipe);
        gate.wait();
        running.kill_group();
        gate.open();

        for name in web.documents().keys().chain(api.documents().keys()) {
            let place = web.metis().join("api").join(name);
            assert!(!place.exists() || web.hydrated("api").get(name) == api.documents().get(name));
        }
        web.sync().report();
        web.sync().report();
        assert_eq!(world.central.folder("web"), web.documents(), "killed {}", point.name());
        assert_eq!(web.hydrated("api"), api.documents(), "killed {}", point.name());
        world.central.fsck_strict();
        assert_eq!(world.left_over(), Vec::<std::path::PathBuf>::new());
    }
}

/// The stage before was killed while it spoke, or said nothing at all.
#[test]
fn half_a_record_is_no_record() {
    let [_, (world, _, web)] = worlds();
    let tip = world.central.tip();
    let before = web.snapshot();
    for stage in ["hydrate", "dehydrate", "push"] {
        for half in ["head -c 60", "head -c 0"] {
            let cut = piped(&web, &format!("git metis-sync fetch | {half} | git metis-sync {stage}"));
            assert_eq!(cut.code, Some(2), "{}", cut.transcript());
            assert!(cut.stderr.contains("Nothing was changed."), "{}", cut.transcript());
        }
    }
    assert_eq!(world.central.tip(), tip);
    let after = web.snapshot();
    let changed = after.since(&before);
    let own = |path: &&Path| path.starts_with(".metis/.sync") || *path == Path::new(".metis");
    assert!(changed.iter().all(own), "fetch alone makes its folder: {changed:?}");
}
