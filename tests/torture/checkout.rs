//! A checkout is not trusted: what came with a pull, or lies above it, neither runs nor leads elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    scenarios::project::Project,
    support::{
        document::document,
        process::run,
        report::Ended,
        servers::{Access, Nginx, skip},
        workspace::{Remote, Workspace},
        world::World,
    },
};

/// A synced workspace in a project under git.
fn in_a_project(world: &World) -> (Workspace, Project) {
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    let project = Project::around(world, &api);
    api.sync().report();
    (api, project)
}

fn cursor(api: &Workspace) -> PathBuf {
    api.metis().join(".sync/cursor.json")
}

/// The cursor as the first release wrote it.
fn unsealed(text: &str) -> String {
    let (text, _) = text.split_once(",\"folder\":").expect("it is sealed");
    format!("{text}}}\n")
}

/// Bodies of the document in central.
fn body(world: &World, name: &str) -> String {
    let folder = world.central.folder("api");
    String::from_utf8_lossy(&folder[name]).into_owned()
}

/// Git overwrites ignored files on a pull, so a commit can bring the state that says which central is the right one.
#[test]
fn state_that_came_with_a_pull() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    project.commit(&api.dir);
    project.git(&api.dir, &["push", "--quiet"]);
    let elsewhere = World::new();
    let evil = elsewhere.central.url();
    let colleague = project.colleague("main");
    let config = api.config().replace(&world.central.url(), &evil);
    fs::write(colleague.join(".metis/config.toml"), config).expect("temp folder is writable");
    fs::create_dir(colleague.join(".metis/.sync")).expect("temp folder is writable");
    let forged = unsealed(&fs::read_to_string(cursor(&api)).expect("it synced")).replace(&world.central.url(), &evil);
    fs::write(colleague.join(".metis/.sync/cursor.json"), forged).expect("temp folder is writable");
    project.git(colleague, &["add", "--force", ".metis"]);
    project.commit(colleague);
    project.git(colleague, &["push", "--quiet"]);

    project.git(&api.dir, &["checkout", "--quiet", "--", "."]);
    project.git(&api.dir, &["pull", "--quiet", "--ff-only"]);
    let stopped = api.sync().failure(3);
    assert_eq!(stopped.kind, "state-tracked");
    assert!(stopped.message.contains(".metis/.sync/cursor.json"), "{stopped:?}");
    for looking in ["status", "doctor"] {
        let looked = api.run(&[looking]);
        assert!(
            String::from_utf8_lossy(&looked.stdout).contains("git tracks"),
            "{}",
            looked.transcript()
        );
    }

    let way_out = stopped.next.expect("there is one");
    assert!(way_out.contains("`git rm -r -f .metis/.sync`"), "{way_out}");
    project.git(&api.dir, &["rm", "-r", "-f", "--quiet", ".metis/.sync"]);
    project.commit(&api.dir);
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
    assert_eq!(elsewhere.wire().listings(), 0, "it was never asked");
    api.put("config.toml", api.config().replace(&evil, &world.central.url()));
    api.sync().report();
}

/// A cursor that this clone did not write, though git does not track it, says nothing: it does not lead to a push that a
/// fresh clone would not make. In a plain folder, where no pull brings anything, copies go on working.
#[test]
fn a_cursor_of_another_clone() {
    for repository in [true, false] {
        let world = World::new();
        let api = world.workspace("api");
        api.write("API-T-0001", "First.");
        let project = repository.then(|| Project::around(&world, &api));
        api.sync().report();
        let before: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(cursor(&api)).expect("it synced")).expect("JSON");
        let old = before["base"]["API-T-0001"]["blob"].as_str().expect("an id").to_owned();
        let newer = document("API-T-0001", "Newer", "By another clone.");
        world.central.land("api/API-T-0001.md", &newer);
        let new = world.central.git(&["rev-parse", "main:api/API-T-0001.md"]);
        let forged = fs::read_to_string(cursor(&api))
            .expect("it synced")
            .replace(&old, new.trim());
        fs::write(cursor(&api), &forged).expect("temp folder is writable");

        let ended = api.sync();
        match project {
            Some(_) => {
                let said = String::from_utf8_lossy(&ended.0.stdout).into_owned() + &ended.0.stderr;
                assert!(said.contains("is not by this clone"), "{}", ended.0.transcript());
                assert!(body(&world, "API-T-0001.md").contains("By another clone."));
            }
            // It may be a copy of another folder: what central had before is older, whatever the cursor says.
            None => {
                let report = ended.report();
                assert!(report.pushed.is_empty());
                assert_eq!(report.behind[0]["code"], "API-T-0001");
            }
        }
    }
}

