//! A word on the desktop, for those who asked for it: `sync.hooks.notify`. The program that shows it is the system's own.

use std::{
    io,
    process::{Command, Stdio},
};

/// The most characters that are shown.
const MOST: usize = 300;

/// Has `text` shown, and does not wait for that.
pub fn notify(text: &str) -> io::Result<()> {
    let mut command = program(cfg!(target_os = "macos"), text);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}

/// The text is an argument of its own in both, and no markup.
fn program(on_mac: bool, text: &str) -> Command {
    let text: String = text.chars().take(MOST).collect();
    let mut command;
    if on_mac {
        command = Command::new("osascript");
        let show = "display notification (item 1 of argv) with title \"git metis-sync\"";
        command
            .args(["-e", "on run argv", "-e", show, "-e", "end run", "--"])
            .arg(text);
    } else {
        command = Command::new("notify-send");
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        command
            .args(["--app-name=git-metis-sync", "--", "git metis-sync"])
            .arg(text);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_argument_and_no_markup() {
        let last = |on_mac| {
            let command = program(on_mac, "--help <b>&\" \n");
            let args: Vec<String> = command
                .get_args()
                .map(|arg| arg.to_string_lossy().into_owned())
                .collect();
            args[args.len() - 1].clone()
        };
        assert_eq!(last(false), "--help &lt;b&gt;&amp;\" \n");
        assert_eq!(last(true), "--help <b>&\" \n");
        let long = program(false, &"x".repeat(1000));
        assert_eq!(long.get_args().last().map(|arg| arg.len()), Some(MOST));
    }
}
