//! What stands in the environment when a sync begins is git's business with another command.

use std::process::Command;

use crate::{
    hooks::project::Project,
    support::{process::run, report::Ended, snapshot::Snapshot, world::World},
};

/// Every variable that git's manual pages name, and those that git sets without naming them, but for the ones that say how
/// a server is reached and trusted and where git and its settings are (`GIT_SSH…`, `GIT_SSL_…`, `GIT_HTTP_…`, `GIT_PROXY_…`,
/// `GIT_CONFIG_GLOBAL`, `GIT_EXEC_PATH` and the like): those are meant for a sync as well.
const OF_ANOTHER_COMMAND: [&str; 105] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ASKPASS",
    "GIT_ATTR_SOURCE",
    "GIT_AUTHOR_DATE",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_IDENT",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_DATE",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_IDENT",
    "GIT_COMMITTER_NAME",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_0",
    "GIT_CONFIG_VALUE_0",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CURL_FTP_NO_EPSV",
    "GIT_DEFAULT_BRANCH",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_DIFF_OPTS",
    "GIT_DIFF_PATH_COUNTER",
    "GIT_DIFF_PATH_TOTAL",
    "GIT_DIR",
    "GIT_EDITOR",
    "GIT_EXTERNAL_DIFF",
    "GIT_EXT_SERVICE",
    "GIT_EXT_SERVICE_NOPREFIX",
    "GIT_FLUSH",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_GUITOOL",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_MAN_VIEWER",
    "GIT_MERGETOOL_GUI",
    "GIT_MERGE_AUTOEDIT",
    "GIT_MERGE_VERBOSITY",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_NOTES_DISPLAY_REF",
    "GIT_NOTES_REF",
    "GIT_NOTES_REWRITE_MODE",
    "GIT_NOTES_REWRITE_REF",
    "GIT_NO_LAZY_FETCH",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_OPTIONAL_LOCKS",
    "GIT_PAGER",
    "GIT_PREFIX",
    "GIT_PRINT_SHA1_ELLIPSIS",
    "GIT_PROGRESS_DELAY",
    "GIT_PROJECT_ROOT",
    "GIT_PROTOCOL",
    "GIT_PROTOCOL_FROM_USER",
    "GIT_PUSH_CERT",
    "GIT_PUSH_CERT_KEY",
    "GIT_PUSH_CERT_NONCE",
    "GIT_PUSH_CERT_NONCE_SLOP",
    "GIT_PUSH_CERT_NONCE_STATUS",
    "GIT_PUSH_CERT_SIGNER",
    "GIT_PUSH_CERT_STATUS",
    "GIT_PUSH_OPTION_0",
    "GIT_PUSH_OPTION_1",
    "GIT_PUSH_OPTION_COUNT",
    "GIT_QUARANTINE_PATH",
    "GIT_REDIRECT_STDERR",
    "GIT_REDIRECT_STDIN",
    "GIT_REDIRECT_STDOUT",
    "GIT_REFLOG_ACTION",
    "GIT_REF_PARANOIA",
    "GIT_REPLACE_REF_BASE",
    "GIT_SEQUENCE_EDITOR",
    "GIT_SHALLOW_FILE",
    "GIT_TEMPLATE_DIR",
    "GIT_TERMINAL_PROMPT",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_BRIEF",
    "GIT_TRACE2_CONFIG_PARAMS",
    "GIT_TRACE2_DST_DEBUG",
    "GIT_TRACE2_ENV_VARS",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE2_EVENT_BRIEF",
    "GIT_TRACE2_EVENT_NESTING",
    "GIT_TRACE2_PERF",
    "GIT_TRACE2_PERF_BRIEF",
    "GIT_TRACE_CURL",
    "GIT_TRACE_CURL_NO_DATA",
    "GIT_TRACE_FSMONITOR",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_PACKFILE",
    "GIT_TRACE_PACK_ACCESS",
    "GIT_TRACE_PERFORMANCE",
    "GIT_TRACE_REDACT",
    "GIT_TRACE_REFS",
    "GIT_TRACE_SETUP",
    "GIT_TRACE_SHALLOW",
    "GIT_TRANSLOOP_DEBUG",
    "GIT_WORK_TREE",
];

/// Another repository, and what is in it.
fn victim(world: &World) -> (std::path::PathBuf, Snapshot) {
    let victim = world.root().join("victim");
    let mut init = Command::new("git");
    init.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args(["init", "--quiet"])
        .arg(&victim);
    run(init).success();
    let before = Snapshot::of(&victim);
    (victim, before)
}

