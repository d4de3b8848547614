//! A person's editor, merge tool and browser, as git starts them.

use std::{
    io::{self, Write as _},
    path::Path,
    process::{Command, ExitStatus},
};

use tempfile::NamedTempFile;

use super::interrupt;
use crate::{send_pack::connect, sync::resolve::Versions};

/// What git calls a merge tool with. It asks whether the merge went well where the tool's exit code does not say so.
const MERGE_TOOL: &str = r#"
TOOL_MODE=merge NONGIT_OK=Yes SUBDIRECTORY_OK=Yes
. "$(git --exec-path)/git-sh-setup"
. "$(git --exec-path)/git-mergetool--lib"
BASE=$1 LOCAL=$2 REMOTE=$3 BACKUP=$4 MERGED=$5
tool=$(get_merge_tool) || exit
# Not every git has it in two steps.
! type initialize_merge_tool >/dev/null 2>&1 || initialize_merge_tool "$tool" || exit
run_merge_tool "$tool" true
"#;

/// Opens `file` in the editor that git opens messages in (`git var GIT_EDITOR`), in the project `folder`. Returns it
/// and how it ended.
pub fn edit(folder: &Path, file: &Path) -> io::Result<(String, ExitStatus)> {
    let asked = connect::git().args(["var", "GIT_EDITOR"]).in_folder(folder).answer()?;
    if !asked.status.success() {
        return Err(io::Error::other("git knows of none: set GIT_EDITOR or core.editor"));
    }
    let editor = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg(&editor).arg(file);
    let status = run(command.current_dir(folder))?;
    Ok((editor, status))
}

/// Opens the merge tool of git's configuration (`merge.tool`) on the three versions, to write `file`.
pub fn merge(folder: &Path, versions: &Versions, file: &Path) -> io::Result<ExitStatus> {
    let temp = |bytes: &[u8]| -> io::Result<NamedTempFile> {
        let mut temp = tempfile::Builder::new().suffix(".md").tempfile()?;
        temp.write_all(bytes)?;
        Ok(temp)
    };
    let [base, here, central] = [&versions.base, &versions.here, &versions.central].map(|bytes| temp(bytes));
    let backup = temp(&std::fs::read(file)?)?;
    let mut command = Command::new("sh");
    command.args(["-c", MERGE_TOOL, "git-mergetool"]);
    for version in [base?, here?, central?, backup] {
        // It stays for as long as the tool runs, and goes with the folder of temporary files.
        command.arg(version.into_temp_path().keep()?);
    }
    let status = run(command.arg(file).current_dir(folder));
    for version in command.get_args().skip(3).take(4) {
        let _ = std::fs::remove_file(version);
    }
    status
}

/// Opens `file` in the browser that git opens its manual in (`web.browser`).
pub fn browse(folder: &Path, file: &Path) -> io::Result<ExitStatus> {
    let git = connect::git().arg("web--browse").arg(std::path::absolute(file)?);
    let mut command = git.at_the_terminal();
    run(command.current_dir(folder))
}

/// Ctrl-C at the terminal is the program's meanwhile, and not ours.
fn run(command: &mut Command) -> io::Result<ExitStatus> {
    let _deaf = interrupt::Deaf::new();
    connect::as_git(command).status()
}
