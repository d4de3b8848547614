//! Processes as the system shows them: which git command a hook belongs to, and whether a process still runs.

use std::{fs, path::Path, process};

use serde::{Deserialize, Serialize};

use crate::send_pack::connect;

/// Commands of git's that start others of its own: one of them above the command that fired the hook is what the user typed.
/// A program between them does not matter (`git rebase --exec`, a hook that pushes).
const OUTER: [&str; 8] = [
    "am",
    "cherry-pick",
    "commit",
    "merge",
    "pull",
    "push",
    "rebase",
    "revert",
];
/// More processes above a hook are nobody's.
const MAX_ANCESTORS: usize = 64;

/// A process, told from a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pid: u32,
    started: String,
}

impl Process {
    /// This one; `None` where the system shows nothing.
    pub fn this() -> Option<Self> {
        Process::of(process::id())
    }

    /// The one that has this id at the moment.
    pub fn of(pid: u32) -> Option<Self> {
        look(pid).map(|seen| seen.process(pid))
    }

    /// What [`to_argument()`](Self::to_argument) made.
    pub fn from_argument(text: &str) -> Option<Self> {
        let (pid, started) = text.split_once(':')?;
        Some(Process {
            pid: pid.parse().ok()?,
            started: started.to_owned(),
        })
    }

    /// For the command line of the process that is to wait for it.
    pub fn to_argument(&self) -> String {
        format!("{}:{}", self.pid, self.started)
    }

    /// Whether it still runs. One that has ended and that nobody has asked about yet does not.
    pub fn runs(&self) -> bool {
        look(self.pid).is_some_and(|seen| !seen.is_over && seen.started == self.started)
    }
}

/// The command of git's that the user typed and that fired the hook in which this process runs. `None` if there is none: a program
/// with a git of its own, or somebody who calls us by hand.
pub fn command_of_git() -> Option<Process> {
    let mut ancestors = Vec::new();
    let mut pid = process::id();
    while let Some(seen) = look(pid)
        && ancestors.len() < MAX_ANCESTORS
    {
        let parent = seen.parent;
        ancestors.push((seen.process(pid), seen.words));
        if parent <= 1 {
            break;
        }
        pid = parent;
    }
    let words: Vec<&[String]> = ancestors.iter().map(|(_, words)| words.as_slice()).collect();
    let topmost = topmost(&words)?;
    Some(ancestors.swap_remove(topmost).0)
}

/// Where processes with these ids are to be found: on this machine, since it was started, in this container.
pub fn place() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let container = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let host = rustix::system::uname();
    format!(
        "{} {} {}",
        host.nodename().to_string_lossy(),
        boot.trim(),
        container.to_string_lossy()
    )
}

/// Which of a process's ancestors, the nearest first and each by the words of its command line, is the git command that a hook
/// belongs to: the nearest, and above it those that started it.
fn topmost(ancestors: &[&[String]]) -> Option<usize> {
    let mut topmost = None;
    for (at, words) in ancestors.iter().enumerate() {
        let Some(command) = git_command(words).filter(|command| *command != "metis-sync") else {
            continue;
        };
        let counts = match topmost {
            None => true,
            Some(below) => below + 1 == at || OUTER.contains(&command),
        };
        if counts {
            topmost = Some(at);
        }
    }
    topmost
}

/// What git is told to do, if this is git: the first word that is neither an option nor its value. An alias goes by its own name.
fn git_command(words: &[String]) -> Option<&str> {
    let (program, words) = words.split_first()?;
    let name = program.rsplit('/').next()?;
    if name != "git" {
        return name.strip_prefix("git-");
    }
    let mut words = words.iter();
    loop {
        match words.next()?.as_str() {
            "-C" | "-c" | "--git-dir" | "--work-tree" | "--namespace" | "--config-env" | "--attr-source"
            | "--super-prefix" | "--exec-path" => {
                words.next();
            }
            option if option.starts_with('-') => {}
            command => return Some(command),
        }
    }
}

