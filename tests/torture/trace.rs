//! The program under strace, which can count its system calls, kill it at one of them, and let one of them fail.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{
    process::{Finished, run},
    workspace::Workspace,
};

/// What changes a file system, or sends something.
pub const WRITE_LIKE: [&str; 24] = [
    "openat",
    "openat2",
    "creat",
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "rmdir",
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "syncfs",
    "ftruncate",
    "fchmod",
    "flock",
    "sendto",
    "execve",
];

/// Whether strace is here and may trace: in some containers it may not.
pub fn available() -> bool {
    Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// All of a program's threads, and none of the programs that it starts: those are the server's side.
pub fn traced(workspace: &Workspace, options: &[&str], traced: &Command) -> Command {
    let mut command = workspace.program("strace");
    if let Some(dir) = traced.get_current_dir() {
        command.current_dir(dir);
    }
    command
        .args(["-f", "--detach-on=execve", "-qqq"])
        .args(options)
        .arg(traced.get_program())
        .args(traced.get_args());
    for (name, value) in traced.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

/// How often each write-like system call is made at most by one thread: strace counts by thread.
pub fn counts(workspace: &Workspace, traced: &Command, log: &Path) -> BTreeMap<&'static str, usize> {
    let set = WRITE_LIKE.map(|name| format!("?{name}")).join(",");
    let log_name = log.display().to_string();
    let options = ["-o", &log_name, "-e", &format!("trace={set}"), "-e", "signal=none"];
    run(self::traced(workspace, &options, traced)).success();
    let mut by_thread: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
    for line in fs::read_to_string(log).expect("strace wrote it").lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        let name = WRITE_LIKE
            .iter()
            .find(|name| call.strip_prefix(**name).is_some_and(|rest| rest.starts_with('(')));
        if let Some(name) = name {
            *by_thread.entry((thread.to_owned(), name)).or_default() += 1;
        }
    }
    let mut counts = BTreeMap::new();
    for ((_, name), count) in by_thread {
        let most: &mut usize = counts.entry(name).or_default();
        *most = (*most).max(count);
    }
    // The first one is strace's own, and the others are the server's programs being started.
    counts.remove("execve");
    fs::remove_file(log).expect("it is ours");
    counts
}

/// Run with `what` (as in strace's `inject=`) at the `when`-th call of `syscall`, and wait until everything it has
/// started is gone too: a server that lost its client still decides whether it has all it needs.
pub fn with_injected(workspace: &Workspace, traced: &Command, syscall: &str, what: &str, when: &str) -> Finished {
    settled(injected(workspace, traced, syscall, what, when))
}

/// The same, to be run by the caller.
pub fn injected(workspace: &Workspace, traced: &Command, syscall: &str, what: &str, when: &str) -> Command {
    let trace = format!("trace={syscall}");
    let inject = format!("inject={syscall}:{what}:when={when}");
    self::traced(workspace, &["-o", "/dev/null", "-e", &trace, "-e", &inject], traced)
}

/// Run to the end of the program and of all its descendants.
pub fn settled(command: Command) -> Finished {
    // Everybody who is started from here inherits the writing end; when all of them are gone, reading ends.
    let (reader, writer) = rustix::pipe::pipe().expect("descriptors are left");
    rustix::io::fcntl_setfd(&reader, rustix::io::FdFlags::CLOEXEC).expect("it was just made");
    let running = crate::support::process::Running::start(command);
    drop(writer);
    let finished = running.finish();
    fs::File::from(reader).read_to_end(&mut Vec::new()).expect("a pipe");
    finished
}

/// As many as a run of half an hour has time for; `METIS_TORTURE_EVERY=1` leaves nothing out.
pub fn thinned<T: Copy>(all: &[T], count: usize) -> Vec<T> {
    match std::env::var_os("METIS_TORTURE_EVERY") {
        Some(_) => all.to_vec(),
        None => spread(all, count),
    }
}

/// Every `all.len() / count`-th.
pub fn spread<T: Copy>(all: &[T], count: usize) -> Vec<T> {
    (0..count.min(all.len()))
        .map(|n| all[n * all.len() / count.min(all.len())])
        .collect()
}

/// Each call on its own.
pub fn points(counts: &BTreeMap<&'static str, usize>) -> Vec<(&'static str, usize)> {
    counts
        .iter()
        .flat_map(|(name, count)| (1..=*count).map(move |n| (*name, n)))
        // Loading the program opens libraries before there is anything to disturb.
        .filter(|(name, n)| *name != "openat" || *n > 12)
        .collect()
}