/// The cursor of the first release has no seal. It is taken over once, where there is no guard yet.
#[test]
fn a_cursor_of_the_first_release() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let guards = api.dir.join(".git/metis-sync");
    let bare = unsealed(&fs::read_to_string(cursor(&api)).expect("it synced"));
    fs::write(cursor(&api), &bare).expect("temp folder is writable");
    fs::remove_dir_all(&guards).expect("it is there");
    api.edit("API-T-0001", "More.");
    let report = api.sync().report();
    assert_eq!((report.pushed.len(), report.warnings), (1, vec![]));
    assert!(guards.is_dir());
    assert!(
        fs::read_to_string(cursor(&api))
            .expect("it synced")
            .contains(",\"seal\":\"")
    );

    fs::write(cursor(&api), &bare).expect("temp folder is writable");
    let warnings = api.sync().report().warnings;
    assert!(warnings[0].contains("is not by this clone"), "{warnings:?}");
    assert_eq!(api.sync().report().warnings, Vec::<String>::new());
}

/// What an earlier release has remembered stops a pulled upstream at the first run of this one, too.
#[test]
fn the_upstream_that_the_first_release_knew() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let bare = unsealed(&fs::read_to_string(cursor(&api)).expect("it synced"));
    fs::write(cursor(&api), &bare).expect("temp folder is writable");
    fs::remove_dir_all(api.dir.join(".git/metis-sync")).expect("it is there");
    let elsewhere = World::new();
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url()),
    );
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
    assert_eq!(elsewhere.wire().listings(), 0);
}

/// A pulled config.toml with another workspace's prefix does not write that workspace's folder. Each way out ends it.
#[test]
fn another_prefix() {
    let world = World::new();
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    let (api, _project) = in_a_project(&world);
    let here = api.config();
    let there = |name: &str| world.central.folder(name);
    let before = there("web");
    api.put("config.toml", here.replace("prefix = \"api\"", "prefix = \"web\""));
    let stopped = api.sync().failure(3);
    assert_eq!(stopped.kind, "prefix-changed");
    assert_eq!(
        api.sync_with(&["--force", "--allow-deletes"]).failure(3).kind,
        "prefix-changed"
    );
    assert_eq!(api.sync_with(&["--pull-only"]).failure(3).kind, "prefix-changed");
    assert_eq!(there("web"), before);
    let unsaid = api.run(&["init"]);
    assert_eq!(unsaid.code, Some(3), "{}", unsaid.transcript());

    api.put("config.toml", &here);
    api.sync().report();
    api.run(&["init", "--prefix", "core"]).success();
    let report = api.sync().report();
    assert!(report.registered);
    assert_eq!(report.pushed, ["API-T-0001"]);
    assert_eq!(there("core"), api.documents());
    assert_eq!(there("api"), api.documents(), "it stays until somebody takes it away");
    assert_eq!(there("web"), before);
}

/// `init` that names no upstream takes config.toml's, but not in place of one that this clone is bound to.
#[test]
fn init_confirms_what_it_is_told() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let elsewhere = World::new();
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url()),
    );
    let unsaid = api.run(&["init"]);
    assert_eq!(unsaid.code, Some(3), "{}", unsaid.transcript());
    assert_eq!(elsewhere.wire().listings(), 0);
    api.run(&["init", "--upstream", &elsewhere.central.url()]).success();
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    assert_eq!(elsewhere.central.folder("api"), api.documents());
}

/// A copy of a plain folder goes on from what the original knew, on another machine too.
#[test]
fn a_copy_of_a_plain_folder() {
    let world = World::new();
    let api = world.workspace("api");
    for code in ["API-T-0001", "API-T-0002"] {
        api.write(code, "First.");
    }
    api.sync().report();
    let copy = world.workspace("api");
    let mut cp = api.program("cp");
    cp.arg("-a").arg(api.metis()).arg(&copy.dir);
    fs::remove_dir_all(copy.metis()).expect("it is there");
    run(cp).success();
    api.edit("API-T-0001", "By the original.");
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    let task = copy.metis().join("initiatives/API-I-0001/tasks/API-T-0002.md");
    fs::write(task, document("API-T-0002", "Copy", "By the copy.")).expect("temp folder is writable");
    let report = copy.sync().report();
    assert_eq!(report.pushed, ["API-T-0002"]);
    assert_eq!(report.behind.len(), 1, "{report:?}");
    assert!(body(&world, "API-T-0001.md").contains("By the original."));
}

