//! dulwich, git in Python, as a `git://` server.

use std::{path::PathBuf, process::Command};

use super::{Server, find, not_installed, server_command};
use crate::{process::run, workspace::Remote, world::World};

pub struct Dulwich {
    _server: Server,
    port: u16,
}

/// Serves the repository named by its argument as `/central.git`.
const PROGRAM: &str = "
import sys
from dulwich.repo import Repo
from dulwich.server import DictBackend, TCPGitServer
server = TCPGitServer(DictBackend({b'/central.git': Repo(sys.argv[1]), '/central.git': Repo(sys.argv[1])}), '127.0.0.1', int(sys.argv[2]))
sys.stderr.write('listening\\n')
sys.stderr.flush()
server.serve_forever()
";

impl Dulwich {
    /// `METIS_TEST_DULWICH` may name the Python that has it; otherwise it is the first in PATH or the system's.
    pub fn start(world: &World) -> Option<Self> {
        let pythons = match std::env::var("METIS_TEST_DULWICH") {
            Ok(named) => vec![PathBuf::from(named)],
            Err(_) => find("python3")
                .into_iter()
                .chain([PathBuf::from("/usr/bin/python3")])
                .collect(),
        };
        let has_it = |python: &PathBuf| {
            let mut ask = Command::new(python);
            ask.args(["-c", "import dulwich"]);
            python.is_file() && run(ask).code == Some(0)
        };
        let Some(python) = pythons.into_iter().find(has_it) else {
            not_installed("dulwich");
            return None;
        };
        let command = |port: u16| {
            let mut command = server_command(&python);
            command.env_clear().envs(world.server_env());
            command
                .args(["-c", PROGRAM])
                .arg(&world.central.dir)
                .arg(port.to_string());
            command
        };
        let (server, port) = Server::on_free_port(command, "listening");
        Some(Dulwich { _server: server, port })
    }

    pub fn remote(&self) -> Remote {
        Remote {
            url: format!("git://127.0.0.1:{}/central.git", self.port),
            env: Vec::new(),
        }
    }
}
