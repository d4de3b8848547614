//! What happens to a document afterwards happens to it everywhere.

use std::fs;

use crate::support::{
    document::{document, with_parent},
    workspace::Workspace,
    world::World,
};

/// 81#29, 81#30: what happens to a document here happens to it everywhere, and nothing else moves.
#[test]
fn edits_archiving_and_deletes_arrive() {
    let world = World::new();
    let api = world.workspace("api");
    for number in 1..=4 {
        api.write(&format!("API-T-000{number}"), "As it was.");
    }
    let web = world.workspace("web").beside(&api);
    web.write("WEB-T-0001", "Stays.");
    api.sync().report();
    web.sync().report();

    api.edit("API-T-0001", "And more.");
    let archived = fs::read(api.metis().join("initiatives/API-I-0001/tasks/API-T-0002.md")).unwrap();
    api.delete("API-T-0002");
    api.write_at("archived/tasks/API-T-0002.md", "API-T-0002", archived);
    api.delete("API-T-0003");
    api.write("API-T-0005", "New.");
    let report = api.sync().report();
    assert_eq!(
        report.pushed,
        ["API-T-0001", "API-T-0005"],
        "a moved file with the same bytes is no change to central"
    );
    assert_eq!(report.removed, ["API-T-0003"]);
    assert_eq!(report.pulled["web"].written, 1);

    let untouched = fs::metadata(web.metis().join("api/API-T-0004.md"))
        .unwrap()
        .modified()
        .unwrap();
    let report = web.sync().report();
    assert_eq!((report.pulled["api"].written, report.pulled["api"].removed), (2, 1));
    assert_eq!(report.commit, None, "pulling alone makes no commit");
    assert_eq!(
        fs::metadata(web.metis().join("api/API-T-0004.md"))
            .unwrap()
            .modified()
            .unwrap(),
        untouched
    );
    world.assert_converged(&[api, web]);
}

/// The codes that `query children` answers with, sorted.
fn children(workspace: &Workspace, code: &str) -> Vec<String> {
    let answer = workspace.run(&["query", "children", code, "--json"]).success();
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("one document");
    let code = |document: &serde_json::Value| document["code"].as_str().expect("a code").to_owned();
    let mut codes: Vec<_> = answer["answer"].as_array().expect("a list").iter().map(code).collect();
    codes.sort();
    codes
}

/// Who works on this? The answer spans workspaces, follows each sync, and survives the loss of its database.
#[test]
fn a_parent_knows_its_children_in_other_workspaces() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-I-0001", "What others build on.");
    for (workspace, code) in [(&api, "API-T-0001"), (&web, "WEB-T-0001")] {
        let task = with_parent(&document(code, "A part", "Text."), "API-I-0001");
        workspace.write_at(format!("backlog/features/{code}.md"), code, task);
    }
    web.write("WEB-T-0002", "Stays, so that not all of web/ goes.");
    for workspace in [&api, &web, &api] {
        workspace.sync().report();
    }
    for workspace in [&api, &web] {
        assert_eq!(children(workspace, "API-I-0001"), ["API-T-0001", "WEB-T-0001"]);
    }
    web.delete("WEB-T-0001");
    for workspace in [&web, &api] {
        workspace.sync().report();
        assert_eq!(children(workspace, "API-I-0001"), ["API-T-0001"]);
    }
    fs::remove_file(api.metis().join("metis.db")).unwrap();
    api.run(&["rebuild-cache"]).success();
    assert_eq!(children(&api, "API-I-0001"), ["API-T-0001"]);
}