/// Only root can make another user's files; elsewhere these tests have nothing to look at.
pub fn as_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip("only root can make another user's files");
    }
    root
}

fn give_away(path: &Path) {
    let mut chown = std::process::Command::new("chown");
    chown.args(["-R", "65534"]).arg(path);
    run(chown).success();
}

fn git_config(api: &Workspace, args: &[&str]) {
    let mut git = api.program("git");
    git.args(["config", "--global"]).args(args);
    run(git).success();
}

/// Another user's `.metis` above one's own folder counts for nothing, nor does the configuration of the repository around it.
#[test]
fn another_users_folder_above() {
    if !as_root() {
        return;
    }
    let world = World::new();
    let canary = world.root().join("touched");
    let remote = Remote {
        url: "ssh://nowhere.invalid/c.git".into(),
        env: Vec::new(),
    };
    let theirs = world.workspace_on("api", &remote);
    theirs.write("API-T-0001", "Theirs.");
    let project = Project::around(&world, &theirs);
    let run_it = format!("touch {}; false", canary.display());
    project.git(&theirs.dir, &["config", "core.sshCommand", &run_it]);
    let mine = theirs.dir.join("mine");
    give_away(&theirs.dir);
    fs::create_dir(&mine).expect("temp folder is writable");
    let at = |args: &[&str]| {
        let mut command = theirs.metis_sync(args);
        command.current_dir(&mine).arg("-C").arg(&mine);
        let mut here = theirs.program(command.get_program().to_str().expect("a plain path"));
        here.current_dir(&mine).args(args);
        run(here)
    };
    for args in [
        &["sync"][..],
        &["status"],
        &["doctor"],
        &["sync", "--dry-run"],
        &["log"],
    ] {
        let ended = at(args);
        assert_eq!(ended.code, Some(1), "{}", ended.transcript());
        let said = ended.stderr.clone() + &String::from_utf8_lossy(&ended.stdout);
        assert!(said.contains("another user"), "{}", ended.transcript());
    }
    assert!(!canary.exists());

    // One's own workspace in there is one's own; the repository around it still is not.
    let own = mine.join(".metis");
    fs::create_dir(&own).expect("temp folder is writable");
    fs::copy(theirs.metis().join("config.toml"), own.join("config.toml")).expect("temp folder is writable");
    let ended = at(&["sync"]);
    assert!(
        ended.stderr.contains("belongs to another user"),
        "{}",
        ended.transcript()
    );
    assert!(!canary.exists());

    // Declared safe, as for git, it counts.
    git_config(&theirs, &["safe.directory", &theirs.dir.display().to_string()]);
    fs::remove_dir_all(&mine).expect("temp folder is writable");
    let ended = theirs.run(&["sync"]);
    assert!(canary.exists(), "{}", ended.transcript());
    assert!(!ended.stderr.contains("another user"), "{}", ended.transcript());
}

/// Files of a checkout that look like a bare repository are none: below its top, beside its `.git`, or where a checkout has
/// no `.git`, as exported ones have none. Neither ssh nor a credential helper of theirs is run.
#[test]
fn a_planted_bare_repository() {
    let world = World::new();
    let canary = world.root().join("touched");
    let ssh = Remote {
        url: "ssh://nowhere.invalid/c.git".into(),
        env: Vec::new(),
    };
    let https = Nginx::start(&world, Access::Password);
    let remotes = [Some(ssh), https.as_ref().map(Nginx::remote)];
    for (remote, place) in remotes
        .iter()
        .flatten()
        .flat_map(|remote| (0..3).map(move |place| (remote, place)))
    {
        let api = world.workspace_on("api", remote);
        api.write("API-T-0001", "Mine.");
        match place {
            0 => {
                let mut git = api.program("git");
                git.args(["init", "--quiet"])
                    .current_dir(api.dir.parent().expect("the machine"));
                run(git).success();
            }
            1 => {
                let mut git = api.program("git");
                git.args(["init", "--quiet"]);
                run(git).success();
            }
            _ => {}
        }
        for folder in ["objects", "refs"] {
            fs::create_dir(api.dir.join(folder)).expect("temp folder is writable");
        }
        fs::write(api.dir.join("HEAD"), "ref: refs/heads/main\n").expect("temp folder is writable");
        let config = format!(
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tsshCommand = touch {0}\n[credential]\n\thelper = \"!touch \
             {0}; :\"\n",
            canary.display()
        );
        fs::write(api.dir.join("config"), config).expect("temp folder is writable");
        let ended: Ended = api.sync();
        assert_ne!(ended.0.code, Some(0), "{}", ended.0.transcript());
        for args in [&["status"][..], &["doctor"], &["hooks", "status"]] {
            api.run(args);
        }
        assert!(!canary.exists(), "{place} {}", remote.url);
    }
}

