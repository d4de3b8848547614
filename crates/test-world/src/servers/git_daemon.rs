//! `git daemon`, the plain `git://` server.

use std::{path::Path, process::Command};

use super::{Server, find, not_installed, server_command};
use crate::{process::run, workspace::Remote, world::World};

pub struct GitDaemon {
    _server: Server,
    port: u16,
}

impl GitDaemon {
    pub fn start(world: &World) -> Option<Self> {
        let mut ask = Command::new("git");
        ask.arg("--exec-path");
        let core = run(ask).success();
        if find(&format!("{}/git-daemon", core.trim())).is_none() {
            not_installed("git-daemon");
            return None;
        }
        let command = |port: u16| {
            let mut command = server_command(Path::new(&format!("{}/git-daemon", core.trim())));
            command.env_clear().envs(world.server_env());
            command.args([
                "--reuseaddr",
                "--verbose",
                "--log-destination=stderr",
                "--listen=127.0.0.1",
            ]);
            command.args(["--export-all", "--enable=receive-pack", &format!("--port={port}")]);
            command.arg(format!("--base-path={}", world.root().display()));
            command
        };
        let (server, port) = Server::on_free_port(command, "Ready to rumble");
        Some(GitDaemon { _server: server, port })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn remote(&self) -> Remote {
        Remote {
            url: format!("git://127.0.0.1:{}/central.git", self.port),
            env: Vec::new(),
        }
    }
}
