//! Which config.toml counts: the one on disk, or that of a branch.

use std::collections::BTreeSet;

use crate::{
    names::ObjectId,
    plan::source::{self, ReadFrom, Source},
    project::Project,
    stage::own::WORKTREE,
    sync::SyncErrorKind,
    workspace::{CONFIG_FILE, CONFIG_LIMIT, Config, MetisDir},
};

/// What a branch says of config.toml.
pub(super) enum OfBranch {
    /// The branch is not here, or has none.
    Nothing,
    /// It is checked out, so the file counts.
    CheckedOut,
    /// What is committed.
    Committed(Box<Config>),
}

/// What `branch` says, unless it is checked out.
pub(super) fn of_branch(metis: &MetisDir, project: &Project, branch: &str) -> Result<OfBranch, SyncErrorKind> {
    if project.has_checked_out(branch) {
        return Ok(OfBranch::CheckedOut);
    }
    let source = Source::Branch(branch);
    let Some(situation) = project.situation(source) else {
        return Ok(OfBranch::Nothing);
    };
    let at = match source::read_from(source, &situation, false) {
        Ok(ReadFrom::Tree { at, .. }) => at,
        Ok(ReadFrom::Worktree(_) | ReadFrom::Folder) => return Ok(OfBranch::CheckedOut),
        Err(_) => return Ok(OfBranch::Nothing),
    };
    Ok(match committed(metis, project, at, branch) {
        Some(config) => OfBranch::Committed(Box::new(config?)),
        None => OfBranch::Nothing,
    })
}

/// The config.toml of the commit `at` in `branch`.
fn committed(metis: &MetisDir, project: &Project, at: ObjectId, branch: &str) -> Option<Result<Config, SyncErrorKind>> {
    let bytes = project.committed_file(at, CONFIG_FILE, CONFIG_LIMIT)?;
    let config = Config::with_local(metis.dir(), &bytes).map_err(|source| SyncErrorKind::CommittedConfig {
        branch: branch.into(),
        source,
    });
    Some(config.map(|config| Config {
        committed_in: Some(branch.to_owned()),
        ..config
    }))
}

/// The config.toml that is checked out and that git left out of the work tree, as a sparse checkout does.
pub(super) fn left_out(metis: &MetisDir, project: &Project) -> Option<Result<Config, SyncErrorKind>> {
    let branch = || project.head_branch().unwrap_or_else(|| "HEAD".into());
    let at = project.leaves_out(CONFIG_FILE).then(|| project.head()).flatten()?;
    committed(metis, project, at, &branch())
}

/// The branch that a configuration names as the source. `None`: it follows whatever is checked out.
pub(in crate::sync) fn source_of(config: &Config) -> Option<String> {
    let source = config.sync.as_ref()?.source.as_ref();
    source
        .filter(|source| **source != WORKTREE)
        .map(|source| source.raw().to_owned())
}

