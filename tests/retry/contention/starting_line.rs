//! Where processes wait until all are there.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{CWD, FileType, Mode, mknodat};

/// Where processes wait until all are there. Two named pipes, both ends held open here.
pub(super) struct StartingLine {
    dir: PathBuf,
    ready: File,
    go: File,
}

impl StartingLine {
    pub(super) fn create(dir: &Path) -> Self {
        let pipe = |name: &str| {
            let path = dir.join(name);
            let _ = std::fs::remove_file(&path);
            mknodat(CWD, &path, FileType::Fifo, Mode::from(0o600), 0).expect("temp folder can have a pipe");
            let both = OpenOptions::new().read(true).write(true).open(path);
            both.expect("the pipe was just made")
        };
        StartingLine {
            dir: dir.to_owned(),
            ready: pipe("ready"),
            go: pipe("go"),
        }
    }

    /// `command`, from this line on.
    pub(super) fn behind(&self, command: &Command) -> Command {
        let mut waiting = Command::new("sh");
        let script = "echo >\"$0/ready\"; read -r go <\"$0/go\"; exec \"$@\"";
        waiting
            .args(["-c", script])
            .arg(&self.dir)
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .current_dir(command.get_current_dir().expect("every sync has one"));
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                waiting.env(name, value);
            }
        }
        waiting
    }

    /// Let `count` processes go once all of them are here.
    pub(super) fn start(&mut self, count: usize) {
        let mut here = vec![0; count];
        self.ready.read_exact(&mut here).expect("each says one line");
        self.go.write_all(&vec![b'\n'; count]).expect("the pipe is ours");
    }
}
