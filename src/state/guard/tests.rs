//! Guards in repositories and outside of them, seals, and numbers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    seal::{MAX_SERIALS, SERIALS, numbered},
    *,
};

fn place(root: &Path, repository: bool) -> Place {
    Place {
        inside: repository.then(|| Folder::of(b"x", &root.join("git/metis-sync"))),
        outside: Some(Folder::of(b"x", &root.join("state"))),
        folder: "7-1".into(),
    }
}

/// The folder of its guard in the repository.
fn inside(root: &Path) -> PathBuf {
    place(root, true).inside.expect("it is in one").whole
}

fn opened(place: Place) -> Guard {
    Guard::open(place).unwrap()
}

#[test]
fn what_is_noted_is_found_again_where_git_does_not_write() {
    let temp = tempfile::tempdir().unwrap();
    for repository in [true, false] {
        let mut guard = opened(place(temp.path(), repository));
        assert!(guard.is_new());
        let text = guard.seal(b"{\"a\":1}", "9-9", 7);
        guard
            .update(|notes| notes.upstream = Some("https://host/central".into()))
            .unwrap();
        let again = opened(place(temp.path(), repository));
        assert_eq!((again.is_new(), again.notes()), (false, guard.notes()));
        assert_eq!(again.check(&text, "9-9"), Seal::Right { here: true, serial: 7 });
        let _ = fs::remove_dir_all(temp.path().join("git"));
    }
}

#[test]
fn only_this_user_may_look() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    opened(place(temp.path(), true)).update(|_| ()).unwrap();
    let folder = inside(temp.path());
    fs::write(folder.join("guard.json.tmp-1-1"), "half").unwrap();
    opened(place(temp.path(), true)).update(|_| ()).unwrap();
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        1,
        "what a killed one left is gone"
    );
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
    assert!(!format!("{:?}", opened(place(temp.path(), true))).contains("secret: Secret("));
}

#[test]
fn a_workspace_that_gets_a_repository_stays_bound_and_another_folder_in_its_place_is_not() {
    let temp = tempfile::tempdir().unwrap();
    let mut guard = opened(place(temp.path(), false));
    guard.update(|notes| notes.upstream = Some("x".into())).unwrap();
    let later = opened(place(temp.path(), true));
    assert_eq!(later.notes().upstream.as_deref(), Some("x"));
    assert!(later.in_repository());
    let other = Place {
        folder: "8-2".into(),
        ..place(temp.path(), false)
    };
    let mut other = opened(other);
    assert!(other.is_new() && other.notes().upstream.is_none());
    other.update(|_| ()).unwrap();
    assert_eq!(other.notes().upstream, None);
}

#[test]
fn two_who_begin_at_once_have_one_secret() {
    let temp = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (opened(place(temp.path(), true)), opened(place(temp.path(), true)));
    one.update(|notes| notes.upstream = Some("x".into())).unwrap();
    other.update(|notes| notes.prefix = "api".parse().ok()).unwrap();
    let both = opened(place(temp.path(), true));
    assert_eq!(both.notes(), other.notes());
    assert_eq!(both.notes().upstream.as_deref(), Some("x"));
    assert_eq!(
        one.check(&other.seal(b"{}", "1-1", 7), "1-1"),
        Seal::Right { here: true, serial: 7 }
    );
}

#[test]
fn a_seal_is_by_one_clone_in_one_folder_over_every_byte() {
    let temp = tempfile::tempdir().unwrap();
    let guard = opened(place(temp.path(), true));
    let text = guard.seal(b"{\"schema\":1,\"upstream\":\"x\"}", "1-1", 7);
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&json["upstream"], &json["folder"]), (&"x".into(), &"1-1".into()));
    assert_eq!(guard.check(&text, "1-1"), Seal::Right { here: true, serial: 7 });
    assert_eq!(guard.check(&text, "2-1"), Seal::Right { here: false, serial: 7 });
    assert_eq!(opened(place(temp.path(), true)).check(&text, "1-1"), Seal::Wrong);
    assert_eq!(guard.check(b"{\"schema\":1}\n", "1-1"), Seal::Missing);
    let first = guard.seal(b"{\"a\":1}", "1-1", 0);
    assert_eq!(guard.check(&first, "1-1"), Seal::Right { here: true, serial: 0 });
    assert_eq!(guard.check(b"", "1-1"), Seal::Missing);
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1;
        assert!(!matches!(guard.check(&changed, "1-1"), Seal::Right { .. }), "byte {at}");
    }
}

