//! Records that go to central, and come from there, without a sync by hand.

use super::{dump, json, log_refs, over_every_transport, sync, two, unpublished};
use crate::{
    support::{
        point::Point,
        process::{eventually, run},
        servers::{self, Access, Nginx},
        workspace::{Remote, Workspace},
        world::World,
    },
    watch::Watching,
};

/// Writes a tag as a person does, for whom it goes to central in the background.
fn tag(workspace: &Workspace, tag: &str) {
    let mut command = workspace.metis_sync(&["tag", "add", "API-T-0001", tag]);
    command.env_remove("METIS_SYNC_RECORDS");
    run(command).success();
}

/// The command does not wait: it is over while central still holds the push up. Documents are not touched.
#[test]
fn what_is_written_is_sent_in_the_background() {
    let world = World::new();
    let (api, web) = two(&world);
    let tip = world.central.tip();
    api.edit("API-T-0001", "Not to be pushed by this.");
    let mut gate = world.points.gate(Point::BeforeRef);
    tag(&api, "urgent");
    gate.wait();
    assert!(log_refs(&world).is_empty());
    gate.open();
    eventually("it is in central", || !log_refs(&world).is_empty());
    eventually("and that is known here", || unpublished(&api) == 0);
    assert_eq!(world.central.tip(), tip);
    assert_eq!(sync(&web).0, 1);
}

#[test]
fn out_of_reach_it_waits_for_the_next_sync() {
    let world = World::new();
    let (api, _) = two(&world);
    let away = world.root().join("away.git");
    std::fs::rename(&world.central.dir, &away).unwrap();
    tag(&api, "urgent");
    api.sync().failure(1);
    assert_eq!(unpublished(&api), 1);
    std::fs::rename(&away, &world.central.dir).unwrap();
    // Or the process in the background comes late, and sends it.
    sync(&api);
    assert_eq!((unpublished(&api), log_refs(&world).len()), (0, 1));
}

/// A peer's new log, and what is added to it, are taken up by who watches, over every transport.
#[test]
fn a_watcher_takes_up_what_others_write() {
    over_every_transport(takes_up);
}

/// Where a central on this machine keeps its refs in tables, the watcher asks it.
#[test]
fn a_watcher_takes_up_what_others_write_to_a_central_with_reftables() {
    let world = World::new();
    let dir = world.root().join("tables.git");
    let mut git = std::process::Command::new("git");
    git.args(["init", "-q", "--bare", "--ref-format=reftable"]).arg(&dir);
    if run(git).code != Some(0) {
        return servers::skip("git with reftable");
    }
    let (url, env) = (format!("file://{}", dir.display()), Vec::new());
    takes_up(&world, &Remote { url, env });
}

fn takes_up(world: &World, remote: &Remote) {
    let (api, web) = super::two_on(world, remote);
    let config = format!("{}\n[sync.watch]\npoll_seconds = 5\n", web.config());
    web.put("config.toml", config);
    web.sync().report();
    let watching = Watching::of(&web);
    for name in ["urgent", "later"] {
        json(&api, &["tag", "add", "API-T-0001", name]);
        assert_eq!(sync(&api), (0, 1));
        eventually(&format!("the watcher has it, over {}", remote.url), || {
            json(&web, &["tag", "list"])["tags"].to_string().contains(name)
        });
    }
    watching.end();
}

/// A watcher that asks central by itself once a day hears at once of what another clone on its machine pushed, documents and
/// records, over every transport.
#[test]
fn a_watcher_hears_what_another_clone_of_its_machine_pushes() {
    over_every_transport(|world, remote| {
        let api = world.workspace_on("api", remote);
        let web = world.workspace_on("web", remote).beside(&api);
        web.put(
            "config.toml",
            format!("{}\n[sync.watch]\npoll_seconds = 86400\n", web.config()),
        );
        api.write("API-T-0001", "One.");
        sync(&api);
        let watching = Watching::of(&web);
        api.edit("API-T-0001", "Two.");
        sync(&api);
        eventually("the document is here", || {
            let copies = web.hydrated("api");
            String::from_utf8_lossy(&copies["API-T-0001.md"]).contains("Two.")
        });
        json(&api, &["tag", "add", "API-T-0001", "urgent"]);
        assert_eq!(sync(&api), (0, 1), "over {}", remote.url);
        eventually("the tag is here", || {
            json(&web, &["tag", "list"])["tags"].to_string().contains("urgent")
        });
        watching.end();
    });
}

/// What one clone of a machine has pushed of its log is in the store that it shares with the others: they ask central and fetch nothing,
/// from the first entry on, and a machine elsewhere sees the same.
#[test]
fn clones_of_one_machine_fetch_nothing_of_each_others_logs() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let asked = || {
        let requests = nginx.requests();
        requests.iter().filter(|line| line.contains("upload-pack")).count()
    };
    let api = world.workspace_on("api", &nginx.remote());
    let web = world.workspace_on("web", &nginx.remote()).beside(&api);
    for workspace in [&api, &web, &api] {
        sync(workspace);
    }
    for name in ["urgent", "later"] {
        json(&api, &["tag", "add", "API-T-0001", name]);
        assert_eq!(sync(&api), (0, 1));
        let before = asked();
        assert_eq!(json(&web, &["sync", "--pull-only"])["records"]["received"], 1);
        eventually("the server noted all requests", || asked() >= before + 2);
        assert_eq!(asked() - before, 2, "{:?}", nginx.requests());
    }
    let ops = world.workspace_on("ops", &nginx.remote());
    assert_eq!(sync(&ops).0, 2);
    assert_eq!(dump(&ops), dump(&web));
}
