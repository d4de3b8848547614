//! `.metis/.gitignore`: the lines that keep copies of central out of the project's own repository.
//!
//! Ours stand between two marker lines; every other byte belongs to the user. An older tool listed its copies after a
//! heading instead; that list is read and never changed.

use std::collections::BTreeSet;

use super::safe_dir::{Dir, DirError, FileMode};
use crate::names::Prefix;

const IGNORE_FILE: &str = ".gitignore";
const IGNORE_LIMIT: u64 = 1 << 20;

const BEGIN: &[u8] = b"# >>> git-metis-sync: written by the program, changes in here are lost >>>";
const END: &[u8] = b"# <<< git-metis-sync <<<";
const OLD_HEADING: &[u8] = b"# Hydrated remote workspaces";

/// What is ignored in every workspace: this clone's state and the database.
const ALWAYS: [&[u8]; 2] = [b"/.sync/", b"/metis.db"];

/// The folders listed in `.gitignore` of `metis`; none if there is no such file.
pub(super) fn read_ignored(metis: &Dir) -> Result<BTreeSet<Prefix>, DirError> {
    read(metis).map(|bytes| ignored_folders(&bytes))
}

/// List `folders`, and no others, in our block of `.gitignore` in `metis`. Returns whether the file had to be written.
pub fn write_ignored(metis: &Dir, folders: &BTreeSet<Prefix>) -> Result<bool, DirError> {
    match with_block(&read(metis)?, folders) {
        None => Ok(false),
        Some(bytes) => metis.write_flushed(IGNORE_FILE, &bytes, FileMode::Keep).map(|()| true),
    }
}

/// Sees to it that git passes over a `metis.db` that is about to be made: a line of the user's for it will do, else our block
/// is written. Returns whether the file had to be written.
pub fn ignore_database(metis: &Dir) -> Result<bool, DirError> {
    match ignores_database(&read(metis)?) {
        true => Ok(false),
        // A block would name it.
        false => write_ignored(metis, &BTreeSet::new()),
    }
}

fn ignores_database(bytes: &[u8]) -> bool {
    let covers = |line: &[u8]| matches!(line, b"metis.db" | b"/metis.db" | b"metis.db*" | b"*.db" | b"*" | b"/*");
    bytes.split(|b| *b == b'\n').map(text).any(covers)
}

fn read(metis: &Dir) -> Result<Vec<u8>, DirError> {
    match metis.read_file(IGNORE_FILE, IGNORE_LIMIT) {
        Ok((bytes, _)) => Ok(bytes),
        // A link counts as nothing here, as it does for git; writing will refuse it.
        Err(DirError::Missing { .. } | DirError::Symlink { .. }) => Ok(Vec::new()),
        Err(err) => Err(err),
    }
}

/// The folders that a `.gitignore` lists in our block or below the older tool's heading.
///
/// That tool adds later folders at the end of the file, so its list has no end.
pub fn ignored_folders(bytes: &[u8]) -> BTreeSet<Prefix> {
    let (mut in_block, mut below_heading) = (false, false);
    let mut folders = BTreeSet::new();
    for line in bytes.split(|b| *b == b'\n').map(text) {
        match line {
            BEGIN => in_block = true,
            END => in_block = false,
            OLD_HEADING => below_heading = true,
            line if in_block => folders.extend(line.strip_prefix(b"/").and_then(folder)),
            line if below_heading => folders.extend(folder(line)),
            _ => {}
        }
    }
    folders
}

/// The bytes of a `.gitignore` whose block lists `folders`; `None` if it does already. Line endings are as in the first line.
pub fn with_block(bytes: &[u8], folders: &BTreeSet<Prefix>) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let eol: &[u8] = if lines.first().is_some_and(|line| line.ends_with(b"\r\n")) {
        b"\r\n"
    } else {
        b"\n"
    };
    let mut block = Vec::new();
    let own = folders.iter().map(|prefix| format!("/{prefix}/").into_bytes());
    let body = ALWAYS.iter().map(|line| line.to_vec()).chain(own);
    for line in [BEGIN.to_vec()].into_iter().chain(body).chain([END.to_vec()]) {
        block.extend(line);
        block.extend(eol);
    }

    let mut new = Vec::with_capacity(bytes.len() + block.len());
    let mut strays: Vec<&[u8]> = Vec::new();
    let (mut inside, mut placed) = (false, false);
    for (i, line) in lines.iter().enumerate() {
        if inside {
            let has_end = || lines[i..].iter().any(|line| text(line) == END);
            match text(line) {
                END => {
                    inside = false;
                    if !line.ends_with(b"\n") && new.ends_with(&block) {
                        new.truncate(new.len() - eol.len());
                    }
                    new.extend(strays.drain(..).flatten());
                }
                line if is_ours(line) => {}
                // Somebody's own line in our block is moved behind it; without an end, the block ends here.
                _ if has_end() => strays.push(line),
                _ => {
                    inside = false;
                    new.extend(*line);
                }
            }
        } else if text(line) == BEGIN {
            inside = true;
            if !placed {
                new.extend(&block);
                placed = true;
            }
        } else {
            new.extend(*line);
        }
    }
    if !placed {
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.extend(eol);
        }
        new.extend(&block);
    }
    (new != bytes).then_some(new)
}

fn text(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_end()
}

