//! What a conduit is: a table `[sync.conduits.NAME]` of config.toml, or of this clone's own on top of it.

mod stored;

pub use stored::{add, all, remove};

use serde::{Deserialize, Serialize};

use super::ConduitError;
use crate::{
    central::{blob_id, remote::CONDUITS},
    names::{ObjectFormat, Prefix},
    plan::conduit::{Mode, OnConflict, Side},
    project::is_affordable,
    text,
    workspace::ConfigFile,
};

/// Files that are copied at the same time.
const TRANSFERS: u32 = 4;
const MOST_TRANSFERS: u32 = 64;

/// A conduit's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The source: a folder, from the project's top, or `central:NAME`.
    pub alpha: String,
    /// The target, likewise.
    pub beta: String,
    /// Who may write where.
    #[serde(default)]
    pub mode: Mode,
    /// What to do about what both changed.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// Patterns of what belongs to it; none: everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Patterns of what does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// How many files are copied at the same time.
    #[serde(default = "transfers", skip_serializing_if = "is_default")]
    pub parallel_transfers: u32,
    /// Whether the permission to run a file goes to central and comes from there. Between folders it always travels.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exec: bool,
    /// What becomes of symbolic links.
    #[serde(default, skip_serializing_if = "Links::is_default")]
    pub links: Links,
    /// The largest file that goes to central or comes from there, in MiB.
    #[serde(default = "mib", skip_serializing_if = "is_default_mib")]
    pub max_file_mib: u32,
}

/// The branches of central that conduits tie are in a place of their own.
const SHARED: &str = "central:";
/// A workspace's documents, as central had them at the last sync.
const DOCUMENTS: &str = "workspace:";
/// What central may have, unless the definition says more.
const MAX_FILE_MIB: u32 = 16;
/// The store of central's objects holds none that are larger.
const LARGEST_MIB: u32 = 64;

fn mib() -> u32 {
    MAX_FILE_MIB
}

fn is_default_mib(mib: &u32) -> bool {
    *mib == MAX_FILE_MIB
}

fn transfers() -> u32 {
    TRANSFERS
}

fn is_default(transfers: &u32) -> bool {
    *transfers == TRANSFERS
}

/// What becomes of symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Links {
    /// They are passed over, and named.
    #[default]
    Skip,
    /// Those that lead nowhere out of the folder are carried as links.
    Keep,
}

impl Links {
    fn is_default(&self) -> bool {
        *self == Links::default()
    }
}

/// A side that is no folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// A branch of central.
    Branch(String),
    /// The documents of a workspace.
    Documents(Prefix),
}

/// Whether this clone syncs a conduit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmed {
    /// Its definition was confirmed as it stands.
    Enabled,
    /// Another definition was.
    Changed,
    /// None was.
    #[serde(rename = "not-enabled")]
    No,
}

impl Confirmed {
    /// One word for scripts.
    pub fn word(self) -> &'static str {
        match self {
            Confirmed::Enabled => "enabled",
            Confirmed::Changed => "changed",
            Confirmed::No => "not-enabled",
        }
    }

    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Confirmed::Enabled => "enabled",
            Confirmed::Changed => "changed since it was enabled",
            Confirmed::No => "not enabled",
        }
    }
}

/// A definition and the file that has it.
#[derive(Debug, Clone)]
pub struct Defined {
    /// What it says.
    pub definition: Definition,
    /// Where.
    pub file: ConfigFile,
}

impl Definition {
    /// A folder to another one, as `conduit add` begins with.
    pub fn new(alpha: String, beta: String) -> Self {
        Definition {
            alpha,
            beta,
            mode: Mode::default(),
            on_conflict: OnConflict::default(),
            include: Vec::new(),
            exclude: Vec::new(),
            parallel_transfers: TRANSFERS,
            exec: false,
            links: Links::default(),
            max_file_mib: MAX_FILE_MIB,
        }
    }

    /// What one of the sides is.
    pub fn on(&self, side: Side) -> &str {
        match side {
            Side::Alpha => &self.alpha,
            Side::Beta => &self.beta,
        }
    }

    /// The side that is no folder, and what it is.
    pub fn remote(&self) -> Option<(Side, Remote)> {
        let remote = |side| {
            let text = self.on(side);
            let branch = text.strip_prefix(SHARED);
            let branch = branch.map(|name| Remote::Branch(format!("{CONDUITS}{name}")));
            let prefix = || text.strip_prefix(DOCUMENTS)?.parse().ok();
            Some((side, branch.or_else(|| prefix().map(Remote::Documents))?))
        };
        Side::BOTH.into_iter().find_map(remote)
    }