/// A clone of the project on a machine of its own.
fn cloned(world: &World, project: &Project) -> Workspace {
    let clone = world.workspace("api");
    fs::remove_dir_all(&clone.dir).expect("it is there");
    let dir = clone.dir.display().to_string();
    project.git(&world.root(), &["clone", "--quiet", &project.url(), &dir]);
    clone
}

/// A metis.db that came with the project tells nothing: neither before a sync, nor after it. What else is in it stays.
#[test]
fn a_database_that_came_with_the_project() {
    let forgeries = [
        "UPDATE sync_documents SET title = 'FORGED'",
        "DROP TABLE sync_documents;
         CREATE TABLE sync_documents (id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, path TEXT NOT NULL,
            code TEXT NOT NULL, title TEXT AS ('FORGED'), type TEXT, phase TEXT, archived INTEGER NOT NULL,
            tags TEXT NOT NULL, blob BLOB NOT NULL)",
        "CREATE TRIGGER forge AFTER INSERT ON sync_documents BEGIN UPDATE sync_documents SET title = 'FORGED'; END",
        "ALTER TABLE sync_documents RENAME TO hidden; CREATE VIEW sync_documents AS SELECT *, 'FORGED' AS t FROM hidden",
        "DROP TABLE sync_meta; CREATE TABLE sync_meta (key TEXT PRIMARY KEY, value TEXT AS ('FORGED'))",
    ];
    for (number, forgery) in forgeries.into_iter().enumerate() {
        let world = World::new();
        let (api, project) = in_a_project(&world);
        let db = rusqlite::Connection::open(api.metis().join("metis.db")).expect("it synced");
        db.execute_batch(&format!(
            "CREATE TABLE theirs (text TEXT); INSERT INTO theirs VALUES ('kept'); {forgery}"
        ))
        .expect("SQL");
        drop(db);
        project.git(&api.dir, &["add", "--force", ".metis/metis.db"]);
        project.commit(&api.dir);
        project.git(&api.dir, &["push", "--quiet"]);

        let clone = cloned(&world, &project);
        let asked = || {
            let ended = clone.run(&["query", "workspace", "api"]);
            let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &ended.stderr;
            assert!(!said.contains("FORGED"), "{forgery}: {}", ended.transcript());
            (ended.code, said)
        };
        assert_eq!(asked().0, Some(1), "{forgery}");
        clone.sync().report();
        let (code, said) = asked();
        // What has a name of ours but is not of our making is left to its owner.
        match number < 3 {
            true => assert!(
                code == Some(0) && said.contains("Title of API-T-0001"),
                "{forgery}: {said}"
            ),
            false => assert_eq!(code, Some(1), "{forgery}: {said}"),
        }
        let db = rusqlite::Connection::open(clone.metis().join("metis.db")).expect("it is there");
        let kept: String = db
            .query_row("SELECT text FROM theirs", [], |row| row.get(0))
            .expect("SQL");
        assert_eq!(kept, "kept");
    }
}

/// What SQLite keeps beside its database it would play into it, or follow.
#[test]
fn files_beside_the_database() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    api.put("metis.db-wal", "from a commit");
    project.git(&api.dir, &["add", "--force", ".metis/metis.db-wal"]);
    api.edit("API-T-0001", "More.");
    let report = api.sync().report();
    assert!(
        report.warnings.iter().any(|warning| warning.contains("git tracks")),
        "{report:?}"
    );
    for args in [&["query", "workspace", "api"][..], &["rebuild-cache"]] {
        let ended = api.run(args);
        assert_eq!(ended.code, Some(1), "{}", ended.transcript());
        assert!(ended.stderr.contains("git rm --cached"), "{}", ended.transcript());
    }
    project.git(&api.dir, &["rm", "--cached", "--quiet", ".metis/metis.db-wal"]);
    fs::remove_file(api.metis().join("metis.db-wal")).expect("it is there");
    let precious = world.root().join("precious");
    fs::write(&precious, "mine").expect("temp folder is writable");
    std::os::unix::fs::symlink(&precious, api.metis().join("metis.db-journal")).expect("temp folder is writable");
    assert_eq!(api.run(&["rebuild-cache"]).code, Some(1));
    assert_eq!(fs::read_to_string(&precious).expect("it is there"), "mine");
    fs::remove_file(api.metis().join("metis.db-journal")).expect("it is there");
    api.run(&["rebuild-cache"]).success();
}

