//! The program between long output and a person, chosen and started as git does it: `GIT_PAGER`, `core.pager`, `PAGER`,
//! `less`; only where standard output is a terminal.

use std::{
    ffi::OsString,
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use crate::{project::Project, send_pack::connect};

use super::{Global, output};

static RUNNING: Mutex<Option<Child>> = Mutex::new(None);

/// Sends what is printed from here on through the pager, if there is to be one. One that cannot be started is done without.
pub fn start(global: &Global, project: &Project) {
    if global.json || global.no_pager || !output::is_terminal() || is_running() {
        return;
    }
    let env = |name: &str| std::env::var_os(name);
    let Some(pager) = chosen(&env, project.setting("core.pager")) else {
        return;
    };
    let mut command = Command::new("sh");
    command.arg("-c").arg(pager).stdin(Stdio::piped());
    for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
        if env(name).is_none() {
            command.env(name, value);
        }
    }
    let Ok(mut child) = connect::as_git(&mut command).spawn() else {
        return;
    };
    if let Some(stdin) = child.stdin.take()
        && output::redirect(&stdin).is_ok()
        && let Ok(mut running) = RUNNING.lock()
    {
        *running = Some(child);
    }
}

/// Whether a person reads through a pager: then Ctrl-C is for that.
pub fn is_running() -> bool {
    RUNNING.lock().is_ok_and(|running| running.is_some())
}

/// Lets the pager see the end, and waits for the person to leave it. Whether there was one.
pub fn finish() -> bool {
    let Some(mut child) = RUNNING.lock().ok().and_then(|mut running| running.take()) else {
        return false;
    };
    output::close();
    let _ = child.wait();
    true
}

/// The pager's command line. `None`: none.
fn chosen(env: &dyn Fn(&str) -> Option<OsString>, configured: Option<String>) -> Option<OsString> {
    let pager = env("GIT_PAGER")
        .or_else(|| configured.map(OsString::from))
        .or_else(|| env("PAGER"))
        .unwrap_or_else(|| "less".into());
    (!pager.is_empty() && pager != "cat").then_some(pager)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pager_is_gits() {
        let with = |set: &[(&str, &str)], configured: Option<&str>| {
            let env = |name: &str| {
                let found = set.iter().find(|(set, _)| *set == name);
                found.map(|(_, value)| OsString::from(value))
            };
            chosen(&env, configured.map(str::to_owned)).map(|pager| pager.into_string().unwrap())
        };
        let all = [("GIT_PAGER", "one"), ("PAGER", "three")];
        assert_eq!(with(&all, Some("two")).as_deref(), Some("one"));
        assert_eq!(with(&all[1..], Some("two")).as_deref(), Some("two"));
        assert_eq!(with(&all[1..], None).as_deref(), Some("three"));
        assert_eq!(with(&[], None).as_deref(), Some("less"));
        for none in ["", "cat"] {
            assert_eq!(with(&[("GIT_PAGER", none)], Some("two")), None);
        }
    }
}
