//! Repositories without a work tree, and branches that are not checked out.

use metis_sync::sync::stop::Stop;

use super::{Person, Stopped};
use crate::support::{process::run, team::Team};

/// A command in the repository that is named.
fn named(team: &Team, words: &[&str]) -> crate::support::process::Finished {
    let mut command = Person::program(&team.ann, "git");
    command.arg(format!("--git-dir={}", team.origin.display()));
    command.args(["metis-sync", "--no-progress", "--json"]).args(words);
    run(command)
}

/// Somebody commits to main, and the repository has it.
fn news(team: &Team) {
    team.bob.pushes(1, "v2");
}

pub fn nobody_named_it(stop: Stop) {
    let team = Team::new();
    news(&team);
    let stopped = team.ann.elsewhere(&team.origin).sync_stops(stop);
    team.ann.types(stopped.command("git --git-dir="));
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
}

pub fn it_is_another_users(stop: Stop) {
    let team = Team::new();
    news(&team);
    let mut chown = Person::program(&team.ann, "chown");
    chown.arg("-R").arg("12345").arg(&team.origin);
    if run(chown).code != Some(0) {
        // Only root can give a folder away.
        return;
    }
    let stopped = Stopped::of(&named(&team, &["sync"]), stop);
    team.ann.types(stopped.command("git config"));
    assert_eq!(named(&team, &["sync"]).code, Some(0));
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
}

pub fn its_branch_says_nothing(stop: Stop) {
    let team = Team::new();
    let (server, central) = (team.ann.home.join("empty.git"), team.ann.home.join("central.git"));
    for bare in [&server, &central] {
        team.ann.git(&format!("init -q --bare -b main {}", bare.display()));
    }
    let mut command = Person::program(&team.ann, "git");
    command.arg(format!("--git-dir={}", server.display()));
    command.args(["metis-sync", "--json"]);
    let stopped = Stopped::of(&run(command), stop);
    let clone = team.ann.home.join("clone");
    let (at, from) = (clone.display(), server.display());
    team.ann.types(&format!("git clone -q {from} {at}"));
    let init = stopped.filled("git metis-sync init", "URL", &central.display().to_string());
    team.ann.types(&format!(
        "cd {at} && {init} && git add . && git commit -q -m plans && git push -q"
    ));
    team.ann.types(&format!("git --git-dir={from} metis-sync"));
}

pub fn a_command_for_files(stop: Stop) {
    let team = Team::new();
    let stopped = Stopped::of(&named(&team, &["resolve"]), stop);
    let tree = team.ann.home.join("tree");
    let add = stopped.filled("git worktree add", "PATH", &tree.display().to_string());
    team.ann.types(&format!("cd {} && {add}", team.origin.display()));
    team.ann
        .types(&format!("cd {} && git metis-sync resolve", tree.display()));
}

pub fn the_source_branch_has_a_broken_configuration(stop: Stop) {
    let team = Team::new();
    let config = team.config(&team.ann, "api", "main");
    team.ann.git("checkout -q -b feature");
    team.ann.git("checkout -q main");
    team.ann.put(".metis/config.toml", format!("{config}<<<<<<< HEAD\n"));
    team.ann.commit("half merged");
    team.ann.git("checkout -q feature");
    let stopped = team.ann.sync_stops(stop);
    stopped.advises("commit it in main");
    team.ann.git("checkout -q main");
    team.ann.put(".metis/config.toml", config);
    team.ann.commit("mended");
    team.ann.git("checkout -q feature");
    team.ann.goes_through();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}
