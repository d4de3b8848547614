//! The user's git, for what it is asked besides.

use std::process::Command;

/// git, to which a bare repository is one only where it is named as that: files of a checkout may look like one and name
/// programs to run.
pub fn git() -> Command {
    let mut git = Command::new("git");
    git.args(["-c", "safe.bareRepository=explicit"]);
    git
}
