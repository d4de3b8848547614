//! JGit, the git of Gerrit and of everything else in Java, as a `git://` server.

use std::path::Path;

use super::{Server, installed, server_command};
use crate::{workspace::Remote, world::World};

pub struct JGit {
    _server: Server,
    port: u16,
}

impl JGit {
    pub fn start(world: &World) -> Option<Self> {
        let [_jgit, java, shell] = installed(["jgit", "java", "sh"])?;
        let command = |port: u16| {
            let mut command = server_command(Path::new(&shell));
            command.env_clear().envs(world.server_env());
            // It says on standard output that it listens. The `jgit` of Debian 12 forgets a jar.
            command.args(["-c", "exec \"$@\" >&2", "sh"]).arg(&java);
            command.args(["-cp", "/usr/share/java/*", "org.eclipse.jgit.pgm.Main"]);
            command.args([
                "daemon",
                "--enable",
                "receive-pack",
                "--export-all",
                "--listen",
                "127.0.0.1",
            ]);
            command.args(["--port", &port.to_string()]).arg(world.root());
            command
        };
        let (server, port) = Server::on_free_port(command, "istening on");
        Some(JGit { _server: server, port })
    }

    pub fn remote(&self) -> Remote {
        Remote {
            url: format!("git://127.0.0.1:{}/central.git", self.port),
            env: Vec::new(),
        }
    }
}
