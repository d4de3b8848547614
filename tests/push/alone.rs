//! The push client is a crate of its own in all but name: what it knows, that it compiles alone, and its example.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::client::Repository;
use crate::support::{central::Shape, process::run, servers::skip, world::World};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files of the push client, below its folder.
fn files() -> Vec<(PathBuf, String)> {
    let top = Path::new(ROOT).join("src/send_pack");
    let (mut files, mut folders) = (Vec::new(), vec![top.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("Rust is UTF-8");
            files.push((path.strip_prefix(&top).expect("below it").to_owned(), text));
        }
    }
    files
}

#[test]
fn the_push_client_knows_nothing_of_this_project() {
    let files = files();
    assert!(files.len() > 20);
    for (path, text) in files {
        for word in ["crate::", "metis-sync", "central::", "Prefix"] {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

/// With its folder as `src`, `mod.rs` as `lib.rs`, and those of our dependencies whose names it says.
#[test]
#[ignore = "compiles for a minute: scripts/test --servers"]
fn the_push_client_compiles_as_a_crate_of_its_own() {
    let dir = tempfile::tempdir().expect("temp folder is writable");
    let ours: toml::Table = fs::read_to_string(Path::new(ROOT).join("Cargo.toml"))
        .expect("readable")
        .parse()
        .expect("TOML");
    let files = files();
    let named = |name: &str| {
        let path = format!("{}::", name.replace('-', "_"));
        files.iter().any(|(_, text)| text.contains(&path))
    };
    let of = |table: &str| -> toml::Table {
        let all = ours[table].as_table().expect("a table").clone();
        all.into_iter().filter(|(name, _)| named(name)).collect()
    };
    let package = ["name = \"send-pack\"", "version = \"0.0.0\"", "edition = \"2024\""].join("\n");
    let mut manifest: toml::Table = format!("[package]\n{package}").parse().expect("TOML");
    manifest.insert("dependencies".into(), of("dependencies").into());
    manifest.insert("workspace".into(), toml::Table::new().into());
    fs::write(dir.path().join("Cargo.toml"), manifest.to_string()).expect("writable");
    fs::copy(Path::new(ROOT).join("Cargo.lock"), dir.path().join("Cargo.lock")).expect("readable");
    for (path, text) in &files {
        let path = match path.to_str() {
            Some("mod.rs") => Path::new("lib.rs"),
            _ => path,
        };
        let place = dir.path().join("src").join(path);
        fs::create_dir_all(place.parent().expect("src")).expect("writable");
        fs::write(place, text).expect("writable");
    }
    let mut check = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    check
        .args(["check", "--lib", "--offline", "--quiet"])
        .current_dir(dir.path());
    check.env(
        "CARGO_TARGET_DIR",
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("send-pack"),
    );
    check.env("RUSTFLAGS", "-D warnings");
    let checked = check.output().expect("cargo runs");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
}

/// `examples/push.rs` is a `git push` of one branch, and its exit code is the outcome.
#[test]
fn the_example_pushes_and_says_by_its_exit_code_what_became_of_it() {
    let Some(example) = env::current_exe()
        .ok()
        .and_then(|test| Some(test.parent()?.parent()?.join("examples/push")))
        .filter(|example| example.exists())
    else {
        return skip("the examples were not built");
    };
    let world = World::shaped(Shape {
        born: None,
        ..Shape::default()
    });
    let central = Repository {
        dir: world.central.dir.clone(),
    };
    for hook in ["pre-receive", "reference-transaction"] {
        central.unhook(hook);
    }
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
