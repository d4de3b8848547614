//! Large, fast one after another, and with a clock that lies.

mod size;

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use crate::support::{
    document::document, process::run, report::Ended, servers::skip, workspace::Workspace, world::World,
};

/// Sets the time of an own document without changing it.
fn dated(workspace: &Workspace, place: &str, time: SystemTime) {
    let file = fs::File::options()
        .write(true)
        .open(workspace.metis().join(place))
        .unwrap();
    file.set_modified(time).unwrap();
}

/// 81#33: no decision is made by a time. Files from the future and from before there were computers, changed without
/// their size or time changing; commits of central dated later than its newer ones.
#[test]
fn the_clock_is_wrong() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    let place = "initiatives/API-I-0001/tasks/API-T-0001.md";
    let future = SystemTime::now() + Duration::from_secs(40 * 365 * 24 * 3600);
    for time in [SystemTime::UNIX_EPOCH + Duration::from_secs(1), future] {
        for text in ["One way.", "The other"] {
            api.write("API-T-0001", text);
            dated(&api, place, time);
            assert_eq!(api.sync().report().pushed, ["API-T-0001"], "{text} at {time:?}");
            assert_eq!(api.sync().report().outcome, "up-to-date");
        }
    }
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    // A commit dated before its parents, as a machine with a slow clock makes it.
    world
        .central
        .land("web/WEB-T-0002.md", document("WEB-T-0002", "From a slow clock", ""));
    assert_eq!(api.sync().report().pulled["web"].written, 2);
    api.edit("API-T-0001", "Once more.");
    api.sync().report();
    world.central.fsck_strict();
}

/// 81#33: whole syncs under a wrong clock, where there is a way to have one.
#[test]
fn the_system_clock_is_wrong() {
    let libraries = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
    ];
    let library = libraries
        .iter()
        .map(|dir| Path::new(dir).join("faketime/libfaketime.so.1"))
        .find(|path| path.exists());
    let Some(library) = library else {
        return skip("faketime is not installed");
    };
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    let at = |workspace: &Workspace, time: &str| {
        let mut command = workspace.sync_command(&[]);
        command
            .env("LD_PRELOAD", &library)
            .env("FAKETIME", time)
            .env("NO_FAKE_STAT", "1");
        Ended(run(command)).report()
    };
    for (n, (early, late)) in [
        ("@1999-01-01 00:00:00", "@2099-01-01 00:00:00"),
        ("@2099-06-01 00:00:00", "@1999-06-01 00:00:00"),
    ]
    .into_iter()
    .enumerate()
    {
        api.write(&format!("API-T-000{n}"), "Mine.");
        assert_eq!(at(&api, early).pushed.len(), 1);
        web.write(&format!("WEB-T-000{n}"), "Theirs.");
        let report = at(&web, late);
        assert_eq!((report.pushed.len(), report.pulled["api"].written), (1, 1));
        assert_eq!(at(&api, early).pulled["web"].written, 1);
        assert_eq!(at(&api, late).outcome, "up-to-date");
        assert_eq!(at(&web, early).outcome, "up-to-date");
    }
    assert!(
        world
            .central
            .log()
            .iter()
            .any(|subject| subject.starts_with("sync: api @ 1999-01-01T00:00:"))
    );
    world.assert_converged(&[api, web]);
}

/// 81#31: killed at a rename, that is with some of the files in place and others not. Each file is whole or not there,
/// central has heard nothing of it, and the next sync brings the rest.
#[test]
fn killed_while_hydrating() {
    if Command::new("strace").arg("-V").output().is_err() {
        return skip("strace is not installed");
    }
    let world = World::new();
    let web = world.workspace("web");
    for n in 1..=20 {
        web.write(&format!("WEB-T-{n:04}"), "Theirs.");
    }
    web.sync().report();
    let tip = world.central.tip();
    let mut partial = 0;
    for renames in [4, 9, 14, 19] {
        let api = world.workspace("api");
        api.write("API-T-0001", "Mine.");
        let sync = api.sync_command(&[]);
        let mut traced = api.program("strace");
        let kill = format!("inject=rename,renameat,renameat2:signal=KILL:when={renames}");
        traced
            .current_dir(sync.get_current_dir().expect("it has one"))
            .args([
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                "trace=rename,renameat,renameat2",
                "-e",
                &kill,
            ])
            .arg(sync.get_program())
            .args(sync.get_args());
        assert_eq!(run(traced).code, None, "killed at rename {renames}");

        assert_eq!(world.central.tip(), tip);
        let here = api.hydrated("web");
        let theirs = web.documents();
        assert!(
            here.iter().all(|(name, bytes)| theirs.get(name) == Some(bytes)),
            "{:?}",
            here.keys()
        );
        partial += usize::from(!here.is_empty() && here.len() < theirs.len());

        // As if it were to begin only now, so that the next one starts from the same central.
        let report = api.sync_with(&["--pull-only"]).report();
        assert_eq!(report.pulled["web"].written as usize, theirs.len() - here.len());
        assert_eq!(api.hydrated("web"), theirs);
        assert!(report.kept.is_empty() && report.warnings.len() == 1, "{report:?}");
        assert!(
            report.warnings[0].starts_with("an earlier run here was ended"),
            "{report:?}"
        );
        let left = |dir: &Path| {
            fs::read_dir(dir)
                .unwrap()
                .filter(|entry| {
                    let name = entry.as_ref().unwrap().file_name();
                    name.to_string_lossy().contains("tmp")
                })
                .count()
        };
        assert_eq!((left(&api.metis()), left(&api.metis().join("web"))), (0, 0));
    }
    assert!(partial >= 2, "it was killed in the middle {partial} times");
}

/// How many objects central has.
fn objects(world: &World) -> u32 {
    let counts = world.central.git(&["count-objects", "-v"]);
    let count = |name: &str| {
        let line = counts
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .expect("git's format");
        line.trim().parse::<u32>().expect("a number")
    };
    count("count:") + count("in-pack:")
}

/// 81#30: after one small change a commit, two trees and a document go over the wire.
#[test]
fn a_second_sync_pushes_the_delta() {
    let world = World::new();
    let api = world.workspace("api");
    for n in 1..=40 {
        api.write(&format!("API-T-{n:04}"), "Text.");
    }
    assert_eq!(api.sync().report().pushed.len(), 40);
    let before = objects(&world);
    api.edit("API-T-0007", "A small change.");
    let report = api.sync().report();
    assert_eq!(report.pushed, ["API-T-0007"]);
    assert_eq!(objects(&world) - before, 4);
    world.assert_converged(&[api]);
}

/// 81#35: one after another, each finds nothing left to do.
#[test]
fn syncs_in_a_row() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Text.");
    api.sync().report();
    let (before, tip) = (api.snapshot(), world.central.tip());
    world.wire();
    for _ in 0..5 {
        assert_eq!(api.sync().report().outcome, "up-to-date");
    }
    let wire = world.wire();
    assert_eq!((wire.listings(), wire.wants(), wire.pushes()), (5, 0, 0));
    assert_eq!(api.snapshot().since(&before), Vec::<&Path>::new());
    assert_eq!(world.central.tip(), tip);
}
