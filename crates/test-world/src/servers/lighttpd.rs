//! lighttpd in front of `git http-backend` as a CGI program.

use std::{fmt::Write as _, fs, process::Command};

use super::{Server, installed, server_command};
use crate::{process::run, workspace::Remote, world::World};

pub struct Lighttpd {
    _server: Server,
    port: u16,
}

impl Lighttpd {
    pub fn start(world: &World) -> Option<Self> {
        let [lighttpd] = installed(["lighttpd"])?;
        let mut ask = Command::new("git");
        ask.arg("--exec-path");
        let core = run(ask).success();
        let root = world.root();
        let mut environment = String::new();
        for (name, value) in world.server_env() {
            write!(environment, "\"{name}\" => \"{value}\", ").expect("memory");
        }
        let command = |port: u16| {
            let config = format!(
                "server.document-root = \"{root}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
                 server.upload-dirs = ( \"{root}/tmp\" )\n\
                 server.modules = ( \"mod_setenv\", \"mod_alias\", \"mod_cgi\" )\n\
                 alias.url = ( \"/git\" => \"{core}/git-http-backend\" )\n\
                 cgi.assign = ( \"\" => \"\" )\n\
                 setenv.set-environment = ( {environment}\"GIT_PROJECT_ROOT\" => \"{root}\", \"GIT_HTTP_EXPORT_ALL\" => \"1\" )\n",
                root = root.display(),
                core = core.trim(),
            );
            let file = root.join("lighttpd.conf");
            fs::write(&file, config).expect("temp folder is writable");
            let mut command = server_command(&lighttpd);
            command.env_clear().args(["-D", "-f"]).arg(file);
            command
        };
        let (server, port) = Server::on_free_port(command, "server started");
        Some(Lighttpd { _server: server, port })
    }

    pub fn remote(&self) -> Remote {
        Remote {
            url: format!("http://127.0.0.1:{}/git/central.git", self.port),
            env: Vec::new(),
        }
    }
}
