//! The connection is cut after every byte of the conversation, in both directions.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use gix_hash as hash;
use send_pack::{Outcome, PushError, RefusalKind, connect::ConnectOptions};

use super::client::{Draft, Repository, applied, options, push_with};
use crate::support::{
    process::run,
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::Remote,
    world::World,
};

/// A world with an empty central, its first commit pushed and the second one drafted.
struct Scene {
    world: World,
    repository: Repository,
    first: Draft,
    second: Draft,
}

impl Scene {
    fn new() -> Scene {
        let world = World::unborn();
        let repository = world.repository();
        for hook in ["pre-receive", "reference-transaction"] {
            repository.unhook(hook);
        }
        let text = "a line of the plan\n".repeat(20);
        let first = Draft::first(hash::Kind::Sha1, &[("a.md", text.as_bytes())]);
        let local = world.local();
        applied(push_with(&local.url, &options(&local), &first));
        let second = first.next(
            &[("a.md", format!("{text}one more\n").as_bytes())],
            &[("a.md", text.as_bytes())],
        );
        Scene {
            world,
            repository,
            first,
            second,
        }
    }
}

/// Something between the two ends that can be told to cut the next connection.
trait Between {
    /// Where to push to.
    fn url(&self) -> String;
    fn options(&self) -> ConnectOptions;
    /// The next connection ends after so many bytes went this way; those after it are fair.
    fn cut_next(&self, cut: Option<(Way, u64)>);
    /// How many bytes went this way so far.
    fn bytes(&self, way: Way) -> u64;
}

/// One push, cut after every `step`th byte; afterwards the branch is what the outcome says, and pushing again, as a person
/// would, ends with exactly one new commit.
fn cut_everywhere(scene: &Scene, between: &dyn Between, step: usize) {
    let through = between.url();
    let mut options = between.options();
    options.deadlines.settle = Duration::from_millis(30);
    let measure = |way| {
        let before = between.bytes(way);
        scene.repository.reset(scene.first.id);
        applied(push_with(&through, &options, &scene.second));
        between.bytes(way) - before
    };
    let mut seen = Seen::default();
    for way in [Way::ToServer, Way::ToClient] {
        let length = measure(way);
        for at in (0..length).step_by(step) {
            scene.repository.reset(scene.first.id);
            between.cut_next(Some((way, at)));
            let context = format!("{way:?} cut after {at} of {length}");
            seen.note(scene, &through, &options, &context, || between.cut_next(None));
        }
    }
    scene.repository.fsck();
    // What a cut at every byte must have met.
    assert!(seen.applied > 0 && seen.failed > 0, "{seen:?}");
    eprintln!("{seen:?}");
}

/// A proxy in front of a server's port.
struct Line {
    proxy: Proxy,
    remote: Remote,
    port: u16,
    plan: Arc<Mutex<Option<(Way, u64)>>>,
}

impl Line {
    fn to(remote: Remote, port: u16) -> Line {
        let plan = Arc::new(Mutex::new(None));
        let next = Arc::clone(&plan);
        let proxy = Proxy::to(port, move |_| {
            match next.lock().expect("nobody panics with it").take() {
                Some((way, at)) => Fate::Cut(way, at),
                None => Fate::Fair,
            }
        });
        Line {
            proxy,
            remote,
            port,
            plan,
        }
    }
}

impl Between for Line {
    fn url(&self) -> String {
        self.proxy.front(&self.remote.url, self.port)
    }

    fn options(&self) -> ConnectOptions {
        // The first port on a command line counts for ssh, and it is to be the URL's.
        let env = self.remote.env.iter();
        let env = env.map(|(name, value)| (name.clone(), value.replace(&format!("-p {} ", self.port), "")));
        options(&Remote {
            env: env.collect(),
            ..self.remote.clone()
        })
    }

    fn cut_next(&self, cut: Option<(Way, u64)>) {
        *self.plan.lock().expect("nobody panics with it") = cut;
    }

    fn bytes(&self, way: Way) -> u64 {
        self.proxy.bytes(way)
    }
}

/// A program in the place of ssh, or of a local `git-receive-pack`, with scissors at its pipes.
struct Pipes {
    dir: PathBuf,
    remote: Remote,
}