/// Everything below `folder`, itself included, that others than its owner can do anything with.
fn open_to_others(folder: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::symlink_metadata(folder).expect("it is there");
    let mut found = Vec::new();
    if meta.mode() & 0o077 != 0 {
        found.push(folder.to_owned());
    }
    if meta.is_dir() {
        for entry in fs::read_dir(folder).expect("readable folder") {
            found.extend(open_to_others(&entry.expect("readable folder").path()));
        }
    }
    found
}

/// Whatever the umask, other users neither see nor hold what is this clone's and this user's; what an earlier version left
/// open to them is closed.
#[test]
fn closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    Project::around(&world, &api);
    let sync = |options: &[&str]| {
        let sync = api.sync_command(options);
        let mut shell = api.program("sh");
        shell
            .args(["-c", "umask 0; exec \"$@\"", "sh"])
            .arg(sync.get_program())
            .args(sync.get_args());
        Ended(run(shell)).report()
    };
    sync(&[]);
    let places = [
        api.home.join(".cache/git-metis-sync"),
        api.metis().join(".sync"),
        api.dir.join(".git/metis-sync"),
    ];
    for place in &places {
        assert_eq!(open_to_others(place), Vec::<PathBuf>::new());
        fs::set_permissions(place, fs::Permissions::from_mode(0o777)).expect("it is ours");
    }
    fs::set_permissions(places[1].join("lock"), fs::Permissions::from_mode(0o666)).expect("it is ours");
    api.edit("API-T-0001", "More.");
    sync(&[]);
    for place in &places[..2] {
        assert_eq!(open_to_others(place), Vec::<PathBuf>::new());
    }
    let database = fs::metadata(api.metis().join("metis.db")).expect("it is there");
    assert_eq!(database.permissions().mode() & 0o077, 0);
    assert_eq!(sync(&["--dry-run"]).pushed, Vec::<String>::new());
}

/// What another user could once put into the folder of state counts for nothing there.
#[test]
fn another_users_files_in_the_folder_of_state() {
    if !as_root() {
        return;
    }
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let state = api.metis().join(".sync");
    fs::write(state.join("config.toml"), "[sync]\nbranch = \"evil\"\n").expect("it is ours");
    for name in ["config.toml", "cursor.json", "lock"] {
        give_away(&state.join(name));
        let failure = api.sync().failure(1);
        assert!(
            failure.message.contains(name) && failure.message.contains("belongs to another user"),
            "{failure:?}"
        );
        fs::remove_file(state.join(name)).expect("we are root");
    }
    give_away(&state);
    assert!(api.sync().failure(1).message.contains("belongs to another user"));
    fs::remove_dir_all(&state).expect("we are root");
    api.edit("API-T-0001", "More.");
    assert_eq!(api.sync().report().pushed.len(), 1);
}

/// A store that another user made beforehand is not read from, and without a home there is none in a shared folder.
#[test]
fn another_users_store() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    if as_root() {
        let cache = api.home.join(".cache/git-metis-sync");
        fs::create_dir_all(cache.join("any")).expect("temp folder is writable");
        give_away(&cache);
        for options in [&[][..], &["--dry-run"]] {
            let failure = api.sync_with(options).failure(1);
            assert!(failure.message.contains("belongs to another user"), "{failure:?}");
            assert!(failure.next.expect("a way out").contains("XDG_CACHE_HOME"));
        }
        fs::remove_dir_all(&cache).expect("we are root");
    }
    let homeless = |env: &[(&str, &Path)]| {
        let mut sync = api.sync_command(&[]);
        // One that is no folder's full name is no home.
        sync.env("HOME", "nowhere").envs(env.iter().copied());
        Ended(run(sync))
    };
    let (state, cache) = (world.root().join("state"), world.root().join("cache"));
    let failure = homeless(&[]).failure(1);
    assert!(failure.next.expect("a way out").contains("XDG_STATE_HOME"));
    let failure = homeless(&[("XDG_STATE_HOME", &state)]).failure(1);
    assert!(failure.next.expect("a way out").contains("XDG_CACHE_HOME"));
    assert_eq!(world.left_over(), Vec::<PathBuf>::new());
    homeless(&[("XDG_STATE_HOME", &state), ("XDG_CACHE_HOME", &cache)]).report();
}

