//! Files and folders of other users of the machine, and what is closed to them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{as_root, in_a_project};
use crate::{
    scenarios::project::Project,
    support::{
        process::run,
        report::Ended,
        workspace::{Remote, Workspace},
        world::World,
    },
};

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
