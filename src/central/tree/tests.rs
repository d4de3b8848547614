use super::*;

fn entry(mode: &str, name: &str) -> Entry {
    Entry::new(mode, name, ObjectId::from_bytes(&[1; 20]).unwrap())
}

#[test]
fn modes_mean_what_they_mean_to_git() {
    for (mode, kind) in [
        ("100644", EntryKind::File),
        ("100755", EntryKind::File),
        ("0100600", EntryKind::File),
        ("40000", EntryKind::Tree),
        ("040755", EntryKind::Tree),
        ("120000", EntryKind::Symlink),
        ("160000", EntryKind::Gitlink),
        ("140000", EntryKind::Gitlink),
        ("0", EntryKind::Gitlink),
        ("77777777", EntryKind::Gitlink),
    ] {
        assert_eq!(entry(mode, "x").kind(), kind, "{mode}");
    }
}

#[test]
fn a_folder_sorts_as_if_it_ended_with_a_slash() {
    let mut entries = [entry("40000", "a"), entry("100644", "a.md"), entry("100644", "a0")];
    entries.sort_by(Entry::order);
    assert_eq!(
        entries.map(|entry| String::from_utf8(entry.name).unwrap()),
        ["a.md", "a", "a0"]
    );
}
