//! Where definitions are: config.toml, and this clone's own on top of it.

use std::{collections::BTreeMap, path::Path};

use toml_edit::{DocumentMut, Item, Table};

use super::{super::ConduitError, Defined, Definition, check, check_name, invalid};
use crate::{
    fs::{Dir, FileMode},
    workspace::{ConfigFile, too_deep},
};

const LIMIT: u64 = 1 << 20;

/// All conduits that are defined in `metis`, by name.
pub fn all(metis: &Dir) -> Result<BTreeMap<String, Defined>, ConduitError> {
    let mut all = BTreeMap::new();
    for file in [ConfigFile::Shared, ConfigFile::Local] {
        let Some(text) = read(metis, file)? else { continue };
        let text = text.trim_start_matches('\u{feff}');
        let parsed = too_deep(text)
            .is_none()
            .then(|| toml::from_str::<toml::Table>(text).ok());
        let Some(root) = parsed.flatten() else {
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
    if too_deep(&before).is_some() {
        return Err(ConduitError::Syntax(file));
    }
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
