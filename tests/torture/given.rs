//! Configuration that git was given for one command: `git -c KEY=VALUE metis-sync` and the variables that it travels in.

use std::{fs, path::Path};

use crate::{
    scenarios::project::Project,
    support::{
        process::{Finished, run},
        servers::skip,
        workspace::{Remote, Workspace},
        world::World,
    },
};

/// A workspace whose central is reached by ssh, and where that would leave a trace.
fn by_ssh(world: &World) -> Workspace {
    let remote = Remote {
        url: "ssh://nowhere.invalid/c.git".into(),
        env: Vec::new(),
    };
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "Mine.");
    api
}

fn with(api: &Workspace, env: &[(&str, String)]) -> Finished {
    let mut sync = api.sync_command(&[]);
    sync.envs(env.iter().map(|(name, value)| (*name, value)));
    run(sync)
}

/// Whether `canary` was touched; it is taken away again.
fn was_touched(canary: &Path) -> bool {
    fs::remove_file(canary).is_ok()
}

/// Each form of each variable counts as it does for git.
#[test]
fn settings_for_one_command() {
    let world = World::new();
    let canary = world.root().join("touched");
    let api = by_ssh(&world);
    let run_it = format!("touch {}; false", canary.display());
    let not_it = "false it'\\''s no'\\!'".to_owned();
    let counted = |key: &str| {
        vec![
            ("GIT_CONFIG_COUNT", "1".to_owned()),
            ("GIT_CONFIG_KEY_0", key.to_owned()),
            ("GIT_CONFIG_VALUE_0", run_it.clone()),
        ]
    };
    let told = |text: String| vec![("GIT_CONFIG_PARAMETERS", text)];
    let cases = [
        (told(format!("'core.sshCommand'='{run_it}'")), true),
        (told(format!("'core.sshCommand={run_it}'")), true),
        (told(format!("'a.b'='{not_it}' 'CORE.sshcommand'='{run_it}'")), true),
        (counted("core.sshCommand"), true),
        // The last word counts, and what is told beats what is counted.
        (
            told(format!("'core.sshCommand'='{run_it}' 'core.sshCommand'='false'")),
            false,
        ),
        (
            [counted("core.sshCommand"), told("'core.sshCommand'='false'".into())].concat(),
            false,
        ),
        (told(format!("'core.sshCommand'='{run_it}")), false),
    ];
    for (env, counts) in &cases {
        let ended = with(&api, env);
        assert_eq!(was_touched(&canary), *counts, "{env:?}: {}", ended.transcript());
    }
    // In a repository as outside of one.
    Project::around(&world, &api);
    for (env, counts) in &cases {
        let ended = with(&api, env);
        assert_eq!(was_touched(&canary), *counts, "{env:?}: {}", ended.transcript());
    }
}

/// As one types it.
#[test]
fn git_dash_c() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    Project::around(&world, &api);
    let program = api.metis_sync(&[]);
    let folder = Path::new(program.get_program())
        .parent()
        .expect("a full path")
        .display();
    let mut git = api.program("git");
    git.env("PATH", format!("{folder}:/usr/local/bin:/usr/bin:/bin")).args([
        "-c",
        "user.name=It's Ann!",
        "-c",
        "user.email=ann@host",
        "metis-sync",
    ]);
    run(git).success();
    let author = world.central.git(&["log", "-1", "--format=%an <%ae>", "main"]);
    assert_eq!(author.trim(), "It's Ann! <ann@host>");
}

/// `safe.directory` is believed from there, as git believes it, and from no file of the repository itself.
#[test]
fn declared_safe_for_one_command() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root can make another user's files");
    }
    let world = World::new();
    let canary = world.root().join("touched");
    let theirs = by_ssh(&world);
    let project = Project::around(&world, &theirs);
    let run_it = format!("touch {}; false", canary.display());
    project.git(&theirs.dir, &["config", "core.sshCommand", &run_it]);
    let dir = theirs.dir.canonicalize().expect("it is there").display().to_string();
    project.git(&theirs.dir, &["config", "safe.directory", &dir]);
    let mut chown = std::process::Command::new("chown");
    chown.args(["-R", "65534"]).arg(&theirs.dir);
    run(chown).success();
    let above = theirs
        .dir
        .parent()
        .expect("the machine")
        .canonicalize()
        .expect("it is there");
    let counted = |value: &str| {
        vec![
            ("GIT_CONFIG_COUNT", "1".to_owned()),
            ("GIT_CONFIG_KEY_0", "safe.directory".to_owned()),
            ("GIT_CONFIG_VALUE_0", value.to_owned()),
        ]
    };
    let told = |text: String| vec![("GIT_CONFIG_PARAMETERS", text)];
    for (env, counts) in [
        (vec![], false),
        (told(format!("'safe.directory'='{dir}'")), true),
        (told(format!("'safe.directory={dir}'")), true),
        (told("'safe.directory'='*'".into()), true),
        (told(format!("'safe.directory'='{}/*'", above.display())), true),
        (counted(&dir), true),
        (counted("/elsewhere"), false),
        (told("'safe.directory'='*' 'safe.directory'=''".into()), false),
        ([counted("*"), told("'safe.directory'=''".into())].concat(), false),
        (told("'safe.directory'='.'".into()), false),
    ] {
        let ended = with(&theirs, &env);
        assert_eq!(was_touched(&canary), counts, "{env:?}: {}", ended.transcript());
        let said = ended.stderr.clone() + &String::from_utf8_lossy(&ended.stdout);
        assert_eq!(said.contains("another user"), !counts, "{env:?}: {said}");
    }
}
