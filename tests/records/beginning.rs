//! What `init` finds out about a central that may not take every ref, and that the first records go where it said.

use std::fs;

use serde_json::Value;

use super::{dump, hosts::refuse, json, log_refs, over_every_transport, sync, two, two_on};
use crate::support::{
    central::Shape,
    workspace::{Remote, Workspace},
    world::World,
};

/// Somebody with an empty folder.
fn newcomer(world: &World, remote: &Remote) -> Workspace {
    let workspace = world.workspace_on("new", remote);
    fs::remove_dir_all(workspace.metis()).unwrap();
    workspace
}

fn init(new: &Workspace, remote: &Remote, more: &[&str]) -> Value {
    json(
        new,
        &[&["init", "--upstream", &remote.url, "--prefix", "new"], more].concat(),
    )
}

/// The settings of git servers that hide refs, from those who push, from those who fetch, and from both.
const HIDING: [&str; 3] = ["receive.hideRefs", "uploadpack.hideRefs", "transfer.hideRefs"];

#[test]
fn init_sees_where_a_host_takes_records() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        let new = newcomer(world, remote);
        assert_eq!(init(&new, remote, &["--dry-run"])["records"], Value::Null);
        assert_eq!(init(&new, remote, &[])["records"], "refs", "over {}", remote.url);
        for setting in HIDING {
            world.central.git(&["config", setting, "refs/metis"]);
            assert_eq!(init(&new, remote, &[])["records"], "branches", "{setting}");
            let said = new.run(&["init"]).transcript();
            assert!(
                said.contains("such as tags and notes, go to branches below metis/log/"),
                "{said}"
            );
            assert!(log_refs(world).is_empty(), "{:?}", log_refs(world));
            world.central.git(&["config", "--unset", setting]);
        }
        refuse(world, "[ \"$ref\" != refs/heads/main ]");
        assert_eq!(init(&new, remote, &[])["records"], "refused");
        let said = new.run(&["init"]).transcript();
        assert!(
            said.contains("does not take shared records, such as tags and notes: "),
            "{said}"
        );
        fs::remove_file(world.central.dir.join("hooks/pre-receive")).unwrap();
        json(&api, &["tag", "add", "API-T-0001", "urgent"]);
        sync(&api);
        // A log that is there shows it, and nothing has to be pushed.
        refuse(world, "true");
        assert_eq!(init(&new, remote, &[])["records"], "refs");
        assert_eq!(sync(&web).0, 1);
        world.central.fsck_strict();
    });
}

/// Where nothing is there yet, a branch might become the one that `HEAD` names.
#[test]
fn no_branch_is_tried_in_an_empty_central() {
    let world = World::shaped(Shape {
        born: None,
        ..Shape::default()
    });
    let new = newcomer(&world, &world.local());
    refuse(&world, "true");
    assert_eq!(init(&new, &world.local(), &[])["records"], "unknown");
    let said = new.run(&["init"]).transcript();
    assert!(said.contains("The first one shows it."), "{said}");
    assert!(log_refs(&world).is_empty());
}

/// What may not be taken away stays, is nobody's log, and spares the next one the push.
#[test]
fn a_ref_that_init_may_not_delete_again_disturbs_nobody() {
    let world = World::new();
    let (api, web) = two(&world);
    refuse(&world, "[ -z \"$(echo $new | tr -d 0)\" ]");
    let new = newcomer(&world, &world.local());
    assert_eq!(init(&new, &world.local(), &[])["records"], "refs");
    assert_eq!(log_refs(&world), ["refs/metis/log/probe"]);
    refuse(&world, "[ \"${ref##*/}\" = probe ]");
    assert_eq!(init(&new, &world.local(), &[])["records"], "refs");
    json(&api, &["tag", "add", "API-T-0001", "urgent"]);
    assert_eq!((sync(&api), sync(&web)), ((0, 1), (1, 0)));
    assert_eq!(
        json(&web, &["record", "status"])["devices"].as_array().map(Vec::len),
        Some(1)
    );
}

/// Whether syncs end in that a record goes to a branch. What is refused is seen at once; what is hidden by the next sync, once a second
/// is over: until then it makes the same commit again.
pub fn goes_to_a_branch(workspace: &Workspace) -> bool {
    let says = |_| {
        let report = json(workspace, &["sync"]);
        report["warnings"].to_string().contains("to a branch below metis/log/")
    };
    (0..50).any(says)
}

/// A host that refuses refs, or takes them and lists them to nobody: records reach the others as branches.
#[test]
fn records_pass_a_host_that_hides_their_refs() {
    for setting in HIDING {
        over_every_transport(|world, remote| {
            let (api, web) = two_on(world, remote);
            world.central.git(&["config", setting, "refs/metis"]);
            for (from, to, tag) in [(&api, &web, "urgent"), (&web, &api, "later")] {
                json(from, &["tag", "add", "WEB-T-0001", tag]);
                assert!(goes_to_a_branch(from), "{setting} over {}", remote.url);
                assert_eq!((sync(to).0, sync(from).1), (1, 0), "{setting} over {}", remote.url);
            }
            assert_eq!(dump(&api), dump(&web));
        });
    }
}
