//! A command with a terminal around it, as `script` makes one.

use std::{path::Path, process::Command};

use super::{
    process::{Finished, as_shell, quoted, run},
    servers::skip,
    workspace::Workspace,
};

/// Runs `inner` with a terminal of 80 columns for all three of its streams, on which `typed` is typed. What it shows, in
/// both streams, is the standard output of the result. `None`, said in the open: there is no `script` here.
#[track_caller]
pub fn at_terminal(workspace: &Workspace, inner: &Command, typed: &str) -> Option<Finished> {
    typed_by(workspace, inner, &format!("printf %s {}", quoted(typed)))
}

/// The same with Ctrl-C pressed as soon as `inner`, or what it started, writes to the named pipe `reached`.
#[track_caller]
pub fn interrupted_at_terminal(workspace: &Workspace, inner: &Command, reached: &Path) -> Option<Finished> {
    let reached = quoted(&reached.to_string_lossy());
    typed_by(
        workspace,
        inner,
        &format!("{{ cat {reached} >/dev/null; printf '\\003'; }}"),
    )
}

/// What the command `typist` prints is typed.
#[track_caller]
fn typed_by(workspace: &Workspace, inner: &Command, typist: &str) -> Option<Finished> {
    if Command::new("script").arg("--version").output().is_err() {
        skip("there is no `script` to make a terminal with");
        return None;
    }
    let sized = format!("stty cols 80 rows 24 && {}", as_shell(inner));
    let line = format!(
        "{typist} | script --quiet --return --command {} /dev/null",
        quoted(&sized)
    );
    let mut outer = workspace.program("sh");
    outer.args(["-c", &line]);
    let mut finished = run(outer);
    let shown = String::from_utf8_lossy(&finished.stdout).replace("\r\n", "\n");
    finished.stdout = shown.into_bytes();
    Some(finished)
}

/// What is on the screen, without colours.
pub fn plain(finished: &Finished) -> String {
    let mut out = String::new();
    let mut rest = finished.stdout.as_slice();
    while let Some((first, more)) = rest.split_first() {
        rest = match (first, more.first()) {
            (0x1b, Some(b'[')) => {
                let end = more.iter().skip(1).position(u8::is_ascii_alphabetic);
                &more[end.map_or(more.len(), |end| end + 2)..]
            }
            _ => {
                let end = more.iter().position(|b| *b == 0x1b).unwrap_or(more.len());
                out += &String::from_utf8_lossy(&rest[..=end]);
                &more[end..]
            }
        };
    }
    out
}