impl Pipes {
    /// Runs what it is given last with `SERVE`, and ends like an ssh whose connection broke: at once if it hears nothing
    /// more, with the server's end if it is only not heard.
    const PROGRAM: &str = "for last; do :; done
mv next now 2>/dev/null || { tee -a up | SERVE \"$last\" | tee -a down; exit; }
read way bytes < now
exec 3<&0
if [ $way = up ]
then dd bs=1 count=$bytes status=none <&3 3<&- | SERVE \"$last\" 3<&- &
else SERVE \"$last\" <&3 3<&- | dd bs=1 count=$bytes status=none 3<&- &
fi
exec <&- 3<&- >&-
wait $!
exit 255";

    fn new(dir: &Path, name: &str, serve: &str, remote: Remote) -> Pipes {
        fs::create_dir(dir).expect("writable");
        let body = format!("cd {}\n{}", dir.display(), Self::PROGRAM.replace("SERVE", serve));
        fs::write(dir.join("draft"), format!("#!/bin/sh\n{body}\n")).expect("writable");
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(dir.join("draft")).arg(dir.join(name));
        run(install).success();
        Pipes {
            dir: dir.to_owned(),
            remote,
        }
    }
}

impl Between for Pipes {
    fn url(&self) -> String {
        self.remote.url.clone()
    }

    fn options(&self) -> ConnectOptions {
        options(&self.remote)
    }

    fn cut_next(&self, cut: Option<(Way, u64)>) {
        let next = self.dir.join("next");
        match cut {
            Some((way, at)) => {
                let way = if way == Way::ToServer { "up" } else { "down" };
                fs::write(next, format!("{way} {at}\n")).expect("writable");
            }
            None => assert!(!next.exists(), "it was taken"),
        }
    }

    fn bytes(&self, way: Way) -> u64 {
        let name = if way == Way::ToServer { "up" } else { "down" };
        fs::metadata(self.dir.join(name)).map_or(0, |meta| meta.len())
    }
}

#[derive(Debug, Default)]
struct Seen {
    applied: u64,
    failed: u64,
    refused: u64,
    unknown: u64,
}

impl Seen {
    fn note(&mut self, scene: &Scene, through: &str, options: &ConnectOptions, context: &str, mend: impl FnOnce()) {
        let pushed = push_with(through, options, &scene.second);
        mend();
        match pushed {
            Ok(Outcome::Applied) => {
                self.applied += 1;
                assert_eq!(scene.repository.tip(), Some(scene.second.id), "{context}");
            }
            // Nothing was changed, and that is said with the reason.
            Err(PushError::Connect(cause)) => {
                self.failed += 1;
                assert_eq!(scene.repository.tip(), Some(scene.first.id), "{context}: {cause:?}");
                assert!(!cause.message.is_empty(), "{context}");
            }
            // A server whose answer gets through although the pack did not says what is wrong with it.
            Ok(Outcome::Refused(refusal)) => {
                self.refused += 1;
                assert_eq!(scene.repository.tip(), Some(scene.first.id), "{context}: {refusal:?}");
                assert_eq!(refusal.kind, RefusalKind::Unpack, "{context}: {refusal:?}");
            }
            // The server had perhaps not all of it, which only the server knows.
            Ok(Outcome::Unknown { cause }) => {
                self.unknown += 1;
                assert!(!cause.message.is_empty(), "{context}");
            }
            other => panic!("{context}: {other:?}"),
        }
        // Whoever resolves an unknown outcome by the refs has one commit in the end, never two.
        match push_with(through, options, &scene.second) {
            Ok(Outcome::Applied) => {}
            other => panic!("{context}, then fair: {other:?}"),
        }
        assert_eq!(scene.repository.tip(), Some(scene.second.id), "{context}");
    }
}

#[test]
fn git_daemon_cut_after_every_byte() {
    let scene = Scene::new();
    let Some(daemon) = GitDaemon::start(&scene.world) else {
        return;
    };
    cut_everywhere(&scene, &Line::to(daemon.remote(), daemon.port()), 1);
}

#[test]
fn nginx_cut_after_every_eleventh_byte() {
    let scene = Scene::new();
    let Some(nginx) = Nginx::start(&scene.world, Access::Open) else {
        return;
    };
    cut_everywhere(&scene, &Line::to(nginx.remote(), nginx.port()), 11);
}

#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn nginx_cut_after_every_byte() {
    let scene = Scene::new();
    let Some(nginx) = Nginx::start(&scene.world, Access::Open) else {
        return;
    };
    cut_everywhere(&scene, &Line::to(nginx.remote(), nginx.port()), 1);
}

/// Under the encryption: most of these bytes are the greeting of two ssh.
#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn ssh_cut_after_every_fiftieth_byte() {
    let scene = Scene::new();
    let Some(sshd) = Sshd::start(&scene.world) else {
        return;
    };
    cut_everywhere(&scene, &Line::to(sshd.remote(), sshd.port()), 50);
}

/// As ssh cuts it: what has arrived is handed on, and the program ends with 255.
fn ssh_pipes_cut(step: usize) {
    let scene = Scene::new();
    let dir = scene.world.root().join("pipes");
    let remote = Remote {
        url: format!("ssh://central{}", scene.world.central.dir.display()),
        env: vec![
            ("GIT_SSH".into(), dir.join("ssh").display().to_string()),
            ("GIT_SSH_VARIANT".into(), "ssh".into()),
        ],
    };
    cut_everywhere(&scene, &Pipes::new(&dir, "ssh", "sh -c", remote), step);
}

