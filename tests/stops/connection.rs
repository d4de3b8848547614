//! Ways to central that are closed.

use std::{fs, net::TcpListener, path::PathBuf};

use metis_sync::sync::stop::Stop;

use super::{Person, change, one};
use crate::support::{
    point::Point,
    process::quoted,
    servers::{Access, Nginx, Sshd},
    workspace::{Remote, Workspace},
    world::World,
};

/// What stands for `ssh`.
pub struct Program(PathBuf);

impl Program {
    /// It does this before it runs what the server is to run, `$command`.
    pub fn becomes(&self, script: &str) {
        let text = format!("for command; do :; done\n{script}\nexec sh -c \"$command\"\n");
        fs::write(&self.0, text).unwrap();
    }
}

/// A workspace with a document to push, whose `ssh` does this.
pub fn behind_ssh(world: &World, script: &str) -> (Workspace, Program) {
    let url = format!("ssh://host{}", world.central.dir.display());
    let api = world.workspace_on("api", &Remote { url, env: Vec::new() });
    api.write("API-T-0001", "Mine.");
    let program = Program(api.home.join("ssh-program"));
    program.becomes(script);
    let command = format!("sh {}", quoted(&program.0.display().to_string()));
    let config = format!("[core]\n\tsshCommand = {command}\n[ssh]\n\tvariant = ssh\n");
    fs::write(api.home.join(".gitconfig"), config).unwrap();
    (api, program)
}

/// A workspace with a document to push, whose `ssh` is this command.
fn with_ssh(world: &World, remote: &Remote) -> Workspace {
    let plain = Remote {
        url: remote.url.clone(),
        env: Vec::new(),
    };
    let api = world.workspace_on("api", &plain);
    api.write("API-T-0001", "Mine.");
    use_ssh(&api, &ssh_of(remote));
    api
}

fn ssh_of(remote: &Remote) -> String {
    let command = remote.env.iter().find(|(name, _)| name == "GIT_SSH_COMMAND");
    command.expect("it has one").1.clone()
}

fn use_ssh(api: &Workspace, command: &str) {
    let mut git = Person::program(api, "git");
    git.args(["config", "--global", "core.sshCommand", command]);
    crate::support::process::run(git).success();
}

pub fn the_key_is_not_known_there(stop: Stop) {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let api = with_ssh(&world, &sshd.stranger());
    let stopped = api.sync_stops(stop);
    use_ssh(&api, &ssh_of(&sshd.remote()));
    let asks = format!("{} {}", stopped.command("git ls-remote"), quoted(&sshd.remote().url));
    api.types(&asks);
    api.goes_through();
}

pub fn the_host_is_not_known_here(stop: Stop) {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let remote = sshd.remote();
    let ssh = ssh_of(&remote).replace("HostKeyAlias=central", "HostKeyAlias=somebody-else");
    let api = with_ssh(&world, &remote);
    use_ssh(&api, &ssh);
    let stopped = api.sync_stops(stop);
    assert!(stopped.commands().contains(&"ssh"), "{stopped:?}");
    let host = remote
        .url
        .trim_start_matches("ssh://")
        .split(':')
        .next()
        .expect("a host")
        .to_owned();
    // The person compares the fingerprint and says yes.
    let yes = ssh.replace("StrictHostKeyChecking=yes", "StrictHostKeyChecking=accept-new");
    api.types(&format!("{yes} {host} true"));
    api.goes_through();
}

pub fn it_is_read_only(stop: Stop) {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let api = world.workspace_on("api", &nginx.remote());
    api.write("API-T-0001", "Mine.");
    world.central.git(&["config", "http.receivepack", "false"]);
    let stopped = api.sync_stops(stop);
    stopped.advises("Ask whoever runs central for write access");
    world.central.git(&["config", "http.receivepack", "true"]);
    api.goes_through();
}

pub fn nobody_known_signed_its_certificate(stop: Stop) {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Tls) else {
        return;
    };
    let Remote { url, env } = nginx.remote();
    let api = world.workspace_on("api", &Remote { url, env: Vec::new() });
    api.write("API-T-0001", "Mine.");
    let stopped = api.sync_stops(stop);
    stopped.advises("http.sslCAInfo");
    api.types(&format!("git config --global http.sslCAInfo {}", quoted(&env[0].1)));
    api.goes_through();
}

/// `[sync] upstream_url` is corrected.
fn corrected(world: &World, url: &str, stop: Stop, advice: &str) {
    let api = world.workspace_on(
        "api",
        &Remote {
            url: url.into(),
            env: Vec::new(),
        },
    );
    api.write("API-T-0001", "Mine.");
    let stopped = api.sync_stops(stop);
    stopped.advises(advice);
    change(&api, url, &world.central.url());
    api.goes_through();
}

pub fn nobody_listens(stop: Stop) {
    let world = World::new();
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    let url = format!("git://{}/central.git", free.unwrap());
    corrected(&world, &url, stop, "Check the network and the address");
}

pub fn nothing_is_there(stop: Stop) {
    let world = World::new();
    let url = format!("file://{}/nowhere.git", world.root().display());
    corrected(&world, &url, stop, "Check [sync] upstream_url in config.toml");
}

pub fn git_may_not_go_there(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.types("git config --global protocol.file.allow never");
    let stopped = api.sync_stops(stop);
    stopped.advises("protocol.allow");
    api.types("git config --global --unset protocol.file.allow");
    api.goes_through();
}

pub fn the_server_greets(stop: Stop) {
    let world = World::new();
    let (api, program) = behind_ssh(&world, "echo Welcome to this host");
    let stopped = api.sync_stops(stop);
    stopped.advises("must print nothing of its own");
    program.becomes("");
    api.goes_through();
}

/// What `git fsck` says of central, which the message asks for.
pub fn fsck(world: &World, person: &Workspace, stopped: &super::Stopped) -> String {
    let fsck = stopped
        .command("git fsck")
        .replacen("git", &format!("git -C {}", world.central.dir.display()), 1);
    person.types(&format!("{fsck} 2>&1 || true"))
}

/// Its configuration is damaged.
pub fn the_server_gives_up(stop: Stop) {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let api = world.workspace_on("api", &nginx.remote());
    api.write("API-T-0001", "Mine.");
    let config = world.central.dir.join("config");
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{good}[[\n")).unwrap();
    let stopped = api.sync_stops(stop);
    let said = fsck(&world, &api, &stopped);
    assert!(said.contains("bad config line"), "{said}");
    fs::write(&config, good).unwrap();
    api.goes_through();
}

pub fn somebody_interrupts(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.edit("API-T-0001", "More.");
    let mut gate = world.points.gate(Point::BeforePush);
    let sync = api.start_sync();
    gate.wait();
    let holder = fs::read(api.metis().join(".sync/lock")).unwrap();
    let holder: serde_json::Value = serde_json::from_slice(&holder).unwrap();
    api.types(&format!("kill -INT {}", holder["pid"]));
    let stopped = super::Stopped::of(&sync.finish(), stop);
    stopped.advises("Run the sync again");
    drop(gate);
    api.goes_through();
    assert_eq!(world.central.folder("api"), api.documents());
}
