//! Points on a server at which a test can step in, so that a race or a crash happens for certain and each time.
//!
//! Central's hooks, and the programs that a client starts there, run the next waiting script when a request comes by:
//! one script per request, in the order in which they were put. While a command at a point runs (another workspace's
//! whole sync, say) every other request passes all points unhindered.

use std::{
    cell::Cell,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{CWD, FileType, Mode, mknodat},
};

use super::process::{DEADLINE, as_shell, quoted};

/// When, in the life of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A fetch is about to begin: the client has not seen central's refs yet. (file, ssh)
    BeforeFetch,
    /// A push is about to begin: the client has fetched, hydrated and built its commit, and will now be told central's
    /// refs. (file, ssh)
    BeforePush,
    /// The objects are there, the ref is not yet moved. From here on the client cannot notice by itself that somebody
    /// else is faster: the server refuses at the lock. (all transports)
    BeforeRef,
    /// The ref is moved, the client has no answer yet. (all transports)
    AfterRef,
}

impl Point {
    pub const ALL: [Point; 4] = [Point::BeforeFetch, Point::BeforePush, Point::BeforeRef, Point::AfterRef];

    pub fn name(self) -> &'static str {
        match self {
            Point::BeforeFetch => "before-fetch",
            Point::BeforePush => "before-push",
            Point::BeforeRef => "before-ref",
            Point::AfterRef => "after-ref",
        }
    }
}

/// Central's hooks that pass the points: `(hook, condition, point)`.
pub const HOOKS: [(&str, &str, Point); 2] = [
    ("pre-receive", "true", Point::BeforeRef),
    // `post-receive` would be too late: it runs when the client has its answer.
    ("reference-transaction", "[ \"$1\" = committed ]", Point::AfterRef),
];

/// The scripts that wait at the points of one central.
pub struct Points {
    dir: PathBuf,
    gates: Cell<usize>,
}

impl Points {
    pub fn create(dir: PathBuf) -> Self {
        for point in Point::ALL {
            fs::create_dir_all(dir.join(point.name())).expect("temp folder is writable");
        }
        Points {
            dir,
            gates: Cell::new(0),
        }
    }

    /// The program that a hook runs to pass the point named by its argument.
    pub fn program(&self) -> String {
        format!(
            r#"#!/bin/sh
queue={dir}/$1
[ -e {dir}/overtaking ] && exit 0
unset GIT_DIR GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_PROTOCOL
for script in "$queue"/*.sh; do
    # Whoever can move it has it: requests that come at the same time get different ones.
    if mv "$script" "$script.done" 2>/dev/null; then
        exec sh "$script.done" </dev/null
    fi
done
"#,
            dir = quoted(&self.dir.display().to_string())
        )
    }

    /// Put a shell script. If it fails at [`Point::BeforeRef`], the push is refused with what it said on stderr.
    pub fn script(&self, point: Point, text: &str) {
        let queue = self.dir.join(point.name());
        let place = (0..)
            .map(|n| queue.join(format!("{n:03}.sh")))
            .find(|place| !place.exists() && !place.with_extension("sh.done").exists());
        fs::write(place.expect("numbers do not end"), text).expect("temp folder is writable");
    }

    /// Put a command that must succeed, e.g. another workspace's sync.
    pub fn command(&self, point: Point, command: &Command) {
        let flag = quoted(&self.dir.join("overtaking").display().to_string());
        let run = as_shell(command);
        self.script(
            point,
            &format!(": >{flag}\nsaid=$({run} 2>&1)\nstatus=$?\nrm -f {flag}\n[ $status = 0 ] || echo \"$said\" >&2\nexit $status\n"),
        );
    }

    /// Hold a request at the point until the test lets it go.
    pub fn gate(&self, point: Point) -> Gate {
        let number = self.gates.replace(self.gates.get() + 1);
        let gate = Gate::create(&self.dir.join(format!("gate-{number}")));
        self.script(point, &gate.script());
        gate
    }

    /// How many scripts still wait for a request to come by.
    pub fn waiting(&self) -> usize {
        let scripts = |point: Point| {
            fs::read_dir(self.dir.join(point.name()))
                .expect("points are there")
                .filter(|entry| {
                    entry
                        .as_ref()
                        .is_ok_and(|e| e.path().extension().is_some_and(|ext| ext == "sh"))
                })
                .count()
        };
        Point::ALL.into_iter().map(scripts).sum()
    }
}

/// A request held at a point. Dropping it lets the request go.
///
/// Two named pipes, both held open for reading and writing here: so neither side ever blocks in opening one, and the
/// script's read ends when this is gone, also if the test panics.
pub struct Gate {
    dir: PathBuf,
    reached: File,
    open: File,
}

impl Gate {
    fn create(dir: &Path) -> Self {
        fs::create_dir(dir).expect("temp folder is writable");
        let pipe = |name: &str| {
            let path = dir.join(name);
            mknodat(CWD, &path, FileType::Fifo, Mode::from(0o600), 0).expect("temp folder can have a pipe");
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .expect("the pipe was just made")
        };
        Gate {
            reached: pipe("reached"),
            open: pipe("open"),
            dir: dir.to_owned(),
        }
    }

    fn script(&self) -> String {
        let dir = quoted(&self.dir.display().to_string());
        format!("{{ echo >{dir}/reached; read -r line; }} <{dir}/open\ntrue\n")
    }

    /// Wait until the request is here.
    #[track_caller]
    pub fn wait(&mut self) {
        let mut fds = [PollFd::new(&self.reached, PollFlags::IN)];
        let deadline = Timespec::try_from(DEADLINE).expect("a small number");
        assert_eq!(
            poll(&mut fds, Some(&deadline)),
            Ok(1),
            "no request came to {}",
            self.dir.display()
        );
        self.reached.read_exact(&mut [0]).expect("poll said so");
    }

    /// Let it go on.
    pub fn open(mut self) {
        self.open.write_all(b"\n").expect("the pipe is ours");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
