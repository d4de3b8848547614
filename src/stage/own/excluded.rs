//! Which own documents are not published: those that patterns name, and new ones that git ignores.

use std::collections::BTreeSet;

use super::{Own, OwnDocument, OwnError};
use crate::{
    central::CentralError,
    fs::DirError,
    names::{ObjectId, ShortCode},
    plan::source::ReadFrom,
    project::{Exclusion, History},
    stage::Context,
    state::cursor::Cursor,
};

/// Where patterns stand, in gitignore's syntax, of documents that are not published.
pub const IGNORE_FILE: &str = ".syncignore";
/// The most bytes that the file may have: each document is compared with each pattern.
const IGNORE_LIMIT: u64 = 64 << 10;

/// What is not to be published, by the file here, the one of the commit that is read, and config.toml. A list that cannot be
/// read is an error: what it keeps back would be published.
pub(super) fn exclusion(
    ctx: &Context<'_>,
    read: Option<(ObjectId, Option<&History<'_>>)>,
) -> Result<Exclusion, OwnError> {
    let mut lists = Vec::new();
    match ctx.metis.dir().read_file(IGNORE_FILE, IGNORE_LIMIT) {
        Ok((bytes, _)) => lists.push(bytes),
        Err(err) if err.is_gone() => {}
        Err(err) => return Err(err.into()),
    }
    if let Some((at, history)) = read {
        let history = history.ok_or(OwnError::NoTree(at))?;
        lists.extend(history.file(at, IGNORE_FILE, IGNORE_LIMIT).map_err(|err| match err {
            CentralError::TooLarge => OwnError::Dir(DirError::TooLarge {
                path: ctx.metis.path().join(IGNORE_FILE),
                limit: IGNORE_LIMIT,
            }),
            _ => OwnError::NoTree(at),
        })?);
    }
    let configured = ctx.config.sync.iter().flat_map(|sync| &sync.exclude);
    lists.push(
        configured
            .map(|pattern| format!("{pattern}\n"))
            .collect::<String>()
            .into_bytes(),
    );
    Ok(Exclusion::new(&lists, ctx.project.ignores_case()))
}

impl Own<'_> {
    /// Passes over what is not to be published. What is to be withdrawn counts as not there.
    pub(super) fn pass_over_excluded(&mut self, ctx: &Context<'_>, cursor: &Cursor) {
        let had = |code: &ShortCode| cursor.base.get(code).is_some_and(|base| base.blob.is_some());
        let publishes_ignored = ctx.config.sync.as_ref().is_some_and(|sync| sync.publish_ignored);
        let ignored = match self.read_from {
            // What central has goes on being published: that git ignores it by now is no word about that.
            ReadFrom::Worktree(_) | ReadFrom::Folder if !publishes_ignored => {
                let new = self.documents.iter().filter(|(code, _)| !had(code));
                ctx.project.ignored(new.map(|(_, document)| document.path.raw()))
            }
            _ => BTreeSet::new(),
        };
        let is_out = |document: &OwnDocument| {
            self.exclusion.excludes(document.path.raw()) || ignored.contains(document.path.raw())
        };
        let out = self.documents.iter().filter(|(_, document)| is_out(document));
        let out: Vec<ShortCode> = out.map(|(code, _)| code.clone()).collect();
        for code in out {
            self.documents.remove(&code);
            if !ctx.withdrawn.contains(&code) {
                self.protected.codes.insert(code.clone());
                let still = had(&code);
                self.excluded.insert(code, still);
            }
        }
    }
}
