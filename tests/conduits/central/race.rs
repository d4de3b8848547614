//! Others push to the branch at the same time.

use super::*;

/// Somebody else lands between our listing and our push: everything is looked at again, and both arrive.
#[test]
fn a_lost_race_is_run_again() {
    for point in [Point::BeforePush, Point::BeforeRef] {
        let world = World::new();
        let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, &[]));
        shop.put("same", "1");
        shop.sync(0);
        web.sync(0);
        shop.put("shop", "1");
        web.put("web", "1");
        web.put("same", "2");
        world.points.command(point, &web.command());
        let report = shop.sync(0);
        assert_eq!(report["retries"], 1, "{report}");
        assert_eq!(report["status"], "verified");
        assert_eq!(shop.texts(), ["same=2", "shop=1", "web=1"]);
        assert_eq!(branch(&world), shop.texts());
        world.central.fsck_strict();
    }
}

/// What came from central was copied before the race was lost: an edit of it in the meantime is an edit, and no conflict.
#[test]
fn what_was_copied_before_a_lost_race_is_known() {
    let world = World::new();
    let [shop, web] = Project::two_in_step(&world, &["a"]);
    web.put("a", "2");
    web.sync(0);
    web.put("a", "3");
    shop.put("b", "1");
    world.points.command(Point::BeforeRef, &web.command());
    let report = shop.sync(0);
    assert_eq!(report["retries"], 1, "{report}");
    assert_eq!(shop.texts(), ["a=3", "b=1"]);
}

#[test]
fn without_retries_a_lost_race_is_said_and_deletes_nothing() {
    let world = World::new();
    let [shop, web] = Project::two_in_step(&world, &["a", "b", "c"]);
    web.remove("a");
    web.sync(0);
    shop.put("new", "1");
    web.put("web", "1");
    world.points.command(Point::BeforeRef, &web.command());
    let lost = shop.0.run(&["--max-retries", "0"]);
    assert_eq!(lost.code, Some(4), "{}", lost.transcript());
    assert!(
        shop.texts().contains(&"a=1".to_owned()),
        "the delete waits for the push"
    );
    shop.sync(0);
    assert_eq!(shop.texts(), ["b=1", "c=1", "new=1", "web=1"]);
}

#[test]
fn twenty_projects_at_once_all_arrive() {
    let world = World::new();
    let projects: Vec<Project> = (b'a'..=b't')
        .map(|letter| {
            let prefix = format!("p{}", char::from(letter));
            let project = Project::new(&world, &prefix, &[]);
            project.put(&format!("{prefix}.md"), &prefix);
            project
        })
        .collect();
    let gates: Vec<Gate> = (0..20).map(|_| world.points.gate(Point::BeforeRef)).collect();
    let running: Vec<Running> = projects
        .iter()
        .map(|project| Running::start(project.command()))
        .collect();
    let mut gates = gates;
    gates.iter_mut().for_each(Gate::wait);
    gates.into_iter().for_each(Gate::open);
    for running in running {
        running.finish().success();
    }
    assert_eq!(branch(&world).len(), 20);
    assert_eq!(commits(&world), 20);
    world.central.fsck_strict();
    for project in &projects {
        project.sync(0);
        assert_eq!(project.texts(), branch(&world));
    }
}

#[test]
fn over_http_and_ssh() {
    let world = World::new();
    let mut remotes = Vec::new();
    let nginx = Nginx::start(&world, Access::Open);
    remotes.extend(nginx.as_ref().map(Nginx::remote));
    let sshd = Sshd::start(&world);
    remotes.extend(sshd.as_ref().map(Sshd::remote));
    let projects: Vec<Project> = remotes
        .iter()
        .enumerate()
        .map(|(number, remote)| Project::on(&world, &format!("p{number}x"), remote, &[]))
        .collect();
    for (number, project) in projects.iter().enumerate() {
        project.put(&format!("{number}/a"), "1");
        project.sync(0);
    }
    for project in &projects {
        project.sync(0);
        assert_eq!(project.texts(), branch(&world));
        assert_eq!(project.texts().len(), projects.len());
    }
}

#[test]
fn sha256_names_contents_too() {
    let world = World::shaped(Shape {
        format: "sha256",
        ..Shape::default()
    });
    let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, &[]));
    shop.put("a/b", "1");
    shop.sync(0);
    web.sync(0);
    web.put("a/b", "2");
    web.sync(0);
    assert_eq!(shop.sync(0)["status"], "verified");
    assert_eq!(shop.sync(0)["status"], "in-step");
    assert_eq!(shop.texts(), ["a/b=2"]);
}

#[test]
fn a_mirror_has_one_writer() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &["--mode", "mirror"]);
    shop.put("a", "1");
    shop.sync(0);
    let message = world.central.git(&["log", "-1", "--format=%B", BRANCH]);
    assert!(message.contains("Conduit-Writer: shop"), "{message}");
    let web = Project::new(&world, "web", &["--mode", "mirror"]);
    web.put("b", "1");
    let stopped = web.run(&["sync"], 3);
    assert!(
        stopped.stderr.contains("the mirror of shop writes it"),
        "{}",
        stopped.transcript()
    );
    let api = Project::new(&world, "api", &[]);
    api.put("b", "1");
    let stopped = api.run(&["sync"], 3);
    assert!(
        stopped.stderr.contains("the mirror of shop writes it"),
        "{}",
        stopped.transcript()
    );
    assert_eq!(branch(&world), ["a=1"]);
    let reader = Project::untied(&world, "reader", &world.local());
    let tie = ["add", "skills", "central:skills", "skills", "--mode", "mirror"];
    reader.run(&tie, 0);
    reader.sync(0);
    assert_eq!(reader.texts(), ["a=1"]);
    // A clone of the same workspace is the same writer; whoever is told to takes the branch over.
    shop.put("a", "2");
    shop.sync(0);
    web.run(&["sync", "--accept-first"], 0);
    assert_eq!(branch(&world), ["b=1"]);
    shop.put("a", "3");
    let stopped = shop.run(&["sync"], 3);
    assert!(
        stopped.stderr.contains("the mirror of web writes it"),
        "{}",
        stopped.transcript()
    );
}

#[test]
fn selective_delivers_and_keeps_what_is_not_its_own() {
    let world = World::new();
    let other = Project::new(&world, "web", &[]);
    other.put("theirs", "1");
    other.sync(0);
    let shop = Project::new(&world, "shop", &["--mode", "selective"]);
    shop.put("ours", "1");
    shop.put("gone", "1");
    shop.sync(0);
    assert_eq!(branch(&world), ["gone=1", "ours=1", "theirs=1"]);
    shop.remove("gone");
    shop.sync(0);
    assert_eq!(branch(&world), ["ours=1", "theirs=1"]);
    assert_eq!(shop.texts(), ["ours=1"]);
}
