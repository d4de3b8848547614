//! Real git servers on loopback, each for one test.

mod dulwich;
mod everywhere;
mod git_daemon;
mod gitolite;
mod jgit;
mod lighttpd;
mod nginx;
mod sshd;

use std::{
    env,
    fs::OpenOptions,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

pub use dulwich::Dulwich;
pub use everywhere::Everywhere;
pub use git_daemon::GitDaemon;
pub use gitolite::Gitolite;
pub use jgit::JGit;
pub use lighttpd::Lighttpd;
pub use nginx::{Access, Nginx};
pub use sshd::Sshd;

use super::process::{DEADLINE, as_shell};

/// A server process, ended by its id when this is dropped, also by a panic.
pub struct Server {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Start it and wait until it has said `ready` on stderr; `None` if it ends before (its port is taken).
    fn start(mut command: Command, ready: &'static str) -> Result<Self, String> {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|err| format!("cannot run {}: {err}", as_shell(&command)))?;
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, receiver) = mpsc::channel();
        let sink = Arc::clone(&log);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if line.contains(ready) {
                    let _ = sender.send(());
                }
                let mut log = sink.lock().expect("nobody panics with it");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let server = Server { child, log };
        match receiver.recv_timeout(DEADLINE) {
            Ok(()) => Ok(server),
            Err(_) => Err(format!("{} did not start: {}", as_shell(&command), server.log())),
        }
    }

    /// Start it on a port that nobody uses. Between finding one and using it, somebody else may take it: then another.
    fn on_free_port(command: impl Fn(u16) -> Command, ready: &'static str) -> (Self, u16) {
        let mut last = String::new();
        for _ in 0..5 {
            let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
            let port = free.expect("loopback has a free port").port();
            match Server::start(command(port), ready) {
                Ok(server) => return (server, port),
                Err(err) => last = err,
            }
        }
        panic!("{last}");
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that dies with the test, however that ends: killed, it cannot end its servers itself.
pub fn server_command(program: &Path) -> Command {
    match find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Where a program is: PATH, and where systems keep servers that are not for everybody's PATH.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(sbin)
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}

/// All `programs`, or `None` after saying in the open that this test is skipped.
pub fn installed<const N: usize>(programs: [&str; N]) -> Option<[PathBuf; N]> {
    if let Some(missing) = programs.iter().find(|program| find(program).is_none()) {
        not_installed(missing);
        return None;
    }
    Some(programs.map(|program| find(program).expect("just found")))
}

/// Where `METIS_TEST_NEED_SERVERS` is 1, a missing server is a failure.
fn not_installed(program: &str) {
    let needed = env::var("METIS_TEST_NEED_SERVERS").is_ok_and(|needed| needed == "1");
    assert!(!needed, "{program} is not installed");
    skip(&format!("{program} is not installed"));
}

/// Say that a test is skipped and why. `METIS_TEST_SKIPS` names a file that collects the reasons, because a runner that
/// shows no output of passing tests would swallow them.
pub fn skip(reason: &str) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("skipped: {reason} ({test})\n");
    match env::var_os("METIS_TEST_SKIPS") {
        Some(file) => {
            let file = OpenOptions::new().create(true).append(true).open(file);
            file.and_then(|mut file| file.write_all(line.as_bytes()))
                .expect("METIS_TEST_SKIPS is writable");
        }
        None => print!("{line}"),
    }
}
