//! What guards this clone: the central and the prefix that it is bound to, the settings that were confirmed, and a
//! secret.
//!
//! A pull can bring any file of the work tree, ignored ones included, so nothing in `.metis/` can say what a pulled
//! config.toml is measured by. The guard lies where git delivers nothing: in the repository's own git directory, for each
//! `.metis` in it; without a repository, in the user's state directory.
//!
//! The secret seals the [cursor](super::cursor), which lies in `.metis/.sync/`. A seal shows that this clone wrote it, and a
//! serial number, which is noted beside the guard, that it wrote it last.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
    io,
    path::{Path, PathBuf},
};

use ring::{
    digest, hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};

use super::files::{StateDir, StateError, identity};
use crate::names::Prefix;

/// The version of the stored form.
pub const SCHEMA: u32 = 1;
/// The file's name.
pub const FILE: &str = "guard.json";
/// The file with the serial numbers of cursors, beside the guard.
const SERIALS: &str = "serials.json";
/// So many folders have a serial number: each linked worktree has one, and so has each place that a folder was moved to.
const MAX_SERIALS: usize = 64;
/// The folder that guards lie in, in a git directory.
const IN_GIT: &str = "metis-sync";
/// The folder that guards lie in, in the user's state directory.
const OUTSIDE_GIT: &str = "git-metis-sync";

/// What only this clone's user may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    schema: u32,
    secret: Secret,
    /// In the user's state directory: of which folder this is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    /// The central that this clone syncs with: all of its location but secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// The folder in central that this clone writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Prefix>,
    /// Folders in central that this clone wrote before its user chose another one: their documents are its own.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former: BTreeSet<Prefix>,
    /// Folders that were taken out of central: nothing is pushed there until its user says so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub retired: BTreeSet<Prefix>,
    /// The branch of the project that the last sync read, and with it config.toml: another one may be checked out by the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The project, by its root commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_root: Option<String>,
    /// Values of config.toml, by `section.key`, that its user confirmed for this clone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub confirmed: BTreeMap<String, String>,
    /// Conduits that its user enabled in this clone, with what tells their definitions from others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conduits: BTreeMap<String, String>,
}

/// What `Guard::check()` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// There is none.
    Missing,
    /// It is not by this clone, or the contents were changed.
    Wrong,
    /// It is by this clone.
    Right {
        /// In the same folder, which is no copy of the one that it was written in.
        here: bool,
        /// Which one it is of those that this clone wrote. 0: it was written before they were numbered.
        serial: u64,
    },
}

/// The number of the cursor that was written last in each folder, by its identity.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Serials {
    schema: u32,
    folders: BTreeMap<String, u64>,
}

/// Where the guard of one `.metis` may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In the git directory.
    inside: Option<PathBuf>,
    /// In the user's state directory, where that is known.
    outside: Option<PathBuf>,
    /// Which folder `.metis` is: another one may be made later in its place.
    folder: String,
}

impl Place {
    /// Of the `.metis` at the real path `metis`. `repository` is the shared git directory of the one around it, and the path
    /// of `.metis` in that: linked worktrees share a guard. `state_dir` is the user's state directory; `None`: as the
    /// environment says.
    pub fn new(metis: &Path, repository: Option<(&Path, &[u8])>, state_dir: Option<&Path>) -> Self {
        let state_dir = state_dir.map(Path::to_owned).or_else(user_state_dir);
        let metis_key = key(metis.as_os_str().as_encoded_bytes());
        Place {
            inside: repository.map(|(common_dir, path)| common_dir.join(IN_GIT).join(key(path))),
            outside: state_dir.map(|dir| dir.join(OUTSIDE_GIT).join(metis_key)),
            folder: metis.metadata().as_ref().map(identity).unwrap_or_default(),
        }
    }
}

impl Place {
    /// The folder in the git directory.
    pub fn in_repository(&self) -> Option<&Path> {
        self.inside.as_deref()
    }
}

/// `$XDG_STATE_HOME`, else `~/.local/state`.
fn user_state_dir() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    std::env::var_os("XDG_STATE_HOME")
        .and_then(|path| absolute(path.into()))
        .or_else(|| Some(absolute(std::env::home_dir()?)?.join(".local").join("state")))
}