#[test]
fn folders_have_serial_numbers_of_their_own() {
    let temp = tempfile::tempdir().unwrap();
    let mut guard = opened(place(temp.path(), true));
    guard.update(|_| ()).unwrap();
    assert_eq!(guard.serial("1-1").unwrap(), 0);
    guard.note_serial("1-1", 5).unwrap();
    for other in 0..2 * MAX_SERIALS as u64 {
        guard.note_serial(&format!("2-{other}"), 6 + other).unwrap();
    }
    guard.note_serial("1-1", 1).unwrap();
    let again = opened(place(temp.path(), true));
    let known = |folder: &str| again.serial(folder).unwrap();
    assert_eq!((known("1-1"), known("2-127"), known("2-0")), (1, 133, 0));
    fs::write(inside(temp.path()).join(SERIALS), "damaged").unwrap();
    assert_eq!(known("1-1"), 0);
    again.note_serial("1-1", 2).unwrap();
    assert_eq!(known("1-1"), 2);
}

/// Looking renames nothing.
#[test]
fn a_guard_under_an_earlier_name_is_read_and_taken_over() {
    let temp = tempfile::tempdir().unwrap();
    for repository in [true, false] {
        let place = || place(temp.path(), repository);
        let folder = if repository { place().inside } else { place().outside }.unwrap();
        let mut guard = opened(place());
        guard.update(|notes| notes.upstream = Some("x".into())).unwrap();
        guard.note_serial("1-1", 5).unwrap();
        fs::rename(&folder.whole, &folder.short).unwrap();

        let mut guard = opened(place());
        assert_eq!(guard.notes().upstream.as_deref(), Some("x"));
        assert_eq!((guard.is_new(), guard.serial("1-1").unwrap()), (false, 5));
        assert!(!folder.whole.exists());
        guard.update(|notes| notes.prefix = "api".parse().ok()).unwrap();
        assert!(folder.whole.exists() && !folder.short.exists());
        let again = opened(place());
        assert_eq!(again.notes().upstream.as_deref(), Some("x"));
        assert_eq!(again.serial("1-1").unwrap(), 5);
        let _ = fs::remove_dir_all(temp.path().join("git"));
    }
}

#[test]
fn the_number_is_the_last_one() {
    assert_eq!(numbered(br#"{"a":1,"serial":12"#), (&br#"{"a":1"#[..], 12));
    assert_eq!(
        numbered(br#"{"a":1,"folder":"1-1""#),
        (&br#"{"a":1,"folder":"1-1""#[..], 0)
    );
    assert_eq!(numbered(br#"{"serial":1,"a":12"#).1, 0);
    assert_eq!(numbered(b"").1, 0);
}

#[test]
fn another_workspace_of_the_same_repository_is_told_from_the_first_one() {
    let temp = tempfile::tempdir().unwrap();
    let other = || {
        opened(Place {
            inside: Some(Folder::of(b"y", &temp.path().join("git/metis-sync"))),
            ..place(temp.path(), true)
        })
    };
    assert!(!other().is_another());
    opened(place(temp.path(), true)).update(|_| ()).unwrap();
    assert!(other().is_another());
    other().update(|_| ()).unwrap();
    assert!(!other().is_another());
    assert!(!opened(place(temp.path(), false)).is_another());
}

#[test]
fn without_a_home_there_is_no_place() {
    let nowhere = Place {
        inside: None,
        outside: None,
        folder: String::new(),
    };
    assert!(matches!(Guard::open(nowhere), Err(StateError::NoHome)));
}
