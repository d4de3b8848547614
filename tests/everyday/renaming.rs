//! A workspace keeps its folder, and a folder its project, until somebody says otherwise.

mod retiring;
mod without_git;

use crate::support::{
    point::Point,
    team::{Checkout, Team, exits},
};

const ALL: &str = "1=v1 2=v1 3=v1";

fn workspace(person: &Checkout, arguments: &str, code: i32) -> String {
    let words: Vec<&str> = ["workspace"].into_iter().chain(arguments.split(' ')).collect();
    exits(&person.run(&words), code)
}

fn has(team: &Team, api: &str, platform: &str) {
    let plans = (team.plans(), team.plans_of("platform"));
    assert_eq!((plans.0.as_str(), plans.1.as_str()), (api, platform));
}

fn message(team: &Team) -> String {
    team.world.central.git(&["log", "-1", "--format=%B", "main"])
}

/// Renamed in config.toml: noticed, with the command that does it.
#[test]
fn another_prefix_in_the_configuration() {
    let team = Team::new();
    let config = team.config(&team.ann, "platform", "main");
    team.ann.put(".metis/config.toml", config);
    team.ann.commit("a better name");
    let said = team.ann.sync_exits(3);
    assert!(said.contains("workspace rename api platform"), "{said}");
    has(&team, ALL, "");
    team.ann.git("push -q");
    let carl = team.clone("carl", "");
    let said = carl.sync_exits(3);
    assert!(said.contains("workspace rename api platform"), "{said}");
    has(&team, ALL, "");
    team.ann.git("revert --no-edit HEAD");
    team.edits_get_through(&team.ann);
}

/// The command that the stop names ends it, in a clone that has synced and in a fresh one.
#[test]
fn the_command_that_is_named_renames() {
    for fresh in [false, true] {
        let team = Team::new();
        team.ann
            .put(".metis/config.toml", team.config(&team.ann, "platform", "main"));
        team.ann.commit("a better name");
        team.ann.git("push -q");
        let carl = team.clone("carl", "");
        let who = if fresh { &carl } else { &team.ann };
        who.sync_exits(3);
        let said = workspace(who, "rename api platform", 0);
        assert!(said.contains("Renamed api/ to platform/"), "{said}");
        has(&team, "", ALL);
        who.write(1, "v2");
        who.syncs();
        has(&team, "", "1=v2 2=v1 3=v1");
    }
}

/// One commit, and the configuration follows.
#[test]
fn a_folder_gets_another_name() {
    let team = Team::new();
    let commits = team.world.central.log().len();
    let said = workspace(&team.ann, "rename api platform", 0);
    assert!(
        said.contains("Wrote prefix = \"platform\" into config.toml, which git tracks"),
        "{said}"
    );
    has(&team, "", ALL);
    assert_eq!(team.world.central.log().len(), commits + 1);
    let message = message(&team);
    assert!(message.starts_with("sync: platform @ "), "{message}");
    for trailer in ["Project-Commit: ", "Project-Root: ", "Workspace-Left: api"] {
        assert!(message.contains(trailer), "{message}");
    }
    assert!(team.ann.syncs().contains("Already up to date"));
    assert_eq!(team.world.central.log().len(), commits + 1);
    team.web.syncs();
    let copies = team.web.metis();
    assert!(copies.join("platform/API-T-0001.md").exists() && !copies.join("api").exists());

    team.ann.commit("renamed");
    team.ann.write(2, "v2");
    team.ann.remove(3);
    team.ann.commit("an ordinary day");
    team.ann.syncs();
    has(&team, "", "1=v1 2=v2");
}

/// A clone that still has the old name in its configuration neither brings the old folder back nor loses what it has.
#[test]
fn a_clone_that_lags_behind() {
    let team = Team::new();
    workspace(&team.ann, "rename api platform", 0);
    team.ann.commit("renamed");
    team.ann.git("push -q");
    for text in ["v1", "by bob"] {
        team.bob.write(1, text);
        let said = team.bob.sync_exits(3);
        assert!(said.contains("workspace rename api platform"), "{said}");
        let said = team.bob.sync_with(&["--force"]);
        assert_eq!(said.code, Some(3), "{}", said.transcript());
        has(&team, "", ALL);
    }
    team.bob.git("stash -q");
    team.bob.git("pull -q");
    let said = team.bob.sync_exits(3);
    assert!(said.contains("workspace rename api platform"), "{said}");
    let said = workspace(&team.bob, "rename api platform", 0);
    assert!(said.contains("in the place of api/ already"), "{said}");
    team.bob.git("stash pop -q");
    team.bob.commit("by bob");
    team.bob.syncs();
    has(&team, "", "1=by bob 2=v1 3=v1");
    assert!(
        !team.bob.metis().join("platform").exists(),
        "own documents are no copies"
    );
    assert!(!team.bob.metis().join("api").exists());
    team.bob.git("push -q");
    team.ann.git("pull -q");
    team.ann.write(1, "on top");
    team.ann.syncs();
    has(&team, "", "1=on top 2=v1 3=v1");
}

/// Who takes the new name over without pulling the configuration has the command write it.
#[test]
fn taken_over_without_a_pull_and_an_older_plan_stays_older() {
    let team = Team::new();
    team.moves_on();
    workspace(&team.ann, "rename api platform", 0);
    team.bob.sync_exits(3);
    workspace(&team.bob, "rename api platform", 0);
    let said = team.bob.syncs();
    assert!(said.contains("ehind"), "{said}");
    has(&team, "", crate::support::team::NEWEST);
    assert!(
        std::fs::read_to_string(team.bob.metis().join("config.toml"))
            .unwrap()
            .contains("prefix = \"platform\"")
    );
}

