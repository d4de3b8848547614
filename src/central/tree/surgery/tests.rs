use std::{fs, path::Path};

use super::*;
use crate::central::{fixture::git, objects};

fn id(text: Vec<u8>) -> ObjectId {
    String::from_utf8(text).unwrap().trim().parse().unwrap()
}

/// A repository with these files in its index, each with its path for content.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    git(temp.path(), &["init", "-q"], b"");
    change(temp.path(), files);
    temp
}

/// Gives paths a mode each, or with an empty one takes them away; returns the changes for us.
fn change(at: &Path, files: &[(&str, &str)]) -> Changes {
    let mut changes = Changes::new();
    for (path, mode) in files {
        let blob = id(git(at, &["hash-object", "-w", "--stdin"], path.as_bytes()));
        let leaf = match *mode {
            "100644" => Some(Leaf::File(blob)),
            "100755" => Some(Leaf::Executable(blob)),
            "120000" => Some(Leaf::Link(blob)),
            _ => None,
        };
        match leaf {
            Some(_) => {
                let info = format!("{mode},{blob},{path}");
                git(at, &["update-index", "--add", "--replace", "--cacheinfo", &info], b"");
            }
            None => drop(git(at, &["update-index", "--force-remove", path], b"")),
        }
        changes.insert(path.split('/').map(str::to_owned).collect(), leaf);
    }
    changes
}

/// Makes the changes in the tree of a repository's index. Returns git's answer, and ours.
fn both(files: &[(&str, &str)], changed: &[(&str, &str)]) -> (ObjectId, Result<NewTrees, Obstacle>) {
    let temp = repository(files);
    let before = id(git(temp.path(), &["write-tree"], b""));
    let odb = objects::open(&temp.path().join(".git/objects"), ObjectFormat::Sha1).unwrap();
    let entries = raw(&odb, before).unwrap();
    let changes = change(temp.path(), changed);
    let after = id(git(temp.path(), &["write-tree"], b""));
    let changes: Vec<Change<'_>> = changes.iter().map(|(path, leaf)| (path.as_slice(), *leaf)).collect();
    let mut surgery = Surgery {
        odb,
        format: ObjectFormat::Sha1,
        below: Vec::new(),
    };
    let trees = surgery.edit(entries, "", &changes).and_then(|top| {
        Ok(NewTrees {
            root: encode(&top, ObjectFormat::Sha1)?,
            below: surgery.below,
        })
    });
    fs::remove_dir_all(temp.path().join(".git")).unwrap();
    (after, trees)
}

const FILE: &str = "100644";

#[test]
fn paths_however_deep_and_modes_come_out_as_git_makes_them() {
    let before = [("a/b/c.md", FILE), ("a/b.md", FILE), ("a/d", FILE), ("e", FILE)];
    for (changed, trees) in [
        (&[("a/b/c.md", "100755")][..], 2),
        (&[("x/y/z/w.md", FILE), ("x/y/v", "120000")], 3),
        (&[("a/b/c.md", "")], 1),
        (&[("a/b/c.md", ""), ("a/b.md", ""), ("a/d", "")], 0),
        (&[("e", ""), ("e/f", FILE)], 1),
        (&[("a/b/c.md", ""), ("a/b", FILE)], 1),
        (&[("nothing", ""), ("a/nothing", "")], 1),
    ] {
        let (git, ours) = both(&before, changed);
        let ours = ours.unwrap();
        assert_eq!((ours.root.id, ours.below.len()), (git, trees), "{changed:?}");
    }
}

#[test]
fn what_is_in_the_way_is_not_replaced_unasked() {
    let before = [("a/b.md", FILE), ("e", FILE)];
    let in_the_way = |changes: &[(&str, Option<Leaf>)]| {
        let temp = repository(&before);
        let tree = id(git(temp.path(), &["write-tree"], b""));
        let odb = objects::open(&temp.path().join(".git/objects"), ObjectFormat::Sha1).unwrap();
        let entries = raw(&odb, tree).unwrap();
        let paths: Vec<(Vec<String>, Option<Leaf>)> = changes
            .iter()
            .map(|(path, leaf)| (path.split('/').map(str::to_owned).collect(), *leaf))
            .collect();
        let changes: Vec<Change<'_>> = paths.iter().map(|(path, leaf)| (path.as_slice(), *leaf)).collect();
        let mut surgery = Surgery {
            odb,
            format: ObjectFormat::Sha1,
            below: Vec::new(),
        };
        surgery.edit(entries, "", &changes).unwrap_err()
    };
    let leaf = Some(Leaf::File(ObjectId::from_bytes(&[1; 20]).unwrap()));
    assert!(matches!(in_the_way(&[("a", leaf)]), Obstacle::NotAFile(path) if path == "a"));
    assert!(matches!(in_the_way(&[("a", None)]), Obstacle::NotAFile(_)));
    assert!(matches!(in_the_way(&[("e/f", leaf)]), Obstacle::NotAFolder(path) if path == "e"));
    assert!(matches!(
        in_the_way(&[("a", leaf), ("a/c", None)]),
        Obstacle::NotAFile(_)
    ));
}
