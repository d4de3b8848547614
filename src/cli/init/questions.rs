//! What `init` asks a person at a terminal.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
    path::Path,
};

use super::{
    super::{Global, output, render},
    InitArgs, Stopped,
};
use crate::{
    names::Prefix,
    send_pack::connect::RemoteUrl,
    workspace::{Config, is_reserved},
};

/// Somebody who can be asked.
pub struct Person(());

impl Person {
    /// `None` where nobody is to be asked: no terminal, `--json`, `GIT_TERMINAL_PROMPT=0`.
    pub fn at(global: &Global) -> Option<Self> {
        (global.may_prompt() && !global.json).then_some(Person(()))
    }

    /// The answer, or `default` for an empty one. `None`: there is neither.
    pub fn answer(&self, question: &str, default: Option<&str>) -> Option<String> {
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        let line = self.line(&format!("{question}{shown}: "))?;
        match line.trim() {
            "" => default.map(str::to_owned),
            answer => Some(answer.to_owned()),
        }
    }

    /// Whether the answer is a yes. An empty one is a no.
    pub fn agrees(&self, question: &str) -> bool {
        let answer = self.line(&format!("{question} [y/N]: ")).unwrap_or_default();
        matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// `None`: the terminal was closed.
    fn line(&self, text: &str) -> Option<String> {
        write!(output::stderr(), "{text}").ok()?;
        let mut line = String::new();
        (io::stdin().lock().read_line(&mut line).ok()? > 0).then_some(line)
    }
}

/// Central's location: what the command line, config.toml or the person says.
pub fn upstream(args: &InitArgs, config: &Config, person: Option<&Person>) -> Result<String, Stopped> {
    if let Some(url) = &args.upstream {
        return without_password(url);
    }
    if let Some(sync) = &config.sync {
        return Ok(sync.upstream_url.raw().to_owned());
    }
    match person.and_then(|person| person.answer("Central's URL or path", None)) {
        Some(url) => without_password(&url),
        None => Err(Stopped::Usage {
            message: "which central repository?".into(),
            next: "Name it: `git metis-sync init --upstream URL`. Any git host will do; a path too.".into(),
        }),
    }
}

/// config.toml is everybody's to read: what is written there must not let anybody in.
fn without_password(url: &str) -> Result<String, Stopped> {
    match RemoteUrl::parse(url) {
        Ok(parsed) if parsed.has_password() => Err(Stopped::Usage {
            message: format!("the URL of {parsed} has a password in it, and config.toml is shared with the team"),
            next: "Leave it out; git's credential helper is asked for it, as for any other repository.".into(),
        }),
        _ => Ok(url.to_owned()),
    }
}

/// The own folder's name: what the person says, or without one what the project's prefix suggests. `there` are the
/// folders that central has from others, as far as this clone can know.
pub fn prefix(
    person: Option<&Person>,
    config: &Config,
    folder: &Path,
    there: &BTreeMap<Prefix, usize>,
) -> Result<Prefix, Stopped> {
    let needed = || Stopped::Usage {
        message: "a folder name for this workspace is needed".into(),
        next: "Choose one: `--prefix NAME`, of a-z, 0-9 and '-', as in `--prefix api`.".into(),
    };
    let free = |prefix: &Prefix| !is_reserved(prefix);
    let project = config.project_prefix.as_deref().and_then(lower).filter(free);
    let Some(person) = person else {
        return project.ok_or_else(needed);
    };
    let guess = project.or_else(|| lower(folder.file_name()?.to_str()?).filter(free));
    loop {
        let Some(answer) = person.answer(
            "This workspace's own folder in central",
            guess.as_ref().map(Prefix::as_str),
        ) else {
            return Err(needed());
        };
        let prefix: Prefix = match answer.parse() {
            Ok(prefix) => prefix,
            Err(err) => {
                let like = lower(&answer)
                    .map(|like| format!("; how about {like}?"))
                    .unwrap_or_default();
                mention!("{err}{like}");
                continue;
            }
        };
        if is_reserved(&prefix) {
            mention!("{prefix} is a folder of the Metis tools' own; nobody could have a copy of it there");
            continue;
        }
        match there.get(&prefix) {
            Some(n)
                if !person.agrees(&format!(
                    "Central has {prefix}/ already, with {}. Is that this project's?",
                    render::count(*n)
                )) => {}
            _ => return Ok(prefix),
        }
    }
}

fn lower(text: &str) -> Option<Prefix> {
    text.to_ascii_lowercase().replace(['_', ' ', '.'], "-").parse().ok()
}
