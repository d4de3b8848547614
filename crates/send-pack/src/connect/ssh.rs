//! The command line for `ssh`, as git would write it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use bstr::{BStr, ByteSlice};
use gix_transport::Protocol;

use super::Prompt;
use super::process::{self, Spawned};
use super::server::{Starter, cannot_run};

/// Starts the user's ssh program, after having asked it for its dialect where its name does not tell.
pub(super) fn start(starter: &Starter<'_>) -> io::Result<Spawned> {
    let (url, options) = (starter.url, starter.options);
    let ssh = &options.settings.ssh;
    let call = Call {
        user: url.user(),
        host: url.host().unwrap_or_default(),
        port: url.port(),
        service: starter.service.as_str(),
        path: url.path(),
        send_protocol: starter.version == Protocol::V2,
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
            let probe = starter.prepared(Command::new(&program), with(SshProgram::probe(&call))?);
            let limit = Some(options.deadlines.connect);
            let (status, _) = process::run(probe, b"", 1 << 20, starter.own_group(), limit, starter.watch)
                .map_err(|source| cannot_run(&program, source))?;
            match status.success() {
                true => Variant::Ssh,
                false => Variant::Simple,
            }
        }
    };
    starter.spawned(Command::new(&program), with(SshProgram::arguments(variant, &call))?)
}

/// Which dialect of options the ssh program understands (`ssh.variant`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// OpenSSH: `-p`, `-o`.
    Ssh,
    /// PuTTY's plink: `-P`, `-batch`.
    Plink,
    /// The same with its own rule for `-batch`.
    TortoisePlink,
    /// Nothing but host and command.
    Simple,
}

/// The user's ssh program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SshProgram {
    /// A program, or with `via_shell` a command line.
    command: OsString,
    via_shell: bool,
    /// `None` if the name does not tell and the program has to be asked.
    variant: Option<Variant>,
}

impl Default for SshProgram {
    fn default() -> Self {
        SshProgram {
            command: "ssh".into(),
            via_shell: false,
            variant: Some(Variant::Ssh),
        }
    }
}

/// What the program is asked to do.
pub(crate) struct Call<'a> {
    pub(crate) user: Option<&'a str>,
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
    /// `git-upload-pack` or `git-receive-pack`.
    pub(crate) service: &'a str,
    pub(crate) path: &'a BStr,
    /// Pass `GIT_PROTOCOL` on.
    pub(crate) send_protocol: bool,
    /// No questions to the user.
    pub(crate) batch: bool,
    /// Seconds until a connection attempt is given up.
    pub(crate) connect_timeout: u64,
}

impl SshProgram {
    /// `GIT_SSH_COMMAND`, `core.sshCommand`, `GIT_SSH`, `ssh`, in this order; `GIT_SSH_VARIANT` before `ssh.variant`.
    pub(crate) fn read(config: &gix_config::File, env: &dyn Fn(&str) -> Option<OsString>) -> SshProgram {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let configured = |key: &str| config.raw_value(key).ok().map(|value| OsString::from_vec(value.into()));
        let (command, via_shell) = set("GIT_SSH_COMMAND")
            .or_else(|| configured("core.sshCommand").filter(|value| !value.is_empty()))
            .map(|line| (line, true))
            .or_else(|| set("GIT_SSH").map(|program| (program, false)))
            .unwrap_or_else(|| ("ssh".into(), false));
        let told = set("GIT_SSH_VARIANT").or_else(|| configured("ssh.variant"));
        let variant = match told.as_deref().and_then(OsStr::to_str) {
            Some("plink" | "putty") => Some(Variant::Plink),
            Some("tortoiseplink") => Some(Variant::TortoisePlink),
            Some("simple") => Some(Variant::Simple),
            Some("ssh") => Some(Variant::Ssh),
            _ => guessed(&first_word(command.as_bytes(), via_shell)),
        };
        SshProgram {
            command,
            via_shell,
            variant,
        }
    }

    pub(crate) fn variant(&self) -> Option<Variant> {
        self.variant
    }

