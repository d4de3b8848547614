//! gitolite: git over ssh, with its own shell and hooks in between.

use std::{path::PathBuf, process::Command};

use super::{Sshd, installed};
use crate::{process::run, workspace::Remote, world::World};

pub struct Gitolite {
    sshd: Sshd,
    /// The one repository, which everybody may write to.
    pub repository: PathBuf,
}

impl Gitolite {
    pub fn start(world: &World) -> Option<Self> {
        let [gitolite] = installed(["gitolite"])?;
        let home = world.root().join("server");
        let authorize = |keys: &std::path::Path| {
            let mut setup = Command::new(&gitolite);
            setup.env_clear().envs(world.server_env()).current_dir(&home);
            setup.args(["setup", "-pk"]).arg(keys.join("user.pub"));
            run(setup).success();
            home.join(".ssh/authorized_keys")
        };
        let sshd = Sshd::start_for(world, authorize)?;
        let repository = home.join("repositories/testing.git");
        Some(Gitolite { sshd, repository })
    }

    pub fn remote(&self) -> Remote {
        let remote = self.sshd.remote();
        let base: Vec<&str> = remote.url.split('/').take(3).collect();
        Remote {
            url: format!("{}/testing", base.join("/")),
            ..remote
        }
    }
}
