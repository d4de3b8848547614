use super::{Access, GitDaemon, Nginx, Sshd};
use crate::{workspace::Remote, world::World};

/// Central on every transport that git has, as far as the servers are there.
pub struct Everywhere {
    local: Remote,
    daemon: Option<GitDaemon>,
    sshd: Option<Sshd>,
    nginx: Option<Nginx>,
}

impl Everywhere {
    /// `access`: how it is served over http.
    pub fn start(world: &World, access: Access) -> Self {
        Everywhere {
            local: world.local(),
            daemon: GitDaemon::start(world),
            sshd: Sshd::start(world),
            nginx: Nginx::start(world, access),
        }
    }

    /// The path first, then git's own protocol, ssh and http.
    pub fn remotes(&self) -> Vec<Remote> {
        let servers = [
            self.daemon.as_ref().map(GitDaemon::remote),
            self.sshd.as_ref().map(Sshd::remote),
            self.nginx.as_ref().map(Nginx::remote),
        ];
        std::iter::once(self.local.clone())
            .chain(servers.into_iter().flatten())
            .collect()
    }
}
