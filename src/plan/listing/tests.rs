use super::*;

fn id(n: u8) -> ObjectId {
    ObjectId::from_bytes(&[n; 20]).unwrap()
}

fn entry(name: &[u8], kind: EntryKind) -> TreeEntry {
    TreeEntry {
        name: name.to_vec(),
        kind,
        id: id(1),
    }
}

#[test]
fn only_regular_files_with_a_documents_name_are_documents() {
    let prefix = "api".parse().unwrap();
    let hostile: [(&[u8], EntryKind); 14] = [
        (b"..", EntryKind::File),
        (b".git", EntryKind::File),
        (b".metis", EntryKind::File),
        (b"config.toml", EntryKind::File),
        (b"-rf.md", EntryKind::File),
        (b"API-T-0001.MD", EntryKind::File),
        (b"api-t-0001.md", EntryKind::File),
        (b"API-T-0001.md\n", EntryKind::File),
        ("API-T-0001\u{202e}.md".as_bytes(), EntryKind::File),
        (b"\xff\xfe.md", EntryKind::File),
        (b"a/b.md", EntryKind::File),
        (b"API-T-0009.md", EntryKind::Symlink),
        (b"API-T-0010.md", EntryKind::Gitlink),
        (b"API-T-0011.md", EntryKind::Tree),
    ];
    let mut entries: Vec<_> = hostile.iter().map(|(n, k)| entry(n, *k)).collect();
    entries.push(entry(b"API-T-0001.md", EntryKind::File));
    entries.push(entry(b".gitkeep", EntryKind::File));
    let folder = folder(&prefix, entries);
    assert_eq!(folder.documents.len(), 1);
    assert_eq!(folder.skipped.named.len(), hostile.len());
    assert!(
        folder
            .skipped
            .named
            .iter()
            .all(|s| !s.path.raw().chars().any(is_hidden))
    );
}

#[test]
fn an_entry_that_comes_twice_counts_once() {
    let prefix = "api".parse().unwrap();
    let twice = folder(
        &prefix,
        [1, 2].map(|n| TreeEntry {
            id: id(n),
            ..entry(b"API-T-0001.md", EntryKind::File)
        }),
    );
    assert_eq!(twice.documents.values().copied().collect::<Vec<_>>(), [id(1)]);
    assert_eq!(twice.skipped.named[0].reason, SkipReason::Duplicate);
}

#[test]
fn only_harmless_dot_names_pass_in_silence() {
    for (name, quiet) in [
        (&b".gitkeep"[..], true),
        (b".x", true),
        (b".editor-config_2.bak", true),
        (b"gitkeep", false),
        (b".", false),
        (b"..", false),
        (b".GIT", false),
        (b".Metis", false),
        (b".a b", false),
        (b".\x1b[2J", false),
        ("\u{2e}\u{e4}".as_bytes(), false),
    ] {
        let folder = folder(&"api".parse().unwrap(), [entry(name, EntryKind::File)]);
        assert_eq!(folder.skipped.named.is_empty(), quiet, "{}", printable(name));
    }
}

#[test]
fn what_is_skipped_is_named_by_what_it_is() {
    for (kind, words) in [
        (EntryKind::Symlink, "a symbolic link"),
        (EntryKind::Gitlink, "a submodule"),
        (EntryKind::Tree, "a folder"),
        (EntryKind::File, "not the name of a document"),
    ] {
        let skipped = folder(&"api".parse().unwrap(), [entry(b"notes", kind)]).skipped.named;
        assert_eq!(skipped[0].path.raw(), "api/notes");
        assert_eq!(skipped[0].reason.words(), words);
    }
}

/// The rest is counted.
#[test]
fn so_much_of_what_is_left_out_is_named_and_no_more() {
    let strangers = (0..MOST_NAMED + 2).map(|n| entry(format!("no document {n}").as_bytes(), EntryKind::File));
    let left_out = folder(&"api".parse().unwrap(), strangers).skipped;
    assert_eq!((left_out.named.len(), left_out.more), (MOST_NAMED, 2));
    let less = left_out.within(MOST_NAMED - 3);
    assert_eq!((less.named.len(), less.more), (MOST_NAMED - 3, 5));
    let same = less.clone().within(MOST_NAMED);
    assert_eq!(same, less);
}

#[test]
fn the_root_holds_workspaces_and_strangers() {
    let root = root([
        entry(b"api", EntryKind::Tree),
        entry(b"README.md", EntryKind::File),
        entry(b".github", EntryKind::Tree),
        entry(b".git", EntryKind::Tree),
        entry(b"Api", EntryKind::Tree),
        entry(b"web", EntryKind::Symlink),
    ]);
    assert_eq!(root.workspaces.len(), 1);
    assert_eq!(
        root.skipped.named.iter().map(|s| s.path.raw()).collect::<Vec<_>>(),
        [".git", "Api", "web"]
    );
    let [git, name, link] = root.skipped.named.as_slice() else {
        panic!("{root:?}");
    };
    assert_eq!(
        [git.reason, name.reason, link.reason],
        [SkipReason::Name, SkipReason::Name, SkipReason::Symlink]
    );
}