/// What a killed dry run left in the folder for temporary files is removed by the next one; what others have there is not.
#[test]
fn scratch_of_killed_runs() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    let temp = world.root().join("tmp");
    let (dead, theirs) = (temp.join("git-metis-sync-incoming-1"), temp.join("incoming-1"));
    for folder in [&dead, &theirs] {
        fs::create_dir_all(folder.join("objects")).expect("temp folder is writable");
    }
    api.sync_with(&["--dry-run"]).report();
    assert!(!dead.exists() && theirs.exists());
}

/// A submodule in the place of the folder of state brings its files along, and none of them is in the project's own index.
#[test]
fn a_submodule_in_the_place_of_state() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    let theirs = world.root().join("theirs");
    fs::create_dir(&theirs).expect("temp folder is writable");
    project.git(&theirs, &["init", "--quiet", "--initial-branch=main"]);
    fs::write(theirs.join("config.toml"), "[sync.hooks]\nblocking = true\n").expect("temp folder is writable");
    project.commit(&theirs);
    let state = api.metis().join(".sync");
    fs::remove_dir_all(&state).expect("it synced");
    project.git(
        &api.dir,
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            "--force",
            &theirs.display().to_string(),
            ".metis/.sync",
        ],
    );
    assert!(state.join("config.toml").is_file());
    api.edit("API-T-0001", "More.");
    let stopped = api.sync().failure(3);
    assert_eq!(stopped.kind, "state-tracked");
    assert!(stopped.message.contains("git tracks .metis/.sync:"), "{stopped:?}");
    // Nor does a hook wait because of what is in it.
    fs::rename(&world.central.dir, world.root().join("away")).expect("temp folder is writable");
    let mut hook = api.metis_sync(&["hooks", "run", "pre-push", "--", "origin", "url"]);
    hook.current_dir(&api.dir);
    let hook = run(hook);
    assert_eq!(hook.code, Some(0), "{}", hook.transcript());
    fs::rename(world.root().join("away"), &world.central.dir).expect("temp folder is writable");
    // The way out that is named ends it.
    project.git(&api.dir, &["rm", "-r", "-f", "--quiet", ".metis/.sync"]);
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    // A name that merely begins like it is nobody's state.
    api.put(".sync-notes", "mine");
    project.git(&api.dir, &["add", "--force", ".metis/.sync-notes"]);
    api.sync().report();
}

/// git writes to paths below another repository like to any others, so a pull of a repository around the project's can bring state.
#[test]
fn state_from_a_repository_around() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    let around = api.dir.parent().expect("the machine").to_owned();
    let name = api.dir.file_name().expect("a name").to_string_lossy().into_owned();
    project.git(&around, &["init", "--quiet", "--initial-branch=main"]);
    api.sync().report();
    let config = api.put(".sync/config.toml", "[sync.hooks]\nblocking = true\n");
    let blob = project.git(&around, &["hash-object", "-w", &config.display().to_string()]);
    let entry = format!("100644,{},{name}/.metis/.sync/config.toml", blob.trim());
    project.git(&around, &["update-index", "--add", "--cacheinfo", &entry]);
    let stopped = api.sync().failure(3);
    assert_eq!(stopped.kind, "state-tracked");
    assert!(stopped.message.contains(".metis/.sync/config.toml"), "{stopped:?}");
    project.git(&around, &["read-tree", "--empty"]);
    api.sync().report();
}

/// What a person copies from a message runs nothing, whatever a folder is called.
#[test]
fn commands_in_messages_can_be_copied() {
    if !as_root() {
        return;
    }
    let world = World::new();
    let mut api = world.workspace("api");
    let dir = world.root().join("an 'odd'; touch touched; $(touch touched)");
    fs::rename(&api.dir, &dir).expect("temp folder is writable");
    api.dir = dir;
    api.write("API-T-0001", "Mine.");
    Project::around(&world, &api);
    give_away(&api.dir);
    let ended = api.run(&["status"]);
    let said = ended.stderr.clone() + &String::from_utf8_lossy(&ended.stdout);
    let command = said
        .split("git config --global --add safe.directory ")
        .nth(1)
        .unwrap_or_else(|| panic!("{}", ended.transcript()));
    let word = command
        .split("`. ")
        .next()
        .expect("the command ends")
        .lines()
        .next()
        .expect("a line");
    let mut shell = api.program("sh");
    shell
        .current_dir(world.root())
        .args(["-c", &format!("printf %s {word}")]);
    let printed = run(shell).success();
    assert_eq!(Path::new(&printed), api.dir, "{word}");
    assert!(!world.root().join("touched").exists());
}