    /// The program to spawn and the arguments that come before those of [`arguments()`].
    ///
    /// A command line goes through `sh`, unless it has nothing in it that a shell would look at.
    pub(crate) fn invocation(&self) -> (OsString, Vec<OsString>) {
        let needs_shell = self
            .command
            .as_bytes()
            .find_byteset(b"|&;<>()$`\\\"' \t\n*?[#~=%")
            .is_some();
        if !self.via_shell || !needs_shell {
            return (self.command.clone(), Vec::new());
        }
        let mut script = self.command.clone();
        script.push(" \"$@\"");
        ("sh".into(), vec!["-c".into(), script, self.command.clone()])
    }

    /// The arguments of the question whether a program of unknown dialect is an OpenSSH: it is if this succeeds.
    pub(crate) fn probe(call: &Call<'_>) -> Result<Vec<OsString>, String> {
        let mut arguments = vec!["-G".into()];
        arguments.extend(options(Variant::Ssh, call)?);
        arguments.push(destination(call));
        Ok(arguments)
    }

    /// The arguments for `call` in the dialect `variant`. Fails with a sentence if it cannot say what is needed.
    pub(crate) fn arguments(variant: Variant, call: &Call<'_>) -> Result<Vec<OsString>, String> {
        let mut arguments = options(variant, call)?;
        arguments.push(destination(call));
        let mut command = call.service.as_bytes().to_vec();
        command.push(b' ');
        command.extend(quoted(call.path));
        arguments.push(OsString::from_vec(command));
        Ok(arguments)
    }
}

fn options(variant: Variant, call: &Call<'_>) -> Result<Vec<OsString>, String> {
    let mut options: Vec<OsString> = Vec::new();
    match variant {
        Variant::Ssh => {
            if call.send_protocol {
                options.extend(["-o".into(), "SendEnv=GIT_PROTOCOL".into()]);
            }
            if call.batch {
                options.extend(["-o".into(), "BatchMode=yes".into()]);
            }
            options.extend([
                "-o".into(),
                format!("ConnectTimeout={}", call.connect_timeout.max(1)).into(),
            ]);
        }
        Variant::TortoisePlink => options.push("-batch".into()),
        Variant::Plink if call.batch => options.push("-batch".into()),
        Variant::Plink | Variant::Simple => {}
    }
    match (call.port, variant) {
        (None, _) => {}
        (Some(port), Variant::Ssh) => options.extend(["-p".into(), port.to_string().into()]),
        (Some(port), Variant::Plink | Variant::TortoisePlink) => options.extend(["-P".into(), port.to_string().into()]),
        (Some(_), Variant::Simple) => return Err("the ssh variant 'simple' cannot be given a port".to_owned()),
    }
    Ok(options)
}

fn destination(call: &Call<'_>) -> OsString {
    match call.user {
        Some(user) => format!("{user}@{}", call.host).into(),
        None => call.host.into(),
    }
}

/// `path` as one word for the shell on the other side, quoted like git quotes it (old csh expands `!` inside quotes).
fn quoted(path: &BStr) -> Vec<u8> {
    let mut word = vec![b'\''];
    for &byte in path.iter() {
        match byte {
            b'\'' | b'!' => word.extend([b'\'', b'\\', byte, b'\'']),
            _ => word.push(byte),
        }
    }
    word.push(b'\'');
    word
}

fn guessed(program: &[u8]) -> Option<Variant> {
    let name = program
        .rsplit(|b| *b == b'/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    match name.strip_suffix(b".exe").unwrap_or(&name) {
        b"ssh" => Some(Variant::Ssh),
        b"plink" => Some(Variant::Plink),
        b"tortoiseplink" => Some(Variant::TortoisePlink),
        _ => None,
    }
}

/// The program of a command line: its first word without quotes.
fn first_word(command: &[u8], is_line: bool) -> Vec<u8> {
    if !is_line {
        return command.to_vec();
    }
    let mut word = Vec::new();
    let mut quote = None;
    for &byte in command.trim_start() {
        match (quote, byte) {
            (None, b' ' | b'\t' | b'\n') => break,
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => word.push(byte),
        }
    }
    word
}

#[cfg(test)]
mod tests;
