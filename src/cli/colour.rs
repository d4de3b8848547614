//! Whether to colour, and the few colours there are.

use std::ffi::OsString;

use super::{Color, Global, output};

/// All that [`Paint`] ever writes.
pub const CODES: [&str; 6] = ["\x1b[m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"];

/// Wraps text in colour, or leaves it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// For what goes to standard output.
    pub fn stdout(global: &Global) -> Self {
        Paint::on(output::stdout(), global, output::is_terminal())
    }

    /// For what goes to standard error.
    pub fn stderr(global: &Global) -> Self {
        Paint::on(output::stderr(), global, output::talks_to_terminal())
    }

    fn on(output: output::Output, global: &Global, terminal: bool) -> Self {
        let paint = Paint(wanted(global.color, terminal, &|name| std::env::var_os(name)));
        if paint.0 {
            output.allow_colour();
        }
        paint
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[m")
        } else {
            text.to_owned()
        }
    }

    /// What is lost, wrong, or taken away.
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// What is well, or added.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What deserves a look.
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Places.
    pub fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }

    /// Headings.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }
}

/// `--color` decides; left to itself (`auto`), a non-empty `NO_COLOR` says no, then `CLICOLOR_FORCE` other than `0` says
/// yes, then a terminal is coloured unless `TERM=dumb` or `CLICOLOR=0`.
fn wanted(choice: Color, terminal: bool, env: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR").is_some() => false,
        Color::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        Color::Auto => {
            terminal
                && set("TERM").is_none_or(|value| value != "dumb")
                && set("CLICOLOR").is_none_or(|value| value != "0")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(terminal: bool, env: &[(&str, &str)]) -> bool {
        wanted(Color::Auto, terminal, &|name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_usual_variables_are_heeded_in_their_order() {
        assert!(auto(true, &[("TERM", "xterm")]));
        assert!(!auto(false, &[]));
        assert!(!auto(true, &[("TERM", "dumb")]));
        assert!(!auto(true, &[("CLICOLOR", "0")]));
        assert!(!auto(true, &[("NO_COLOR", "1")]));
        assert!(auto(true, &[("NO_COLOR", "")]), "an empty one says nothing");
        assert!(auto(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(auto(false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]));
        assert!(!auto(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!auto(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    }

    #[test]
    fn the_flag_outweighs_them() {
        let no_colour = |name: &str| (name == "NO_COLOR").then(|| "1".into());
        assert!(wanted(Color::Always, false, &no_colour));
        assert!(!wanted(Color::Never, true, &|_| None));
    }
}
