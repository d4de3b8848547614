//! Somebody interrupts: that is the end of every wait, and of all that was started.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use send_pack::connect::FailureKind;

use super::{await_gone, cause, nowhere};
use crate::push::client::{first, options, push_with};
use crate::support::{
    process::DEADLINE,
    servers::{Access, Everywhere},
    world::World,
};

#[test]
fn an_interrupt_ends_a_push_on_every_transport_at_once_with_all_it_started() {
    let world = World::unborn();
    let repository = world.repository();
    let everywhere = Everywhere::start(&world, Access::Open);
    let remotes = everywhere.remotes();
    let pid_file = world.root().join("hook.pid");
    repository.hook(
        "pre-receive",
        &format!("echo $$ > {}; exec sleep 1000", pid_file.display()),
    );
    for remote in remotes {
        let _ = fs::remove_file(&pid_file);
        let options = options(&remote);
        let flag = options.interrupt.clone();
        let (pushed, took) = thread::scope(|scope| {
            let push = scope.spawn(|| (push_with(&remote.url, &options, &first()), Instant::now()));
            let started = Instant::now();
            while fs::read_to_string(&pid_file).unwrap_or_default().trim().is_empty() {
                assert!(started.elapsed() < DEADLINE, "the hook starts");
                thread::sleep(Duration::from_millis(2));
            }
            let at = Instant::now();
            flag.store(true, Ordering::Relaxed);
            let (pushed, ended) = push.join().expect("no panic");
            (pushed, ended - at)
        });
        assert_eq!(cause(pushed).kind, FailureKind::Interrupted, "{}", remote.url);
        assert!(took < Duration::from_secs(3), "{}: {took:?}", remote.url);
        if remote.url.starts_with("file") {
            await_gone(&pid_file);
            assert_eq!(left_over(&repository.dir), Vec::<PathBuf>::new());
        } else {
            // A hook on another machine ends when it likes.
            let pid = fs::read_to_string(&pid_file).expect("it ran");
            let pid = rustix::process::Pid::from_raw(pid.trim().parse().expect("a number")).expect("not 0");
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        assert_eq!(repository.tip(), None);
    }
}

/// Locks. The objects of a push that a signal ended stay in their quarantine until the next `git gc`: git itself leaves
/// them there.
fn left_over(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)
            .expect("readable")
            .map(|entry| entry.expect("readable"))
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".lock") {
                found.push(entry.path());
            } else if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn an_interrupt_before_anything_is_seen_before_anything() {
    for at in [
        "/nowhere",
        "git://127.0.0.1:1/r",
        "http://127.0.0.1:1/r",
        "ssh://127.0.0.1:1/r",
    ] {
        let options = options(&nowhere());
        options.interrupt.store(true, Ordering::Relaxed);
        let cause = cause(push_with(at, &options, &first()));
        assert_eq!(cause.kind, FailureKind::Interrupted, "{at}");
    }
}