/// Split, and with paths that are cut: git's other ways of keeping an index hide nothing.
#[test]
fn state_in_any_kind_of_index() {
    for settings in [
        &["update-index", "--index-version", "2"][..],
        &["update-index", "--index-version", "4"],
        &["update-index", "--split-index"],
    ] {
        let world = World::new();
        let (api, project) = in_a_project(&world);
        project.git(&api.dir, &["add", "--force", ".metis/.sync/cursor.json"]);
        project.git(&api.dir, settings);
        assert_eq!(api.sync().failure(3).kind, "state-tracked", "{settings:?}");
        project.git(&api.dir, &["rm", "--cached", "--quiet", ".metis/.sync/cursor.json"]);
        api.sync().report();
    }
}

/// Settings for this clone alone that came with a commit are nobody's word: a hook neither waits nor fails because of them.
#[test]
fn settings_of_this_clone_that_came_with_a_commit() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    api.put(
        ".sync/config.toml",
        "[sync.hooks]\nblocking = true\ndeadline_seconds = 86000\n",
    );
    api.edit("API-T-0001", "More.");
    fs::rename(&world.central.dir, world.root().join("away")).expect("temp folder is writable");
    let hook = || {
        let mut hook = api.metis_sync(&["hooks", "run", "pre-push", "--", "origin", "url"]);
        hook.current_dir(&api.dir);
        run(hook)
    };
    let waited = hook();
    assert_ne!(waited.code, Some(0), "{}", waited.transcript());
    project.git(&api.dir, &["add", "--force", ".metis/.sync/config.toml"]);
    let calm = hook();
    assert_eq!(calm.code, Some(0), "{}", calm.transcript());
    assert_eq!(api.sync().failure(3).kind, "state-tracked");
}

/// A `.metis` that is a link to another workspace is that workspace, bound as it is.
#[test]
fn a_link_to_another_workspace() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let elsewhere = World::new();
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url()),
    );
    let web = world.workspace("web");
    fs::remove_dir_all(web.metis()).expect("it is there");
    std::os::unix::fs::symlink(api.metis(), web.metis()).expect("temp folder is writable");
    assert_eq!(web.sync().failure(3).kind, "upstream-changed");
    assert_eq!(elsewhere.wire().listings(), 0);
}

/// A pull can put a link in the place of the folder that this clone is bound in. What is at its other end is another workspace,
/// and goes to no other central unasked.
#[test]
fn a_link_in_the_place_of_a_workspace() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    let elsewhere = World::new();
    let evil = api.dir.join("evil/.metis");
    fs::create_dir_all(&evil).expect("temp folder is writable");
    let config = api.config().replace(&world.central.url(), &elsewhere.central.url());
    fs::write(evil.join("config.toml"), config).expect("temp folder is writable");
    fs::write(evil.join("x.md"), document("API-T-0001", "Theirs", "Theirs.")).expect("temp folder is writable");
    fs::remove_dir_all(api.metis()).expect("it is there");
    std::os::unix::fs::symlink("evil/.metis", api.metis()).expect("temp folder is writable");
    project.commit(&api.dir);
    for options in [&[][..], &["--force"], &["--pull-only"]] {
        assert_eq!(api.sync_with(options).failure(3).kind, "upstream-changed");
    }
    let mut hook = api.metis_sync(&["hooks", "run", "post-merge", "--worker", "--foreground"]);
    hook.current_dir(&api.dir);
    assert_ne!(run(hook).code, Some(0));
    assert_eq!(elsewhere.wire().listings(), 0);
    // Its user may say that it is meant.
    api.run(&["init", "--upstream", &elsewhere.central.url()]).success();
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
}

/// The database at the other end of a link is not made anew for the workspace that the link is in.
#[test]
fn a_link_and_a_rebuild() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    fs::remove_dir_all(api.metis()).expect("it is there");
    std::os::unix::fs::symlink(web.metis(), api.metis()).expect("temp folder is writable");
    let database = || fs::read(web.metis().join("metis.db")).expect("it synced");
    let before = database();
    let stopped = api.run(&["rebuild-cache"]);
    assert_eq!(stopped.code, Some(3), "{}", stopped.transcript());
    assert_eq!(database(), before);
    web.run(&["query", "workspace"]).success();
}

