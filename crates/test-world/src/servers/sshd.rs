//! OpenSSH's server on a high port, with keys made for the test.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Server, installed, server_command};
use crate::{
    process::{quoted, run},
    workspace::Remote,
    world::World,
};

pub struct Sshd {
    server: Server,
    port: u16,
    user: String,
    central: PathBuf,
    keys: PathBuf,
}

impl Sshd {
    pub fn start(world: &World) -> Option<Self> {
        Self::start_for(world, |keys| keys.join("user.pub"))
    }

    /// The same, with who gets in decided by the file that `authorize` makes from the folder of keys.
    pub fn start_for(world: &World, authorize: impl FnOnce(&Path) -> PathBuf) -> Option<Self> {
        let [sshd, _, keygen] = installed(["sshd", "ssh", "ssh-keygen"])?;
        let keys = world.root().join("ssh");
        fs::create_dir(&keys).expect("temp folder is writable");
        for name in ["host", "user", "stranger"] {
            let mut make = Command::new(&keygen);
            make.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
                .arg(keys.join(name));
            run(make).success();
        }
        let text = |name: &str| fs::read_to_string(keys.join(name)).expect("ssh-keygen made it");
        fs::write(keys.join("known_hosts"), format!("central {}", text("host.pub"))).expect("temp folder is writable");

        let authorized = authorize(&keys);
        let mut whoami = Command::new("id");
        whoami.arg("-un");
        let user = run(whoami).success().trim().to_owned();
        if user == "root" {
            // As root, sshd shuts its unprivileged half into this folder, which a boot without the service does not make.
            let _ = fs::create_dir_all("/run/sshd");
        }
        // The login shell's own start-up files and the login's PATH are the tester's, not the world's: `SetEnv` comes after.
        let mut environment = String::new();
        for (name, value) in world.server_env() {
            write!(environment, " {name}=\"{value}\"").expect("memory");
        }
        let (dir, authorized) = (keys.display(), authorized.display());
        // The default key exchange, post-quantum, takes a fifth of a second; a test makes dozens of connections.
        let config = format!(
            "\
ListenAddress 127.0.0.1
HostKey {dir}/host
AuthorizedKeysFile {authorized}
AllowUsers {user}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
KexAlgorithms curve25519-sha256
AcceptEnv GIT_PROTOCOL
SetEnv{environment}
MaxStartups 100
PrintMotd no
PidFile none
LogLevel VERBOSE
"
        );
        fs::write(keys.join("sshd_config"), config).expect("temp folder is writable");

        let command = |port: u16| {
            let mut command = server_command(&sshd);
            command
                .args(["-D", "-e", "-p", &port.to_string(), "-f"])
                .arg(keys.join("sshd_config"));
            command
        };
        let (server, port) = Server::on_free_port(command, "Server listening on");
        Some(Sshd {
            server,
            port,
            user,
            central: world.central.dir.clone(),
            keys,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn remote(&self) -> Remote {
        self.remote_with_key("user")
    }

    /// A key that the server does not know.
    pub fn stranger(&self) -> Remote {
        self.remote_with_key("stranger")
    }

    /// The same as `user@host:path`, as people write it.
    pub fn scp_like(&self) -> Remote {
        let url = format!("{}@127.0.0.1:{}", self.user, self.central.display());
        Remote { url, ..self.remote() }
    }

    fn remote_with_key(&self, key: &str) -> Remote {
        let file = |name: &str| quoted(&self.keys.join(name).display().to_string());
        let ssh = format!(
            "ssh -F none -p {port} -i {key} -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
             -o HostKeyAlias=central -o StrictHostKeyChecking=yes -o UserKnownHostsFile={known} -o GlobalKnownHostsFile=none",
            port = self.port,
            key = file(key),
            known = file("known_hosts"),
        );
        Remote {
            url: format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, self.central.display()),
            env: vec![("GIT_SSH_COMMAND".into(), ssh)],
        }
    }

    pub fn log(&self) -> String {
        self.server.log()
    }
}
