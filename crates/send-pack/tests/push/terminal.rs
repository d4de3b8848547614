//! Who is asked for a password, and where: on a terminal, by an askpass program, or nobody.

use std::{
    fs,
    io::{Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use super::program::{ENDED, IDLE, Machine, ended};
use crate::support::{
    process::{DEADLINE, as_shell, run},
    servers::{Access, Nginx, Sshd, installed},
    workspace::Remote,
    world::World,
};

/// `program`'s command line behind a program of util-linux that changes where it runs.
fn behind(mut outer: Command, inner: &Command) -> Command {
    outer.arg(inner.get_program()).args(inner.get_args()).env_clear();
    outer.current_dir(inner.get_current_dir().expect("set"));
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer
}

/// A person at a terminal who runs one command.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<(Mutex<(String, bool)>, Condvar)>,
}

impl Terminal {
    fn run(inner: &Command) -> Option<Terminal> {
        let [script] = installed(["script"])?;
        let mut outer = Command::new(script);
        outer.arg("-qec").arg(as_shell(inner)).arg("/dev/null");
        outer.env_clear().env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
        let mut child = outer
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script runs");
        let screen = Arc::new((Mutex::new((String::new(), false)), Condvar::new()));
        let (mut stdout, shown) = (child.stdout.take().expect("piped"), Arc::clone(&screen));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let length = stdout.read(&mut buffer).unwrap_or(0);
                let mut screen = shown.0.lock().expect("nobody panics with it");
                screen.0.push_str(&String::from_utf8_lossy(&buffer[..length]));
                screen.1 = length == 0;
                shown.1.notify_all();
                if length == 0 {
                    return;
                }
            }
        });
        Some(Terminal {
            keyboard: child.stdin.take().expect("piped"),
            child,
            screen,
        })
    }

    /// Wait until the screen shows this.
    #[track_caller]
    fn shows(&self, text: &str) {
        let screen = self.screen.0.lock().expect("nobody panics with it");
        let (screen, _) = self
            .screen
            .1
            .wait_timeout_while(screen, DEADLINE, |(shown, over)| !shown.contains(text) && !*over)
            .expect("nobody panics with it");
        assert!(screen.0.contains(text), "not shown: {text}; but: {}", screen.0);
    }

    fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("somebody reads");
    }

    /// Everything that was shown until the command ended.
    #[track_caller]
    fn ends(mut self) -> String {
        let screen = self.screen.0.lock().expect("nobody panics with it");
        let (screen, late) = self
            .screen
            .1
            .wait_timeout_while(screen, DEADLINE, |(_, over)| !*over)
            .expect("nobody panics with it");
        let shown = screen.0.clone();
        if late.timed_out() {
            let _ = self.child.kill();
            panic!("it does not end: {shown}");
        }
        drop(screen);
        let _ = self.child.wait();
        shown
    }
}

/// `GIT_ASKPASS`, `core.askPass` and `SSH_ASKPASS` answer also where the terminal must not be used, and none of them is
/// started where nobody may be asked.
#[test]
fn every_kind_of_askpass_answers_unless_nobody_may_be_asked() {
    for kind in ["GIT_ASKPASS", "core.askPass", "SSH_ASKPASS"] {
        let world = World::unborn();
        let Some(nginx) = Nginx::start(&world, Access::Password) else {
            return;
        };
        let machine = Machine::new(&world.root());
        let log = world.root().join("asked");
        let program = machine.script(
            "askpass",
            &format!(
                "echo \"$1\" >> {}; case $1 in Username*) echo {};; *) echo '{}';; esac",
                log.display(),
                Nginx::USER,
                Nginx::PASSWORD
            ),
        );
        if kind == "core.askPass" {
            machine.configure(&format!("[core]\n\taskPass = {}\n", program.display()));
        }
        let push = |prompt| {
            let mut push = machine.push(&nginx.remote(), prompt);
            if kind != "core.askPass" {
                push.env(kind, &program);
            }
            run(push).success()
        };
        let never = push("never");
        assert!(ended(&never).starts_with("Unauthenticated"), "{kind}: {never}");
        assert!(!log.exists(), "{kind}: somebody was asked");
        let forbidden = push("forbidden");
        assert_eq!(ended(&forbidden), "applied", "{kind}");
        let asked = fs::read_to_string(&log).expect("it was asked");
        assert!(
            asked.contains("Username for") && asked.contains("Password for"),
            "{kind}: {asked}"
        );
        assert!(!forbidden.contains(Nginx::PASSWORD), "{kind}: {forbidden}");
    }
}

/// A service or a cron job has no terminal: whatever the caller allows, nothing waits for a person.
#[test]
fn without_a_terminal_nothing_waits_for_a_person() {
    let world = World::unborn();
    let (Some(nginx), Some(sshd)) = (Nginx::start(&world, Access::Password), Sshd::start(&world)) else {
        return;
    };
    let Some([setsid]) = installed(["setsid"]) else { return };
    let machine = Machine::new(&world.root());
    for remote in [nginx.remote(), locked(&sshd, &world)] {
        let push = machine.push(&remote, "allowed");
        let mut outer = Command::new(&setsid);
        outer.arg("--wait");
        let said = run(behind(outer, &push)).success();
        assert!(ended(&said).starts_with("Unauthenticated"), "{}: {said}", remote.url);
    }
    assert_eq!(world.central.tip(), None);
}

