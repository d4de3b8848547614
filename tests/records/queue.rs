//! The queue of tasks that several agents work on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{json, sync, two};
use crate::support::{
    document::document,
    process::Running,
    servers::{Access, Nginx},
    workspace::Workspace,
    world::World,
};

fn task(code: &str, changes: &[(&str, &str)]) -> String {
    let text = document(code, &format!("Title of {code}"), "To do.");
    changes.iter().fold(text, |text, (from, to)| text.replacen(from, to, 1))
}

fn put(workspace: &Workspace, code: &str, changes: &[(&str, &str)]) {
    workspace.write_at(workspace.place_of(code), code, task(code, changes));
}

fn codes(answer: &Value) -> Vec<String> {
    let documents = answer.as_array().expect("a list").iter();
    documents
        .map(|it| it["code"].as_str().expect("a code").to_owned())
        .collect()
}

fn ready(workspace: &Workspace, more: &[&str]) -> Vec<String> {
    let answer = json(workspace, &[&["query", "ready"], more].concat());
    assert_eq!(answer["claims_known"], true, "{answer}");
    codes(&answer["answer"])
}

const BLOCKED: (&str, &str) = ("blocked_by: []", "blocked_by: [API-T-0001]");
const DONE: (&str, &str) = ("#phase/todo", "#phase/completed");

#[test]
fn what_is_blocked_claimed_or_done_is_not_ready() {
    let world = World::new();
    let (api, web) = two(&world);
    put(&api, "API-T-0001", &[]);
    put(&api, "API-T-0002", &[BLOCKED]);
    put(&api, "API-T-0003", &[DONE]);
    put(&api, "API-T-0004", &[]);
    sync(&api);
    sync(&web);
    assert_eq!(ready(&web, &[]), ["WEB-T-0001", "API-T-0001", "API-T-0004"]);
    json(&api, &["claim", "API-T-0004"]);
    assert_eq!(ready(&web, &["--workspace", "api"]), ["API-T-0001"]);
    json(&web, &["assign", "API-T-0001", "ann"]);
    json(&web, &["tag", "add", "WEB-T-0001", "urgent"]);
    assert_eq!(ready(&web, &["--assigned", "Ann"]), ["API-T-0001"]);
    assert_eq!(ready(&web, &["--tag", "urgent"]), ["WEB-T-0001"]);
    json(&api, &["release", "API-T-0004"]);
    put(&api, "API-T-0001", &[DONE]);
    sync(&api);
    sync(&web);
    assert_eq!(ready(&web, &["--workspace", "api"]), ["API-T-0002", "API-T-0004"]);
    assert_eq!(
        web.run(&["claim", "--tag", "urgent"]).code,
        Some(2),
        "what --next alone takes"
    );
    // Nobody can be asked who has what.
    std::fs::rename(&world.central.dir, world.root().join("away.git")).unwrap();
    let said = web.run(&["query", "ready"]);
    assert!(
        said.code == Some(0) && said.stderr.contains("what is claimed is not known"),
        "{}",
        said.transcript()
    );
}

/// Somebody did it and let go of it, which is not known here yet.
#[test]
fn a_task_that_was_done_elsewhere_is_not_taken_again() {
    let world = World::new();
    let (api, web) = two(&world);
    api.delete("API-T-0001");
    put(&api, "API-T-0001", &[]);
    put(&api, "API-T-0002", &[]);
    sync(&api);
    sync(&web);
    assert_eq!(
        json(&api, &["claim", "--next", "--workspace", "api"])["document"]["code"],
        "API-T-0001"
    );
    put(&api, "API-T-0001", &[DONE]);
    sync(&api);
    json(&api, &["release", "API-T-0001"]);
    let next = || web.run(&["claim", "--next", "--workspace", "api"]);
    assert_eq!(next().success(), "Claimed: API-T-0002 Title of API-T-0002\n");
    let none = next();
    assert!(
        none.code == Some(1) && none.stderr.contains("no task that can be begun"),
        "{}",
        none.transcript()
    );
    assert_eq!(
        web.run(&["claim"]).success().lines().count(),
        1,
        "nothing stays claimed"
    );
}

/// Two agents in each of ten clones, over http where there is a server for it.
#[test]
fn of_twenty_agents_on_one_queue_each_task_is_taken_once() {
    let world = World::new();
    let nginx = Nginx::start(&world, Access::Open);
    let remote = nginx.as_ref().map_or_else(|| world.local(), Nginx::remote);
    let api = world.workspace_on("api", &remote);
    let tasks: Vec<String> = (1..=25).map(|number| format!("API-T-{number:04}")).collect();
    tasks.iter().for_each(|code| put(&api, code, &[]));
    api.sync().report();
    let clones: Vec<Workspace> = (0..10)
        .map(|n| world.workspace_on(&format!("agent-{n}"), &remote))
        .collect();
    clones.iter().for_each(|clone| drop(clone.sync().report()));
    let agents: Vec<&Workspace> = clones.iter().chain(&clones).collect();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut at_work = agents.clone();
    while !at_work.is_empty() {
        let start = |agent: &&Workspace| Running::start(agent.metis_sync(&["--json", "claim", "--next"]));
        let running: Vec<Running> = at_work.iter().map(start).collect();
        let ended: Vec<_> = running.into_iter().map(Running::finish).collect();
        let mut left = Vec::new();
        for (agent, finished) in at_work.into_iter().zip(ended) {
            let said: Value = serde_json::from_slice(&finished.stdout).expect("JSON");
            match finished.code {
                Some(0) => {
                    let code = said["document"]["code"].as_str().expect("a code").to_owned();
                    *taken.entry(code).or_default() += 1;
                    left.push(agent);
                }
                _ => assert_eq!((finished.code, &said["outcome"]), (Some(1), &"none".into()), "{said}"),
            }
        }
        at_work = left;
    }
    let expected: BTreeMap<String, usize> = tasks.into_iter().map(|code| (code, 1)).collect();
    assert_eq!(taken, expected);
    let mut by_clone: BTreeMap<String, usize> = BTreeMap::new();
    for claim in json(&api, &["claim"])["claims"].as_array().expect("a list") {
        *by_clone
            .entry(claim["prefix"].as_str().expect("a prefix").to_owned())
            .or_default() += 1;
    }
    assert!(by_clone.len() > 5, "the work is shared: {by_clone:?}");
    world.central.fsck_strict();
}
