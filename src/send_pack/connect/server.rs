//! The program at the other end: the user's ssh, or git itself for a local path.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command};
use std::sync::Arc;

use gix::protocol::transport::client::git::{ConnectMode, blocking_io::Connection};
use gix::protocol::transport::{Protocol, Service};

use super::deadline::{Watch, Wire};
use super::git::git;
use super::process::{self, CONFIG_ENVIRONMENT, REPOSITORY_ENVIRONMENT, Spawned};
use super::ssh::{Call, SshProgram, Variant};
use super::text;
use super::trouble::CannotRun;
use super::url::{RemoteUrl, Scheme};
use super::{ConnectOptions, Prompt, directory, has_terminal};

/// A conversation over the pipes of a program.
pub(crate) fn conversation(
    read: Wire<ChildStdout>,
    write: Wire<ChildStdin>,
    url: &RemoteUrl,
    version: Protocol,
) -> Connection<BufReader<Wire<ChildStdout>>, Wire<ChildStdin>> {
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

/// Start the program that serves `url`.
pub(crate) fn start(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
    watch: &Arc<Watch>,
) -> io::Result<Spawned> {
    // ssh may have to ask something on the terminal, where only the group in the foreground is heard.
    let asks = url.scheme() == Scheme::Ssh && options.prompt == Prompt::Allowed && has_terminal();
    let own_group = !asks;
    let dir = match url.scheme() {
        // A server finds nothing where it is started: no program, no configuration.
        Scheme::File => PathBuf::from("/"),
        _ => directory(options),
    };
    let prepared = |mut command: Command, arguments: Vec<OsString>| {
        command.args(arguments).current_dir(&dir);
        for name in REPOSITORY_ENVIRONMENT.iter().chain(CONFIG_ENVIRONMENT) {
            command.env_remove(name);
        }
        match version {
            Protocol::V2 => command.env("GIT_PROTOCOL", "version=2"),
            _ => command.env_remove("GIT_PROTOCOL"),
        };
        if url.scheme() == Scheme::File {
            // It is told which repository is meant. What looks like another one, wherever a hook of it goes, is not.
            let only = [
                ("COUNT", "1"),
                ("KEY_0", "safe.bareRepository"),
                ("VALUE_0", "explicit"),
            ];
            command.envs(only.map(|(name, value)| (format!("GIT_CONFIG_{name}"), value)));
        }
        command
    };
    let spawned = |command: Command, arguments| {
        let program = command.get_program().to_owned();
        process::spawn(prepared(command, arguments), own_group).map_err(|source| cannot_run(&program, source))
    };
    if url.scheme() == Scheme::File {
        let path = match url.local_path(&std::path::absolute(directory(options))?) {
            Some(path) => path.into_os_string(),
            None => OsStr::from_bytes(url.path()).to_owned(),
        };
        // Found in PATH in most installations, which saves a process; else git knows where it is.
        let server = Command::new(service.as_str());
        return match process::spawn(prepared(server, vec![path.clone()]), own_group) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                spawned(git(), vec![service.as_git_subcommand().into(), path])
            }
            spawned => spawned.map_err(|source| cannot_run(service.as_str().as_ref(), source)),
        };
    }
    let ssh = &options.settings.ssh;
    let call = Call {
        user: url.user(),
        host: url.host().unwrap_or_default(),
        port: url.port(),
        service: service.as_str(),
        path: url.path(),
        send_protocol: version == Protocol::V2,
        batch: options.prompt != Prompt::Allowed,
        connect_timeout: options.deadlines.connect.as_secs(),
    };
    let (program, before) = ssh.invocation();
    let with = |arguments: Result<Vec<OsString>, String>| {
        arguments
            .map(|arguments| before.iter().cloned().chain(arguments).collect::<Vec<_>>())
            .map_err(io::Error::other)
    };
    let variant = match ssh.variant() {
        Some(variant) => variant,
        None => {
            let probe = prepared(Command::new(&program), with(SshProgram::probe(&call))?);
            let limit = Some(options.deadlines.connect);
            let (status, _) = process::run(probe, b"", 1 << 20, own_group, limit, watch)
                .map_err(|source| cannot_run(&program, source))?;
            if status.success() {
                Variant::Ssh
            } else {
                Variant::Simple
            }
        }
    };
    spawned(Command::new(&program), with(SshProgram::arguments(variant, &call))?)
}

fn cannot_run(program: &OsStr, source: io::Error) -> io::Error {
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