#[test]
fn the_pipes_of_ssh_cut_after_every_thirtieth_byte() {
    ssh_pipes_cut(30);
}

#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn the_pipes_of_ssh_cut_after_every_byte() {
    ssh_pipes_cut(1);
}

const STEP: &str = "METIS_TEST_CUT_STEP";

/// Runs in a process of its own, whose PATH has a `git-receive-pack` with scissors in it.
#[test]
#[ignore = "the other half of the tests that need a process"]
fn cuts_its_own_server() {
    let Ok(step) = env::var(STEP) else { return };
    let scene = Scene::new();
    let path = env::split_paths(&env::var_os("PATH").expect("there is one")).next();
    let dir = path.expect("the folder of the program");
    let pipes = Pipes::new(&dir, "git-receive-pack", "git receive-pack", scene.world.local());
    cut_everywhere(&scene, &pipes, step.parse().expect("a number"));
}

fn a_local_server_cut(step: usize) {
    let dir = tempfile::tempdir().expect("temp folder is writable");
    let mut path = vec![dir.path().join("bin")];
    path.extend(env::split_paths(&env::var_os("PATH").expect("there is one")));
    let mut inner = Command::new(env::current_exe().expect("this program"));
    inner.args(["--exact", "push::cut::cuts_its_own_server", "--ignored", "--nocapture"]);
    inner.env("PATH", env::join_paths(path).expect("no colon"));
    inner.env(STEP, step.to_string());
    let said = inner.output().expect("it runs");
    let (out, err) = (
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr),
    );
    assert!(said.status.success() && out.contains("1 passed"), "{out}{err}");
    assert!(err.contains("Seen {"), "{err}");
    eprintln!("{err}");
}

#[test]
fn a_local_server_cut_after_every_fiftieth_byte() {
    a_local_server_cut(50);
}

#[test]
#[ignore = "takes minutes: scripts/test --servers"]
fn a_local_server_cut_after_every_byte() {
    a_local_server_cut(1);
}

/// A cut under the pack of a push that streams, and one under TLS, where the layers above see no clean end.
#[test]
fn a_streamed_upload_cut_in_the_middle_leaves_the_branch_alone() {
    for access in [Access::Open, Access::Tls] {
        let scene = Scene::new();
        let Some(nginx) = Nginx::start(&scene.world, access) else {
            return;
        };
        let remote = nginx.remote();
        let mut seed = 7u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .take(4 << 20)
        .collect();
        let large = scene.first.next(&[("large.md", &noise)], &[]);
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        let proxy = Proxy::to(nginx.port(), move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 => Fate::Cut(Way::ToServer, 3 << 20),
            _ => Fate::Fair,
        });
        let mut options = options(&remote);
        options.deadlines.settle = Duration::from_millis(200);
        match push_with(&proxy.front(&remote.url, nginx.port()), &options, &large) {
            Err(PushError::Connect(_)) | Ok(Outcome::Unknown { .. }) => {}
            other => panic!("{access:?}: {other:?}"),
        }
        assert_eq!(scene.repository.tip(), Some(scene.first.id), "{access:?}");
        applied(push_with(&remote.url, &options, &large));
        scene.repository.fsck();
    }
}

/// The answer is lost while a hook thinks; the refs show the commit a little later, and that is waited for.
#[test]
fn an_answer_lost_while_the_server_still_works_is_found_out() {
    let scene = Scene::new();
    let Some(daemon) = GitDaemon::start(&scene.world) else {
        return;
    };
    let remote = daemon.remote();
    let flag = scene.world.root().join("thinking");
    scene.repository.hook(
        "pre-receive",
        &format!(
            ": > {}; while [ -e {} ]; do sleep 0.01; done",
            flag.display(),
            flag.display()
        ),
    );
    let proxy = Proxy::to(daemon.port(), {
        let mut first = true;
        move |_| match std::mem::take(&mut first) {
            // The advertisement and nothing of the answer.
            true => Fate::Silent(Way::ToClient, 400),
            false => Fate::Fair,
        }
    });
    let through = proxy.front(&remote.url, daemon.port());
    let mut options = options(&remote);
    options.deadlines.idle = Duration::from_millis(500);
    options.deadlines.settle = Duration::from_secs(20);
    let pushed = thread::scope(|scope| {
        let push = scope.spawn(|| push_with(&through, &options, &scene.second));
        while proxy.connections() < 2 {
            thread::sleep(Duration::from_millis(5));
        }
        std::fs::remove_file(&flag).expect("the hook made it");
        push.join().expect("no panic")
    });
    applied(pushed);
    assert_eq!(scene.repository.tip(), Some(scene.second.id));
}
