//! A config.toml that cannot be used, or says too little.

use metis_sync::sync::stop::Stop;

use super::{Person, change, one, set};
use crate::support::world::World;

pub fn central_is_not_named(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    let url = world.central.url();
    change(&api, &format!("[sync]\nupstream_url = \"{url}\"\n"), "");
    let stopped = api.stops(&["init"], stop);
    api.types(&stopped.filled("git metis-sync init", "URL", &url));
    api.goes_through();
}

pub fn it_is_no_text(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let config = api.config();
    api.put("config.toml", [config.as_bytes(), b"# caf\xe9\n"].concat());
    api.sync_stops(stop).advises("Save it as UTF-8");
    api.put("config.toml", format!("{config}# caf\u{e9}\n"));
    api.goes_through();
}

pub fn a_merge_was_left_in_it(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    set(
        &api,
        "sync",
        "<<<<<<< HEAD\nmax_retries = 3\n=======\nmax_retries = 4\n>>>>>>> theirs",
    );
    let stopped = api.sync_stops(stop);
    assert!(stopped.message.contains("in line "), "{stopped:?}");
    stopped.advises("Keep either side of each conflict and delete the lines of the markers");
    for line in ["<<<<<<< HEAD\n", "=======\nmax_retries = 4\n", ">>>>>>> theirs\n"] {
        change(&api, line, "");
    }
    api.goes_through();
}

pub fn it_is_no_toml(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    set(&api, "sync", "max_retries =");
    let stopped = api.sync_stops(stop);
    let (_, after) = stopped.message.split_once(", line ").expect("it names the line");
    let line: usize = after.split(',').next().unwrap_or_default().parse().expect("a number");
    assert_eq!(api.config().lines().nth(line - 1), Some("max_retries ="));
    stopped.advises("Correct that line");
    change(&api, "max_retries =\n", "max_retries = 3\n");
    api.goes_through();
}

pub fn a_value_breaks_its_rule(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    set(&api, "sync", "max_retries = \"many\"");
    let stopped = api.sync_stops(stop);
    assert!(stopped.message.contains("sync.max_retries must be "), "{stopped:?}");
    stopped.advises("delete it where it may be left out");
    change(&api, "max_retries = \"many\"\n", "");
    api.goes_through();
}

pub fn the_url_is_of_no_known_kind(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    change(&api, &world.central.url(), "ftp://host/central.git");
    let stopped = api.sync_stops(stop);
    api.types(&stopped.filled("git metis-sync init", "URL", &world.central.url()));
    api.goes_through();
}

pub fn central_would_be_in_the_project(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    change(&api, &world.central.url(), ".");
    api.types("git init -q");
    let stopped = api.sync_stops(stop);
    api.types(&stopped.filled("git metis-sync init", "URL", &world.central.url()));
    api.goes_through();
}

pub fn there_is_no_central(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    let url = world.central.url();
    change(&api, &format!("[sync]\nupstream_url = \"{url}\"\n"), "");
    let stopped = api.stops(&["fetch"], stop);
    api.types(&stopped.filled("git metis-sync init", "URL", &url));
    api.goes_through();
}

pub fn there_is_no_prefix(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    change(&api, "[workspace]\nprefix = \"api\"\n", "");
    let stopped = api.sync_stops(stop);
    stopped.advises("--pull-only");
    assert_eq!(api.asks(&["sync", "--pull-only"]).code, Some(0));
    api.types(&stopped.filled("git metis-sync init", "NAME", "api"));
    api.goes_through();
}