fn folder(line: &[u8]) -> Option<Prefix> {
    std::str::from_utf8(line.strip_suffix(b"/")?).ok()?.parse().ok()
}

fn is_ours(line: &[u8]) -> bool {
    line == BEGIN || ALWAYS.contains(&line) || line.strip_prefix(b"/").and_then(folder).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(names: &[&str]) -> BTreeSet<Prefix> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_line_of_the_users_for_the_database_will_do() {
        for covered in [
            "metis.db\nmetis-mcp-server.log\n",
            "# ours\r\n/metis.db\r\n",
            "*.db",
            &block(&[]),
        ] {
            assert!(ignores_database(covered.as_bytes()), "{covered:?}");
        }
        for open in ["", "# metis.db\n", "other.db\n", "metis.db/\n"] {
            assert!(!ignores_database(open.as_bytes()), "{open:?}");
        }
    }

    fn block(names: &[&str]) -> String {
        let (begin, end) = (String::from_utf8_lossy(BEGIN), String::from_utf8_lossy(END));
        let own: String = names.iter().map(|name| format!("/{name}/\n")).collect();
        format!("{begin}\n/.sync/\n/metis.db\n{own}{end}\n")
    }

    fn with(before: &str, names: &[&str]) -> Option<String> {
        let after = with_block(before.as_bytes(), &folders(names))?;
        assert_eq!(
            with_block(&after, &folders(names)),
            None,
            "the second time nothing changes"
        );
        assert!(ignored_folders(&after).is_superset(&folders(names)));
        Some(String::from_utf8(after).unwrap())
    }

    #[test]
    fn the_block_is_added_at_the_end_once() {
        let (ab, b) = (block(&["alpha", "beta"]), block(&["beta"]));
        assert_eq!(with("", &["alpha", "beta"]), Some(ab.clone()));
        assert_eq!(with("metis.db", &["beta"]), Some(format!("metis.db\n{b}")));
        assert_eq!(with(&format!("x\n{ab}y"), &["beta"]), Some(format!("x\n{b}y")));
        assert_eq!(with(&format!("x\n{ab}y"), &["alpha", "beta"]), None);
        assert_eq!(with(ab.trim_end(), &["alpha", "beta"]), None, "no final newline");
        assert_eq!(with(ab.trim_end(), &["beta"]).as_deref(), Some(b.trim_end()));
        assert_eq!(with(&ab, &[]), Some(block(&[])), "the last folder is gone");
    }

    #[test]
    fn the_users_bytes_survive() {
        let crlf = |text: &str| text.replace('\n', "\r\n");
        let b = block(&["beta"]);
        assert_eq!(with("a\r\nb", &["beta"]), Some(format!("a\r\nb\r\n{}", crlf(&b))));
        assert_eq!(with(&crlf(&format!("a\n{b}c")), &["beta"]), None);

        let latin = b"caf\xe9\n";
        let after = with_block(latin, &folders(&["beta"])).unwrap();
        assert!(after.starts_with(latin));
    }

    #[test]
    fn a_mangled_block_is_mended_and_loses_no_line_of_the_user() {
        let (ab, b) = (block(&["alpha", "beta"]), block(&["beta"]));
        let with_stray = ab.replace("/beta/\n", "/beta/\n*.tmp\n");
        assert_eq!(with(&with_stray, &["beta"]), Some(format!("{b}*.tmp\n")));
        assert_eq!(
            with(&format!("{ab}x\n{ab}y\n"), &["beta"]),
            Some(format!("{b}x\ny\n")),
            "a merge doubled it"
        );
        let unclosed = ab.replace(&*String::from_utf8_lossy(END), "*.tmp");
        assert_eq!(
            with(&format!("{unclosed}/mine/x\n"), &["beta"]),
            Some(format!("{b}*.tmp\n/mine/x\n"))
        );
    }

    #[test]
    fn folders_of_the_older_tool_are_known() {
        let old = "metis.db\nbuild/\n\n# Hydrated remote workspaces\napi/\r\nstrat/\n*.x\nNot/\n/web/\n# more\nlate/";
        assert_eq!(ignored_folders(old.as_bytes()), folders(&["api", "late", "strat"]));
        let both = with(old, &["web"]).unwrap();
        assert_eq!(
            ignored_folders(both.as_bytes()),
            folders(&["api", "late", "strat", "web"])
        );
        assert!(both.starts_with(old));
        assert!(ignored_folders(b"api/\n/api/\n").is_empty());
    }

    #[test]
    fn the_file_is_written_only_for_a_change_and_never_through_a_link() {
        let temp = tempfile::tempdir().unwrap();
        let metis = Dir::open_root(temp.path()).unwrap();
        assert!(read_ignored(&metis).unwrap().is_empty());
        assert!(write_ignored(&metis, &folders(&["api"])).unwrap());
        assert!(!write_ignored(&metis, &folders(&["api"])).unwrap());
        assert_eq!(read_ignored(&metis).unwrap(), folders(&["api"]));

        metis.rename(IGNORE_FILE, "elsewhere").unwrap();
        std::os::unix::fs::symlink("elsewhere", temp.path().join(IGNORE_FILE)).unwrap();
        assert!(read_ignored(&metis).unwrap().is_empty());
        assert!(matches!(
            write_ignored(&metis, &folders(&["api"])),
            Err(DirError::Symlink { .. })
        ));
    }
}
