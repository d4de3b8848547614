use std::fs;

use super::*;
use crate::{
    central::blob_id,
    conduit::{Order, Told},
    names::ObjectFormat,
    plan::conduit::Form,
};

fn item(text: &str) -> Item {
    Item {
        id: blob_id(ObjectFormat::Sha1, text.as_bytes()),
        form: Form::File,
    }
}

/// rclone#3104, syncthing#7974: on a side that takes `Foo` and `foo` for one, a new name is given in place, so that there is one file
/// at each moment and none is deleted. What such a side is was asked of it before this was planned.
#[test]
fn a_name_that_differs_in_case_is_given_in_place() {
    let temp = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        fs::create_dir_all(temp.path().join(name)).unwrap();
        Dir::open_root(&temp.path().join(name)).unwrap()
    };
    let (memory, root) = (folder("memory"), folder("root"));
    folder("root/Dir");
    for path in ["Foo.md", "Dir/a"] {
        fs::write(temp.path().join("root").join(path), "1").unwrap();
    }
    let renamed = |from: &str, path: &str, now: &str| Change {
        side: Side::Beta,
        path: path.into(),
        action: Action::Rename {
            from: from.into(),
            was: item("1"),
            now: item(now),
        },
        aside: None,
    };
    let changes = [renamed("Dir/a", "dir/a", "2"), renamed("Foo.md", "foo.md", "1")];
    let order = Order::default();
    let work = Work {
        roots: [None, Some(&root)],
        reading: Reading {
            format: ObjectFormat::Sha1,
            exec: true,
            largest: u64::MAX,
            links: false,
        },
        memory: &memory,
        generation: 1,
        changes: &changes,
        source: &|_, _, _| Ok(Content::Bytes(b"2".to_vec())),
        transfers: 2,
        ends: &order.ends(),
    };
    let applied = apply(&work, &Told::default(), &mut |_| Ok(Vec::new()), &mut |_| {}).unwrap();
    assert_eq!((applied.done, applied.failed), (vec![true; 2], Vec::new()));
    let names: Vec<_> = root.list().unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["dir", "foo.md"]);
    let read = |path: &str| fs::read_to_string(temp.path().join(path)).unwrap();
    assert_eq!((read("root/dir/a"), read("root/foo.md")), ("2".into(), "1".into()));
    assert_eq!(read("memory/kept/1/beta/dir/a"), "1");
}
