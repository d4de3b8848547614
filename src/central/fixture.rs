//! Repositories as git makes them, for this room's tests.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// Runs git in `folder`, without anybody's settings and the same each time; it must succeed. Returns what it printed.
pub fn git(folder: &Path, arguments: &[&str], stdin: &[u8]) -> Vec<u8> {
    let mut git = Command::new("git")
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .args(["-c", "pack.threads=1"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = git.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(stdin));
        let output = git.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        output.stdout
    })
}
