//! The commands by which people see what is going on: status, diff, log, verify, doctor.

mod board;
mod browser;
mod colour;
mod diff;
mod doctor;
mod interrupted;
mod list;
mod log;
mod past;
mod progress;
mod query;
mod search;
mod served;
mod status;
mod trace;
mod verify;

use serde_json::Value;

use crate::support::{
    process::{Finished, run},
    workspace::Workspace,
    world::World,
};

/// `git metis-sync --json <args>`, its document, after checking command, schema and exit code.
#[track_caller]
fn json(workspace: &Workspace, args: &[&str], exit: i32) -> Value {
    let mut all = vec!["--json"];
    all.extend(args);
    let finished = workspace.run(&all);
    assert_eq!(finished.code, Some(exit), "{}", finished.transcript());
    let value: Value = serde_json::from_slice(&finished.stdout)
        .unwrap_or_else(|err| panic!("no JSON document: {err}\n{}", finished.transcript()));
    assert_eq!((&value["schema"], &value["command"]), (&1.into(), &args[0].into()));
    value
}

/// What it prints for people.
#[track_caller]
fn text(workspace: &Workspace, args: &[&str], exit: i32) -> String {
    let Finished { code, stdout, .. } = &workspace.run(args);
    assert_eq!(*code, Some(exit), "{}", workspace.run(args).transcript());
    String::from_utf8(stdout.clone()).expect("output is UTF-8")
}

/// Two workspaces that have each other's documents: `api` with `API-T-0001` to `-0003`, `web` with `WEB-T-0001`, `-0002`.
fn two(world: &World) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    for number in 1..=3 {
        api.write(&format!("API-T-000{number}"), "As it was.");
    }
    for number in 1..=2 {
        web.write(&format!("WEB-T-000{number}"), "As it was.");
    }
    for workspace in [&api, &web, &api] {
        workspace.sync().report();
    }
    (api, web)
}

/// A second clone of `api`'s project, which has the same documents and has synced.
fn second_clone(world: &World) -> Workspace {
    let clone = world.workspace("api");
    for number in 1..=3 {
        clone.write(&format!("API-T-000{number}"), "As it was.");
    }
    clone.sync().report();
    clone
}

/// Sets something in the user's configuration of git.
fn configure_git(workspace: &Workspace, key: &str, value: &str) {
    let mut git = workspace.program("git");
    git.args(["config", "--global", key, value]);
    run(git).success();
}

/// The strings of a JSON array, or the strings at `key` in its objects.
fn strings<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    let items = value.as_array().expect("an array");
    items
        .iter()
        .map(|item| item.as_str().or_else(|| item[key].as_str()).expect("a string"))
        .collect()
}

/// Nothing that moves a cursor, hides or turns text around; colours only where they are wanted.
#[track_caller]
fn assert_harmless(text: &str) {
    let bad = |c: char| (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.contains(bad), "{text:?}");
}
