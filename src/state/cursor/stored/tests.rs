use super::*;
use crate::names::ObjectFormat;

#[test]
fn where_a_cursor_comes_from() {
    let (own, copied) = (Some(Provenance::Own), Some(Provenance::Copied));
    let right = |here, serial| Seal::Right { here, serial };
    let table = [
        // The seal, in a repository, whether the guard is new.
        (right(true, 3), true, false, own),
        (right(true, 4), true, false, own),
        (right(true, 2), true, false, copied),
        (right(true, 0), true, false, copied),
        (right(true, 3), false, false, own),
        (right(true, 2), false, false, copied),
        (right(false, 3), true, false, copied),
        (right(false, 3), false, false, copied),
        (Seal::Wrong, true, false, None),
        (Seal::Wrong, true, true, None),
        (Seal::Wrong, false, false, copied),
        (Seal::Wrong, false, true, copied),
        (Seal::Missing, true, false, None),
        (Seal::Missing, true, true, own),
        (Seal::Missing, false, false, copied),
        (Seal::Missing, false, true, own),
    ];
    for (seal, in_repository, guard_is_new, expected) in table {
        assert_eq!(
            provenance(seal, 3, in_repository, guard_is_new),
            expected,
            "{seal:?} {in_repository} {guard_is_new}"
        );
    }
}

#[test]
fn an_older_one_is_known_to_be_older_and_one_that_was_not_noted_is_not() {
    let temp = tempfile::tempdir().unwrap();
    let place = crate::state::guard::Place::new(temp.path(), Some((temp.path(), b"x")), Some(temp.path()));
    let mut guard = Guard::open(place).unwrap();
    guard.update(|_| ()).unwrap();
    let state = StateDir::create(temp.path()).unwrap();
    let loaded = || match load(&state, &guard).unwrap() {
        Memory::Known(cursor) => *cursor,
        other => panic!("{other:?}"),
    };
    let new = Cursor::new("x".into(), "main".into(), ObjectFormat::Sha1);
    new.store(&state, &guard).unwrap();
    let first = state.read(FILE).unwrap().unwrap();
    loaded().store(&state, &guard).unwrap();
    let second = state.read(FILE).unwrap().unwrap();
    assert_eq!((loaded().provenance, loaded().serial), (Provenance::Own, 2));

    state.replace(FILE, &first).unwrap();
    assert_eq!(loaded().provenance, Provenance::Copied);
    loaded().store(&state, &guard).unwrap();
    assert_eq!((loaded().provenance, loaded().serial), (Provenance::Own, 3));
    state.replace(FILE, &second).unwrap();
    assert_eq!(loaded().provenance, Provenance::Copied);

    // Killed before the number was noted.
    state.replace(FILE, &guard.seal(br#"{"schema":1,"upstream":"x","branch":"main","format":"sha1","head":null,"compared":null,"folders":{},"unfinished":[],"base":{}}"#, &state.identity(), 9)).unwrap();
    assert_eq!(loaded().provenance, Provenance::Own);
    loaded().store(&state, &guard).unwrap();
    assert_eq!(loaded().serial, 10);
}
