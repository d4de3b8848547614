use super::*;

fn folders(names: &[&str]) -> BTreeSet<Prefix> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn block_of(lines: &[&str]) -> String {
    let (begin, end) = (String::from_utf8_lossy(BEGIN), String::from_utf8_lossy(END));
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("{begin}\n{body}{end}\n")
}

fn with(before: &str, lines: &[&str]) -> Option<String> {
    let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
    let after = with_lines(before.as_bytes(), &lines)?;
    assert_eq!(with_lines(&after, &lines), None, "the second time nothing changes");
    Some(String::from_utf8(after).unwrap())
}

#[test]
fn what_no_line_covers_is_added_once() {
    let (ab, a) = (block_of(&["/metis.db", "/.sync/"]), block_of(&["/metis.db"]));
    assert_eq!(with("", &["/metis.db", "/.sync/"]), Some(ab.clone()));
    assert_eq!(with("x", &["/metis.db"]), Some(format!("x\n{a}")));
    assert_eq!(
        with(&format!("x\n{a}y"), &["/metis.db", "/.sync/"]),
        Some(format!("x\n{ab}y"))
    );
    assert_eq!(
        with("metis.db\n", &["/.sync/"]),
        Some(format!("metis.db\n{}", block_of(&["/.sync/"])))
    );
    for covered in ["metis.db*\n", "# ours\r\n/metis.db\r\n", "*.db", "*", "/*", &a] {
        assert_eq!(with(covered, &["/metis.db"]), None, "{covered:?}");
    }
    for open in ["# metis.db\n", "other.db\n", "metis.db/\n", "metis.db-*\n"] {
        assert!(with(open, &["/metis.db"]).is_some(), "{open:?}");
    }
    assert_eq!(with("metis.db*", &["/metis.db-wal", "/metis.db-shm"]), None);
    assert!(with("*.db", &["/metis.db-wal"]).is_some());
}

#[test]
fn the_users_bytes_survive() {
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let b = block_of(&["/metis.db"]);
    assert_eq!(with("a\r\nb", &["/metis.db"]), Some(format!("a\r\nb\r\n{}", crlf(&b))));
    assert_eq!(with(&crlf(&format!("a\n{b}c")), &["/metis.db"]), None);
    let latin = b"caf\xe9\n";
    let after = with_lines(latin, &[b"/metis.db".to_vec()]).unwrap();
    assert!(after.starts_with(latin));
    let unclosed = b.replace(&*String::from_utf8_lossy(END), "*.tmp");
    let mended = with(&unclosed, &["/.sync/"]).unwrap();
    assert_eq!(mended, format!("{unclosed}{}", block_of(&["/.sync/"])));
}

#[test]
fn folders_are_taken_out_of_our_block_alone() {
    let mine = "/web/\n*.tmp\n";
    let old = format!("{mine}{}{mine}", block_of(&["/.sync/", "/web/", "*.mine", "/ops/"]));
    let new = format!("{mine}{}{mine}", block_of(&["/.sync/", "*.mine"]));
    assert_eq!(without_folders(old.as_bytes()), Some(new.clone().into_bytes()));
    assert_eq!(without_folders(new.as_bytes()), None);
    assert_eq!(without_folders(mine.as_bytes()), None);
}

#[test]
fn folders_that_earlier_tools_listed_are_known() {
    let old = "metis.db\nbuild/\n\n# Hydrated remote workspaces\napi/\r\nstrat/\n*.x\nNot/\n/web/\n# more\nlate/";
    assert_eq!(ignored_folders(old.as_bytes()), folders(&["api", "late", "strat"]));
    let both = format!("{old}\n{}", block_of(&["/.sync/", "/web/"]));
    assert_eq!(
        ignored_folders(both.as_bytes()),
        folders(&["api", "late", "strat", "web"])
    );
    assert!(ignored_folders(b"api/\n/api/\n").is_empty());
}

#[test]
fn the_files_are_written_only_for_a_change_and_never_through_a_link() {
    let temp = tempfile::tempdir().unwrap();
    let metis = Dir::open_root(temp.path()).unwrap();
    assert!(ignore_own_files(&metis).unwrap());
    assert!(!ignore_own_files(&metis).unwrap());

    let excluded = || std::fs::read_to_string(temp.path().join("info/exclude")).unwrap();
    let exclude = |path: &str| exclude_own_files(temp.path(), path.as_bytes()).unwrap();
    assert!(exclude(".metis") && !exclude(".metis") && !exclude("apps/web/.metis"));
    assert!(excluded().contains("\n**/.metis/metis.db-wal\n"), "{}", excluded());
    assert!(exclude("plans [old]") && !exclude("plans [old]") && !exclude(".metis"));
    assert!(excluded().contains("\n/plans\\ \\[old]/metis.db\n"), "{}", excluded());
    for all in [".metis", "/.metis/", "**/.metis/"] {
        std::fs::write(temp.path().join("info/exclude"), format!("{all}\n")).unwrap();
        assert!(!exclude(".metis"), "{all}");
    }

    metis.rename(IGNORE_FILE, "elsewhere").unwrap();
    std::os::unix::fs::symlink("elsewhere", temp.path().join(IGNORE_FILE)).unwrap();
    assert!(read_ignored(&metis).unwrap().is_empty());
    assert!(matches!(ignore_own_files(&metis), Err(DirError::Symlink { .. })));
}
