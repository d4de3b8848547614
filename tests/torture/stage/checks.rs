//! What holds after each kill and each failure.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Before, Stage, Story, is_of_one_that_died};
use crate::support::process::Finished;

/// What is said of a document that cannot be read.
const UNREAD: &str = "central's copy of it stays as it is";

const COUNT: &str = "SELECT count(*) FROM sync_documents JOIN sync_workspaces w ON workspace = w.id \
                     WHERE prefix IN (?1, ?2)";

impl Stage {
    /// Right after the kill.
    pub fn assert_whole(&self, before: &Before, point: &str) {
        self.assert_local(before, point);
        self.assert_central(before, point, false);
    }

    /// Right after a sync that met failures. Some documents may not have been readable: then the others may be in central.
    pub fn assert_whole_after(&self, ended: &Finished, before: &Before, point: &str) {
        self.assert_local(before, point);
        self.assert_central(before, point, ended.transcript().contains(UNREAD));
    }

    fn assert_local(&self, before: &Before, point: &str) {
        assert_eq!(self.own.documents(), before.own, "{point}: own documents");
        let new = self.other.documents();
        for (name, bytes) in self.own.hydrated(&self.other.prefix) {
            let whole = [&before.hydrated, &new]
                .iter()
                .any(|files| files.get(&name) == Some(&bytes));
            let is_void = bytes.iter().all(|byte| *byte == 0);
            let torn = self.loses_power && is_void && self.is_being_hydrated();
            assert!(
                whole || torn,
                "{point}: {name} is neither old nor new: {} bytes, being hydrated: {}",
                bytes.len(),
                self.is_being_hydrated()
            );
        }
        let config = self.own.config();
        config
            .parse::<toml_edit::DocumentMut>()
            .unwrap_or_else(|err| panic!("{point}: config.toml: {err}"));
        assert_eq!(without_record(&config), without_record(&before.config), "{point}");
        let ignored = fs::read_to_string(self.own.metis().join(".gitignore")).expect("it is there");
        let first = before.ignored.lines().next().expect("not empty");
        assert!(ignored.starts_with(first), "{point}: {ignored}");
    }

    fn assert_central(&self, before: &Before, point: &str, partly: bool) {
        let central = self.central();
        central.fsck_strict();
        let folder = central.folder(&self.own.prefix);
        let known = |(name, bytes): (&String, &Vec<u8>)| {
            [&before.own, &before.central]
                .iter()
                .any(|files| files.get(name) == Some(bytes))
        };
        assert!(
            folder == before.own || folder == before.central || (partly && folder.iter().all(known)),
            "{point}: central has neither all of it nor nothing"
        );
        assert_eq!(
            central.folder(&self.other.prefix),
            self.other.documents(),
            "{point}: others' folders"
        );
        if central.tip() == before.tip {
            assert_eq!(folder, before.central, "{point}");
        }
    }

    /// What a sync that may have failed says is true: success is all of it or names what is missing, and no failure is a
    /// crash of the program.
    pub fn assert_honest(&self, ended: &Finished, before: &Before, point: &str) {
        let said = ended.transcript();
        assert!(ended.code.is_some_and(|code| code != 101), "{point}: {said}");
        if self.story == Story::Cache {
            return;
        }
        let central = self.central().folder(&self.own.prefix);
        if said.contains("Nothing was pushed.") {
            assert_eq!(central, before.central, "{point}: {said}");
        }
        if said.contains("What there was to push is in central.") {
            assert_eq!(central, self.own.documents(), "{point}: {said}");
        }
        if ended.code != Some(0) {
            return;
        }
        // What cannot be read is not pushed, and named.
        assert!(
            central == self.own.documents() || said.contains(UNREAD),
            "{point}: said to be pushed: {said}"
        );
        let complete = self.own.hydrated(&self.other.prefix) == self.other.documents();
        assert!(
            complete || said.contains("could not be hydrated"),
            "{point}: said to be hydrated: {said}"
        );
    }

    /// Whether the folder's marker says that its files are still to be looked at, by the next sync.
    fn is_being_hydrated(&self) -> bool {
        let marker = self.own.metis().join(&self.other.prefix).join(".hydrated");
        fs::read_to_string(marker).is_ok_and(|marker| marker.contains("applying"))
    }

    /// The next sync needs no help, tells at most of the kill, and leaves nothing that does.
    pub fn assert_recovers(&self, point: &str) {
        let ended = self.own.sync();
        assert_eq!(ended.0.code, Some(0), "{point}: {}", ended.0.transcript());
        let report = ended.report();
        assert!(
            report.warnings.iter().all(|warning| is_of_one_that_died(warning)),
            "{point}: {}",
            ended.0.transcript()
        );
        let central = self.central();
        central.fsck_strict();
        assert_eq!(central.folder(&self.own.prefix), self.own.documents(), "{point}");
        assert_eq!(self.own.hydrated(&self.other.prefix), self.other.documents(), "{point}");
        let mut left = self.world.left_over();
        for top in [self.own.metis(), self.own.home.join(".cache")] {
            strangers(&top, &mut left);
        }
        assert_eq!(left, Vec::<PathBuf>::new(), "{point}: left over");
        assert_eq!(self.world.points.waiting(), 0, "{point}");
        let db = rusqlite::Connection::open(self.own.metis().join("metis.db")).expect("it is a database");
        let sound: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("it can be read");
        assert_eq!(sound, "ok", "{point}");
        let both = [&self.own.prefix, &self.other.prefix];
        let documents: i64 = db.query_row(COUNT, both, |row| row.get(0)).expect("it has the tables");
        let expected = self.own.documents().len() + self.other.documents().len();
        assert_eq!(documents, i64::try_from(expected).expect("few"), "{point}");
    }
}

fn without_record(config: &str) -> String {
    let others = |line: &&str| !line.starts_with("last_synced_commit");
    config.lines().filter(others).collect::<Vec<_>>().join("\n")
}

/// What no finished sync leaves: temp files, private folders, journals of SQLite, locks of git, folders with nothing in
/// them, and a lock that says somebody holds it.
fn strangers(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut empty = true;
    for entry in entries {
        empty = false;
        let path = entry.expect("readable folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let temporary = ["tmp", "incoming-", "sync-build", "-journal", "-wal", "-shm", ".lock"]
            .iter()
            .any(|mark| name.contains(mark));
        let held = name == "lock" && fs::metadata(&path).is_ok_and(|meta| meta.len() > 0);
        if temporary || held {
            found.push(path);
        } else if path.is_dir() {
            strangers(&path, found);
        }
    }
    // Object stores have folders without objects, as git's own do: `pack`, and those named by an id's first byte.
    if empty && folder.file_name().is_some_and(|name| name != "pack" && name.len() != 2) {
        found.push(folder.to_owned());
    }
}