/// What such a variable may hold that does most harm: the other repository, a file in it, a program, another name.
fn harmful(name: &str, victim: &std::path::Path) -> String {
    let git_dir = victim.join(".git");
    let below = |place: &str| git_dir.join(place).display().to_string();
    let touch = || format!("touch {}", victim.join("touched").display());
    match name {
        "GIT_WORK_TREE" | "GIT_PROJECT_ROOT" => victim.display().to_string(),
        "GIT_INDEX_FILE" => below("index"),
        "GIT_OBJECT_DIRECTORY" | "GIT_ALTERNATE_OBJECT_DIRECTORIES" | "GIT_QUARANTINE_PATH" => below("objects"),
        "GIT_DEFAULT_HASH" => "sha256".into(),
        "GIT_PROTOCOL" => "version=1".into(),
        "GIT_CONFIG_COUNT" | "GIT_PUSH_OPTION_COUNT" => "1".into(),
        "GIT_CONFIG_KEY_0" => "core.sshCommand".into(),
        "GIT_CONFIG_PARAMETERS" => format!("'user.name'='Nobody' 'core.hooksPath'='{}'", below("hooks")),
        "GIT_ASKPASS"
        | "GIT_EDITOR"
        | "GIT_PAGER"
        | "GIT_EXTERNAL_DIFF"
        | "GIT_SEQUENCE_EDITOR"
        | "GIT_CONFIG_VALUE_0" => touch(),
        _ if name.ends_with("_DATE") => "1999-01-01T00:00:00Z".into(),
        _ if name.starts_with("GIT_AUTHOR") || name.starts_with("GIT_COMMITTER") => "Nobody".into(),
        _ if name.starts_with("GIT_TRACE") => victim.join("trace").display().to_string(),
        _ if name.ends_with("_DIR") => git_dir.display().to_string(),
        _ => below("anything"),
    }
}

/// Fires `pre-push` with these set, and shows that all of it went as without them.
fn fire(world: &World, api: &Project, names: &[&str], round: usize) {
    let (victim, before) = victim(world);
    let web = world.central.folder("web").len();
    let code = format!("API-T-{round:04}");
    api.workspace.write(&code, "Mine.");
    world.central.land(
        &format!("web/WEB-T-{round:04}.md"),
        crate::support::document::document(&format!("WEB-T-{round:04}"), "Theirs", ""),
    );
    let mut hook = api.program("git-metis-sync");
    hook.args(["hooks", "run", "pre-push", "--", "origin", "somewhere"]);
    for name in names {
        hook.env(name, harmful(name, &victim));
    }
    let ended = run(hook);
    assert_eq!(ended.code, Some(0), "{names:?}: {}", ended.transcript());
    assert_eq!(
        world.central.folder("api"),
        api.workspace.documents(),
        "{names:?}: {}",
        ended.transcript()
    );
    assert_eq!(api.workspace.hydrated("web").len(), web + 1, "{names:?}");
    let commit = world
        .central
        .git(&["log", "-1", "--format=%an %ae %cn %ce %as", "main"]);
    assert!(
        commit.starts_with("Person person@example.org Person person@example.org 2"),
        "{names:?}: {commit}"
    );
    let after = Snapshot::of(&victim);
    assert!(after.since(&before).is_empty(), "{names:?}: {:?}", after.since(&before));
    std::fs::remove_dir_all(victim).expect("it is ours");
}

fn project(world: &World) -> Project {
    let api = Project::new(world, "api");
    api.set_hooks("blocking = true");
    api
}

/// All of them at once, as a hook.
#[test]
fn a_hook_in_a_hostile_environment() {
    let world = World::new();
    let api = project(&world);
    fire(&world, &api, &[], 1);
    fire(&world, &api, &OF_ANOTHER_COMMAND, 2);
    // Those that lead astray at once would hide the others.
    let few: Vec<_> = OF_ANOTHER_COMMAND
        .into_iter()
        .filter(|name| !name.ends_with("DIR") && !name.contains("CONFIG"))
        .collect();
    fire(&world, &api, &few, 3);
}

#[test]
#[ignore = "takes half a minute: scripts/torture"]
fn a_hook_with_one_hostile_variable() {
    let world = World::new();
    let api = project(&world);
    for (round, name) in OF_ANOTHER_COMMAND.into_iter().enumerate() {
        fire(&world, &api, &[name], round + 1);
    }
}

/// Everything of git's that may stand in the environment of a hook, pointing to where harm would be done.
#[test]
fn a_hostile_environment_changes_nothing() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    api.write("API-T-0001", "Mine.");
    let victim = world.root().join("victim");
    let mut init = Command::new("git");
    init.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args(["init", "--quiet"])
        .arg(&victim);
    run(init).success();
    let before = crate::support::snapshot::Snapshot::of(&victim);
    let git_dir = victim.join(".git");
    let mut sync = api.sync_command(&[]);
    for (name, below) in [
        ("GIT_DIR", ""),
        ("GIT_COMMON_DIR", ""),
        ("GIT_INDEX_FILE", "index"),
        ("GIT_OBJECT_DIRECTORY", "objects"),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "objects"),
        ("GIT_QUARANTINE_PATH", "objects"),
        ("GIT_SHALLOW_FILE", "shallow"),
        ("GIT_GRAFT_FILE", "grafts"),
    ] {
        sync.env(name, git_dir.join(below));
    }
    sync.env("GIT_WORK_TREE", &victim)
        .env("GIT_NAMESPACE", "elsewhere")
        .env("GIT_PREFIX", "sub/")
        .env("GIT_DEFAULT_HASH", "sha256")
        .env("GIT_REPLACE_REF_BASE", "refs/elsewhere/")
        .env("GIT_LITERAL_PATHSPECS", "1")
        .env("GIT_PUSH_OPTION_COUNT", "1")
        .env("GIT_PUSH_OPTION_0", "x")
        .env("GIT_REFLOG_ACTION", "push")
        .env("GIT_EXEC_PATH_HINT", "/nowhere");
    let report = Ended(run(sync)).report();
    assert_eq!((report.pushed.len(), report.pulled["web"].written), (1, 1));
    let after = crate::support::snapshot::Snapshot::of(&victim);
    assert!(after.since(&before).is_empty(), "{:?}", after.since(&before));
    web.sync().report();
    world.assert_converged(&[api, web]);
}