#[test]
fn what_is_not_renamed() {
    let team = Team::new();
    for (arguments, why) in [
        ("rename api web", "central has a folder web/ already"),
        ("rename web other", "web/ in central is another workspace's"),
        ("rename api adrs", "cannot be a workspace's folder"),
        ("rename api api", "has the name api/ already"),
        ("rename none other", "central has no folder none/"),
        ("retire web --yes", "web/ in central is another workspace's"),
        ("retire none --yes", "central has no folder none/"),
    ] {
        let before = team.world.central.tip();
        let said = workspace(&team.ann, arguments, 3);
        assert!(said.contains(why), "{arguments}: {said}");
        assert_eq!(team.world.central.tip(), before);
    }
    team.edits_get_through(&team.ann);
}

/// Another project takes the same prefix by mistake.
#[test]
fn two_projects_on_one_prefix() {
    let team = Team::new();
    let other = team.person("other");
    team.begin(&other, "api", "main", 5);
    for _ in 0..2 {
        let said = other.sync_exits(3);
        assert!(said.contains("another project"), "{said}");
        assert_eq!(team.plans(), ALL);
    }
    workspace(&other, "rename api mine", 3);
    team.edits_get_through(&team.ann);
}

/// Central moves while the folder is on its way: tried again, with what came in between in the new folder too.
#[test]
fn central_moves_meanwhile() {
    let team = Team::new();
    let central = &team.world.central;
    for (path, text) in [("web/note.txt", "theirs"), ("api/API-T-0009.md", "ours")] {
        let landing = central.landing(path, text);
        team.world.points.command(Point::BeforeRef, &landing);
    }
    workspace(&team.ann, "rename api platform", 0);
    assert_eq!(team.world.points.waiting(), 0);
    has(&team, "", "1=v1 2=v1 3=v1 9=ours");
    assert_eq!(central.folder("web")["note.txt"], b"theirs");
    central.fsck_strict();
    workspace(&team.ann, "rename platform api", 0);
    has(&team, "1=v1 2=v1 3=v1 9=ours", "");
}

/// A clone of an older state of the project does not begin the old folder anew either.
#[test]
fn a_fresh_clone_with_the_old_name() {
    let team = Team::new();
    workspace(&team.ann, "rename api platform", 0);
    let carl = team.clone("carl", "");
    carl.write(1, "v2");
    let said = carl.sync_exits(3);
    assert!(said.contains("this project is in central as platform/"), "{said}");
    has(&team, "", ALL);
    carl.git("checkout -q .");
    workspace(&carl, "rename api platform", 0);
    carl.write(2, "v2");
    carl.syncs();
    has(&team, "", "1=v1 2=v2 3=v1");
}

/// The prefix is written where it counts.
#[test]
fn a_prefix_of_this_clone_alone() {
    let team = Team::new();
    team.ann.put(".metis/.sync/config.toml", "workspace.prefix = \"api\"\n");
    let told = team.ann.run(&["--json", "workspace", "rename", "api", "platform"]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["renamed"], serde_json::json!({ "old": "api", "new": "platform" }));
    assert_eq!((&told["config_changed"], &told["schema"]), (&true.into(), &1.into()));
    team.ann.write(1, "v2");
    team.ann.syncs();
    has(&team, "", "1=v2 2=v1 3=v1");
}

/// A workspace of a repository with several moves to another folder of it. The colleague who has not pulled that yet is no other
/// project either; a second folder with the same prefix is.
#[test]
fn a_workspace_that_moves_within_its_repository() {
    let team = Team::new();
    let mono = team.stranger("mono", "SHOP");
    let config = team.config(&mono, "shop", "main");
    let origin = team.world.root().join("mono.git").display().to_string();
    let at = |folder: &str| mono.elsewhere(mono.dir.join(folder));
    at("old").put(".metis/config.toml", &config);
    at("old").put(".metis/.gitignore", "/.sync/\n/metis.db\n");
    for number in [1, 2] {
        at("old").write(number, "v1");
    }
    mono.git(&format!("init -q --bare -b main {origin}"));
    mono.git("init -q -b main");
    mono.commit("plans");
    mono.git(&format!("remote add origin file://{origin}"));
    mono.git("push -q -u origin main");
    at("old").syncs();
    let lagging = team.stranger("lagging", "SHOP");
    lagging.git(&format!("clone -q file://{origin} {}", lagging.dir.display()));
    let lagging = lagging.elsewhere(lagging.dir.join("old"));
    lagging.syncs();

    mono.git("mv old new");
    mono.commit("move");
    at("new").write(1, "v2");
    at("new").syncs();
    assert_eq!(team.plans_of("shop"), "1=v2 2=v1");
    mono.commit("v2");
    at("new").syncs();
    mono.git("push -q");
    lagging.syncs();
    lagging.write(2, "lagging");
    lagging.git("stash -q");
    lagging.git("pull -q");
    assert_eq!(team.plans_of("shop"), "1=v2 2=v1");

    let beside = at("beside");
    beside.put(".metis/config.toml", &config);
    beside.write(7, "somebody else's");
    mono.commit("the same prefix again");
    beside.sync_exits(3);
    assert_eq!(team.plans_of("shop"), "1=v2 2=v1");
    at("new").write(2, "v2");
    at("new").syncs();
    assert_eq!(team.plans_of("shop"), "1=v2 2=v2");
}
