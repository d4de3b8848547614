//! metis.db cannot be asked or rebuilt.

use std::fs;

use metis_sync::sync::stop::Stop;

use super::{Person, one};
use crate::support::{disk::Disk, team::Team, world::World};

const REBUILD: &str = "git metis-sync rebuild-cache";

pub fn a_file_is_in_its_place(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.put(
        "metis.db",
        "No database, but long enough to be taken for one by its size alone.".repeat(100),
    );
    let stopped = api.stops(&["rebuild-cache"], stop);
    stopped.advises("Move it away");
    stopped.move_away();
    api.types(stopped.command(REBUILD));
    api.types("git metis-sync query workspace");
    api.goes_through();
}

pub fn git_tracks_what_is_beside_it(stop: Stop) {
    let team = Team::new();
    let journal = team.ann.metis().join("metis.db-journal");
    fs::write(&journal, "Somebody's.").unwrap();
    team.ann.git("add -f .metis/metis.db-journal");
    team.ann.git("commit -q -m journal");
    let stopped = team.ann.stops(&["rebuild-cache"], stop);
    team.ann
        .types(&format!("{} {}", stopped.command("git rm"), stopped.path().display()));
    fs::remove_file(journal).unwrap();
    team.ann.git("commit -q -m without");
    team.ann.types(stopped.command(REBUILD));
    team.ann.goes_through();
}

pub fn another_program_has_it(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let database = rusqlite::Connection::open(api.metis().join("metis.db")).unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let stopped = api.stops(&["rebuild-cache"], stop);
    stopped.advises("Close the program that uses it");
    drop(database);
    api.types(stopped.command(REBUILD));
    api.goes_through();
}

pub fn it_cannot_be_written(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let Some(disk) = Disk::small(&api.metis()) else { return };
    api.goes_through();
    api.edit("API-T-0001", "More.");
    disk.remount("ro");
    let stopped = api.stops(&["rebuild-cache"], stop);
    stopped.advises("can be read and written");
    disk.remount("rw");
    api.types(stopped.command(REBUILD));
    api.goes_through();
}

pub fn it_was_never_built(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let stopped = api.stops(&["query", "workspace"], stop);
    api.types(stopped.command(REBUILD));
    api.types("git metis-sync query workspace");
    api.goes_through();
}

pub fn the_document_is_new(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.write("API-T-0002", "New.");
    let stopped = api.stops(&["query", "upstream", "API-T-0002"], stop);
    api.types(stopped.command(REBUILD));
    api.types("git metis-sync query upstream API-T-0002");
    api.goes_through();
}

pub fn the_document_went_away(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.write("API-T-0002", "More.");
    api.goes_through();
    api.delete("API-T-0002");
    let stopped = api.stops(&["show", "API-T-0002"], stop);
    api.types(stopped.command(REBUILD));
    api.stops(&["show", "API-T-0002"], Stop::NoSuchDocument);
    api.goes_through();
}
