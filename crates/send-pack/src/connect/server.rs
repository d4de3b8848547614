//! The program at the other end: the user's ssh, or git itself for a local path.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command};
use std::sync::Arc;

use gix_transport::client::git::{ConnectMode, blocking_io::Connection};
use gix_transport::{Protocol, Service};

use super::errors::CannotRun;
use super::gathered::Gathered;
use super::git;
use super::process::{self, CONFIG_ENVIRONMENT, REPOSITORY_ENVIRONMENT, Spawned};
use super::text;
use super::url::{RemoteUrl, Scheme};
use super::watch::{Watch, Wire};
use super::{ConnectOptions, Prompt, directory, has_terminal};

/// A conversation over the pipes of a program.
pub(crate) fn conversation(
    read: Wire<ChildStdout>,
    write: Gathered<Wire<ChildStdin>>,
    url: &RemoteUrl,
    version: Protocol,
) -> Connection<BufReader<Wire<ChildStdout>>, Gathered<Wire<ChildStdin>>> {
    let no_host = None::<(String, Option<u16>)>;
    let path = url.path().to_owned();
    // gix takes a line's length first: what is no line at all is to be seen whole.
    Connection::new(
        BufReader::new(read),
        write,
        version,
        path,
        no_host,
        ConnectMode::Process,
        false,
    )
    .custom_url(Some(url.for_gix().to_bstring()))
}

/// A program that is started as every program at the other end is.
pub(super) struct Starter<'a> {
    pub(super) url: &'a RemoteUrl,
    pub(super) service: Service,
    pub(super) version: Protocol,
    pub(super) options: &'a ConnectOptions,
    pub(super) watch: &'a Arc<Watch>,
}

/// Start the program that serves a URL.
pub(crate) fn start(starter: &Starter<'_>) -> io::Result<Spawned> {
    match starter.url.scheme() {
        Scheme::File => starter.git(),
        _ => super::ssh::start(starter),
    }
}

impl Starter<'_> {
    /// ssh may have to ask something on the terminal, where only the group in the foreground is heard.
    pub(super) fn own_group(&self) -> bool {
        let is_ssh = self.url.scheme() == Scheme::Ssh;
        !(is_ssh && self.options.prompt == Prompt::Allowed && has_terminal())
    }

    /// `command` with its arguments, its folder and its environment.
    pub(super) fn prepared(&self, mut command: Command, arguments: Vec<OsString>) -> Command {
        let dir = match self.url.scheme() {
            // A server finds nothing where it is started: no program, no configuration.
            Scheme::File => PathBuf::from("/"),
            _ => directory(self.options),
        };
        command.args(arguments).current_dir(dir);
        for name in REPOSITORY_ENVIRONMENT.iter().chain(CONFIG_ENVIRONMENT) {
            command.env_remove(name);
        }
        match self.version {
            Protocol::V2 => command.env("GIT_PROTOCOL", "version=2"),
            _ => command.env_remove("GIT_PROTOCOL"),
        };
        if self.url.scheme() == Scheme::File {
            // It is told which repository is meant. What looks like another one, wherever a hook of it goes, is not.
            let only = [
                ("COUNT", "1"),
                ("KEY_0", "safe.bareRepository"),
                ("VALUE_0", "explicit"),
            ];
            command.envs(only.map(|(name, value)| (format!("GIT_CONFIG_{name}"), value)));
        }
        command
    }

    pub(super) fn spawned(&self, command: Command, arguments: Vec<OsString>) -> io::Result<Spawned> {
        let program = command.get_program().to_owned();
        process::spawn(self.prepared(command, arguments), self.own_group())
            .map_err(|source| cannot_run(&program, source))
    }

    /// git's server for a repository on this machine.
    fn git(&self) -> io::Result<Spawned> {
        let path = match self.url.local_path(&std::path::absolute(directory(self.options))?) {
            Some(path) => path.into_os_string(),
            None => OsStr::from_bytes(self.url.path()).to_owned(),
        };
        // Found in PATH in most installations, which saves a process; else git knows where it is.
        let server = Command::new(self.service.as_str());
        match process::spawn(self.prepared(server, vec![path.clone()]), self.own_group()) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                self.spawned(git::command(), vec![self.service.as_git_subcommand().into(), path])
            }
            spawned => spawned.map_err(|source| cannot_run(self.service.as_str().as_ref(), source)),
        }
    }
}

pub(super) fn cannot_run(program: &OsStr, source: io::Error) -> io::Error {
    match source.kind() {
        // What made us stop is no fault of the program.
        io::ErrorKind::TimedOut => source,
        kind => io::Error::new(
            kind,
            CannotRun {
                program: text::line(program.as_bytes(), 100),
                source,
            },
        ),
    }
}
