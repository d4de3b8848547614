use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{self, Child, Command, Stdio},
};

use super::*;

const OTHER: &str = "METIS_SYNC_TEST_LOCKS";

fn me() -> Holder {
    Holder::this_process(jiff::Timestamp::UNIX_EPOCH, "git metis-sync sync")
}

fn state() -> (tempfile::TempDir, StateDir) {
    let dot_metis = tempfile::tempdir().unwrap();
    let dir = StateDir::create(dot_metis.path()).unwrap();
    (dot_metis, dir)
}

/// Re-run by the tests below as a process of its own: takes the lock, says so, and keeps it until its input ends.
#[test]
fn the_other_process() {
    let Some(dot_metis) = std::env::var_os(OTHER) else {
        return;
    };
    let dir = StateDir::create(Path::new(&dot_metis)).unwrap();
    let lock = Lock::acquire(
        &dir,
        Duration::ZERO,
        &Holder::this_process(jiff::Timestamp::UNIX_EPOCH, "other"),
    );
    println!("\n{}", if lock.is_ok() { "locked" } else { "refused" });
    io::stdin().read_line(&mut String::new()).unwrap();
}

/// With its output, which it must be able to write to until its end.
fn other_process(dot_metis: &Path) -> (Child, impl BufRead) {
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", &format!("{module}::the_other_process")])
        .env(OTHER, dot_metis)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let said = output
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .find(|line| line == "locked" || line == "refused");
    assert_eq!(said.as_deref(), Some("locked"));
    (child, output)
}

#[test]
fn the_holder_is_named_and_its_death_frees_the_lock() {
    let (dot_metis, dir) = state();
    let (mut other, _output) = other_process(dot_metis.path());

    let error = Lock::acquire(&dir, Duration::from_millis(20), &me()).unwrap_err();
    let LockError::Held {
        holder: Some(holder), ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!((holder.pid, holder.command.raw()), (other.id(), "other"));
    assert!(
        error
            .to_string()
            .contains(&format!("`other`, process {} on", other.id())),
        "{error}"
    );

    other.kill().unwrap();
    other.wait().unwrap();
    assert!(
        fs::read_to_string(dir.path().join("lock")).unwrap().contains("other"),
        "it could not tidy up"
    );
    let lock = Lock::acquire(&dir, Duration::ZERO, &me()).unwrap();
    assert_eq!(lock.unsupported(), None);
    assert_eq!(lock.died().map(|died| died.pid), Some(other.id()));
    drop(lock);
    assert_eq!(Lock::acquire(&dir, Duration::ZERO, &me()).unwrap().died(), None);
    let journal = journal::read_last(&dir, 9).unwrap();
    let [entry] = journal.entries.as_slice() else {
        panic!("{journal:?}")
    };
    assert_eq!((entry.outcome.raw(), entry.trigger.raw()), (DIED, "other"));
}

#[test]
fn waiting_ends_when_the_holder_is_done() {
    let (dot_metis, dir) = state();
    let (mut other, _output) = other_process(dot_metis.path());
    let waiting = thread::spawn(move || Lock::acquire(&dir, Duration::from_secs(60), &me()).map(drop));
    drop(other.stdin.take());
    other.wait().unwrap();
    waiting.join().unwrap().unwrap();
}

#[test]
fn what_an_old_file_says_is_no_obstacle() {
    let (_dot_metis, dir) = state();
    let path = dir.path().join("lock");
    // A process that certainly lives, a dead one, and rubbish longer than what is written over it.
    for old in [
        format!("{{\"pid\": {}}}", process::id()),
        "{\"pid\": 4000000}".into(),
        "x".repeat(5000),
    ] {
        fs::write(&path, old).unwrap();
        let lock = Lock::acquire(&dir, Duration::ZERO, &me()).unwrap();
        let said: Holder = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(said, me());
        drop(lock);
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}

#[test]
fn a_holder_that_says_nothing_still_holds() {
    let (_dot_metis, dir) = state();
    let lock = Lock::acquire(&dir, Duration::ZERO, &me()).unwrap();
    fs::write(dir.path().join("lock"), "").unwrap();
    let error = Lock::acquire(&dir, Duration::ZERO, &me()).unwrap_err();
    assert!(matches!(error, LockError::Held { holder: None, .. }));
    drop(lock);
    drop(Lock::acquire(&dir, Duration::ZERO, &me()).unwrap());
}

#[test]
fn leftovers_are_swept_by_whoever_holds_the_lock() {
    let (_dot_metis, dir) = state();
    fs::write(dir.path().join("cursor.json.tmp-1-0"), "half").unwrap();
    fs::write(dir.path().join("cursor.json"), "whole").unwrap();
    drop(Lock::acquire(&dir, Duration::ZERO, &me()).unwrap());
    assert!(!dir.path().join("cursor.json.tmp-1-0").exists());
    assert!(dir.path().join("cursor.json").exists());
}

#[test]
fn a_symlink_or_a_pipe_is_no_lock_file() {
    let (dot_metis, dir) = state();
    let victim = dot_metis.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, dir.path().join("lock")).unwrap();
    let result = Lock::acquire(&dir, Duration::ZERO, &me());
    assert!(matches!(result, Err(LockError::State(StateError::Corrupt { .. }))));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");

    fs::remove_file(dir.path().join("lock")).unwrap();
    let made = Command::new("mkfifo").arg(dir.path().join("lock")).status().unwrap();
    assert!(made.success());
    let result = Lock::acquire(&dir, Duration::ZERO, &me());
    assert!(matches!(result, Err(LockError::State(StateError::Corrupt { .. }))));
}

#[test]
fn missing_lock_support_is_told_from_failure() {
    for errno in [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOSYS] {
        assert!(has_no_locks(&errno.into()), "{errno}");
    }
    for errno in [Errno::IO, Errno::BADF] {
        assert!(!has_no_locks(&errno.into()), "{errno}");
    }
}
