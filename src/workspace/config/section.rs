//! A section of config.toml, read key by key.

use std::str::FromStr;

use toml::{Table, Value};

use super::{
    error::{ConfigError, ConfigFile},
    rules::MAX_SECONDS,
};
use crate::names::Prefix;

/// A table of the document and the path of keys to it. One that is not there is as good as an empty one.
pub(super) struct Section<'a> {
    path: String,
    table: Option<&'a Table>,
}

impl<'a> Section<'a> {
    pub(super) fn of(parent: &'a Table, parent_path: String, key: &str) -> Result<Self, ConfigError> {
        let path = parent_path + key;
        let table = match parent.get(key) {
            None => None,
            Some(item) => Some(item.as_table().ok_or_else(|| ConfigError::Invalid {
                file: ConfigFile::Shared,
                key: path.clone(),
                rule: "a table",
            })?),
        };
        Ok(Section { path, table })
    }

    pub(super) fn section(&self, key: &str) -> Result<Self, ConfigError> {
        match self.table {
            Some(table) => Section::of(table, format!("{}.", self.path), key),
            None => Ok(Section {
                path: format!("{}.{key}", self.path),
                table: None,
            }),
        }
    }

    /// The value of `key` as `read` sees it. `None` from `read` breaks the rule.
    pub(super) fn value<T>(
        &self,
        key: &str,
        rule: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match self.table.and_then(|table| table.get(key)) {
            None => Ok(None),
            Some(item) => read(item).map(Some).ok_or_else(|| ConfigError::Invalid {
                file: ConfigFile::Shared,
                key: format!("{}.{key}", self.path),
                rule,
            }),
        }
    }

    pub(super) fn text(
        &self,
        key: &str,
        valid: fn(&str) -> bool,
        rule: &'static str,
    ) -> Result<Option<String>, ConfigError> {
        self.value(key, rule, |item| {
            item.as_str().filter(|text| valid(text)).map(str::to_owned)
        })
    }

    pub(super) fn parsed<T: FromStr>(&self, key: &str, rule: &'static str) -> Result<Option<T>, ConfigError> {
        self.value(key, rule, |item| item.as_str()?.parse().ok())
    }

    pub(super) fn number(
        &self,
        key: &str,
        least: u64,
        most: u64,
        rule: &'static str,
    ) -> Result<Option<u64>, ConfigError> {
        self.value(key, rule, |item| {
            let number = u64::try_from(item.as_integer()?).ok()?;
            (least..=most).contains(&number).then_some(number)
        })
    }

    pub(super) fn seconds(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        self.number(key, 1, MAX_SECONDS, "a whole number of seconds from 1 to 86400")
    }

    pub(super) fn patterns(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let pattern = |item: &Value| {
            item.as_str()
                .filter(|text| !text.contains(['\n', '\r', '\0']))
                .map(str::to_owned)
        };
        let rule = "an array of gitignore's patterns, such as [\"drafts/\"]";
        let found = self.value(key, rule, |item| item.as_array()?.iter().map(pattern).collect())?;
        Ok(found.unwrap_or_default())
    }

    pub(super) fn prefixes(&self, key: &str) -> Result<Vec<Prefix>, ConfigError> {
        let prefix = |item: &Value| item.as_str()?.parse().ok();
        let rule = "an array of workspaces' prefixes, such as [\"web\"]";
        let found = self.value(key, rule, |item| item.as_array()?.iter().map(prefix).collect())?;
        Ok(found.unwrap_or_default())
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.value(key, "true or false", Value::as_bool)
    }
}
