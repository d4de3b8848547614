//! What goes wrong on the first day, on a terminal: each message says what happened, what was changed, and what to do,
//! so that nobody has to read code.

use std::fs;

use crate::support::{
    process::run,
    servers::{Access, Nginx, Sshd},
    terminal::{at_terminal, interrupted_at_terminal, plain},
    workspace::{Remote, Workspace},
    world::World,
};

/// What the command shows on a terminal, and its exit code. Nothing of it is on the screen twice.
#[track_caller]
fn shown(workspace: &Workspace, args: &[&str]) -> Option<(i32, String)> {
    let mut command = workspace.metis_sync(args);
    command.env("TERM", "xterm").env("GIT_TERMINAL_PROMPT", "0");
    let finished = at_terminal(workspace, &command, "")?;
    let text = plain(&finished);
    let lines: Vec<&str> = text.lines().collect();
    for (n, line) in lines.iter().enumerate() {
        let said = line.trim_start_matches("remote: ").trim();
        let again = lines
            .iter()
            .skip(n + 1)
            .find(|other| said.len() > 20 && other.contains(said));
        assert_eq!(again, None, "said twice: {text}");
    }
    Some((finished.code.expect("it ends by itself"), text))
}

fn without(url: impl Into<String>) -> Remote {
    Remote {
        url: url.into(),
        env: Vec::new(),
    }
}

macro_rules! or_skip {
    ($shown:expr) => {
        match $shown {
            Some(shown) => shown,
            None => return,
        }
    };
}

#[test]
fn not_in_a_workspace() {
    let world = World::new();
    let nobody = world.workspace("api");
    fs::remove_dir_all(nobody.metis()).unwrap();
    let (exit, text) = or_skip!(shown(&nobody, &[]));
    let folder = nobody.dir.display();
    assert_eq!(
        (exit, text.as_str()),
        (
            1,
            format!(
                "error: no .metis folder in {folder} or above it\n  Nothing was pushed.\n  Go to a folder with a .metis/ in it or \
                 above it, or set one up with `git metis-sync init --upstream URL --prefix NAME`.\n"
            )
            .as_str()
        )
    );
}

/// A workspace on its own is no error, and neither is one with nothing in it.
#[test]
fn nothing_to_do() {
    let world = World::new();
    let alone = world.workspace_with_config("api", &world.local(), "[project]\nprefix = \"API\"\n");
    let (exit, text) = or_skip!(shown(&alone, &[]));
    assert_eq!(
        (exit, text.as_str()),
        (0, "No central repository is configured: nothing to sync.\n")
    );

    let empty = world.workspace("web");
    let (exit, text) = or_skip!(shown(&empty, &["status"]));
    let last = text.lines().last().unwrap_or_default();
    assert_eq!(
        (exit, last),
        (
            0,
            "No own documents yet: Markdown files below .metis/ with a short_code in their frontmatter."
        )
    );
    let (exit, text) = or_skip!(shown(&empty, &[]));
    assert!(
        exit == 0 && text.starts_with("There was nothing to pull or push.\nDone in "),
        "{text}"
    );
    let (exit, text) = or_skip!(shown(&empty, &["query", "workspace", "web"]));
    assert_eq!((exit, text.as_str()), (0, "None.\n"));
}

#[test]
fn the_address_is_wrong() {
    let world = World::new();
    let api = world.workspace_on("api", &without("../nothing.git"));
    let (exit, text) = or_skip!(shown(&api, &[]));
    let next = "  Check [sync] upstream_url in config.toml, and that you may read it.\n";
    assert!(
        exit == 1
            && text.contains("error: there is no repository at ../nothing.git\n  Nothing was pushed. It took ")
            && text.ends_with(next),
        "{text}"
    );
    // Before there is a config.toml that could be looked into, it is the address that was typed.
    for (url, next) in [
        (
            "../nothing.git",
            "Check the address, and that you may read it. A repository has to exist already",
        ),
        (
            "../nothing.git",
            &format!("  A relative path counts from {}. ", api.dir.display()),
        ),
        (
            "git.example.org/team/central",
            "It was taken for a path; for a host write https://git.example.org/team/central or ssh://",
        ),
        ("ftp://host/central.git", "Check central's address"),
        (
            "http://central.invalid/x.git",
            "Check the network and the address, then run init again.",
        ),
        (
            "https://ann:secret@127.0.0.1/x.git",
            "Leave it out; git's credential helper is asked for it",
        ),
    ] {
        let before = api.snapshot();
        let (exit, text) = or_skip!(shown(&api, &["init", "--upstream", url]));
        assert!(
            exit != 0 && text.contains("\n  Nothing was written.\n") && text.contains(next),
            "{text}"
        );
        assert!(!text.contains("secret") && !text.contains("sync again"), "{text}");
        assert!(api.snapshot().since(&before).is_empty());
    }
}

