//! Whose a folder in central is, and giving it another name.

use metis_sync::sync::stop::Stop;

use super::Person;
use crate::support::{
    point::Point,
    process::quoted,
    team::{Checkout, Team},
};

const ALL: &str = "1=v1 2=v1 3=v1";

/// `workspace` with these words, which must stop.
#[track_caller]
fn stops(person: &Checkout, words: &str, stop: Stop) -> super::Stopped {
    let words: Vec<&str> = ["workspace"].into_iter().chain(words.split(' ')).collect();
    person.stops(&words, stop)
}

pub fn two_projects_on_one_prefix(stop: Stop) {
    let team = Team::new();
    let other = team.stranger("other", "OTHER");
    team.begin(&other, "api", "main", 1);
    let stopped = other.sync_stops(stop);
    other.types(&stopped.filled("git metis-sync init", "NAME", "other"));
    other.commit("another name");
    other.goes_through();
    assert_eq!(team.plans(), ALL);
    assert_eq!(team.world.central.folder("other").len(), 1);
}

/// The same project with a rewritten history: nothing in common with what was pushed.
#[test]
fn a_rewritten_project() {
    let team = Team::new();
    team.ann.git("checkout -q --orphan anew");
    team.ann.commits(1, "v2");
    team.ann.git("branch -q -M main");
    team.ann.git("push -q --force origin main");
    let stopped = team.ann.sync_stops(Stop::OtherProject);
    stopped.advises("--adopt-project");
    assert_eq!(team.ann.asks(&["sync", "--adopt-project"]).code, Some(0));
    team.ann.goes_through();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
}

/// A fresh clone, whose config.toml has another name than the folder in central.
pub fn the_project_has_another_folder(stop: Stop) {
    let team = Team::new();
    let config = team.config(&team.ann, "platform", "main");
    team.ann.put(".metis/config.toml", config);
    team.ann.commit("a better name");
    team.ann.git("push -q");
    let carl = team.clone("carl", "");
    let stopped = carl.sync_stops(stop);
    stopped.advises("put `prefix = \"api\"` back");
    carl.types(stopped.command("git metis-sync workspace rename"));
    carl.goes_through();
    assert_eq!((team.plans().as_str(), team.plans_of("platform").as_str()), ("", ALL));
}

pub fn another_clone_renamed(stop: Stop) {
    let team = Team::new();
    team.ann.types("git metis-sync workspace rename api platform");
    let stopped = team.bob.sync_stops(stop);
    team.bob.types(stopped.command("git metis-sync workspace rename"));
    team.bob.goes_through();
    assert_eq!((team.plans().as_str(), team.plans_of("platform").as_str()), ("", ALL));
}

pub fn another_clone_retired(stop: Stop) {
    let team = Team::new();
    team.ann.types("git metis-sync workspace retire api --yes");
    let stopped = team.bob.sync_stops(stop);
    team.bob.types(stopped.command("git metis-sync workspace retire"));
    team.bob.goes_through();
    assert_eq!(team.plans(), "");
    team.bob.types(stopped.command("git metis-sync init"));
    team.bob.goes_through();
    assert_eq!(team.plans(), ALL);
}

pub fn it_has_that_name(stop: Stop) {
    let team = Team::new();
    stops(&team.ann, "rename api api", stop).advises("nothing to do");
    team.ann.goes_through();
}

pub fn a_name_that_nobody_could_copy(stop: Stop) {
    let team = Team::new();
    stops(&team.ann, "rename api adrs", stop).advises("Choose another name");
    team.ann.types("git metis-sync workspace rename api platform");
    team.ann.goes_through();
}

pub fn a_name_that_is_taken(stop: Stop) {
    let team = Team::new();
    stops(&team.ann, "rename api web", stop).advises("Choose another name");
    team.ann.types("git metis-sync workspace rename api platform");
    team.ann.goes_through();
}

pub fn a_folder_of_others(stop: Stop) {
    let team = Team::new();
    let stopped = stops(&team.ann, "rename web other", stop);
    let said = team.ann.types(stopped.command("git metis-sync status"));
    assert!(said.contains("api"), "{said}");
    team.web.types("git metis-sync workspace rename web other");
    team.web.goes_through();
    team.ann.goes_through();
}

pub fn a_folder_that_is_not_there(stop: Stop) {
    let team = Team::new();
    let stopped = stops(&team.ann, "rename none other", stop);
    let said = team.ann.types(stopped.command("git metis-sync query"));
    assert!(said.contains("api"), "{said}");
    team.ann.types("git metis-sync workspace rename api other");
    team.ann.goes_through();
}

/// A pull brings conflict markers while the folder is on its way.
pub fn the_new_name_cannot_be_written(stop: Stop) {
    let team = Team::new();
    let config = team.ann.metis().join("config.toml");
    let spoil = format!("echo '<<<<<<< HEAD' >>{}\n", quoted(&config.display().to_string()));
    team.world.points.script(Point::AfterRef, &spoil);
    let stopped = stops(&team.ann, "rename api platform", stop);
    let line = stopped.command("prefix = ");
    team.ann.git("checkout -q .metis/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("prefix = \"api\"", line)).unwrap();
    team.ann.types("git metis-sync workspace rename api platform");
    team.ann.goes_through();
    assert_eq!((team.plans().as_str(), team.plans_of("platform").as_str()), ("", ALL));
}
