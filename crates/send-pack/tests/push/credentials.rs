//! User names and passwords: where they come from, who is told about them, and who is never asked.

mod proxy;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use send_pack::{
    Outcome, PushError,
    connect::{ConnectOptions, FailureKind, Prompt},
};

use super::again::Writer;
use super::client::{Draft, Pushed, applied, first, options, push, push_with};
use crate::support::{
    point::Point,
    process::run,
    servers::{Access, Nginx},
    world::World,
};

/// A locked central, and a repository whose configuration names a helper and an askpass program that write down what
/// they were told.
struct Scene {
    world: World,
    nginx: Nginx,
    dir: PathBuf,
}

impl Scene {
    fn new(access: Access) -> Option<Scene> {
        let world = World::unborn();
        let nginx = Nginx::start(&world, access)?;
        let dir = world.root().join("asking");
        let mut init = Command::new("git");
        init.args(["init", "-q"]).arg(&dir);
        run(init).success();
        // Whatever the tester has configured is not asked.
        let scene = Scene { world, nginx, dir };
        scene.configure("[credential]\n\thelper =\n[core]\n\taskPass =\n");
        Some(scene)
    }

    fn configure(&self, text: &str) {
        let path = self.dir.join(".git/config");
        let old = fs::read_to_string(&path).expect("git made it");
        fs::write(path, format!("{old}\n{text}")).expect("writable");
    }

    /// A program that logs its argument and input, and gives this password to those who ask.
    fn helper(&self, password: &str) {
        let log = self.log("helper");
        let body = format!(
            "echo \"$1\" >> {log}; cat >> {log}; [ $1 = get ] && printf 'username={}\\npassword=%s\\n' '{password}'",
            Nginx::USER,
            log = log.display(),
        );
        self.configure(&format!(
            "[credential]\n\thelper = {}\n",
            self.program("helper", &body).display()
        ));
    }

    fn askpass(&self, password: &str) {
        let body = format!(
            "echo \"$1\" >> {}; case $1 in Username*) echo {};; *) echo '{password}';; esac",
            self.log("askpass").display(),
            Nginx::USER
        );
        self.configure(&format!(
            "[core]\n\taskPass = {}\n",
            self.program("askpass", &body).display()
        ));
    }

    fn program(&self, name: &str, body: &str) -> PathBuf {
        let (draft, path) = (self.dir.join("draft"), self.dir.join(name));
        fs::write(&draft, format!("#!/bin/sh\n{body}\n")).expect("writable");
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(draft).arg(&path);
        run(install).success();
        path
    }

    fn log(&self, of: &str) -> PathBuf {
        self.dir.join(format!("{of}.log"))
    }

    fn options(&self, prompt: Prompt) -> ConnectOptions {
        let mut options = options(&self.nginx.remote());
        options.prompt = prompt;
        options.cwd = self.dir.clone();
        options
    }

    fn push(&self, prompt: Prompt) -> Pushed {
        push_with(&self.nginx.remote().url, &self.options(prompt), &first())
    }

    fn tip(&self) -> Option<String> {
        self.world.central.tip()
    }
}

fn said(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}

