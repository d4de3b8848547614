//! Each row of docs/guarantees.md, and each claim of SECURITY.md, names tests that are there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{root, text};

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The file or folder that a row names. One without a folder of its own is in `tests/torture/`.
fn named(word: &str) -> Option<PathBuf> {
    let is_path = word.ends_with(".rs") || word.contains('/');
    let in_torture = root().join("tests/torture").join(word);
    is_path.then(|| match in_torture.exists() {
        true => in_torture,
        false => root().join(word),
    })
}

/// All Rust files in `path`, itself if it is one. A file's module may go on in the folder of its name.
fn sources(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![path.to_owned(), path.with_extension("")];
    while let Some(path) = left.pop() {
        match fs::read_dir(&path) {
            Ok(entries) => left.extend(entries.flatten().map(|entry| entry.path())),
            Err(_) if path.extension().is_some_and(|ext| ext == "rs") => found.push(text(&path)),
            Err(_) => {}
        }
    }
    found
}

/// Whether all tests are there that `shown_by` names, at least one file of them, and how many have a name of their own.
fn check(shown_by: &str, claim: &str) -> usize {
    let mut count = 0;
    let paths: Vec<PathBuf> = quoted(shown_by).filter_map(named).collect();
    assert!(!paths.is_empty(), "no test is named: {claim}");
    let mut all = Vec::new();
    for path in &paths {
        assert!(path.exists(), "{} is not there: {claim}", path.display());
        let sources = sources(path);
        let has_tests = ["#[test]", "proptest!", "fuzz_target!", "#[ignore"]
            .iter()
            .any(|mark| sources.iter().any(|source| source.contains(mark)));
        assert!(has_tests, "{} has no tests: {claim}", path.display());
        all.extend(sources);
    }
    for name in quoted(shown_by).filter(|word| named(word).is_none()) {
        // Words of other kinds are no sentences.
        let is_sentence = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_…".contains(c);
        if !name.contains('_') || !name.chars().all(is_sentence) {
            continue;
        }
        let beginning = format!("fn {}", name.trim_end_matches('…'));
        let is_there = all.iter().any(|source| {
            source.match_indices(&beginning).any(|(at, _)| {
                let goes_on = source[at + beginning.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
                name.ends_with('…') || !goes_on
            })
        });
        assert!(is_there, "no test {name}: {claim}");
        count += 1;
    }
    count
}

#[test]
fn every_promise_names_tests_that_exist() {
    let document = text(&root().join("docs/guarantees.md"));
    let rows = document.lines().filter(|line| line.starts_with("| **"));
    let count: usize = rows.map(|row| check(row.split(" | ").nth(1).unwrap(), row)).sum();
    assert!(count > 30, "{count}");
}

#[test]
fn every_claim_about_security_names_tests_that_exist() {
    let document = text(&root().join("SECURITY.md"));
    let section = |title: &str| {
        let (_, rest) = document.split_once(&format!("\n## {title}\n")).unwrap();
        rest.split("\n## ").next().unwrap()
    };
    let mut count = 0;
    for row in section("Who is trusted with what")
        .lines()
        .filter(|line| line.starts_with("| **"))
    {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [_, _, may_not, shown_by] = cells[..] else {
            // Whoever may do everything is denied nothing.
            assert!(cells.len() == 3, "{row}");
            continue;
        };
        assert!(!may_not.is_empty(), "{row}");
        count += check(shown_by, row);
    }
    let paragraphs = section("How it is kept").trim().split("\n\n");
    for paragraph in paragraphs.filter(|paragraph| !paragraph.starts_with("Tests without a folder")) {
        let (_, shown_by) = paragraph
            .split_once("\n*Shown by* ")
            .unwrap_or_else(|| panic!("no test is named: {paragraph}"));
        count += check(shown_by, paragraph);
    }
    assert!(count > 60, "{count}");
}
