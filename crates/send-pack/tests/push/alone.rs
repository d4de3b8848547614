//! The crate as a stranger takes it: whose name it knows, its features, and its examples.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::client::Repository;
use crate::support::{
    process::{built, run},
    servers::skip,
    world::World,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What is published: the files below its folder, but for the tests.
fn files() -> Vec<(PathBuf, String)> {
    let (mut files, mut folders) = (Vec::new(), vec![PathBuf::from(ROOT)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            match path.is_dir() {
                true if path.ends_with("tests") => {}
                // Whose it is may be said.
                false if path.to_string_lossy().contains("LICENSE") => {}
                true => folders.push(path),
                false => {
                    let text = fs::read_to_string(&path).expect("UTF-8");
                    files.push((path.strip_prefix(ROOT).expect("below it").to_owned(), text));
                }
            }
        }
    }
    files
}

#[test]
fn it_knows_nothing_of_the_project_that_it_was_written_for() {
    let files = files();
    assert!(files.len() > 40);
    for (path, text) in files {
        for word in ["metis", "central", "hydrate", "workspace's", "Prefix"] {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

/// Each feature by itself, and none; and what would be uploaded is complete.
#[test]
#[ignore = "compiles for a minute: scripts/test --servers"]
fn each_feature_compiles_by_itself_and_the_package_is_complete() {
    let cargo = |args: &[&str]| {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(args).args(["--offline", "--quiet"]).current_dir(ROOT);
        cargo.env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("send-pack"),
        );
        let said = cargo.output().expect("cargo runs");
        assert!(
            said.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&said.stderr)
        );
    };
    for features in ["", "ssh", "http"] {
        cargo(&["check", "--lib", "--no-default-features", "--features", features]);
    }
    cargo(&["package", "--allow-dirty"]);
}

/// A built example and an empty repository to push to.
fn example(name: &str) -> Option<(PathBuf, World, Repository)> {
    let example = built("examples").join(name);
    let world = World::unborn();
    let central = world.repository();
    for hook in ["pre-receive", "reference-transaction"] {
        central.unhook(hook);
    }
    example.exists().then_some((example, world, central))
}

/// `examples/directory.rs` needs no repository to push from.
#[test]
fn the_example_makes_a_commit_of_a_directory_and_pushes_it() {
    let Some((example, world, central)) = example("directory") else {
        return skip("the examples were not built");
    };
    let plans = world.root().join("plans");
    fs::create_dir_all(plans.join("a/deep")).expect("writable");
    for (name, text) in [
        ("a.md", "one\n"),
        ("a/deep/b.md", "two\n"),
        ("a-c.md", "three\n"),
        (".hidden", "four\n"),
    ] {
        fs::write(plans.join(name), text).expect("writable");
    }
    let push = || {
        let mut push = Command::new(&example);
        push.args([plans.as_os_str(), world.local().url.as_ref(), "main".as_ref()])
            .env_clear();
        push.env("PATH", env::var_os("PATH").unwrap_or_default());
        push.env("HOME", world.root()).env("GIT_CONFIG_NOSYSTEM", "1");
        run(push)
    };
    assert!(push().success().starts_with("main is at "));
    fs::write(plans.join("a.md"), "changed\n").expect("writable");
    push().success();
    let files = central.git(&["ls-tree", "-r", "--name-only", "main"]);
    assert_eq!(files, "a-c.md\na.md\na/deep/b.md\n");
    assert_eq!(central.git(&["show", "main:a.md"]), "changed\n");
    assert_eq!(central.commits(), 2);
    central.fsck();
    central.hook("pre-receive", "exit 1");
    fs::write(plans.join("a.md"), "again\n").expect("writable");
    assert_eq!(push().code, Some(1));
}

/// `examples/push.rs` is a `git push` of one branch, and its exit code is the outcome.
#[test]
fn the_example_pushes_and_says_by_its_exit_code_what_became_of_it() {
    let Some((example, world, central)) = example("push") else {
        return skip("the examples were not built");
    };
    let mine = Repository {
        dir: world.root().join("mine"),
    };
    let mut init = Command::new("git");
    init.args(["init", "--quiet", "--initial-branch=main"]).arg(&mine.dir);
    run(init).success();
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let commit = |line: &str| {
        fs::write(mine.dir.join("plan.md"), format!("{}{line}\n", "a line\n".repeat(99))).expect("writable");
        mine.git(&["add", "."]);
        mine.git(&[&who[..], &["commit", "--quiet", "-m", line]].concat());
        mine.git(&["rev-parse", "HEAD"]).trim().to_owned()
    };
    let push = |expected: &[&str]| {
        let mut push = Command::new(&example);
        push.arg(world.local().url)
            .arg("main")
            .args(expected)
            .current_dir(&mine.dir);
        push.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
        push.env("HOME", world.root()).env("GIT_CONFIG_NOSYSTEM", "1");
        run(push).code
    };
    let first = commit("one");
    assert_eq!(push(&["none"]), Some(0));
    let second = commit("two");
    assert_eq!(push(&["none"]), Some(3), "somebody was faster");
    assert_eq!(push(&[&first]), Some(0));
    assert_eq!(central.git(&["rev-parse", "main"]).trim(), second);
    commit("three");
    central.hook("pre-receive", "exit 1");
    assert_eq!(push(&[]), Some(4), "refused");
    central.unhook("pre-receive");
    assert_eq!(push(&[]), Some(0));
    central.fsck();
}
