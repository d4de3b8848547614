//! Reading the git configuration that counts for a workspace.

use gix::config::File;

/// System and global configuration with what the environment overrides (`GIT_CONFIG_COUNT`, …), for a workspace
/// outside any repository. A file that cannot be parsed counts as empty: git's own message about it will be met with
/// the next git command anyway.
pub fn without_repository() -> File {
    use gix::config::{
        Source,
        file::{Metadata, includes, init},
        source,
    };
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
    config
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
