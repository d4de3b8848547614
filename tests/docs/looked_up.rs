//! What the documents say of links, messages, records and settings, looked up where it comes from.

use std::fs;

use super::{Reader, documents, root, text};

#[test]
fn links_between_documents_lead_somewhere() {
    for document in documents() {
        let text = text(&document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let path = target.0.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let place = document.parent().expect("a folder").join(path);
            assert!(place.exists(), "{} links to {path}", document.display());
        }
    }
}

/// Who looks a message up finds it: what the first column of the troubleshooting tables quotes is what the program says.
#[test]
fn messages_that_are_explained_are_said() {
    let mut said = String::new();
    let mut folders = vec![root().join("src"), root().join("crates/send-pack/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_none_or(|ext| ext != "rs") => {}
                path => said += &text(&path).split("\\\n").map(str::trim).collect::<Vec<_>>().join(" "),
            }
        }
    }
    let mut looked_up = 0;
    for line in text(&root().join("docs/troubleshooting.md")).lines() {
        let Some((message, _)) = line.strip_prefix("| `").and_then(|rest| rest.split_once('`')) else {
            continue;
        };
        for part in message.split('…').map(str::trim).filter(|part| part.len() > 3) {
            assert!(said.contains(part), "nothing says {part:?}");
            looked_up += 1;
        }
    }
    assert!(looked_up > 20, "{looked_up}");

    // And the other way round: every error of a sync that has words of its own is explained.
    let explained = text(&root().join("docs/troubleshooting.md"));
    let errors = text(&root().join("src/sync/error/mod.rs"));
    let mut own = 0;
    for attribute in errors.split("#[error(").skip(1) {
        let words = attribute.split('"').nth(1).unwrap_or_default();
        let mut parts = words.split(['{', '}', ':', '(', ',']).map(str::trim);
        let first = parts.find(|part| part.len() > 8);
        if let Some(part) = first.filter(|_| attribute.trim_start().starts_with('"')) {
            let start: Vec<&str> = part.split(' ').take(4).collect();
            assert!(explained.contains(&start.join(" ")), "{words:?} is not explained");
            own += 1;
        }
    }
    assert!(own > 10, "{own}");
}

/// The fields of a record, and those that `docs/plumbing.md` lists.
#[test]
fn the_record_is_documented() {
    let reader = Reader::new().with_a_project();
    let record = reader
        .run(
            "my-project",
            "git metis-sync init -q --upstream git@host:org/central.git --prefix api
            git metis-sync fetch | git metis-sync hydrate | git metis-sync dehydrate | git metis-sync push",
        )
        .success();
    let record: serde_json::Value = serde_json::from_str(&record).expect("one document");
    let mut there: Vec<&str> = record
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    there.sort_unstable();
    let document = text(&root().join("docs/plumbing.md"));
    let (_, table) = document.split_once("## The record").expect("it has the record");
    let (table, _) = table.split_once("\n## ").expect("more follows");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut listed: Vec<&str> = rows
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|cell| cell.split([',', '`', ' ']))
        .filter(|name| !name.is_empty())
        .collect();
    listed.sort_unstable();
    assert_eq!(there, listed);
}

/// The keys of config.toml that are explained are those that are read: each is refused by name when its value is nonsense.
#[test]
fn the_keys_of_config_toml_are_documented() {
    let document = text(&root().join("docs/configuration.md"));
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let keys: Vec<&str> = rows
        .filter_map(|row| row.split('`').next())
        .filter(|key| {
            ["project.", "workspace.", "sync."]
                .iter()
                .any(|section| key.starts_with(section))
        })
        .collect();
    assert!(keys.len() >= 14, "{keys:?}");
    let reader = Reader::new();
    fs::create_dir_all(reader.path("my-project/.metis")).expect("temp folder is writable");
    let status = |config: &str| {
        fs::write(reader.path("my-project/.metis/config.toml"), config).expect("temp folder is writable");
        reader.run("my-project", "git metis-sync status")
    };
    for key in &keys {
        let refused = status(&format!("{key} = [[]]\n"));
        assert!(
            refused.code == Some(1) && refused.stderr.contains(key),
            "{key}: {}",
            refused.transcript()
        );
    }
    assert_eq!(
        status("sync.something_else = []\n").code,
        Some(0),
        "others' keys are theirs"
    );

    let program = text(&root().join("src/workspace/config/mod.rs"));
    let mut read = 0;
    for reading in [".text(", ".parsed(", ".number(", ".seconds(", ".value(", ".flag("] {
        for rest in program.split(reading).skip(1) {
            let Some(name) = rest
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
            else {
                continue;
            };
            assert!(
                keys.iter().any(|key| key.ends_with(&format!(".{name}"))),
                "{name} is not explained"
            );
            read += 1;
        }
    }
    assert!(read > 10, "{read}");
}
