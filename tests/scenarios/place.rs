//! Where a push may go: never into the project itself, whatever its config.toml says, and to one central alone.

mod identity;

use std::{fs, path::Path, process::Command};

use crate::support::{
    process::run,
    workspace::{Remote, Workspace},
    world::World,
};

/// A workspace in a git repository with one commit, whose central is at `url`.
fn project(world: &World, url: &str) -> Workspace {
    let remote = Remote {
        url: url.to_owned(),
        env: Vec::new(),
    };
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "Mine.");
    fs::write(
        api.home.join(".gitconfig"),
        "[user]\n\tname = u\n\temail = u@x\n[protocol \"file\"]\n\tallow = always\n",
    )
    .unwrap();
    git(&api, &["init", "-q", "-b", "main"]);
    git(&api, &["add", "-A"]);
    git(&api, &["commit", "-qm", "plans"]);
    api
}

#[track_caller]
fn git(workspace: &Workspace, args: &[&str]) -> String {
    let mut git = workspace.program("git");
    git.args(args);
    run(git).success()
}

/// A bare repository whose hook leaves a trace.
fn planted(workspace: &Workspace, at: &Path) {
    git(workspace, &["init", "-q", "--bare", &at.display().to_string()]);
    let trace = workspace.home.join("ran");
    for name in ["pre-receive", "post-update", "reference-transaction"] {
        let draft = workspace.home.join("draft");
        fs::write(&draft, format!("#!/bin/sh\ntouch {}\n", trace.display())).unwrap();
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(draft).arg(at.join("hooks").join(name));
        run(install).success();
    }
}

fn set_upstream(workspace: &Workspace, url: &str) {
    let config = workspace.config();
    let line = config
        .lines()
        .find(|line| line.starts_with("upstream_url"))
        .expect("it has one");
    workspace.put(
        "config.toml",
        config.replace(line, &format!("upstream_url = \"{url}\"")),
    );
}

/// Every command that talks to central, or looks at what it has.
const COMMANDS: &[&[&str]] = &[
    &["sync"],
    &["--dry-run"],
    &["--pull-only"],
    &["--adopt-central", "--force"],
    &["fetch"],
    &["status"],
    &["status", "--offline"],
    &["diff"],
    &["verify"],
];

#[test]
fn a_repository_in_the_project_is_no_central() {
    let world = World::new();
    let api = project(&world, "planted");
    planted(&api, &api.dir.join("planted"));
    git(&api, &["branch", "release"]);
    let head = git(&api, &["rev-parse", "release"]);
    git(&api, &["worktree", "add", "-q", "../linked"]);
    std::os::unix::fs::symlink(&world.central.dir, api.dir.join("link")).unwrap();
    let at = |name: &str| api.dir.join(name).display().to_string();
    for url in [
        "planted",
        "./planted",
        ".metis/../planted",
        ".",
        "../project",
        ".git",
        "../linked",
        "link",
        &at("planted"),
        &at(".git"),
        &format!("file://{}", at("planted")),
        &format!("file://{}", at("%70lanted")),
        "~somebody/planted",
    ] {
        set_upstream(&api, url);
        for command in COMMANDS {
            let ended = run(api.metis_sync(command));
            assert_ne!(ended.code, Some(0), "{url}: {}", ended.transcript());
            assert!(
                ended.transcript().contains("leads into this project"),
                "{url}: {}",
                ended.transcript()
            );
        }
        let init = run(api.metis_sync(&["init", "--upstream", url]));
        assert_eq!(init.code, Some(1), "{}", init.transcript());
        assert!(
            init.stderr.contains("leads into this project"),
            "{url}: {}",
            init.transcript()
        );
    }
    assert!(!api.home.join("ran").exists(), "no hook ran");
    assert_eq!(git(&api, &["rev-parse", "release"]), head);
    assert_eq!(
        git(&api, &["for-each-ref", "--format=%(refname)", "refs/heads"])
            .lines()
            .count(),
        3
    );
    // The advice ends it.
    run(api.metis_sync(&["init", "--upstream", &world.central.url()])).success();
    assert!(api.sync().report().registered);
}

