//! One central and the workspaces around it, in a temp folder, cut off from the machine's and the tester's settings.

use std::{
    cell::RefCell,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{
    central::{Central, Shape},
    point::{HOOKS, Point, Points},
    process::{quoted, run},
    repository::Repository,
    wire::Wire,
    workspace::{Remote, Workspace},
};

pub struct World {
    folder: TempDir,
    pub central: Central,
    pub points: Points,
    homes: RefCell<usize>,
}

impl World {
    /// A central with one commit on `main`, as a git host makes it.
    pub fn new() -> Self {
        Self::shaped(Shape::default())
    }

    /// A central without a commit.
    pub fn unborn() -> Self {
        Self::shaped(Shape {
            born: None,
            ..Shape::default()
        })
    }

    pub fn shaped(shape: Shape) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("metis-")
            .tempdir()
            .expect("temp folder is writable");
        // A temp folder behind a symlink would give every path two names.
        let root = folder.path().canonicalize().expect("it was just made");
        let bin = root.join("bin");
        for dir in ["bin", "tmp", "server"] {
            fs::create_dir(root.join(dir)).expect("temp folder is writable");
        }
        let points = Points::create(root.join("points"));
        executable(&bin.join("at-point"), &points.program());
        executable(&bin.join("land"), LAND);
        for (service, point) in [("upload-pack", Point::BeforeFetch), ("receive-pack", Point::BeforePush)] {
            executable(
                &bin.join(format!("git-{service}")),
                &service_program(&root, service, point),
            );
        }
        let central = Central::create(root.join("central.git"), shape, server_env(&root), &bin);
        for (hook, condition, point) in HOOKS {
            let at_point = quoted(&bin.join("at-point").display().to_string());
            let text = format!("#!/bin/sh\n! {condition} || exec {at_point} {}\n", point.name());
            executable(&central.dir.join("hooks").join(hook), &text);
        }
        let homes = RefCell::new(0);
        World {
            folder,
            central,
            points,
            homes,
        }
    }

    pub fn root(&self) -> PathBuf {
        self.folder
            .path()
            .canonicalize()
            .expect("it lives as long as the world")
    }

    /// Environment of the server side: central's own git and everything that serves it.
    pub fn server_env(&self) -> Vec<(String, String)> {
        server_env(&self.root())
    }

    /// Central by its `file://` URL.
    pub fn local(&self) -> Remote {
        Remote {
            url: self.central.url(),
            env: Vec::new(),
        }
    }

    /// What central's server has.
    pub fn repository(&self) -> Repository {
        Repository {
            dir: self.central.dir.clone(),
        }
    }

    /// A workspace that owns `prefix`, reaches central by file URL and has a machine of its own.
    pub fn workspace(&self, prefix: &str) -> Workspace {
        self.workspace_on(prefix, &self.local())
    }

    pub fn workspace_on(&self, prefix: &str, remote: &Remote) -> Workspace {
        let config = format!(
            "# Kept by hand.\n[project]\nprefix = \"{}\"\n\n[flight_levels]\ninitiatives_enabled = true\n\n\
             [workspace]\nprefix = \"{prefix}\"\n\n[sync]\nupstream_url = \"{}\"\n",
            prefix.replace(|c: char| !c.is_ascii_alphabetic(), "").to_uppercase(),
            remote.url
        );
        self.workspace_with_config(prefix, remote, &config)
    }

    pub fn workspace_with_config(&self, prefix: &str, remote: &Remote, config: &str) -> Workspace {
        let number = self.homes.replace_with(|n| *n + 1);
        let machine = self.root().join(format!("machine-{number}"));
        let mut env = self.client_env();
        env.extend(remote.env.iter().cloned());
        Workspace::create(machine.join("project"), machine.join("home"), prefix, env, config)
    }

    /// What a person's programs find in their environment, but for their home.
    pub fn client_env(&self) -> Vec<(String, String)> {
        let root = self.root();
        let mut env = plain_env(&root);
        env.push(("TMPDIR".into(), root.join("tmp").display().to_string()));
        env
    }

    /// What a sync may have left lying in the temp folder.
    pub fn left_over(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root().join("tmp")).expect("it is ours");
        entries.map(|entry| entry.expect("readable folder").path()).collect()
    }

    /// What has gone over the wire since the last call.
    pub fn wire(&self) -> Wire {
        let log = self.root().join("wire.log");
        let lines = fs::read_to_string(&log)
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect();
        let _ = fs::remove_file(log);
        Wire(lines)
    }

    /// Central is sound, and each of `workspaces` has its own documents there and everybody else's here, byte for byte.
    #[track_caller]
    pub fn assert_converged(&self, workspaces: &[Workspace]) {
        self.central.fsck_strict();
        for owner in workspaces {
            let documents = owner.documents();
            assert_eq!(
                text(&self.central.folder(&owner.prefix)),
                text(&documents),
                "central's {}/",
                owner.prefix
            );
            for reader in workspaces.iter().filter(|reader| reader.prefix != owner.prefix) {
                let hydrated = reader.hydrated(&owner.prefix);
                assert_eq!(
                    text(&hydrated),
                    text(&documents),
                    "{}/ in {}",
                    owner.prefix,
                    reader.prefix
                );
            }
        }
        assert_eq!(self.left_over(), Vec::<PathBuf>::new(), "temp files are gone");
    }

    /// A second clone by git itself, for what a person would see.
    pub fn clone_central(&self) -> PathBuf {
        let target = self.root().join("clone");
        let mut command = Command::new("git");
        command
            .env_clear()
            .envs(self.server_env())
            .args(["clone", "--quiet", &self.central.url()])
            .arg(&target);
        run(command).success();
        target
    }
}

