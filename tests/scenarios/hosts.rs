//! Hosts and how one gets in: passwords in `~/.netrc`, refusals in the hosts' own words, servers that greet.

use std::{fs, os::unix::process::ExitStatusExt};

use crate::support::{
    process::{quoted, run},
    servers::{Access, Nginx},
    workspace::{Remote, Workspace},
    world::World,
};

/// A workspace with a document to push, whose `ssh` is this script; `$command` is what the server is to run.
fn behind_ssh(world: &World, script: &str) -> Workspace {
    let remote = Remote {
        url: format!("ssh://host{}", world.central.dir.display()),
        env: Vec::new(),
    };
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "Mine.");
    let program = api.home.join("ssh-program");
    let text = format!("#!/bin/sh\nfor command; do :; done\n{script}\nexec sh -c \"$command\"\n");
    fs::write(&program, text).unwrap();
    fs::write(
        api.home.join(".gitconfig"),
        format!(
            "[core]\n\tsshCommand = sh {}\n[ssh]\n\tvariant = ssh\n",
            quoted(&program.display().to_string())
        ),
    )
    .unwrap();
    api
}

/// A workspace with a document to push to a central behind nginx.
fn behind_nginx(world: &World, access: Access) -> Option<(Workspace, Nginx)> {
    let nginx = Nginx::start(world, access)?;
    let api = world.workspace_on("api", &nginx.remote());
    api.write("API-T-0001", "Mine.");
    Some((api, nginx))
}

fn netrc(api: &Workspace, login: &str, password: &str) {
    let text =
        format!("machine other.example login x password y\nmachine 127.0.0.1 login {login} password \"{password}\"\n");
    fs::write(api.home.join(".netrc"), text).unwrap();
}

/// A credential helper that notes that it was asked.
fn helper(api: &Workspace) {
    let helper = format!(
        "[credential]\n\thelper = \"!f() {{ echo $1 >> {}; echo username={}; echo 'password={}'; }}; f\"\n",
        api.home.join("asked").display(),
        Nginx::USER,
        Nginx::PASSWORD,
    );
    fs::write(api.home.join(".gitconfig"), helper).unwrap();
}

fn asked(api: &Workspace) -> String {
    fs::read_to_string(api.home.join("asked")).unwrap_or_default()
}

/// Whether the server wants a password at once, or only when it is sent a pack or anything, `~/.netrc` has it, and no helper hears of it.
#[test]
fn the_password_is_in_netrc() {
    for access in [Access::Password, Access::PasswordToWrite, Access::PasswordToSend] {
        let world = World::new();
        let Some((api, _nginx)) = behind_nginx(&world, access) else {
            return;
        };
        let failure = api.sync().failure(5);
        assert!(failure.message.starts_with("cannot authenticate to "), "{failure:?}");
        helper(&api);
        netrc(&api, Nginx::USER, Nginx::PASSWORD);
        assert_eq!(api.sync().report().pushed.len(), 1, "{access:?}");
        assert_eq!(asked(&api), "", "{access:?}");
    }
}

/// What is wrong in `~/.netrc`, or meant for another user, leaves the helpers to be asked.
#[test]
fn a_wrong_password_in_netrc_is_followed_by_the_helpers() {
    for access in [Access::Password, Access::PasswordToWrite, Access::PasswordToSend] {
        let world = World::new();
        let Some((api, nginx)) = behind_nginx(&world, access) else {
            return;
        };
        netrc(&api, Nginx::USER, "wr0ng");
        let ended = api.sync();
        assert!(!ended.0.transcript().contains("wr0ng"));
        ended.failure(5);
        helper(&api);
        assert_eq!(api.sync().report().pushed.len(), 1, "{access:?}");
        assert!(
            asked(&api).contains("get") && asked(&api).contains("store"),
            "{access:?}"
        );
        // The URL's user has no entry.
        netrc(&api, "somebody", "wr0ng");
        let url = nginx.remote().url.replace("://", &format!("://{}@", Nginx::USER));
        let web = world
            .workspace_on("web", &Remote { url, ..nginx.remote() })
            .beside(&api);
        web.write("WEB-T-0001", "Mine.");
        assert_eq!(web.sync().report().pushed.len(), 1, "{access:?}");
    }
}

/// Anybody may read, and nobody has the password for the push.
#[test]
fn a_password_that_nobody_has_when_the_pack_is_sent() {
    let world = World::new();
    let Some((api, _nginx)) = behind_nginx(&world, Access::PasswordToWrite) else {
        return;
    };
    let failure = api.sync().failure(5);
    assert_eq!(failure.kind, "auth");
    assert_eq!(failure.state, "Nothing was pushed.");
    assert_eq!(world.central.log().len(), 1);
}

