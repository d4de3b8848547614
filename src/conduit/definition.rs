//! What a conduit is: a table `[sync.conduits.NAME]` of config.toml, or of this clone's own on top of it.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use toml_edit::{DocumentMut, Item, Table};

use super::ConduitError;
use crate::{
    central::{blob_id, remote::CONDUITS},
    fs::{Dir, FileMode},
    names::ObjectFormat,
    plan::conduit::{Mode, OnConflict, Side},
    project::is_affordable,
    text,
    workspace::ConfigFile,
};

const LIMIT: u64 = 1 << 20;
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
    /// The largest file that goes to central or comes from there, in MiB.
    #[serde(default = "mib", skip_serializing_if = "is_default_mib")]
    pub max_file_mib: u32,
}

/// The branches of central that conduits tie are in a place of their own.
const SHARED: &str = "central:";
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

    /// The side that is a branch of central, and the branch.
    pub fn branch(&self) -> Option<(Side, String)> {
        let branch = |side| Some((side, format!("{CONDUITS}{}", self.on(side).strip_prefix(SHARED)?)));
        Side::BOTH.into_iter().find_map(branch)
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
            } else if path.starts_with("workspace:") {
                "a folder or central:NAME: this version ties no documents"
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
        let no_folder = || {
            let none = [&self.alpha, &self.beta].iter().all(|path| path.starts_with(SHARED));
            none.then(|| "one of its sides must be a folder".to_owned())
        };
        endpoint("alpha", &self.alpha)
            .or_else(no_folder)
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

/// All conduits that are defined in `metis`, by name.
pub fn all(metis: &Dir) -> Result<BTreeMap<String, Defined>, ConduitError> {
    let mut all = BTreeMap::new();
    for file in [ConfigFile::Shared, ConfigFile::Local] {
        let Some(text) = read(metis, file)? else { continue };
        let Ok(root) = toml::from_str::<toml::Table>(text.trim_start_matches('\u{feff}')) else {
            // Whoever reads the rest of the configuration says so in full.
            continue;
        };
        let conduits = root.get("sync").and_then(|sync| sync.get("conduits"));
        for (name, table) in conduits.and_then(toml::Value::as_table).into_iter().flatten() {
            check_name(file, name)?;
            let definition: Definition = table
                .clone()
                .try_into()
                .map_err(|err: toml::de::Error| invalid(file, name, err.message()))?;
            check(file, name, &definition)?;
            all.insert(name.clone(), Defined { definition, file });
        }
    }
    Ok(all)
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

/// Writes a new definition, which keeps the rules, into `file`.
pub fn add(metis: &Dir, file: ConfigFile, name: &str, definition: &Definition) -> Result<(), ConduitError> {
    let invalid = |rule: &str| invalid(file, name, rule);
    let shown = toml::to_string(definition).map_err(|err| invalid(&err.to_string()))?;
    edit(metis, file, |document| {
        let table: DocumentMut = shown
            .parse()
            .map_err(|err: toml_edit::TomlError| invalid(&err.to_string()))?;
        let sync = document.entry("sync").or_insert_with(implicit);
        let conduits = sync
            .as_table_like_mut()
            .map(|sync| sync.entry("conduits").or_insert_with(implicit));
        let conduits = conduits.and_then(Item::as_table_like_mut);
        let conduits = conduits.ok_or_else(|| invalid("[sync] and [sync.conduits] must be tables"))?;
        conduits.insert(name, Item::Table(table.as_table().clone()));
        Ok(true)
    })?;
    Ok(())
}

/// Takes a definition out of `file`. Returns whether it was there.
pub fn remove(metis: &Dir, file: ConfigFile, name: &str) -> Result<bool, ConduitError> {
    edit(metis, file, |document| {
        let conduits = document.get_mut("sync").and_then(|sync| sync.get_mut("conduits"));
        let conduits = conduits.and_then(Item::as_table_like_mut);
        Ok(conduits.and_then(|conduits| conduits.remove(name)).is_some())
    })
}

fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn read(metis: &Dir, file: ConfigFile) -> Result<Option<String>, ConduitError> {
    match metis.read_file(file.path(), LIMIT) {
        Ok((bytes, _)) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(err) if err.is_gone() => Ok(None),
        Err(err) => Err(err.into()),
    }
}

fn edit(
    metis: &Dir,
    file: ConfigFile,
    change: impl FnOnce(&mut DocumentMut) -> Result<bool, ConduitError>,
) -> Result<bool, ConduitError> {
    let before = read(metis, file)?.unwrap_or_default();
    let crlf = before.contains("\r\n");
    let mut document: DocumentMut = before.parse().map_err(|_| ConduitError::Syntax(file))?;
    if !change(&mut document)? {
        return Ok(false);
    }
    let mut after = document.to_string();
    if crlf {
        // The parser writes line feeds.
        after = after.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    let mode = match file {
        ConfigFile::Shared => FileMode::Keep,
        ConfigFile::Local => FileMode::Private,
    };
    metis.write_flushed(Path::new(file.path()), after.as_bytes(), mode)?;
    Ok(true)
}
