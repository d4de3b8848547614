//! Hooks that are not installed, and what makes them fit.

use std::fs;

use metis_sync::hooks::{install::Refusal, repository::RepositoryError};

use super::{Person, one};
use crate::support::{process::run, team::Team, world::World};

/// Where the way out of a refusal is played.
#[allow(dead_code)]
fn story(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::SwitchedOff => "a_hook_that_is_switched_off",
        Refusal::Shared => "hooks_that_others_share",
        Refusal::InFile | Refusal::InConfig => "hooks::installing::configured::the_configuration_instead_of_files",
        Refusal::OldGit => "a_git_without_configured_hooks",
        // The refusal comes with the line to be put there by hand.
        Refusal::Unfit(_) => "hooks::installing::what_cannot_take_lines_is_left_alone",
        Refusal::NoFile | Refusal::LinkOut => "hooks::installing::links_out_of_the_repository_are_not_followed",
    }
}

#[allow(dead_code)]
fn story_of_repository(error: &RepositoryError) -> &'static str {
    match error {
        RepositoryError::NotFound { .. } => "there_is_no_repository",
        // The system's and git's own words.
        RepositoryError::NoGit(_) | RepositoryError::Git { .. } => "",
    }
}

#[track_caller]
fn installs(person: &dyn Person, args: &[&str]) {
    let installed = person.asks(&[&["hooks", "install"], args].concat());
    assert_eq!(installed.code, Some(0), "{}", installed.transcript());
}

#[track_caller]
fn refuses(person: &dyn Person, args: &[&str]) -> String {
    let refused = person.asks(&[&["hooks", "install"], args].concat());
    assert_eq!(refused.code, Some(1), "{}", refused.transcript());
    refused.transcript()
}

#[test]
fn there_is_no_repository() {
    let world = World::new();
    let api = one(&world);
    let said = refuses(&api, &[]);
    let command = said.split('`').find(|words| *words == "git init").expect("it says how");
    api.types(command);
    installs(&api, &[]);
    api.goes_through();
}

#[test]
fn a_hook_that_is_switched_off() {
    let team = Team::new();
    let hook = team.ann.dir.join(".git/hooks/pre-push");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho mine\n").unwrap();
    let said = refuses(&team.ann, &["pre-push"]);
    assert!(said.contains("`chmod +x` has git run it"), "{said}");
    let mut chmod = Person::program(&team.ann, "chmod");
    chmod.arg("+x").arg(&hook);
    run(chmod).success();
    installs(&team.ann, &["pre-push"]);
    team.ann.goes_through();
}

#[test]
fn hooks_that_others_share() {
    let team = Team::new();
    let shared = team.ann.home.join("hooks");
    fs::create_dir_all(&shared).unwrap();
    team.ann.git(&format!("config core.hooksPath {}", shared.display()));
    let said = refuses(&team.ann, &[]);
    assert!(said.contains("--shared says that this is meant"), "{said}");
    installs(&team.ann, &["--shared"]);
    team.ann.goes_through();
}

/// It says which git it takes; without it, hook files do.
#[test]
fn a_git_without_configured_hooks() {
    let team = Team::new();
    let installed = team.ann.asks(&["hooks", "install", "--config"]);
    if installed.code == Some(0) {
        return;
    }
    let said = installed.transcript();
    assert!(said.contains("need git 2.54 or later"), "{said}");
    installs(&team.ann, &[]);
    team.ann.goes_through();
}
