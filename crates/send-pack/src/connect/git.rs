//! How git is started.

use std::process::Command;

/// git, to which a bare repository is one only where it is named as that: files of a checkout may look like one and name
/// programs to run.
pub(crate) fn command() -> Command {
    let mut git = Command::new("git");
    git.args(["-c", "safe.bareRepository=explicit"]);
    git
}

/// The variable in which git hands on what `git -c KEY=VALUE` said.
const PARAMETERS: &str = "GIT_CONFIG_PARAMETERS";

/// Has every git that `command` starts keep to the same rule: what a shell calls an editor, a pager or a merge tool asks git
/// for its settings too.
pub fn as_git(command: &mut Command) -> &mut Command {
    let mut parameters = std::env::var_os(PARAMETERS).unwrap_or_default();
    if !parameters.is_empty() {
        parameters.push(" ");
    }
    // In the form that every version of git reads.
    parameters.push("'safe.bareRepository=explicit'");
    command.env(PARAMETERS, parameters)
}
