//! A word on the desktop, for those who asked for it: `sync.hooks.notify`. The program that shows it is the system's own.

use std::{io, time::Duration};

use crate::send_pack::connect::{self, Question};

/// The most characters that are shown.
const MOST: usize = 300;

/// A desktop that is there answers at once, and a hook's deadline may be over by now.
const PATIENCE: Duration = Duration::from_secs(3);

/// Has `text` shown. It stays there for as long as the desktop leaves it; the program that asks for it does not.
pub fn notify(text: &str) -> io::Result<()> {
    let question = program(cfg!(target_os = "macos"), text);
    question.within(PATIENCE).answer().map(drop)
}

/// The text is an argument of its own in both, and no markup.
fn program(on_mac: bool, text: &str) -> Question {
    let text: String = text.chars().take(MOST).collect();
    if on_mac {
        let show = "display notification (item 1 of argv) with title \"git metis-sync\"";
        connect::ask("osascript")
            .args(["-e", "on run argv", "-e", show, "-e", "end run", "--"])
            .arg(text)
    } else {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        connect::ask("notify-send")
            .args(["--app-name=git-metis-sync", "--", "git metis-sync"])
            .arg(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_argument_and_no_markup() {
        let last = |on_mac| {
            let command = program(on_mac, "--help <b>&\" \n").at_the_terminal();
            let args: Vec<String> = command
                .get_args()
                .map(|arg| arg.to_string_lossy().into_owned())
                .collect();
            args[args.len() - 1].clone()
        };
        assert_eq!(last(false), "--help &lt;b&gt;&amp;\" \n");
        assert_eq!(last(true), "--help <b>&\" \n");
        let long = program(false, &"x".repeat(1000)).at_the_terminal();
        assert_eq!(long.get_args().last().map(|arg| arg.len()), Some(MOST));
    }
}
