//! Central without the branch that a sync is about: nobody begins a second history beside the first.

use std::fs;

use crate::support::{central::Shape, process::run, servers::GitDaemon, workspace::Workspace, world::World};

/// A central with one workspace, `web`, whose branch is renamed while its HEAD names `main` still.
fn renamed(to: &str) -> (World, Workspace) {
    let world = World::new();
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    rename(&world, to);
    (world, web)
}

fn rename(world: &World, to: &str) {
    world.central.git(&["branch", "-m", "main", to]);
    world.central.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
}

fn branches(world: &World) -> Vec<String> {
    let listed = world.central.git(&["for-each-ref", "--format=%(refname:short)"]);
    listed.lines().map(str::to_owned).collect()
}

/// As a person follows the advice.
fn set_branch(workspace: &Workspace, branch: &str) {
    let config = workspace.config();
    let set = config.replace("[sync]\n", &format!("[sync]\nbranch = \"{branch}\"\n"));
    assert_ne!(set, config);
    workspace.put("config.toml", set);
    workspace.run(&["trust", "sync.branch"]).success();
}

/// HEAD names a branch that is not there, or none at all.
#[test]
fn who_joins_a_central_whose_head_names_no_branch_is_asked_for_one() {
    for head in ["unborn", "detached"] {
        let (world, _web) = renamed("plans");
        if head == "detached" {
            let tip = world.central.git(&["rev-parse", "plans"]);
            fs::write(world.central.dir.join("HEAD"), tip).unwrap();
        }
        let api = world.workspace("api");
        api.write("API-T-0001", "Mine.");
        for options in [&[][..], &["--dry-run"], &["--adopt-central"], &["--pull-only"]] {
            let failure = api.sync_with(options).failure(3);
            assert_eq!(failure.kind, "no-branch", "{failure:?}");
            assert!(failure.message.ends_with("that it has: plans"), "{failure:?}");
            assert!(
                failure
                    .next
                    .unwrap()
                    .starts_with("Set [sync] branch = \"plans\" (or another of them) in")
            );
        }
        assert_eq!(branches(&world), ["plans"]);
        assert!(api.hydrated("web").is_empty());
        set_branch(&api, "plans");
        assert!(api.sync().report().registered);
        assert_eq!(branches(&world), ["plans"]);
        assert_eq!(
            world.central.git(&["ls-tree", "--name-only", "plans"]),
            "README.md\napi\nweb\n"
        );
    }
}

/// The same at `init`, which takes the answer on its command line.
#[test]
fn init_asks_for_the_branch_that_head_does_not_name() {
    let (world, _web) = renamed("plans");
    let api = world.workspace("api");
    fs::remove_dir_all(api.metis()).unwrap();
    let url = world.central.url();
    let init = |more: &[&str]| {
        let args = [&["init", "--upstream", &url, "--prefix", "api"], more].concat();
        run(api.metis_sync(&args))
    };
    let stopped = init(&[]);
    assert_eq!(stopped.code, Some(3), "{}", stopped.transcript());
    assert!(
        stopped.stderr.contains("Run init again with `--branch plans`"),
        "{}",
        stopped.transcript()
    );
    assert!(!api.metis().exists());
    assert_eq!(init(&["--branch", "re fs"]).code, Some(2));
    let said = init(&["--branch", "plans"]).success();
    assert!(said.contains("web/ (1 document)"), "{said}");
    assert!(api.config().contains("branch = \"plans\""), "{}", api.config());
    api.write("API-T-0001", "Mine.");
    assert!(api.sync().report().registered);
    assert_eq!(branches(&world), ["plans"]);
}

/// Whether the renamed branch is where it was or has gone on, it is found by the commit synced last, beside unrelated ones.
#[test]
fn a_renamed_branch_is_found_by_the_commit_synced_last() {
    for over in ["file", "daemon"] {
        for moved_on in [false, true] {
            let world = World::new();
            let daemon = GitDaemon::start(&world);
            let remote = match (over, &daemon) {
                ("daemon", Some(daemon)) => daemon.remote(),
                ("daemon", None) => return,
                _ => world.local(),
            };
            let web = world.workspace_on("web", &remote);
            web.write("WEB-T-0001", "Theirs.");
            web.sync().report();
            let empty = world.central.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
            let unrelated = world.central.git(&["commit-tree", "-m", "other", empty.trim()]);
            world.central.git(&["branch", "a-first", unrelated.trim()]);
            rename(&world, "trunk");
            let mut world = world;
            world.central.branch = "trunk".into();
            if moved_on {
                world.central.land("api/API-T-0001.md", "Somebody else's.");
            }
            web.edit("WEB-T-0001", "Changed.");
            let tip = world.central.tip();
            for options in [&[][..], &["--adopt-central"], &["--force"], &["--dry-run"]] {
                let failure = web.sync_with(options).failure(3);
                assert_eq!(failure.kind, "branch-gone");
                assert_eq!(
                    failure.message,
                    "central's branch main is gone; trunk has the commit synced last"
                );
                assert!(failure.next.unwrap().starts_with("Set [sync] branch = \"trunk\" in"));
            }
            let status = run(web.metis_sync(&["status"]));
            assert!(
                status.transcript().contains("trunk has the commit synced last"),
                "{}",
                status.transcript()
            );
            assert_eq!(branches(&world), ["a-first", "trunk"]);
            assert_eq!(world.central.tip(), tip);
            set_branch(&web, "trunk");
            assert_eq!(web.sync().report().pushed, ["WEB-T-0001"]);
            assert_eq!(branches(&world), ["a-first", "trunk"]);
            assert_eq!(world.central.folder("web"), web.documents());
        }
    }
}

/// The branch was deleted and another history is there: adopting does not begin a third one.
#[test]
fn adopting_does_not_begin_an_empty_history_beside_another() {
    let (world, web) = renamed("trunk");
    let tree = world.central.git(&["rev-parse", "trunk^{tree}"]);
    let made_anew = world.central.git(&["commit-tree", "-m", "made anew", tree.trim()]);
    world.central.git(&["update-ref", "refs/heads/trunk", made_anew.trim()]);
    for options in [&[][..], &["--adopt-central"]] {
        let failure = web.sync_with(options).failure(3);
        assert!(
            failure
                .message
                .contains("of its other branches (trunk) none has the commit"),
            "{failure:?}"
        );
        assert_eq!(branches(&world), ["trunk"]);
    }
    set_branch(&web, "trunk");
    assert_eq!(web.sync().failure(3).kind, "rewound");
    web.sync_with(&["--adopt-central"]).report();
    assert_eq!(branches(&world), ["trunk"]);
}

/// What an empty central lacks, and what somebody names, is begun.
#[test]
fn a_branch_that_is_named_or_the_first_one_is_begun() {
    let world = World::shaped(Shape {
        born: None,
        head: "trunk",
        ..Shape::default()
    });
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    assert!(web.sync().report().registered);
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    set_branch(&api, "plans");
    assert!(api.sync().report().registered);
    assert_eq!(branches(&world), ["plans", "trunk"]);
}