impl Drop for World {
    /// A server whose client was killed may still be writing its trace: then the folder is not empty when it should go.
    fn drop(&mut self) {
        for _ in 0..100 {
            match fs::remove_dir_all(self.folder.path()) {
                Err(err) if err.kind() == ErrorKind::DirectoryNotEmpty => std::thread::yield_now(),
                _ => return,
            }
        }
    }
}

/// Bytes that differ are shown as text where they are text.
fn text(files: &std::collections::BTreeMap<String, Vec<u8>>) -> Vec<(&str, String)> {
    files
        .iter()
        .map(|(name, bytes)| (name.as_str(), format!("{:?}", bstr(bytes))))
        .collect()
}

fn bstr(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Neither HOME nor anything else of the machine but the programs.
fn plain_env(root: &Path) -> Vec<(String, String)> {
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".into());
    [
        (
            "PATH",
            format!("{}:{path}:/usr/local/sbin:/usr/sbin:/sbin", root.join("bin").display()),
        ),
        ("LC_ALL", "C".into()),
        // What is read on a terminal goes to no pager of the tester's.
        ("GIT_PAGER", "cat".into()),
        ("TZ", "UTC".into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn server_env(root: &Path) -> Vec<(String, String)> {
    let mut env = plain_env(root);
    let mut set = |name: &str, value: String| env.push((name.to_owned(), value));
    set("HOME", root.join("server").display().to_string());
    set("GIT_TRACE_PACKET", root.join("wire.log").display().to_string());
    for role in ["AUTHOR", "COMMITTER"] {
        set(&format!("GIT_{role}_NAME"), "Another client".into());
        set(&format!("GIT_{role}_EMAIL"), "other@example.org".into());
        set(&format!("GIT_{role}_DATE"), "2026-02-26T01:30:00Z".into());
    }
    env
}

/// `git-upload-pack` or `git-receive-pack` as a client finds it first in PATH: the real one, behind a point.
///
/// The packet trace is of the server's side only; whatever the client had in its own environment is its own affair.
fn service_program(root: &Path, service: &str, point: Point) -> String {
    format!(
        "#!/bin/sh\n{at_point} {point} || exit 1\nGIT_TRACE_PACKET={wire} exec git {service} \"$@\"\n",
        at_point = quoted(&root.join("bin/at-point").display().to_string()),
        point = point.name(),
        wire = quoted(&root.join("wire.log").display().to_string()),
    )
}

/// `land BRANCH PATH FILE`: a commit on top of the branch, made with nothing but git's plumbing.
const LAND: &str = r#"#!/bin/sh
set -eu
GIT_INDEX_FILE=$(pwd)/landing.$$
export GIT_INDEX_FILE
parent=$(git rev-parse --quiet --verify "refs/heads/$1") || parent=
[ -z "$parent" ] || git read-tree "$parent"
git update-index --add --cacheinfo "100644,$(git hash-object -w "$3"),$2"
commit=$(git commit-tree "$(git write-tree)" ${parent:+-p "$parent"} -m "sync: ${2%%/*} @ 2026-02-26T01:30:00Z")
git -c core.hooksPath=/dev/null update-ref "refs/heads/$1" "$commit" "${parent:-}"
rm -f "$GIT_INDEX_FILE"
"#;

/// A script that can be executed at once. It is copied into place by a process of its own: a file that this process had
/// open for writing may still be open in a child that another thread forks just then, and running it fails ("busy").
pub fn executable(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    fs::write(&draft, text).expect("temp folder is writable");
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(draft).arg(path);
    run(install).success();
}
