//! The push client in a process of its own, with an environment, a terminal (or none) and signals of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use gix_hash::Kind;
use send_pack::{
    Outcome, PushError,
    connect::{ConnectOptions, Prompt, Settings},
};

use super::client::{Draft, push_with};
use crate::support::{process::run, workspace::Remote};

const TO: &str = "METIS_TEST_PUSH_HERE";
const PROMPT: &str = "METIS_TEST_PROMPT";
/// Milliseconds of silence that it bears.
pub const IDLE: &str = "METIS_TEST_IDLE";

/// What the process says before how the push ended.
pub const ENDED: &str = "ended: ";

/// The commit that it pushes.
pub fn draft() -> Draft {
    Draft::first(Kind::Sha1, &[("a.md", b"one\n")])
}

/// Runs in a process of its own: one small push, with the user's git configuration and the environment as they are.
#[test]
#[ignore = "the other half of the tests that need a process"]
fn pushes() {
    let Ok(at) = env::var(TO) else { return };
    let prompt = match env::var(PROMPT).as_deref() {
        Ok("allowed") => Prompt::Allowed,
        Ok("forbidden") => Prompt::Forbidden,
        _ => Prompt::Never,
    };
    let config = gix_config::File::from_globals().expect("a valid ~/.gitconfig");
    let mut options = ConnectOptions::default();
    options.settings = Settings::read(&config, &|name| env::var_os(name));
    options.prompt = prompt;
    if let Ok(idle) = env::var(IDLE) {
        options.deadlines.idle = Duration::from_millis(idle.parse().expect("a number"));
    }
    signal_hook::flag::register(signal_hook::consts::SIGINT, options.interrupt.clone()).expect("a signal's number");
    match push_with(&at, &options, &draft()) {
        Ok(Outcome::Applied) => println!("{ENDED}applied"),
        Err(PushError::Connect(cause)) | Ok(Outcome::Unknown { cause }) => {
            println!("{ENDED}{:?}, {}", cause.kind, cause.message);
        }
        other => println!("{ENDED}{other:?}"),
    }
}

/// Somebody's machine: a home, and a git that asks nobody unless it is told to.
pub struct Machine {
    home: PathBuf,
}

impl Machine {
    pub fn new(dir: &Path) -> Machine {
        let machine = Machine { home: dir.join("home") };
        fs::create_dir(&machine.home).expect("writable");
        machine.configure("[credential]\n\thelper =\n");
        machine
    }

    /// More of `~/.gitconfig`.
    pub fn configure(&self, text: &str) {
        let path = self.home.join(".gitconfig");
        let old = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, format!("{old}{text}")).expect("writable");
    }

    /// A script that can be run at once.
    pub fn script(&self, name: &str, body: &str) -> PathBuf {
        let (draft, path) = (self.home.join("draft"), self.home.join(name));
        fs::write(&draft, format!("#!/bin/sh\n{body}\n")).expect("writable");
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(draft).arg(&path);
        run(install).success();
        path
    }

    /// A push to `remote` in a process, whose standard output ends with [`ENDED`] and how.
    pub fn push(&self, remote: &Remote, prompt: &str) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args(["--exact", "push::program::pushes", "--ignored", "--nocapture"]);
        command.current_dir(&self.home).env_clear();
        for (name, value) in [("LC_ALL", "C"), ("TERM", "dumb"), ("GIT_CONFIG_NOSYSTEM", "1")] {
            command.env(name, value);
        }
        command
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env(TO, &remote.url)
            .env(PROMPT, prompt)
            .envs(remote.env.iter().cloned());
        command
    }
}

/// How a push that was run to its end ended.
#[track_caller]
pub fn ended(said: &str) -> &str {
    let at = said.find(ENDED).unwrap_or_else(|| panic!("it did not end: {said}"));
    said[at + ENDED.len()..].lines().next().unwrap_or_default().trim_end()
}
