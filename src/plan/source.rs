//! Where the own documents are read from: the work tree, a branch's tree, or a folder that git knows nothing of.
//!
//! Central has what one branch of the project has, so that nothing which happens to be checked out can take it back.
//!
//! | `[sync] source` | situation | read from |
//! |---|---|---|
//! | any | no repository, no document committed, `.metis` ignored | the folder |
//! | a branch | it is checked out and git is not in the middle of anything | the work tree |
//! | a branch | any other | the branch's tree; the remote-tracking branch's where that has all of the branch's commits |
//! | a branch | it is neither here nor on the remote | nothing: stop |
//! | a branch | it is not checked out, and the remote has lost it, as when it got another name there | nothing: stop |
//! | `worktree`, or not set | git is not in the middle of anything | the work tree |
//! | `worktree`, or not set | a merge, rebase, … is unfinished | nothing: stop |

use crate::names::ObjectId;

/// `[sync] source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// This branch.
    Branch(&'a str),
    /// Whatever is checked out.
    Worktree,
}

/// What `HEAD` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch.
    Branch {
        /// Its name without `refs/heads/`.
        name: String,
        /// `None`: it has no commit yet.
        at: Option<ObjectId>,
    },
    /// A commit.
    Detached(ObjectId),
    /// It is a bare repository, whose `HEAD` is checked out nowhere.
    Bare,
}

/// The project's repository at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// See [`Head`].
    pub head: Head,
    /// What git is in the middle of.
    pub unfinished: Option<&'static str>,
    /// The source branch.
    pub local: Option<ObjectId>,
    /// The source branch as the remote had it last.
    pub tracking: Option<ObjectId>,
    /// Whether that has all commits of the local one.
    pub tracking_is_ahead: bool,
    /// Whether the local one follows a branch that its remote has no more, though it has others.
    pub is_left_behind: bool,
}

/// Where to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// The files, and no commit to compare them with.
    Folder,
    /// The files, which belong to this commit.
    Worktree(ObjectId),
    /// This commit's tree, with what waits in `.pending/` on top if that is to be read.
    Tree {
        /// The commit.
        at: ObjectId,
        /// Whether `.pending/` counts.
        pending: bool,
    },
}

/// Why nothing can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSource {
    /// git is in the middle of this.
    Unfinished(&'static str),
    /// The branch is neither here nor on the remote.
    NoBranch,
    /// The branch is here, and the remote has it no more: nothing arrives in it.
    LeftBehind,
}