/// Which config.toml counts: that of the branch that it names itself as the source. The search begins with the branch that
/// was read last (`first`), without one with what is `checked_out`: a branch cannot take the source over by being checked out.
///
/// `None`: there is none.
pub(super) fn choose(
    first: Option<&str>,
    checked_out: Option<Result<Config, SyncErrorKind>>,
    of_branch: &dyn Fn(&str) -> Result<OfBranch, SyncErrorKind>,
) -> Result<Option<Config>, SyncErrorKind> {
    let here = || checked_out.as_ref().and_then(|config| config.as_ref().ok());
    let mut next = first.map(str::to_owned).or_else(|| here().and_then(source_of));
    let mut seen = BTreeSet::new();
    let mut found = None;
    while let Some(branch) = next.take().filter(|branch| seen.insert(branch.clone())) {
        match of_branch(&branch)? {
            OfBranch::Nothing => next = here().and_then(source_of),
            OfBranch::CheckedOut => {
                found = None;
                next = here().and_then(source_of);
            }
            OfBranch::Committed(config) => {
                next = source_of(&config);
                if next.is_none() && here().is_some() {
                    break;
                }
                found = Some(*config);
            }
        }
    }
    match found {
        Some(config) => Ok(Some(config)),
        None => checked_out.transpose(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(source: Option<&str>, prefix: &str) -> Config {
        let source = source.map(|source| format!("source = '{source}'")).unwrap_or_default();
        let text = format!("[workspace]\nprefix = '{prefix}'\n[sync]\nupstream_url = 'x'\n{source}");
        Config::parse(text.as_bytes()).expect("valid")
    }

    /// The prefix in the configuration that counts. `branches`: what each has, and `None` for the one that is checked out.
    fn chosen(first: Option<&str>, checked_out: Option<Config>, branches: &[(&str, Option<Config>)]) -> Option<String> {
        let of_branch = |name: &str| {
            let found = branches.iter().find(|(branch, _)| *branch == name);
            Ok(match found {
                None => OfBranch::Nothing,
                Some((_, None)) => OfBranch::CheckedOut,
                Some((_, Some(config))) => OfBranch::Committed(Box::new(config.clone())),
            })
        };
        let config = choose(first, checked_out.map(Ok), &of_branch).expect("nothing is broken");
        config.map(|config| config.workspace.expect("it has one").to_string())
    }

    #[test]
    fn the_source_branch_has_the_word_whatever_is_checked_out() {
        let main = ("main", Some(config(Some("main"), "main")));
        let feature = config(Some("main"), "feature");
        let taking_over = config(Some("feature"), "feature");
        let branches = [main.clone(), ("feature", None)];
        assert_eq!(chosen(None, Some(feature.clone()), &branches).as_deref(), Some("main"));
        assert_eq!(
            chosen(Some("main"), Some(taking_over), &branches).as_deref(),
            Some("main")
        );
        assert_eq!(
            chosen(Some("main"), None, &branches).as_deref(),
            Some("main"),
            "nothing is checked out"
        );
    }

    #[test]
    fn what_is_checked_out_counts_where_it_is_the_source_or_no_branch_is() {
        let file = |source| Some(config(source, "file"));
        let main = ("main", Some(config(Some("main"), "main")));
        assert_eq!(
            chosen(None, file(None), std::slice::from_ref(&main)).as_deref(),
            Some("file")
        );
        assert_eq!(
            chosen(Some("main"), file(Some("main")), &[("main", None)]).as_deref(),
            Some("file")
        );
        assert_eq!(
            chosen(Some("gone"), file(Some("gone")), std::slice::from_ref(&main)).as_deref(),
            Some("file")
        );
        assert_eq!(
            chosen(Some("gone"), file(Some("main")), &[main]).as_deref(),
            Some("main")
        );
        let worktree = ("main", Some(config(Some(WORKTREE), "main")));
        assert_eq!(chosen(Some("main"), file(None), &[worktree]).as_deref(), Some("file"));
    }

    #[test]
    fn a_source_that_moved_to_another_branch_is_followed() {
        let main = ("main", Some(config(Some("trunk"), "main")));
        let trunk = ("trunk", Some(config(Some("trunk"), "trunk")));
        assert_eq!(
            chosen(Some("main"), None, &[main.clone(), trunk]).as_deref(),
            Some("trunk")
        );
        let back = ("trunk", Some(config(Some("main"), "trunk")));
        assert_eq!(
            chosen(Some("main"), None, &[main, back]).as_deref(),
            Some("trunk"),
            "it ends"
        );
        assert_eq!(chosen(Some("main"), None, &[]), None);
    }

    #[test]
    fn a_broken_file_stops_only_where_it_counts() {
        let broken = || Some(Err(SyncErrorKind::NoUpstream));
        let main = |_: &str| Ok(OfBranch::Committed(Box::new(config(Some("main"), "main"))));
        assert!(choose(Some("main"), broken(), &main).is_ok());
        assert!(choose(Some("main"), broken(), &|_| Ok(OfBranch::CheckedOut)).is_err());
        assert!(choose(None, broken(), &main).is_err());
    }
}