/// The way in with a key that has a passphrase, which no agent knows.
fn locked(sshd: &Sshd, world: &World) -> Remote {
    let key = world.root().join("ssh/user");
    let mut lock = Command::new("ssh-keygen");
    lock.args(["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f"]).arg(key);
    run(lock).success();
    let remote = sshd.remote();
    let env = remote.env.into_iter();
    Remote {
        // Whether questions are allowed is for the client to say.
        env: env
            .map(|(name, ssh)| (name, ssh.replace("-o BatchMode=yes", "")))
            .collect(),
        ..remote
    }
}

const PASSPHRASE: &str = "open sesame";

#[test]
fn on_a_terminal_a_person_is_asked_and_the_password_is_not_shown() {
    let world = World::unborn();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let machine = Machine::new(&world.root());
    let push = machine.push(&nginx.remote(), "allowed");
    let Some(mut terminal) = Terminal::run(&push) else {
        return;
    };
    terminal.shows("Username for 'https://127.0.0.1");
    terminal.types(&format!("{}\n", Nginx::USER));
    terminal.shows(&format!("Password for 'https://{}@127.0.0.1", Nginx::USER));
    terminal.types(&format!("{}\n", Nginx::PASSWORD));
    let shown = terminal.ends();
    assert_eq!(ended(&shown), "applied");
    assert!(!shown.contains(Nginx::PASSWORD), "{shown}");
    assert!(world.central.tip().is_some());
}

#[test]
fn on_a_terminal_ssh_asks_for_its_passphrase() {
    let world = World::unborn();
    let Some(sshd) = Sshd::start(&world) else { return };
    let machine = Machine::new(&world.root());
    let push = machine.push(&locked(&sshd, &world), "allowed");
    let Some(mut terminal) = Terminal::run(&push) else {
        return;
    };
    terminal.shows("Enter passphrase for key");
    terminal.types(&format!("{PASSPHRASE}\n"));
    let shown = terminal.ends();
    assert_eq!(ended(&shown), "applied");
    assert!(!shown.contains(PASSPHRASE), "{shown}");
}

#[test]
fn on_a_terminal_nobody_is_asked_where_that_is_forbidden() {
    let world = World::unborn();
    let (Some(nginx), Some(sshd)) = (Nginx::start(&world, Access::Password), Sshd::start(&world)) else {
        return;
    };
    let machine = Machine::new(&world.root());
    let locked = locked(&sshd, &world);
    for prompt in ["forbidden", "never"] {
        for remote in [&nginx.remote(), &locked] {
            let Some(terminal) = Terminal::run(&machine.push(remote, prompt)) else {
                return;
            };
            let shown = terminal.ends();
            assert!(ended(&shown).starts_with("Unauthenticated"), "{shown}");
            let before = &shown[..shown.find(ENDED).expect("it ended")];
            assert!(
                !before.contains("Username") && !before.contains("passphrase"),
                "{shown}"
            );
        }
    }
}

/// Ctrl-C where a password is asked for: it ends, and the terminal shows again what is typed.
#[test]
fn ctrl_c_at_a_password_leaves_the_terminal_as_it_was() {
    let world = World::unborn();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let machine = Machine::new(&world.root());
    let push = machine.push(&nginx.remote(), "allowed");
    let mut then = Command::new("sh");
    then.arg("-c").arg(format!(
        "trap : INT; {}; echo; stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e -echo; echo over",
        as_shell(&push)
    ));
    then.env("PATH", "/usr/bin:/bin");
    let Some(mut terminal) = Terminal::run(&then) else {
        return;
    };
    terminal.shows("Username for");
    terminal.types(&format!("{}\n", Nginx::USER));
    terminal.shows("Password for");
    terminal.types("\u{3}");
    let shown = terminal.ends();
    assert!(ended(&shown).starts_with("Interrupted"), "{shown}");
    let after: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert!(after.ends_with(&["echo", "over"]), "{shown}");
    assert_eq!(world.central.tip(), None);
}

/// Nothing of a local push needs the terminal, so the server's programs end with it there as well.
#[test]
fn on_a_terminal_a_hook_that_hangs_ends_with_the_push() {
    let world = World::unborn();
    let repository = world.repository();
    let pid_file = world.root().join("hook.pid");
    repository.hook(
        "pre-receive",
        &format!(
            "trap '' TERM HUP; echo $$ > {}; for n in 1 2 3 4 5 6 7 8 9; do sleep 1; done",
            pid_file.display()
        ),
    );
    let mut push = Machine::new(&world.root()).push(&world.local(), "allowed");
    push.env(IDLE, "300");
    let Some(terminal) = Terminal::run(&push) else { return };
    let shown = terminal.ends();
    assert!(ended(&shown).starts_with("TimedOut"), "{shown}");
    let pid = fs::read_to_string(&pid_file).expect("it ran");
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(
        state.is_empty() || state.contains(") Z "),
        "the hook still runs: {state}"
    );
}