#[test]
fn the_host_does_not_let_in() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let way = "  `git ls-remote` with central's address has to get in first; it takes the same way.\n";
    let stranger = world.workspace_on("api", &sshd.stranger());
    let (exit, text) = or_skip!(shown(&stranger, &[]));
    assert!(
        exit == 5 && text.contains("Permission denied") && text.ends_with(way),
        "{text}"
    );
    // No known_hosts: ssh asks, and nobody is there to answer.
    let unknown = world.workspace_on("web", &without(sshd.remote().url));
    let (exit, text) = or_skip!(shown(&unknown, &[]));
    assert!(
        exit == 5 && text.contains("connect once with `ssh`, and compare the fingerprint"),
        "{text}"
    );

    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let nameless = world.workspace_on("ops", &nginx.remote());
    let (exit, text) = or_skip!(shown(&nameless, &[]));
    assert!(
        exit == 5 && text.contains("What came back: HTTP status 401. `git ls-remote`"),
        "{text}"
    );
    let distrusting = world.workspace_on("qa", &without(nginx.remote().url));
    let (exit, text) = or_skip!(shown(&distrusting, &[]));
    assert!(exit == 6 && text.contains("http.sslCAInfo or GIT_SSL_CAINFO"), "{text}");
}

/// Without `user.name` git commits nothing; a sync does, and says whose it is.
#[test]
fn nobody_has_introduced_themselves_to_git() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Text.");
    let (exit, text) = or_skip!(shown(&api, &[]));
    assert!(
        exit == 0 && text.starts_with("Registered: api/ (first push)\n"),
        "{text}"
    );
    let mut log = api.program("git");
    log.arg("-C")
        .arg(&world.central.dir)
        .args(["log", "-1", "--format=%an <%ae>", &world.central.branch]);
    assert_eq!(run(log).success(), "metis-sync <metis@localhost>\n");
}

/// A file in metis.db's place that is no database: the sync is done, what to do is said once, and everywhere the same.
#[test]
fn something_else_is_where_the_cache_should_be() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Text.");
    api.put(
        "metis.db",
        "my notes, which happen to have this name, and are long enough for a page",
    );
    let (exit, text) = or_skip!(shown(&api, &[]));
    assert!(
        exit == 0 && text.contains("Pushed: 1 document") && text.matches("metis.db").count() == 2,
        "{text}"
    );
    assert!(text.starts_with("warning: metis.db could not be rebuilt: "), "{text}");
    assert_eq!(text.matches("rebuild-cache").count(), 1, "{text}");
    let (exit, text) = or_skip!(shown(&api, &["rebuild-cache"]));
    assert!(
        exit == 1 && text.contains("stays as it is until you move it away\n  metis.db is as it was.\n"),
        "{text}"
    );
    assert_eq!(text.matches("rebuild-cache`").count(), 1, "{text}");
    let (exit, text) = or_skip!(shown(&api, &["query", "workspace"]));
    assert!(exit == 1 && text.matches("error:").count() == 1, "{text}");
    assert_eq!(
        fs::read_to_string(api.metis().join("metis.db")).unwrap(),
        "my notes, which happen to have this name, and are long enough for a page"
    );
}

/// Ctrl-C at a terminal: one line, however much there would have been to say.
#[test]
fn an_interruption_is_one_line() {
    let world = World::new();
    let typos: String = (0..18).map(|n| format!("zzz{n} = 1\n")).collect();
    let config = format!("[workspace]\nprefix = \"api\"\n[sync]\nupstream_url = \"ssh://git@h/x\"\n{typos}");
    let api = world.workspace_with_config("api", &world.local(), &config);
    api.write("API-T-0001", "Text.");
    let reached = world.root().join("reached");
    let mut mkfifo = api.program("mkfifo");
    mkfifo.arg(&reached);
    run(mkfifo).success();
    let ssh = format!(
        "sh -c 'echo a greeting >&2; echo >{}; exec sleep 1000'",
        reached.display()
    );
    for args in [["sync"].as_slice(), &["status"], &["init"], &["fetch"], &["doctor"]] {
        let mut command = api.metis_sync(args);
        command.env("GIT_SSH_COMMAND", &ssh).env("TERM", "xterm");
        let Some(ended) = interrupted_at_terminal(&api, &command, &reached) else {
            return;
        };
        let shown = plain(&ended);
        // A stage's record is for the one behind it.
        let lines: Vec<&str> = shown.lines().filter(|line| !line.contains("\"schema\"")).collect();
        assert_eq!(ended.code, Some(130), "{shown}");
        let [line] = lines.as_slice() else {
            panic!("{args:?}: {shown}")
        };
        assert!(line.contains("error: interrupted"), "{shown}");
    }
}
