//! Colour rules, and the progress line, on a terminal and off it.

use super::two;
use crate::support::{process::run, terminal::at_terminal, workspace::Workspace, world::World};

fn diff(workspace: &Workspace, args: &[&str], env: &[(&str, &str)]) -> String {
    let mut command = workspace.metis_sync(args);
    command.envs(env.iter().copied());
    run(command).success()
}

fn on_a_terminal(workspace: &Workspace, args: &[&str], env: &[(&str, &str)]) -> Option<String> {
    let mut inner = workspace.metis_sync(args);
    inner.envs(env.iter().copied());
    Some(at_terminal(workspace, &inner, "")?.success())
}

#[test]
fn off_a_terminal() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.edit("API-T-0001", "More.");
    let red = |args: &[&str], env: &[(&str, &str)]| diff(&api, args, env).contains("\x1b[32m+More.\x1b[m");
    assert!(!red(&["diff"], &[]));
    assert!(red(&["diff", "--color=always"], &[]));
    assert!(red(&["diff", "--color=always"], &[("NO_COLOR", "1")]));
    assert!(red(&["diff"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!red(&["diff"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!red(&["diff", "--color=never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!diff(&api, &["status", "--porcelain", "--color=always"], &[]).contains('\x1b'));
    assert!(diff(&api, &["status", "--color=always"], &[]).contains("\x1b[33mM\x1b[m"));
}

#[test]
fn on_one() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.edit("API-T-0001", "More.");
    let coloured = |args: &[&str], env: &[(&str, &str)]| {
        on_a_terminal(&api, args, env).map(|shown| {
            assert!(shown.contains("+More."), "{shown:?}");
            shown.contains("\x1b[32m")
        })
    };
    let Some(plain) = coloured(&["diff"], &[("TERM", "xterm")]) else {
        return;
    };
    assert!(plain);
    for env in [[("TERM", "dumb")], [("NO_COLOR", "1")], [("CLICOLOR", "0")]] {
        assert_eq!(coloured(&["diff"], &env), Some(false), "{env:?}");
    }
    assert_eq!(coloured(&["diff", "--color=never"], &[("TERM", "xterm")]), Some(false));
}
