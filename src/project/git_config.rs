//! Reading the git configuration that counts for a workspace.

use std::os::unix::ffi::OsStringExt;

use gix::{
    bstr::BStr,
    config::{
        File, KeyRef, Source,
        file::{Metadata, includes, init},
        source,
    },
};

/// The variable in which git hands on what `git -c KEY=VALUE` said.
const PARAMETERS: &str = "GIT_CONFIG_PARAMETERS";

/// System and global configuration with what the environment overrides (`GIT_CONFIG_COUNT`, `git -c`), for a workspace
/// outside any repository. A file that cannot be parsed counts as empty: git's own message about it will be met with
/// the next git command anyway.
pub fn without_repository() -> File {
    let metadata = [source::Kind::System, source::Kind::Global]
        .iter()
        .flat_map(|kind| kind.sources())
        .filter_map(|source: &Source| {
            let path = source.storage_location(&mut |name| std::env::var_os(name))?;
            path.is_file().then_some(Metadata {
                path: Some(path),
                source: *source,
                level: 0,
                trust: gix::sec::Trust::Full,
            })
        });
    let home = std::env::home_dir();
    let options = init::Options {
        includes: includes::Options::follow_without_conditional(home.as_deref()),
        ..Default::default()
    };
    let mut config = File::from_paths_metadata(metadata, options)
        .ok()
        .flatten()
        .unwrap_or_default();
    if let Ok(overrides) = File::from_environment_overrides() {
        let _ = config.append(overrides);
    }
    if let Some(told) = from_command_line() {
        let _ = config.append(told);
    }
    config
}

/// What `git -c KEY=VALUE metis-sync` said. gitoxide reads the other variables, but not this one.
pub fn from_command_line() -> Option<File> {
    let told = parameters(&std::env::var_os(PARAMETERS)?.into_vec())?;
    let mut config = File::new(Metadata {
        path: None,
        source: Source::Cli,
        level: 0,
        trust: gix::sec::Trust::Full,
    });
    for (key, value) in &told {
        let key = KeyRef::parse_unvalidated(BStr::new(key))?;
        let mut section = config
            .section_mut_or_create_new(key.section_name, key.subsection_name)
            .ok()?;
        section.push(key.value_name, value.as_deref().map(BStr::new)).ok()?;
    }
    let home = std::env::home_dir();
    let options = init::Options {
        includes: includes::Options::follow_without_conditional(home.as_deref()),
        ..Default::default()
    };
    let _ = config.resolve_includes(options);
    Some(config)
}

type Parameter = (Vec<u8>, Option<Vec<u8>>);

/// Takes `GIT_CONFIG_PARAMETERS` apart: `'key'='value'`, or `'key=value'` as git before 2.31 wrote it, with spaces between. A key
/// without a value is true. `None`: git would not go on with it either.
fn parameters(text: &[u8]) -> Option<Vec<Parameter>> {
    let mut out = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let (word, after) = unquoted(rest)?;
        let parameter;
        (parameter, rest) = match after.strip_prefix(b"=") {
            None => match word.iter().position(|byte| *byte == b'=') {
                Some(at) => ((word[..at].to_vec(), Some(word[at + 1..].to_vec())), after),
                None => ((word, None), after),
            },
            Some(after) if after.starts_with(b"'") => {
                let (value, after) = unquoted(after)?;
                ((word, Some(value)), after)
            }
            Some(after) => ((word, None), after),
        };
        if !(rest.is_empty() || rest[0].is_ascii_whitespace()) {
            return None;
        }
        out.push(parameter);
        rest = rest.trim_ascii_start();
    }
    Some(out)
}

/// The first word of `text`, quoted as for a shell, and what follows it.
fn unquoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = text.strip_prefix(b"'")?;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\'')?;
        out.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        match rest {
            [b'\\', escaped @ (b'\'' | b'!'), b'\'', after @ ..] => {
                out.push(*escaped);
                rest = after;
            }
            _ => return Some((out, rest)),
        }
    }
}

/// Who commits: `user.name` and `user.email`, or the name that every client of this kind falls back to.
pub fn committer(config: &File) -> (String, String) {
    let clean = |key: &str| {
        let value = config.string(key)?;
        let clean: String = String::from_utf8_lossy(&value)
            .chars()
            .filter(|c| !matches!(c, '<' | '>') && !c.is_control())
            .collect();
        let clean = clean.trim().to_owned();
        (!clean.is_empty()).then_some(clean)
    };
    match (clean("user.name"), clean("user.email")) {
        (Some(name), Some(email)) => (name, email),
        _ => ("metis-sync".into(), "metis@localhost".into()),
    }
}

/// Whether a credential helper is set up, for all servers or for some.
pub fn has_credential_helper(config: &File) -> bool {
    config.sections_by_name("credential").is_some_and(|mut sections| {
        sections.any(|section| section.value("helper").is_some_and(|helper| !helper.is_empty()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_what_git_was_told_are_read() {
        let told = |text: &str| -> Option<Vec<(String, Option<String>)>> {
            let text_of = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            let parameters = parameters(text.as_bytes())?.into_iter();
            Some(
                parameters
                    .map(|(key, value)| (text_of(key), value.map(text_of)))
                    .collect(),
            )
        };
        let one = |key: &str, value: Option<&str>| Some(vec![(key.to_owned(), value.map(str::to_owned))]);
        assert_eq!(told("'safe.directory'='/a b'"), one("safe.directory", Some("/a b")));
        assert_eq!(told("'safe.directory=/a=b'"), one("safe.directory", Some("/a=b")));
        assert_eq!(told(" 'a.b'='it'\\''s'\\!'' "), one("a.b", Some("it's!")));
        assert_eq!(told("'url.x=y.insteadOf'='z'"), one("url.x=y.insteadOf", Some("z")));
        assert_eq!(told("'a.b'="), one("a.b", None));
        assert_eq!(told("'a.b'"), one("a.b", None));
        assert_eq!(told("'a.b'=''"), one("a.b", Some("")));
        assert_eq!(told("'a.b'='1'  'a.c=2'").unwrap().len(), 2);
        assert_eq!(told(""), Some(vec![]));
        for bogus in ["a.b=c", "'a.b", "'a.b'c", "'a.b'='c'd", "'a.b'=c", "'a'\\x''"] {
            assert_eq!(told(bogus), None, "{bogus}");
        }
    }
}