    /// How a source is synced unless somebody says otherwise: documents come from the sync of documents alone.
    pub fn usual_mode(alpha: &str) -> Mode {
        match alpha.starts_with(DOCUMENTS) {
            true => Mode::Mirror,
            false => Mode::default(),
        }
    }

    /// Whether a sync may change a side.
    pub fn writes(&self, side: Side) -> bool {
        side == Side::Beta || self.mode == Mode::Bidirectional
    }

    /// What tells it from any other definition: this clone confirms this.
    pub fn digest(&self) -> String {
        let text = text::json(self).unwrap_or_default();
        blob_id(ObjectFormat::Sha1, text.as_bytes()).to_string()
    }

    /// Whether this clone syncs it. `digest`: of the definition that was confirmed.
    pub fn confirmed(&self, digest: Option<&String>) -> Confirmed {
        match digest {
            Some(digest) if *digest == self.digest() => Confirmed::Enabled,
            Some(_) => Confirmed::Changed,
            None => Confirmed::No,
        }
    }

    /// What about it breaks a rule.
    fn fault(&self) -> Option<String> {
        let endpoint = |name: &str, path: &str| {
            let rule = if path.is_empty() || path.chars().any(char::is_control) {
                "the path of a folder"
            } else if path
                .strip_prefix(DOCUMENTS)
                .is_some_and(|name| name.parse::<Prefix>().is_err())
            {
                "workspace:PREFIX, with the prefix of a workspace"
            } else if name == "beta" && path.starts_with(DOCUMENTS) {
                "a folder or central:NAME, since documents are a source only"
            } else if path.strip_prefix(SHARED).is_some_and(|name| !is_name(name)) {
                "central:NAME, with 1 to 40 characters a-z, 0-9 and '-'"
            } else {
                return None;
            };
            Some(format!("{name} must be {rule}"))
        };
        let too_many = || {
            let wrong = !(1..=MOST_TRANSFERS).contains(&self.parallel_transfers);
            wrong.then(|| format!("parallel_transfers must be a whole number from 1 to {MOST_TRANSFERS}"))
        };
        let mut patterns = self.include.iter().chain(&self.exclude);
        let costly = || {
            let wrong = patterns.any(|pattern| !is_affordable(pattern));
            wrong.then(|| "a pattern of include and exclude must have no more than eight `**`".to_owned())
        };
        let wrong_size = || {
            let wrong = !(1..=LARGEST_MIB).contains(&self.max_file_mib);
            wrong.then(|| format!("max_file_mib must be a whole number from 1 to {LARGEST_MIB}"))
        };
        let both_ways = || {
            let wrong = self.alpha.starts_with(DOCUMENTS) && self.mode == Mode::Bidirectional;
            wrong.then(|| "mode must be mirror or selective, since documents are a source only".to_owned())
        };
        let no_folder = || {
            let is_remote = |path: &&String| path.starts_with(SHARED) || path.starts_with(DOCUMENTS);
            let none = [&self.alpha, &self.beta].iter().all(is_remote);
            none.then(|| "one of its sides must be a folder".to_owned())
        };
        endpoint("alpha", &self.alpha)
            .or_else(no_folder)
            .or_else(both_ways)
            .or_else(wrong_size)
            .or_else(|| endpoint("beta", &self.beta))
            .or_else(too_many)
            .or_else(costly)
    }
}

/// Whether a conduit may have this name: it is a folder's in this clone's state.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-')
}

/// Whether a definition keeps the rules.
pub fn check(file: ConfigFile, name: &str, definition: &Definition) -> Result<(), ConduitError> {
    check_name(file, name)?;
    definition
        .fault()
        .map_or(Ok(()), |rule| Err(invalid(file, name, &rule)))
}

fn check_name(file: ConfigFile, name: &str) -> Result<(), ConduitError> {
    match is_name(name) {
        true => Ok(()),
        false => Err(invalid(
            file,
            name,
            "its name must be 1 to 40 characters a-z, 0-9 and '-'",
        )),
    }
}

fn invalid(file: ConfigFile, name: &str, rule: &str) -> ConduitError {
    ConduitError::Definition {
        name: name.into(),
        file,
        rule: rule.into(),
    }
}
