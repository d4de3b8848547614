//! What git's configuration and the environment say about connections.

use std::ffi::OsString;

use super::http::HttpConfig;
use super::protocol::Protocols;
use super::ssh::SshProgram;

/// The part of git's configuration and environment that decides how to connect.
///
/// Heeded: `core.sshCommand`, `ssh.variant`, `protocol.*`, and of `http.*`, also per URL, `sslCAInfo`, `sslCAPath`, `sslVerify`,
/// `sslCert`, `sslKey` (not encrypted), `pinnedPubkey` (hashes), `proxy`, `cookieFile` (Netscape's format), `extraHeader`,
/// `userAgent`, `followRedirects`, `postBuffer`, `lowSpeedLimit` and `lowSpeedTime`, with the variables of the environment
/// that go before them. What else there is of `http.*` counts for nothing here, nor does `core.gitProxy`; passwords are
/// given as `Basic`. `~/.netrc` is looked into for the host.
///
/// Read once; which http settings apply is decided per URL. Holds secrets (proxy passwords, extra headers) and has
/// therefore no `Debug`.
#[derive(Clone, Default)]
pub struct Settings {
    pub(crate) ssh: SshProgram,
    pub(crate) protocols: Protocols,
    pub(super) http: HttpConfig,
}

impl Settings {
    /// Read `config` (the user's and, where there is one, the repository's) and the environment through `env`, which
    /// is `|name| std::env::var_os(name)` outside of tests.
    pub fn read(config: &gix_config::File, env: &dyn Fn(&str) -> Option<OsString>) -> Settings {
        Settings {
            ssh: SshProgram::read(config, env),
            protocols: Protocols::read(config, env),
            http: HttpConfig::read(config, env),
        }
    }
}