/// Whoever has two clones side by side, of one project or of two, has what somebody committed there as well.
#[test]
fn files_of_another_checkout_are_no_central() {
    let world = World::new();
    let api = project(&world, "../other/theirs");
    let other = api.dir.parent().expect("the machine").join("other");
    git(&api, &["init", "-q", "-b", "main", &other.display().to_string()]);
    planted(&api, &other.join("theirs"));
    for folder in ["objects", "refs"] {
        fs::write(other.join("theirs").join(folder).join(".keep"), "").unwrap();
    }
    let in_other = |args: &[&str]| git(&api, &[&["-C", &other.display().to_string()], args].concat());
    in_other(&["add", "-f", "."]);
    in_other(&["commit", "-qm", "a repository as files"]);
    std::os::unix::fs::symlink(other.join("theirs"), other.with_file_name("alias")).unwrap();
    let there = other.join("theirs").display().to_string();
    for url in ["../other/theirs", "../alias", &there, &format!("file://{there}")] {
        set_upstream(&api, url);
        for command in COMMANDS {
            let said = run(api.metis_sync(command)).transcript();
            assert!(said.contains("leads into another checkout"), "{url}: {said}");
        }
    }
    assert!(!api.home.join("ran").exists(), "no hook ran");
    // A central may lie in a work tree, as in a home directory that is under git, if it did not come with a commit.
    in_other(&["rm", "-rq", "--cached", "theirs"]);
    set_upstream(&api, "../other/theirs");
    assert!(api.sync().report().registered);
}

/// `insteadOf` and `pushInsteadOf` are the user's, but where they lead is looked at all the same.
#[test]
fn what_git_makes_of_the_location_is_looked_at() {
    for key in ["insteadOf", "pushInsteadOf"] {
        let world = World::new();
        let api = project(&world, &world.central.url());
        planted(&api, &api.dir.join("planted"));
        let planted = api.dir.join("planted").display().to_string();
        git(&api, &["config", &format!("url.{planted}.{key}"), &world.central.url()]);
        for command in COMMANDS {
            let ended = run(api.metis_sync(command));
            assert_ne!(ended.code, Some(0), "{}", ended.transcript());
        }
        assert!(!api.home.join("ran").exists());
        assert_eq!(world.central.log().len(), 1);
    }
}

/// A folder without git may have come as an archive.
#[test]
fn a_repository_in_a_plain_folder_is_no_central() {
    let world = World::new();
    let api = world.workspace_on(
        "api",
        &Remote {
            url: "planted".into(),
            env: Vec::new(),
        },
    );
    api.write("API-T-0001", "Mine.");
    planted(&api, &api.dir.join("planted"));
    assert_eq!(api.sync().failure(1).kind, "url");
    assert!(!api.home.join("ran").exists());
}

/// A central beside the project by a relative path, found from any folder of it.
#[test]
fn a_relative_path_counts_from_the_top_of_the_project() {
    let world = World::new();
    let api = project(&world, "../../central.git");
    let below = api.dir.join("src/deep");
    fs::create_dir_all(&below).unwrap();
    let mut sync = api.program(env!("CARGO_BIN_EXE_git-metis-sync"));
    sync.current_dir(&below);
    run(sync).success();
    assert_eq!(world.central.folder("api"), api.documents());
}

/// What is served from a path is started where nothing of the project is found, with nothing of the caller's repository.
#[test]
fn a_server_for_a_path_sees_nothing_of_the_project() {
    let world = World::new();
    let api = project(&world, "../../central.git");
    let bin = api.home.join("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["git-upload-pack", "git-receive-pack"] {
        let real = world.root().join("bin").join(name);
        let draft = api.home.join("draft");
        let log = api.home.join("log");
        let text = format!(
            "#!/bin/sh\n{{ pwd; git config safe.bareRepository; env | grep -E '^GIT_(DIR|WORK_TREE|INDEX_FILE|CONFIG_PARAMETERS)='; echo $1; }} >> {}\nexec {} \"$@\"\n",
            log.display(),
            real.display()
        );
        fs::write(&draft, text).unwrap();
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(draft).arg(bin.join(name));
        run(install).success();
    }
    let mut sync = api.metis_sync(&[]);
    let path = std::env::var("PATH").unwrap();
    sync.env("PATH", format!("{}:{path}", bin.display()))
        .env("GIT_DIR", api.dir.join(".git"))
        .env("GIT_WORK_TREE", &api.dir)
        .env("GIT_INDEX_FILE", api.dir.join(".git/index"))
        .env("GIT_CONFIG_PARAMETERS", "'a.b'='c'");
    run(sync).success();
    let log = fs::read_to_string(api.home.join("log")).unwrap();
    let central = format!("{}/../../central.git", api.dir.display());
    let each = format!("/\nexplicit\n{central}\n");
    assert_eq!(log, each.repeat(log.matches(&central).count()), "{log}");
    assert!(log.matches(&central).count() >= 2, "{log}");
}
