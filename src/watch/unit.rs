//! What starts the watcher with this user's session: a systemd user unit, on a Mac a launchd agent.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use crate::{
    send_pack::connect,
    text::{Untrusted, is_hidden, shell_word},
};

const NAME: &str = "git-metis-sync-watch.service";
const LABEL: &str = "git-metis-sync.watch";

/// Whose language the system speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// On Linux.
    Systemd,
    /// On a Mac.
    Launchd,
}

impl Manager {
    /// This machine's.
    pub fn here() -> Self {
        match cfg!(target_os = "macos") {
            true => Manager::Launchd,
            false => Manager::Systemd,
        }
    }

    /// Where this user's file belongs. `None`: there is no home.
    pub fn place(self) -> Option<PathBuf> {
        let home = || std::env::home_dir().filter(|home| home.is_absolute());
        match self {
            Manager::Systemd => {
                let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
                let config = config.filter(|path| path.is_absolute());
                let config = config.or_else(|| Some(home()?.join(".config")))?;
                Some(config.join("systemd/user").join(NAME))
            }
            Manager::Launchd => Some(home()?.join("Library/LaunchAgents").join(format!("{LABEL}.plist"))),
        }
    }

    /// What the file says, for this program. `None`: its path cannot be said there. systemd takes no path with quotes or
    /// backslashes in it, and a line end would begin a setting of its own.
    pub fn text(self, program: &Path) -> Option<String> {
        let program = program.to_str().filter(|path| !path.contains(is_hidden))?;
        Some(match self {
            Manager::Systemd if program.contains(['"', '\'', '\\']) => return None,
            Manager::Systemd => format!(
                "[Unit]\n\
                 Description=Keep planning documents in step with their central repositories\n\
                 Documentation=man:git-metis-sync-watch(1)\n\
                 \n\
                 [Service]\n\
                 Type=simple\n\
                 ExecStart={} watch --all\n\
                 Restart=on-failure\n\
                 RestartSec=60\n\
                 SuccessExitStatus=130\n\
                 Nice=10\n\
                 \n\
                 [Install]\n\
                 WantedBy=default.target\n",
                for_systemd(program)
            ),
            Manager::Launchd => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
                 <plist version=\"1.0\">\n\
                 <dict>\n\
                 \x20 <key>Label</key><string>{LABEL}</string>\n\
                 \x20 <key>ProgramArguments</key>\n\
                 \x20 <array><string>{}</string><string>watch</string><string>--all</string></array>\n\
                 \x20 <key>RunAtLoad</key><true/>\n\
                 \x20 <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n\
                 \x20 <key>ThrottleInterval</key><integer>60</integer>\n\
                 \x20 <key>ProcessType</key><string>Background</string>\n\
                 </dict>\n\
                 </plist>\n",
                for_xml(program)
            ),
        })
    }

    /// The commands that begin with it at once, or anew, and with each session.
    pub fn start(self, place: &Path) -> Vec<Step> {
        match self {
            Manager::Systemd => vec![
                Step::new(&["systemctl", "--user", "daemon-reload"]),
                Step::new(&["systemctl", "--user", "enable", NAME]),
                Step::new(&["systemctl", "--user", "restart", NAME]),
            ],
            Manager::Launchd => {
                let before = self.stop().into_iter().map(|step| Step { may_fail: true, ..step });
                let place = place.to_string_lossy();
                before
                    .chain([Step::new(&["launchctl", "bootstrap", &domain(), &place])])
                    .collect()
            }
        }
    }

    /// Those that end it.
    pub fn stop(self) -> Vec<Step> {
        match self {
            Manager::Systemd => vec![Step::new(&["systemctl", "--user", "disable", "--now", NAME])],
            Manager::Launchd => vec![Step::new(&["launchctl", "bootout", &format!("{}/{LABEL}", domain())])],
        }
    }
}

/// What launchd calls this user's session.
fn domain() -> String {
    format!("gui/{}", rustix::process::getuid().as_raw())
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    words: Vec<String>,
    /// Whether the next one is run all the same.
    may_fail: bool,
}

impl Step {
    fn new(words: &[&str]) -> Self {
        Step {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            may_fail: false,
        }
    }

    fn typed(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| shell_word(word)).collect();
        words.join(" ")
    }
}

/// A command that failed.
#[derive(Debug)]
pub struct Stopped {
    /// As one would type it.
    pub command: String,
    /// What it said.
    pub said: Untrusted,
}

/// The steps as one would type them.
pub fn typed(steps: &[Step]) -> String {
    let lines: Vec<String> = steps.iter().map(Step::typed).collect();
    lines.join(" && ")
}

/// A program's path in a unit, where only `%` begins something else: variables are not put into the first word.
fn for_systemd(path: &str) -> String {
    format!("\"{}\"", path.replace('%', "%%"))
}

fn for_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writes the file.
pub fn write(place: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(place.parent().unwrap_or(place))?;
    fs::write(place, text)
}

/// Takes the file away. Returns whether it was there.
pub fn remove(place: &Path) -> io::Result<bool> {
    match fs::remove_file(place) {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(err) => Err(err),
    }
}

/// Runs the steps one after the other, up to one that fails or does not end in time.
pub fn run(steps: &[Step], interrupt: &Arc<AtomicBool>) -> Result<(), Stopped> {
    for step in steps {
        let Some((program, args)) = step.words.split_first() else {
            continue;
        };
        let said = match connect::ask(program).args(args).until(interrupt).answer() {
            Ok(output) if output.status.success() => continue,
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(err) => err.to_string(),
        };
        if !step.may_fail {
            return Err(Stopped {
                command: step.typed(),
                said: said.into(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