fn key(of: &[u8]) -> String {
    hex(&digest::digest(&digest::SHA256, of).as_ref()[..8])
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Guard {
    place: Place,
    /// Where it is, or will be.
    at: PathBuf,
    notes: Notes,
    is_new: bool,
}

impl Guard {
    /// Reads the guard. Where there is none nothing is written: it begins with [`update()`](Self::update).
    ///
    /// A workspace that got its repository later, or whose git directory cannot be written to, has it outside.
    pub fn open(place: Place) -> Result<Self, StateError> {
        let inside = match place.inside.as_deref().map(read) {
            None => None,
            Some(Err(error)) if may_not(&error) && place.outside.is_some() => None,
            Some(notes) => notes?,
        };
        let outside = match (&inside, &place.outside) {
            (None, Some(outside)) => read(outside)?.filter(|notes| notes.folder.as_ref() == Some(&place.folder)),
            _ => None,
        };
        let at = match (&place.inside, &place.outside) {
            (Some(inside), _) if outside.is_none() => inside,
            (_, Some(outside)) => outside,
            (..) => return Err(StateError::NoHome),
        };
        let notes = inside.or(outside);
        Ok(Guard {
            at: at.clone(),
            is_new: notes.is_none(),
            notes: notes.unwrap_or_else(Notes::fresh),
            place,
        })
    }

    /// Whether nothing was noted for this workspace, but something for another one in the same repository.
    pub fn is_another(&self) -> bool {
        let beside = self.place.inside.as_deref().and_then(Path::parent);
        self.is_new && beside.is_some_and(|guards| guards.read_dir().is_ok_and(|mut guards| guards.next().is_some()))
    }

    /// What it says.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Whether a repository is around the workspace, so that a pull can bring any file of it.
    pub fn in_repository(&self) -> bool {
        self.place.inside.is_some()
    }

    /// Whether nothing was ever noted for this clone.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Changes what it says. What other processes noted meanwhile stays.
    pub fn update(&mut self, change: impl FnOnce(&mut Notes)) -> Result<(), StateError> {
        let dir = match (StateDir::create_private(&self.at), &self.place.outside) {
            (Err(error), Some(outside)) if may_not(&error) && *outside != self.at => {
                self.at.clone_from(outside);
                StateDir::create_private(outside)?
            }
            (dir, _) => dir?,
        };
        dir.lock_others_out();
        // Of those who were killed at this.
        dir.sweep();
        let folder = (Some(&self.at) == self.place.outside.as_ref()).then(|| self.place.folder.clone());
        let stored = dir.load::<Notes>(FILE, SCHEMA)?.filter(|notes| notes.folder == folder);
        let mut notes = stored.clone().unwrap_or_else(|| self.notes.clone());
        notes.folder = folder;
        change(&mut notes);
        if stored.as_ref() != Some(&notes) {
            dir.store(FILE, &notes)?;
        }
        self.notes = notes;
        self.is_new = false;
        Ok(())
    }

    /// What marks `file`, by what tells it from others, as made by this clone.
    pub fn mark(&self, file: &str) -> String {
        let of = format!("made here: {file}");
        hex(hmac::sign(&self.notes.secret.key(), of.as_bytes()).as_ref())
    }

    /// The number of the cursor that was written last in `folder`, as far as that is known.
    pub(super) fn serial(&self, folder: &str) -> Result<u64, StateError> {
        if self.is_new {
            return Ok(0);
        }
        let Some(dir) = StateDir::open_private(&self.at)? else {
            return Ok(0);
        };
        // A damaged note makes no cursor older than it is.
        let serials: Option<Serials> = dir.load(SERIALS, SCHEMA).unwrap_or_default();
        Ok(serials.map_or(0, |serials| serials.folders.get(folder).copied().unwrap_or(0)))
    }

    /// Notes that the cursor with this number was written in `folder`.
    pub(super) fn note_serial(&self, folder: &str, serial: u64) -> Result<(), StateError> {
        let dir = StateDir::create_private(&self.at)?;
        dir.lock_others_out();
        dir.sweep();
        let mut serials: Serials = dir.load(SERIALS, SCHEMA).ok().flatten().unwrap_or_default();
        serials.schema = SCHEMA;
        serials.folders.insert(folder.to_owned(), serial);
        while serials.folders.len() > MAX_SERIALS {
            let others = serials.folders.iter().filter(|(other, _)| *other != folder);
            let Some(lowest) = others
                .min_by_key(|(_, serial)| **serial)
                .map(|(other, _)| other.clone())
            else {
                break;
            };
            serials.folders.remove(&lowest);
        }
        dir.store(SERIALS, &serials)
    }

    /// `json`, an object, with `folder`, a number and a seal at its end.
    pub(super) fn seal(&self, json: &[u8], folder: &str, serial: u64) -> Vec<u8> {
        let mut out = json.strip_suffix(b"}").unwrap_or(json).to_vec();
        out.extend_from_slice(format!(r#","folder":"{folder}","serial":{serial}"#).as_bytes());
        let tag = hmac::sign(&self.notes.secret.key(), &out);
        out.extend_from_slice(MARK);
        out.extend_from_slice(hex(tag.as_ref()).as_bytes());
        out.extend_from_slice(END);
        out
    }

    /// Whether this clone sealed `bytes`, in `folder`.
    pub(super) fn check(&self, bytes: &[u8], folder: &str) -> Seal {
        let sealed = bytes.strip_suffix(END).and_then(|rest| {
            let (rest, tag) = rest.split_at_checked(rest.len().checked_sub(2 * digest::SHA256_OUTPUT_LEN)?)?;
            Some((rest.strip_suffix(MARK)?, unhex(tag)?))
        });
        let Some((text, tag)) = sealed else {
            return Seal::Missing;
        };
        match hmac::verify(&self.notes.secret.key(), text, &tag) {
            Ok(()) => {
                let (text, serial) = numbered(text);
                Seal::Right {
                    here: text.ends_with(format!(r#","folder":"{folder}""#).as_bytes()),
                    serial,
                }
            }
            Err(_) => Seal::Wrong,
        }
    }
}

/// What was sealed, and the number at its end.
fn numbered(text: &[u8]) -> (&[u8], u64) {
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, digits) = text.split_at(text.len() - digits);
    let serial = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    match (rest.strip_suffix(br#","serial":"#), serial) {
        (Some(rest), Some(serial)) => (rest, serial),
        _ => (text, 0),
    }
}

const MARK: &[u8] = br#","seal":""#;
const END: &[u8] = b"\"}\n";

fn read(place: &Path) -> Result<Option<Notes>, StateError> {
    match StateDir::open_private(place)? {
        Some(dir) => dir.load(FILE, SCHEMA),
        None => Ok(None),
    }
}

/// Another user's git directory, which was declared safe.
fn may_not(error: &StateError) -> bool {
    match error {
        StateError::NotOurs { .. } => true,
        StateError::Io { source, .. } => matches!(
            source.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        ),
        _ => false,
    }
}

impl Notes {
    fn fresh() -> Self {
        let mut secret = [0; 32];
        SystemRandom::new()
            .fill(&mut secret)
            .expect("the system has random numbers");
        Notes {
            schema: SCHEMA,
            secret: Secret(secret),
            folder: None,
            upstream: None,
            prefix: None,
            former: BTreeSet::new(),
            retired: BTreeSet::new(),
            source: None,
            project_root: None,
            confirmed: BTreeMap::new(),
            conduits: BTreeMap::new(),
        }
    }
}

/// Never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Secret([u8; 32]);

impl Secret {
    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        hex(&secret.0)
    }
}

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = unhex(text.as_bytes()).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Secret).ok_or("the secret is none")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16);
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some((digit(*high)? << 4 | digit(*low)?) as u8),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn place(root: &Path, repository: bool) -> Place {
        Place {
            inside: repository.then(|| root.join("git/metis-sync/x")),
            outside: Some(root.join("state/x")),
            folder: "7-1".into(),
        }
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
        let folder = temp.path().join("git/metis-sync/x");
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
        fs::write(temp.path().join("git/metis-sync/x").join(SERIALS), "damaged").unwrap();
        assert_eq!(known("1-1"), 0);
        again.note_serial("1-1", 2).unwrap();
        assert_eq!(known("1-1"), 2);
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
                inside: Some(temp.path().join("git/metis-sync/y")),
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
}