fn kind(pushed: Pushed) -> FailureKind {
    match pushed {
        Err(PushError::Connect(cause)) => {
            assert!(!format!("{cause:?}").contains("correct horse"), "{cause:?}");
            cause.kind
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_helper_is_asked_and_told_that_it_was_right() {
    let Some(scene) = Scene::new(Access::Password) else {
        return;
    };
    scene.helper(Nginx::PASSWORD);
    applied(scene.push(Prompt::Never));
    let said = said(&scene.log("helper"));
    assert!(
        said.starts_with("get\n") && said.contains("wwwauth[]=Basic realm") && said.contains("\nstore\n"),
        "{said}"
    );
}

/// Whether the server asks for it at once, or only when it is written to.
#[test]
fn a_helper_that_is_wrong_is_told_to_forget() {
    for access in [Access::Password, Access::PasswordToWrite] {
        let Some(scene) = Scene::new(access) else { return };
        scene.helper("wrong");
        assert_eq!(kind(scene.push(Prompt::Never)), FailureKind::Unauthenticated);
        let said = said(&scene.log("helper"));
        assert!(said.contains("erase\n") && !said.contains("store\n"), "{said}");
        assert_eq!(scene.tip(), None);
    }
}

#[test]
fn a_server_that_asks_only_when_written_to_gets_the_password_then() {
    let Some(scene) = Scene::new(Access::PasswordToWrite) else {
        return;
    };
    scene.helper(Nginx::PASSWORD);
    applied(scene.push(Prompt::Never));
    let heard = said(&scene.log("helper"));
    assert!(heard.starts_with("get\n") && heard.contains("\nstore\n"), "{heard}");
    assert!(scene.tip().is_some());
    // The same with more than is kept in memory for a second try.
    let noise: Vec<u8> = (0..3u32 << 20)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 ^ (n >> 9) as u8)
        .collect();
    let large = first().next(&[("large", &noise)], &[]);
    applied(push_with(
        &scene.nginx.remote().url,
        &scene.options(Prompt::Never),
        &large,
    ));
}

/// After a lost race the next attempt gives what was right before; one that is only asked for when something is sent is got
/// then.
#[test]
fn a_password_holds_for_the_next_attempt() {
    for access in [Access::Password, Access::PasswordToWrite] {
        let Some(scene) = Scene::new(access) else { return };
        scene.helper(Nginx::PASSWORD);
        let one = first();
        applied(push(&scene.world.local(), &one));
        let landing = scene.world.central.landing("b.md", "b\n");
        scene.world.points.command(Point::BeforeRef, &landing);
        let mut writer = Writer::with(&scene.nginx.remote(), scene.options(Prompt::Never));
        let Ok(Outcome::Moved { actual: Some(actual) }) = writer.push(&one.next(&[("c.md", b"c\n")], &[])) else {
            panic!("somebody was faster");
        };
        let files = scene.world.repository().files(actual);
        let again = Draft::on(actual, files, &[("c.md", b"c\n")]);
        applied(writer.push(&again));
        assert_eq!(scene.tip(), Some(again.id.to_string()));
        // The first attempt, and the listing that told that it was lost or, where that needs no password, the second attempt.
        let asked = said(&scene.log("helper")).matches("get\n").count();
        assert_eq!(asked, 2, "{access:?}");
    }
}

#[test]
fn an_askpass_program_answers_unless_nobody_may_be_asked() {
    let Some(scene) = Scene::new(Access::Password) else {
        return;
    };
    scene.askpass(Nginx::PASSWORD);
    assert_eq!(kind(scene.push(Prompt::Never)), FailureKind::Unauthenticated);
    assert_eq!(said(&scene.log("askpass")), "", "it was not asked");
    applied(scene.push(Prompt::Forbidden));
    let asked = said(&scene.log("askpass"));
    assert!(
        asked.contains("Username for") && asked.contains("Password for"),
        "{asked}"
    );
}

#[test]
fn without_anybody_to_ask_it_fails_at_once() {
    let Some(scene) = Scene::new(Access::Password) else {
        return;
    };
    for prompt in [Prompt::Never, Prompt::Forbidden] {
        assert_eq!(kind(scene.push(prompt)), FailureKind::Unauthenticated);
    }
    assert_eq!(scene.tip(), None);
}

#[test]
fn a_helper_that_hangs_does_not_hang_us() {
    let Some(scene) = Scene::new(Access::Password) else {
        return;
    };
    let hanging = scene.program("hanging", "exec sleep 1000");
    scene.configure(&format!("[credential]\n\thelper = {}\n", hanging.display()));
    let mut options = scene.options(Prompt::Forbidden);
    options.deadlines.idle = std::time::Duration::from_millis(400);
    let kind = kind(push_with(&scene.nginx.remote().url, &options, &first()));
    assert_eq!(kind, FailureKind::TimedOut);
}

#[test]
fn a_password_in_the_url_is_used_and_neither_stored_nor_shown() {
    let Some(scene) = Scene::new(Access::Password) else {
        return;
    };
    scene.helper("unused");
    let with = |password: &str| {
        let userinfo = format!("{}:{}@", Nginx::USER, password.replace(' ', "%20"));
        scene.nginx.remote().url.replace("://", &format!("://{userinfo}"))
    };
    applied(push_with(
        &with(Nginx::PASSWORD),
        &scene.options(Prompt::Never),
        &first(),
    ));
    assert_eq!(said(&scene.log("helper")), "", "no helper was asked or told");
    let refused = push_with(
        &with("wr0ng"),
        &scene.options(Prompt::Never),
        &first().next(&[("b", b"b")], &[]),
    );
    assert!(!format!("{refused:?}").contains("wr0ng"), "{refused:?}");
    assert_eq!(kind(refused), FailureKind::Unauthenticated);
}

#[test]
fn an_extra_header_with_a_token_needs_no_helper() {
    use base64::Engine as _;
    let Some(scene) = Scene::new(Access::Password) else {
        return;
    };
    scene.helper("unused");
    let token = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", Nginx::USER, Nginx::PASSWORD));
    let config = format!("[http]\nextraHeader = Authorization: Basic {token}");
    let mut options = super::client::options_with(&scene.nginx.remote(), &config);
    options.cwd = scene.dir.clone();
    applied(push_with(&scene.nginx.remote().url, &options, &first()));
    assert_eq!(said(&scene.log("helper")), "");
}
