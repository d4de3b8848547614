//! What `init` is about to write: shown first, then written.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Chosen, InitArgs, RecordArg, here::Here};
use crate::{
    names::Prefix,
    sync::SyncErrorKind,
    text,
    workspace::{self, ConfigFile, Edit, MetisDir, Record},
};

/// What is to be written.
pub struct Draft<'a> {
    pub file: PathBuf,
    pub new: bool,
    pub edits: &'a [Edit],
    /// Central's name, without secrets.
    pub shown: &'a str,
}

impl Draft<'_> {
    fn values(&self) -> impl Iterator<Item = (String, String)> {
        self.edits.iter().map(|edit| {
            let (section, key, value) = edit.parts();
            let value = match edit {
                Edit::Upstream(_) => self.shown.to_owned(),
                _ => value,
            };
            (format!("{section}.{key}"), value)
        })
    }

    pub fn print(&self, dry_run: bool) {
        let file = text::shown(&self.file);
        match (self.edits.is_empty(), self.new) {
            (true, _) => say!("{file} says all that already."),
            (false, new) => {
                let would = if dry_run { "Would write" } else { "Writing" };
                say!("{would} {file}{}:", if new { ", a new file" } else { "" });
            }
        }
        for (key, value) in self.values() {
            say!("  {key} = \"{value}\"");
        }
    }

    pub fn json(&self) -> Value {
        self.values().map(|(key, value)| (key, Value::from(value))).collect()
    }
}

/// Makes the edits, in a new `.metis/` if there is none, which then has what the Metis tools want of a workspace: its project
/// prefix and its levels of planning.
pub fn write(
    existing: Option<MetisDir>,
    folder: &Path,
    letters: &str,
    edits: &[Edit],
) -> Result<MetisDir, SyncErrorKind> {
    if let Some(metis) = existing {
        workspace::edit_config(metis.dir(), ConfigFile::Shared, edits)?;
        return Ok(metis);
    }
    let begun = format!(
        "[project]\nprefix = \"{letters}\"\n\n[flight_levels]\nstrategies_enabled = false\ninitiatives_enabled = true\n"
    );
    let whole = workspace::with_edits(begun.as_bytes(), edits)?;
    let whole = whole.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(begun);
    Ok(MetisDir::create(folder, &whole)?)
}

/// What config.toml does not say already.
pub fn edits(args: &InitArgs, here: &Here, upstream: &str, chosen: &Chosen) -> Vec<Edit> {
    let config = &here.config;
    let mut edits = Vec::new();
    let settings = config.sync.as_ref();
    if settings.is_none_or(|sync| sync.upstream_url != upstream) {
        edits.push(Edit::Upstream(upstream.to_owned()));
    }
    if let Some(branch) = &args.branch
        && settings.is_none_or(|sync| sync.branch.as_ref().is_none_or(|configured| configured != branch))
    {
        edits.push(Edit::Branch(branch.clone()));
    }
    if let Some(asked) = args.record {
        let now = settings.map_or(Record::default(), |sync| sync.record);
        let record = match asked {
            RecordArg::Auto => Record::Auto,
            RecordArg::Local => Record::Local,
            // Written there by hand it counts; nobody gets a file that each sync changes under git's eyes from an option.
            RecordArg::Config if here.project.place().is_some() && now != Record::Config => Record::Auto,
            RecordArg::Config => Record::Config,
        };
        if now != record {
            edits.push(Edit::Record(record));
        }
    }
    if config.workspace.as_ref() != Some(&chosen.prefix) {
        edits.push(Edit::WorkspacePrefix(chosen.prefix.clone()));
    }
    if let Some(team) = chosen.team.as_ref().filter(|team| config.team.as_ref() != Some(*team)) {
        edits.push(Edit::Team(team.clone()));
    }
    edits
}

/// The branch that central's documents come from is written down once: where each clone guessed, they would differ.
pub fn source(args: &InitArgs, here: &Here) -> Option<Edit> {
    let config = &here.config;
    let configured = config.sync.as_ref().and_then(|sync| sync.source.as_ref());
    let guessed = || here.project.default_branch().filter(|_| config.sync.is_none());
    let source = args.source.clone().or_else(guessed)?;
    configured
        .is_none_or(|configured| *configured != source)
        .then_some(Edit::Source(source))
}

/// The `project.prefix` of a new project: the letters of its folder's name, or the first like them that is not `taken`.
pub fn project_prefix(prefix: &Prefix, taken: &dyn Fn(&str) -> bool) -> String {
    let letters = prefix.as_str().chars().filter(char::is_ascii_alphabetic);
    let letters: String = letters.take(8).map(|c| c.to_ascii_uppercase()).collect();
    let base = if letters.len() >= 2 { letters } else { "DOCS".into() };
    let one = ('A'..='Z').map(|c| format!("{base:.7}{c}"));
    let two = ('A'..='Z').flat_map(|c| ('A'..='Z').map(move |d| (c, d)));
    let two = two.map(|(c, d)| format!("{base:.6}{c}{d}"));
    let mut free = [base.clone()]
        .into_iter()
        .chain(one)
        .chain(two)
        .filter(|name| !taken(name));
    free.next().unwrap_or(base.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_projects_codes_never_collide() {
        let derived = |prefix: &str, taken: &[&str]| {
            project_prefix(&prefix.parse().unwrap(), &|letters| taken.contains(&letters))
        };
        assert_eq!(derived("api", &[]), "API");
        assert_eq!(derived("web-2", &["WEB"]), "WEBA");
        assert_eq!(derived("web-2", &["WEB", "WEBA"]), "WEBB");
        assert_eq!(derived("long-workspace", &["LONGWORK"]), "LONGWORA");
        assert_eq!(derived("4-2", &[]), "DOCS");
        let all: Vec<String> = ('A'..='Z').map(|c| format!("WEB{c}")).chain(["WEB".into()]).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(derived("web", &all), "WEBAA");
    }
}
