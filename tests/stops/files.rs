//! Files and folders that are not what they should be.

use std::{fs, os::unix::fs::symlink};

use metis_sync::sync::stop::Stop;

use super::{Person, Stopped, one};
use crate::support::{
    disk::Disk,
    point::Point,
    process::{quoted, run},
    servers::skip,
    team::Team,
    world::World,
};

pub fn there_is_no_workspace(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    fs::rename(api.metis(), api.dir.join("aside")).unwrap();
    let stopped = api.sync_stops(stop);
    api.types(&stopped.filled("git metis-sync init", "URL", &world.central.url()));
    api.goes_through();
}

pub fn there_is_no_such_folder(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let mut command = Person::program(&api, env!("CARGO_BIN_EXE_git-metis-sync"));
    command.args(["-C", "nowhere", "--json", "sync"]);
    let stopped = Stopped::of(&run(command), stop);
    stopped.advises("name one with -C");
    api.goes_through();
}

pub fn the_workspace_is_another_users(stop: Stop) {
    if !rustix::process::geteuid().is_root() {
        skip("only root can make another user's files");
        return;
    }
    let world = World::new();
    let api = one(&world);
    api.types("chown -R 65534 .");
    let stopped = api.sync_stops(stop);
    api.types(stopped.command("git config"));
    api.goes_through();
}

pub fn a_link_is_in_the_place_of_a_file(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let elsewhere = api.dir.join("shared.toml");
    fs::rename(api.metis().join("config.toml"), &elsewhere).unwrap();
    symlink(&elsewhere, api.metis().join("config.toml")).unwrap();
    let stopped = api.sync_stops(stop);
    stopped.advises("in place of the link");
    fs::rename(elsewhere, stopped.path()).unwrap();
    api.goes_through();
}

/// Where an own document would be kept that another version takes the place of.
pub fn a_file_is_in_the_place_of_a_folder(stop: Stop) {
    let team = Team::new();
    team.ann.write(1, "ann");
    team.ann.syncs();
    team.bob.commits(1, "bob");
    team.bob.sync_exits(3);
    team.bob.put(".metis/.sync/kept", "No folder.");
    let take = ["resolve", "API-T-0001", "--take", "central"];
    let stopped = team.bob.stops(&take, stop);
    stopped.advises("Move it away");
    stopped.move_away();
    assert_eq!(team.bob.asks(&take).code, Some(0));
    team.bob.goes_through();
}

/// The whole folder goes while a sync runs. That is no reason to take its documents out of central.
pub fn the_workspace_goes_away(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.edit("API-T-0001", "More.");
    api.types("cp -a .metis ../aside");
    let gone = format!("rm -rf {}\n", quoted(&api.metis().display().to_string()));
    world.points.script(Point::BeforeFetch, &gone);
    let before = world.central.tip();
    let stopped = api.sync_stops(stop);
    stopped.advises("Bring it back");
    assert_eq!(world.central.tip(), before);
    api.types("cp -a ../aside .metis");
    api.goes_through();
    assert_eq!(world.central.folder("api"), api.documents());
}

pub fn a_file_is_too_large(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let config = api.config();
    api.put("config.toml", format!("{config}{}", "# a long story\n".repeat(100_000)));
    let stopped = api.sync_stops(stop);
    stopped.advises("Make it smaller");
    api.put("config.toml", config);
    api.goes_through();
}

/// The program that makes of it what git would commit writes to the file itself, too.
pub fn a_document_changes_with_every_look(stop: Stop) {
    let team = Team::new();
    team.ann.put(".gitattributes", "*.md filter=stamp\n");
    let document = team.ann.dir.join(team.ann.path(1));
    let document = quoted(&document.display().to_string());
    team.ann.git("config filter.stamp.required true");
    let clean = format!("sh -c 'cat; echo >>{document}'");
    let mut config = team.ann.program("git");
    config.args(["config", "filter.stamp.clean", &clean]);
    run(config).success();
    team.ann.write(1, "v2");
    let stopped = team.ann.sync_stops(stop);
    stopped.advises("Let the program that writes it finish");
    team.ann.git("config filter.stamp.clean cat");
    team.ann.goes_through();
}

pub fn the_disk_is_full(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let Some(disk) = Disk::small(&api.metis()) else { return };
    api.edit("API-T-0001", "More.");
    disk.leave(0, 0);
    let stopped = api.sync_stops(stop);
    stopped.advises("Make room");
    disk.make_room();
    api.goes_through();
    assert_eq!(world.central.folder("api"), api.documents());
}

pub fn the_disk_is_read_only(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let Some(disk) = Disk::small(&api.metis()) else { return };
    api.edit("API-T-0001", "More.");
    disk.remount("ro");
    let stopped = api.sync_stops(stop);
    stopped.advises("may read and write there");
    disk.remount("rw");
    api.goes_through();
    assert_eq!(world.central.folder("api"), api.documents());
}

/// A name that no file system takes.
pub fn the_system_cannot(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let mut sync = api.sync_command(&[]);
    sync.env("XDG_STATE_HOME", format!("/{}", "long".repeat(100)));
    let stopped = Stopped::of(&run(sync), stop);
    stopped.advises("can be read and written");
    api.goes_through();
}

/// A sparse checkout leaves `.metis/` out. A sync does without its files, this command does not.
pub fn git_left_the_files_out(stop: Stop) {
    let team = Team::new();
    team.ann.git("sparse-checkout set src");
    assert!(!team.ann.metis().exists());
    team.ann.goes_through();
    let stopped = team.ann.stops(&["resolve"], stop);
    team.ann.types(stopped.command("git sparse-checkout"));
    team.ann.types("git metis-sync resolve");
    team.ann.goes_through();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

pub fn somebody_watches_already(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let first = crate::support::process::Running::start(api.metis_sync(&["watch"]));
    let lock = api.metis().join(".sync/watch.lock");
    crate::support::process::eventually("a watcher", || {
        fs::read_to_string(&lock).is_ok_and(|line| !line.is_empty())
    });
    let stopped = api.stops(&["watch"], stop);
    assert!(
        api.types(stopped.command("git metis-sync watch --status"))
            .contains("No workspace")
    );
    first.kill();
    let second = crate::support::process::Running::start(api.metis_sync(&["watch"]));
    crate::support::process::eventually("the second one", || {
        fs::read_to_string(api.metis().join(".sync/watch.json")).is_ok_and(|note| note.contains("last_success\":\""))
    });
    second.kill();
    api.goes_through();
}