/// A hook that finds the workspace gone that it was installed for takes no other one for it that came with the same pull.
#[test]
fn another_workspace_in_the_place_of_a_hooks() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    let plans = api.dir.join("plans");
    fs::create_dir(&plans).expect("temp folder is writable");
    fs::rename(api.metis(), plans.join(".metis")).expect("temp folder is writable");
    Project::around(&world, &api);
    let at = |folder: &Path, args: &[&str]| {
        let mut command = api.program(env!("CARGO_BIN_EXE_git-metis-sync"));
        command.arg("-C").arg(folder).args(args);
        run(command)
    };
    at(&plans, &["sync"]).success();
    let elsewhere = World::new();
    fs::rename(plans.join(".metis"), api.metis()).expect("temp folder is writable");
    fs::remove_dir_all(api.metis().join(".sync")).expect("it synced");
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url())
            + "[sync.hooks]\nblocking = true\ndeadline_seconds = 5\n",
    );
    let hook = at(&plans, &["hooks", "run", "pre-push", "--", "origin", "url"]);
    assert_eq!(hook.code, Some(0), "{}", hook.transcript());
    assert!(
        hook.stderr.contains("was never synced in this clone"),
        "{}",
        hook.transcript()
    );
    assert!(!api.metis().join(".sync").exists(), "nothing was begun");
    assert_eq!(elsewhere.wire().listings(), 0);
    // By hand it is what the one who types it says.
    at(&api.dir, &["sync"]).success();
}

/// Guards had short names once. One goes on counting under its own, is renamed by the next sync, and counts on.
#[test]
fn a_guard_under_an_earlier_name() {
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let guards = api.dir.join(".git/metis-sync");
    let names = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&guards).expect("it synced");
        entries.map(|entry| entry.expect("readable").path()).collect()
    };
    let [whole] = names().try_into().expect("one guard");
    let short = guards.join(&whole.file_name().and_then(|name| name.to_str()).expect("hex")[..16]);
    fs::rename(&whole, &short).expect("temp folder is writable");
    let config = api.config();
    let elsewhere = World::new();
    api.put(
        "config.toml",
        config.replace(&world.central.url(), &elsewhere.central.url()),
    );
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
    assert_eq!(names(), [short.as_path()], "a sync that stops renames nothing");
    api.put("config.toml", config);
    api.edit("API-T-0001", "More.");
    assert_eq!(api.sync().report().pushed.len(), 1);
    assert_eq!(names(), [whole.as_path()]);
    api.put(
        "config.toml",
        api.config().replace(&world.central.url(), &elsewhere.central.url()),
    );
    assert_eq!(api.sync().failure(3).kind, "upstream-changed");
}

/// Whatever lies in the place of the folder of state, or of a file in it, is neither followed nor waited for.
#[test]
fn something_else_in_the_place_of_state() {
    let fifo = |path: &Path| {
        let mut mkfifo = std::process::Command::new("mkfifo");
        mkfifo.arg(path);
        run(mkfifo).success();
    };
    let world = World::new();
    let (api, _project) = in_a_project(&world);
    let (state, aside) = (api.metis().join(".sync"), api.metis().join(".aside"));
    fs::rename(&state, &aside).expect("it is there");
    let outside = world.root().join("outside");
    fs::create_dir(&outside).expect("temp folder is writable");
    std::os::unix::fs::symlink(&outside, &state).expect("temp folder is writable");
    api.sync().failure(1);
    assert!(fs::read_dir(&outside).expect("it is there").next().is_none());
    fs::remove_file(&state).expect("it is there");
    fs::write(&state, "a file").expect("temp folder is writable");
    api.sync().failure(1);
    fs::remove_file(&state).expect("it is there");
    fifo(&state);
    api.sync().failure(1);
    fs::remove_file(&state).expect("it is there");
    fs::rename(&aside, &state).expect("it is there");

    for (name, exit) in [("cursor.json", 0), ("stat-cache", 0), ("lock", 1), ("config.toml", 1)] {
        let path = state.join(name);
        let _ = fs::rename(&path, world.root().join("kept"));
        fifo(&path);
        let ended = api.sync();
        assert_eq!(ended.0.code, Some(exit), "{name}: {}", ended.0.transcript());
        let _ = fs::remove_file(&path);
        let _ = fs::rename(world.root().join("kept"), &path);
    }
    // Numbers that no sync ever wrote.
    let text = fs::read_to_string(cursor(&api)).expect("it synced");
    for absurd in [
        "\"schema\":18446744073709551616",
        "\"schema\":-1",
        "\"schema\":1e999",
        "\"schema\":4294967295",
    ] {
        fs::write(cursor(&api), text.replace("\"schema\":1", absurd)).expect("temp folder is writable");
        let report = api.sync().report();
        assert_eq!(report.warnings.len(), 1, "{absurd}: {report:?}");
    }
}