/// The password that opened the door is not the one for what is sent: it is tried once, nobody is asked without end, and it is
/// not shown.
#[test]
fn another_password_is_demanded_for_what_is_sent() {
    let world = World::new();
    let Some((api, nginx)) = behind_nginx(&world, Access::AnotherPasswordToSend) else {
        return;
    };
    helper(&api);
    let ended = api.sync();
    let said = ended.0.transcript();
    assert!(!said.contains(Nginx::PASSWORD), "{said}");
    let failure = ended.failure(5);
    assert_eq!(
        (failure.kind.as_str(), failure.state.as_str()),
        ("auth", "Nothing was pushed.")
    );
    assert!(asked(&api).contains("erase"), "{}", asked(&api));
    let sent = nginx.requests().iter().filter(|line| line.starts_with("POST")).count();
    assert!((1..=2).contains(&sent), "{:?}", nginx.requests());
    assert_eq!(world.central.log().len(), 1);
}

/// Over ssh there is nothing but sentences.
#[test]
fn refusals_in_the_words_of_hosts() {
    for (said, exit, kind) in [
        ("ERROR: This repository was archived so it is read-only.", 7, "refused"),
        ("Forgejo: Mirror Repository o/r is read-only", 7, "refused"),
        (
            "remote: ERROR: This deploy key does not have write access to this project.",
            7,
            "refused",
        ),
        ("ERROR: Your account is suspended.", 7, "refused"),
        // It was listed a moment ago.
        ("ERROR: Repository not found.", 7, "refused"),
        ("git@host: Permission denied (publickey).", 5, "auth"),
    ] {
        let world = World::new();
        let script = format!("case $command in git-receive-pack*) echo '{said}' >&2; exit 1;; esac");
        let api = behind_ssh(&world, &script);
        let failure = api.sync().failure(exit);
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.server_text.contains(said), "{failure:?}");
        assert_eq!(failure.state, "Nothing was pushed.");
        assert_eq!(world.central.log().len(), 1);
    }
}

/// A login shell that prints something, and an account that is not for git.
#[test]
fn what_a_server_says_before_git_does_is_shown() {
    for (script, shown) in [
        (
            "echo; printf 'Welcome to \\033[31mhost\\033[0m\\n'; echo more",
            "Welcome to host",
        ),
        (
            "echo 'This service allows sftp connections only.'; exit 1",
            "This service allows sftp connections only.",
        ),
        ("printf Hi; exit 0", "Hi"),
    ] {
        let world = World::new();
        let failure = behind_ssh(&world, script).sync().failure(1);
        let told = format!("does not speak git's protocol: it said \"{shown}\" first");
        assert!(failure.message.ends_with(&told), "{failure:?}");
        assert!(failure.next.is_some_and(|next| next.contains("start-up files")));
    }
}

/// Whatever command it is, output that cannot be written is a failure, and a reader that went away is git's kind of end.
#[test]
fn a_full_standard_output_is_no_success() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    api.sync().report();
    let ended = |args: &[&str], to: &str| {
        let line: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
        let mut shell = api.program("sh");
        let program = quoted(env!("CARGO_BIN_EXE_git-metis-sync"));
        shell.args(["-c", &format!("{program} {} {to}", line.join(" "))]);
        run(shell)
    };
    for args in [
        &["--json"][..],
        &["sync"],
        &["status"],
        &["status", "--json"],
        &["status", "--porcelain"],
        &["query", "workspace", "--json"],
        &["query", "workspace"],
        &["verify"],
        &["verify", "--json"],
        &["log"],
        &["log", "--json"],
        &["doctor"],
        &["fetch"],
        &["rebuild-cache"],
        &["init", "--dry-run"],
        &["--help"],
        &["-h"],
        &["--version"],
        &["help", "sync"],
    ] {
        let full = ended(args, "> /dev/full");
        assert_eq!(full.code, Some(1), "{}", full.transcript());
        assert!(
            full.stderr.contains("standard output cannot be written"),
            "{}",
            full.transcript()
        );
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = api.metis_sync(args).stdout(writer).status().unwrap();
        assert_eq!(status.signal(), Some(13), "{args:?}: SIGPIPE");
    }
    // A failure keeps its own exit code.
    assert_eq!(ended(&["-C", "/", "status"], "> /dev/full").code, Some(1));
    assert_eq!(ended(&["--no-such-option"], "> /dev/full").code, Some(2));
}
