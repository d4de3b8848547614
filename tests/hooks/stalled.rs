//! A git that does not answer.

use super::project::Project;
use crate::support::{process::run, world::World};

/// git waits for somebody to read what it was told to write of each command.
#[test]
fn hooks_are_not_looked_for_without_an_end() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let pipe = api.workspace.home.join("trace");
    let mut made = api.program("mkfifo");
    made.arg(&pipe);
    run(made).success();
    for command in ["status", "install"] {
        let mut hooks = api.program("git-metis-sync");
        hooks.args(["hooks", command]).env("GIT_TRACE", &pipe);
        let said = run(hooks);
        assert_eq!(said.code, Some(1), "{}", said.transcript());
        assert!(
            said.stderr.contains("git did not end within 10 s"),
            "{}",
            said.transcript()
        );
    }
    assert!(!api.workspace.dir.join(".git/hooks/pre-push").exists());
    api.hooks(&["install"]);
}
