//! Giving a workspace's folder in central another name, and taking it away: what is to be done, decided by what is there and
//! whose it is.

use crate::{names::Prefix, text::Untrusted};

/// What is known of a folder in central.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// There is none of that name.
    Absent,
    /// It is this workspace's.
    Ours,
    /// It is another one's.
    Others,
}

/// What became of a folder that somebody took out of central on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It has another name.
    Renamed(Prefix),
    /// Its workspace was retired.
    Retired,
}

/// A commit of central that takes a folder away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The folder.
    pub left: Prefix,
    /// The workspace that the commit is a sync of: the same where it was retired, else the name that took the folder's place.
    pub by: Prefix,
}

/// Follows the folder `prefix` through `departures`, the oldest first, to what it is in the end: it may have been renamed more
/// than once, and its names may have been given to others since. `None`: it has that name.
pub fn fate(prefix: &Prefix, departures: &[Departure]) -> Option<Fate> {
    let mut name = prefix;
    for Departure { left, by } in departures {
        match left == name {
            true if by == name => return Some(Fate::Retired),
            true => name = by,
            false => {}
        }
    }
    (name != prefix).then(|| Fate::Renamed(name.clone()))
}

/// What to do in central.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Make the commit.
    Commit,
    /// Nothing: central is like that already. Only this clone has to take note of it.
    TakeNote,
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The new name is another folder's.
    #[error("central has a folder {0}/ already")]
    Taken(Prefix),
    /// The folder is another workspace's.
    #[error("{0}/ in central is another workspace's, as far as this clone knows")]
    NotOurs(Prefix),
    /// Central has neither.
    #[error("central has no folder {0}/")]
    Absent(Prefix),
    /// The Metis tools have a folder of their own by that name.
    #[error(
        "{0} cannot be a workspace's folder: the Metis tools keep own documents in .metis/{0}/, so nobody could have a copy of it there"
    )]
    Reserved(Prefix),
    /// It has that name.
    #[error("the workspace's folder has the name {0}/ already")]
    Same(Prefix),
    /// config.toml is that of a branch that is not checked out.
    #[error("config.toml, which names the folder, is that of the branch {0}, and that is not checked out here")]
    Elsewhere(Untrusted),
}

/// Decides a change of name from `old` to `new`.
pub fn rename([old, new]: [&Prefix; 2], [at_old, at_new]: [Folder; 2]) -> Result<Step, Refusal> {
    if old == new {
        return Err(Refusal::Same(old.clone()));
    }
    match (at_old, at_new) {
        (Folder::Absent, Folder::Absent) => Err(Refusal::Absent(old.clone())),
        // Another workspace may have got the old name since.
        (Folder::Absent | Folder::Others, Folder::Ours) => Ok(Step::TakeNote),
        (Folder::Absent | Folder::Ours, Folder::Others) | (Folder::Ours, Folder::Ours) => {
            Err(Refusal::Taken(new.clone()))
        }
        (Folder::Others, _) => Err(Refusal::NotOurs(old.clone())),
        (Folder::Ours, Folder::Absent) => Ok(Step::Commit),
    }
}

/// Decides whether the folder `prefix` is taken away. `known`: whether this clone has written it.
pub fn retire(prefix: &Prefix, folder: Folder, known: bool) -> Result<Step, Refusal> {
    match folder {
        Folder::Ours => Ok(Step::Commit),
        Folder::Others => Err(Refusal::NotOurs(prefix.clone())),
        Folder::Absent if known => Ok(Step::TakeNote),
        Folder::Absent => Err(Refusal::Absent(prefix.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Folder::*, *};

    fn prefixes() -> [Prefix; 2] {
        ["old", "new"].map(|name| name.parse().unwrap())
    }

    #[test]
    fn a_folder_of_ours_gets_a_free_name() {
        let [old, new] = &prefixes();
        for (at_old, at_new, expected) in [
            (Ours, Absent, Ok(Step::Commit)),
            (Absent, Ours, Ok(Step::TakeNote)),
            (Absent, Absent, Err(Refusal::Absent(old.clone()))),
            (Absent, Others, Err(Refusal::Taken(new.clone()))),
            (Ours, Ours, Err(Refusal::Taken(new.clone()))),
            (Ours, Others, Err(Refusal::Taken(new.clone()))),
            (Others, Absent, Err(Refusal::NotOurs(old.clone()))),
            (Others, Ours, Ok(Step::TakeNote)),
            (Others, Others, Err(Refusal::NotOurs(old.clone()))),
        ] {
            assert_eq!(rename([old, new], [at_old, at_new]), expected, "{at_old:?} {at_new:?}");
        }
        assert_eq!(rename([old, old], [Ours, Ours]), Err(Refusal::Same(old.clone())));
    }

    #[test]
    fn a_folder_is_followed_through_all_its_names() {
        let departed = |moves: &[[&str; 2]]| {
            let moves = moves.iter().map(|[left, by]| Departure {
                left: left.parse().unwrap(),
                by: by.parse().unwrap(),
            });
            fate(&"api".parse().unwrap(), &moves.collect::<Vec<_>>())
        };
        let renamed = |to: &str| Some(Fate::Renamed(to.parse().unwrap()));
        assert_eq!(departed(&[]), None);
        assert_eq!(departed(&[["web", "shop"]]), None, "another one");
        assert_eq!(departed(&[["api", "new"]]), renamed("new"));
        assert_eq!(departed(&[["api", "tmp"], ["tmp", "new"]]), renamed("new"));
        assert_eq!(departed(&[["api", "tmp"], ["tmp", "api"]]), None, "and back");
        assert_eq!(
            departed(&[["api", "tmp"], ["web", "api"], ["tmp", "web"]]),
            renamed("web"),
            "two change names"
        );
        assert_eq!(
            departed(&[["api", "new"], ["web", "api"], ["api", "shop"]]),
            renamed("new"),
            "the old name is another's"
        );
        assert_eq!(departed(&[["api", "new"], ["api", "api"]]), renamed("new"));
        assert_eq!(departed(&[["api", "new"], ["new", "new"]]), Some(Fate::Retired));
    }

    #[test]
    fn only_an_own_folder_is_taken_away() {
        let [old, _] = &prefixes();
        assert_eq!(retire(old, Ours, false), Ok(Step::Commit));
        assert_eq!(retire(old, Others, true), Err(Refusal::NotOurs(old.clone())));
        assert_eq!(retire(old, Absent, true), Ok(Step::TakeNote));
        assert_eq!(retire(old, Absent, false), Err(Refusal::Absent(old.clone())));
    }
}