/// Decides for a workspace in a repository. `arrived`: read only what has arrived in the source branch, whatever is checked
/// out.
pub fn read_from(source: Source<'_>, situation: &Situation, arrived: bool) -> Result<ReadFrom, NoSource> {
    let Situation {
        head,
        unfinished,
        local,
        tracking,
        tracking_is_ahead,
        is_left_behind,
    } = situation;
    let name = match source {
        Source::Branch(name) => name,
        Source::Worktree => {
            return match (head, unfinished) {
                (_, Some(what)) => Err(NoSource::Unfinished(what)),
                (Head::Branch { at: Some(at), .. } | Head::Detached(at), None) => Ok(ReadFrom::Worktree(*at)),
                (Head::Branch { at: None, .. } | Head::Bare, None) => Ok(ReadFrom::Folder),
            };
        }
    };
    let checked_out = match head {
        Head::Branch { name: checked_out, at } => (checked_out == name).then_some(*at),
        _ => None,
    };
    if checked_out.is_none() && *is_left_behind {
        return Err(NoSource::LeftBehind);
    }
    if arrived && let Some(at) = tracking.or(*local) {
        return Ok(ReadFrom::Tree { at, pending: false });
    }
    match (checked_out, unfinished) {
        (Some(None), _) => Ok(ReadFrom::Folder),
        (Some(Some(at)), None) => Ok(ReadFrom::Worktree(at)),
        _ => {
            let best = if *tracking_is_ahead {
                tracking.or(*local)
            } else {
                local.or(*tracking)
            };
            best.map(|at| ReadFrom::Tree { at, pending: true })
                .ok_or(NoSource::NoBranch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ObjectId {
        ObjectId::from_bytes(&[n; 20]).unwrap()
    }

    fn on(name: &str, at: Option<u8>) -> Situation {
        Situation {
            head: Head::Branch {
                name: name.into(),
                at: at.map(id),
            },
            unfinished: None,
            local: Some(id(1)),
            tracking: Some(id(2)),
            tracking_is_ahead: false,
            is_left_behind: false,
        }
    }

    const MAIN: Source<'_> = Source::Branch("main");

    #[test]
    fn the_source_branch_is_read_where_it_is_checked_out() {
        assert_eq!(
            read_from(MAIN, &on("main", Some(1)), false),
            Ok(ReadFrom::Worktree(id(1)))
        );
        assert_eq!(
            read_from(MAIN, &on("main", None), false),
            Ok(ReadFrom::Folder),
            "no commit yet"
        );
    }

    #[test]
    fn elsewhere_its_tree_is_read() {
        let tree = |at| Ok(ReadFrom::Tree { at, pending: true });
        let feature = on("feature", Some(3));
        assert_eq!(read_from(MAIN, &feature, false), tree(id(1)));
        let ahead = Situation {
            tracking_is_ahead: true,
            ..feature.clone()
        };
        assert_eq!(read_from(MAIN, &ahead, false), tree(id(2)));
        let remote_only = Situation {
            local: None,
            head: Head::Detached(id(3)),
            ..feature.clone()
        };
        assert_eq!(read_from(MAIN, &remote_only, false), tree(id(2)));
        let merging = Situation {
            unfinished: Some("a merge"),
            ..on("main", Some(1))
        };
        assert_eq!(read_from(MAIN, &merging, false), tree(id(1)));
        let bare = Situation {
            head: Head::Bare,
            ..feature.clone()
        };
        assert_eq!(read_from(MAIN, &bare, false), tree(id(1)));
        let nowhere = Situation {
            local: None,
            tracking: None,
            ..feature
        };
        assert_eq!(read_from(MAIN, &nowhere, false), Err(NoSource::NoBranch));
    }

    #[test]
    fn a_branch_that_the_remote_has_lost_is_read_only_where_it_is_checked_out() {
        let left_behind = |name| Situation {
            tracking: None,
            is_left_behind: true,
            ..on(name, Some(1))
        };
        for arrived in [false, true] {
            let elsewhere = read_from(MAIN, &left_behind("trunk"), arrived);
            assert_eq!(elsewhere, Err(NoSource::LeftBehind));
        }
        let checked_out = left_behind("main");
        assert_eq!(read_from(MAIN, &checked_out, false), Ok(ReadFrom::Worktree(id(1))));
        let pending = false;
        assert_eq!(
            read_from(MAIN, &checked_out, true),
            Ok(ReadFrom::Tree { at: id(1), pending })
        );
    }

    #[test]
    fn a_work_tree_as_source_is_read_unless_git_is_in_the_middle_of_something() {
        let read = |situation: &Situation| read_from(Source::Worktree, situation, false);
        assert_eq!(read(&on("any", Some(3))), Ok(ReadFrom::Worktree(id(3))));
        let rebasing = Situation {
            head: Head::Detached(id(3)),
            unfinished: Some("a rebase"),
            ..on("any", None)
        };
        assert_eq!(read(&rebasing), Err(NoSource::Unfinished("a rebase")));
    }

    #[test]
    fn what_has_arrived_is_what_the_remote_has() {
        let arrived = |situation: &Situation| read_from(MAIN, situation, true);
        let tree = |at| Ok(ReadFrom::Tree { at, pending: false });
        assert_eq!(arrived(&on("main", Some(1))), tree(id(2)));
        let local_only = Situation {
            tracking: None,
            ..on("feature", Some(3))
        };
        assert_eq!(arrived(&local_only), tree(id(1)));
        let unborn = Situation {
            local: None,
            ..local_only
        };
        assert_eq!(arrived(&unborn), Err(NoSource::NoBranch));
    }
}