/// A process as the system shows it.
struct Seen {
    parent: u32,
    started: String,
    /// It has ended; only its parent has not asked yet.
    is_over: bool,
    words: Vec<String>,
}

impl Seen {
    fn process(&self, pid: u32) -> Process {
        Process {
            pid,
            started: self.started.clone(),
        }
    }
}

fn look(pid: u32) -> Option<Seen> {
    match Path::new("/proc/self/stat").exists() {
        true => look_in_proc(pid),
        false => look_with_ps(pid),
    }
}

fn look_in_proc(pid: u32) -> Option<Seen> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name of the program, which may have anything in it, is in brackets.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    Some(Seen {
        is_over: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        started: (*fields.get(19)?).to_owned(),
        words: words
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    })
}

fn look_with_ps(pid: u32) -> Option<Seen> {
    let output = connect::ask("ps")
        .args(["-o", "ppid=,stat=,lstart=,args=", "-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .answer()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut fields = text.split_whitespace();
    Some(Seen {
        parent: fields.next()?.parse().ok()?,
        is_over: fields.next()?.starts_with('Z'),
        // As in `Wed Nov 25 16:08:18 2026`.
        started: fields.by_ref().take(5).collect::<Vec<_>>().join("-"),
        words: fields.map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_command_a_hook_belongs_to() {
        let ours = ["git-metis-sync hooks run pre-push", "git metis-sync hooks run pre-push"];
        let topmost = |above: &[&str]| {
            let lines: Vec<&str> = ours.iter().chain(above).copied().collect();
            let words: Vec<Vec<String>> = lines
                .iter()
                .map(|line| line.split(' ').map(str::to_owned).collect())
                .collect();
            let words: Vec<&[String]> = words.iter().map(Vec::as_slice).collect();
            super::topmost(&words).map(|at| lines[at].to_owned())
        };
        let is = |above: &[&str], expected: &str| assert_eq!(topmost(above).as_deref(), Some(expected));
        let hook = "/bin/sh .git/hooks/pre-push origin url";
        is(&[hook, "git push", "bash"], "git push");
        let options = "/usr/bin/git -C x -c a=b --no-pager push -f";
        is(&[hook, options, "bash"], options);
        is(&[hook, "git merge x", "git pull", "zsh"], "git pull");
        is(
            &[hook, "/usr/lib/git-core/git-push", "sh"],
            "/usr/lib/git-core/git-push",
        );
        is(&["lefthook run pre-push", hook, "git push"], "git push");
        // Aliases.
        is(&[hook, "git p", "zsh"], "git p");
        is(&[hook, "git merge x", "git pl", "zsh"], "git pl");
        // A program between two of git's.
        let rebase = "git rebase --exec make";
        is(&[hook, "git commit", "make", "sh", rebase], rebase);
        is(&[hook, "git push", "sh", "git bisect run ./try", "bash"], "git push");

        assert_eq!(topmost(&[hook, "java -jar ide", "init"]), None);
        assert_eq!(topmost(&["bash"]), None);
    }

    #[test]
    fn both_ways_of_looking_see_the_same() {
        let this = process::id();
        let (proc, ps) = (look_in_proc(this), look_with_ps(this));
        if let (Some(proc), Some(ps)) = (proc, ps) {
            assert_eq!((proc.parent, proc.is_over), (ps.parent, ps.is_over));
            assert_eq!(proc.words.first(), ps.words.first());
        }
    }

    #[test]
    fn a_process_that_has_ended_does_not_run() {
        let mut child = process::Command::new("sleep").arg("60").spawn().unwrap();
        let it = Process::of(child.id()).unwrap();
        assert_eq!(Process::from_argument(&it.to_argument()), Some(it.clone()));
        assert!(it.runs());
        let other = Process {
            started: "at another time".into(),
            ..it.clone()
        };
        assert!(!other.runs(), "the same id, used again");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!it.runs());
        assert!(Process::this().unwrap().runs());
    }
}
