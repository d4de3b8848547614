//! ARCHITECTURE.md's table of rooms, held against what the rooms use.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::root;

/// A row of the table.
struct Room {
    /// As `use crate::NAME` says it.
    name: String,
    /// Where its files are; `None` where it is a crate of its own, which the compiler looks after.
    files: Option<Vec<PathBuf>>,
    /// What it says that it may use. `None`: everything below.
    may_use: Option<BTreeSet<String>>,
}

/// The table, from top to bottom.
fn rooms() -> Vec<Room> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text
        .split("## The rooms")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        let place = cells[0].trim_end_matches('`').trim_end_matches('/');
        let may_use = match cells[cells.len() - 1] {
            "all below" => None,
            list => Some(list.split(',').map(|room| room.trim().to_owned()).collect()),
        };
        let path = root().join(place);
        Room {
            name: Path::new(place)
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .replace('-', "_"),
            files: place.starts_with("src/").then(|| files_below(&path)),
            may_use,
        }
    })
    .collect()
}

/// All Rust files in a folder, or the file itself.
pub(super) fn files_below(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    let files = entries.flat_map(|entry| files_below(&entry.unwrap().path()));
    files
        .filter(|file| file.extension().is_some_and(|ext| ext == "rs"))
        .collect()
}

/// A file's code without comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that follow `crate::` in a file, those in braces included.
fn used(code: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let mut used = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(name(rest));
            continue;
        };
        let (mut depth, mut begins) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && c.is_alphabetic() => {
                    used.insert(name(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn a_group_is_taken_apart() {
    let code = "use crate::{\n    a::{x, y},\n    b,\n    c::{self, d::{e, f}},\n};\nuse crate::g::h;\ncrate::i()";
    assert_eq!(used(code), ["a", "b", "c", "g", "i"].map(String::from).into());
}

#[test]
fn arrows_run_downward_and_where_the_table_says() {
    let rooms = rooms();
    let names: Vec<&str> = rooms.iter().map(|room| room.name.as_str()).collect();
    assert!(names.len() > 10, "{names:?}");
    let mut arrows: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, room) in rooms.iter().enumerate() {
        for file in room.files.iter().flatten() {
            for other in used(&code(file)) {
                let Some(place) = names
                    .iter()
                    .position(|name| *name == other)
                    .filter(|place| *place != at)
                else {
                    continue;
                };
                let may = room.may_use.as_ref().is_none_or(|may_use| may_use.contains(&other));
                assert!(may && place > at, "{} uses {other}", file.display());
                *arrows.entry(&room.name).or_default() += 1;
            }
        }
    }
    assert!(arrows.len() > 8, "{arrows:?}");
}

#[test]
fn every_room_is_in_the_table_and_every_promise_is_made_use_of() {
    let rooms = rooms();
    let named: BTreeSet<String> = rooms.iter().map(|room| room.name.clone()).collect();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(["lib", "main"].contains(&name) || named.contains(name), "{name}");
    }
    for room in &rooms {
        let files = room.files.iter().flatten();
        let used: BTreeSet<String> = files.flat_map(|file| used(&code(file))).collect();
        for may in room.may_use.iter().flatten().filter(|may| named.contains(*may)) {
            assert!(used.contains(may), "{} does not use {may}", room.name);
        }
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let allowed = [
        ("gix", &["central", "project", "send_pack"][..]),
        ("rusqlite", &["cache", "records"]),
    ];
    for room in rooms() {
        for file in room.files.iter().flatten() {
            let code = code(file);
            for (library, rooms) in allowed {
                let is_used = code.contains(&format!("{library}::")) || code.contains(&format!("{library}_"));
                assert!(
                    !is_used || rooms.contains(&room.name.as_str()),
                    "{}: {library}",
                    file.display()
                );
            }
        }
    }
}

/// What is noted of central changes where ARCHITECTURE.md says.
#[test]
fn the_cursor_moves_in_one_place() {
    let mut reads = 0;
    for file in files_below(&root().join("src")) {
        let in_place = file.starts_with(root().join("src/state/cursor"));
        for rest in code(&file).split("cursor.").skip(1) {
            let field = rest.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_');
            let is_set = field.starts_with(" = ") || field.starts_with(" |= ");
            let changes = [".insert(", ".remove(", ".retain(", ".clear(", ".extend("];
            let is_changed = changes.iter().any(|change| field.starts_with(change));
            assert!(in_place || !(is_set || is_changed), "{}: {rest:.40}", file.display());
            reads += 1;
        }
    }
    assert!(reads > 50, "{reads}");
}

/// Files that are one table, which is looked up and not read, and what it says.
const TABLES: [(&str, &str); 3] = [
    (
        "src/sync/stop/mod.rs",
        "each kind of stop with its exit code and the way out",
    ),
    ("tests/docs/provoked.rs", "each message with the test that provokes it"),
    ("tests/newcomer/variants.rs", "each kind of config.toml line by line"),
];

/// A longer file answers more than one question, and takes long to read. What has grown is split where a question ends.
#[test]
fn a_file_has_300_lines_at_most() {
    let folders = ["crates", "fuzz/targets", "src", "tests"];
    let files = folders.iter().flat_map(|folder| files_below(&root().join(folder)));
    let mut long: Vec<PathBuf> = files
        .filter(|file| fs::read_to_string(file).unwrap().lines().count() > 300)
        .map(|file| file.strip_prefix(root()).unwrap().to_owned())
        .collect();
    long.sort();
    assert_eq!(long, TABLES.map(|(path, _)| PathBuf::from(path)));
}

#[test]
fn what_is_named_is_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let named = text.split('`').skip(1).step_by(2);
    let places: Vec<&str> = named
        .filter(|name| name.starts_with("src/") || name.starts_with("tests/"))
        .collect();
    assert!(places.len() > 20, "{places:?}");
    for place in places {
        assert!(root().join(place).exists(), "{place}");
    }
}

/// They are composed by `sync`. What a fetch gives is what the others take.
#[test]
fn stages_do_not_call_each_other() {
    let stages = [
        "fetch",
        "hydrate",
        "dehydrate",
        "push",
        "record",
        "rebuild_cache",
        "verify",
    ];
    let room = root().join("src/stage");
    for stage in stages {
        let folder = room.join(stage);
        let files = match folder.is_dir() {
            true => files_below(&folder),
            false => vec![room.join(format!("{stage}.rs"))],
        };
        for file in files {
            let code = code(&file).replace("fetch::Snapshot", "").replace("plan::", "");
            for other in stages.iter().filter(|other| **other != stage) {
                let calls = ["stage", "super"].map(|path| code.contains(&format!("{path}::{other}")));
                assert_eq!(calls, [false; 2], "{}: {other}", file.display());
            }
        }
    }
}
