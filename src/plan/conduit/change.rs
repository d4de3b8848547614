//! What a sync does: to one side, and in all.

use serde::{Deserialize, Serialize};

use super::{
    conflict::Conflict,
    listing::{Item, Side},
};
use crate::text::UntrustedName;

/// Something to do to one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where.
    pub side: Side,
    /// The path, or the one that all paths of a [`Action::Replace`] are at or below.
    pub path: UntrustedName,
    /// What.
    pub action: Action,
    /// Beside which name, on the same side, what was there stays. Else it is kept elsewhere.
    pub aside: Option<UntrustedName>,
}

impl Change {
    /// What is at which paths before and after.
    pub fn paths(&self) -> (Items<'_>, Items<'_>) {
        self.action.paths(self.path.raw())
    }
}

/// What is at some paths.
type Items<'a> = Vec<(&'a str, Item)>;

/// What to do to a path of one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Write a file or a link, over what is there.
    Put {
        /// What is there.
        was: Option<Item>,
        /// What both sides have afterwards.
        now: Item,
    },
    /// Remove it.
    Remove {
        /// What is there.
        was: Item,
    },
    /// A folder takes a file's place, or a file a folder's, in one step.
    Replace {
        /// All that goes.
        was: Vec<(String, Item)>,
        /// All that comes.
        now: Vec<(String, Item)>,
    },
    /// Give it another name, on a side that takes both names for one.
    Rename {
        /// Its name on that side.
        from: UntrustedName,
        /// What is there.
        was: Item,
        /// What both sides have afterwards.
        now: Item,
    },
}

impl Action {
    /// What undoes it, at which path.
    pub fn undone(&self, path: &str) -> (String, Action) {
        let same = |action| (path.to_owned(), action);
        match self.clone() {
            Action::Put { was: Some(was), now } => same(Action::Put {
                was: Some(now),
                now: was,
            }),
            Action::Put { was: None, now } => same(Action::Remove { was: now }),
            Action::Remove { was } => same(Action::Put { was: None, now: was }),
            Action::Replace { was, now } => same(Action::Replace { was: now, now: was }),
            Action::Rename { from, was, now } => {
                let back = Action::Rename {
                    from: path.into(),
                    was: now,
                    now: was,
                };
                (from.raw().to_owned(), back)
            }
        }
    }

    /// What is at which paths before and after.
    pub fn paths<'a>(&'a self, path: &'a str) -> (Items<'a>, Items<'a>) {
        let all = |items: &'a [(String, Item)]| items.iter().map(|(path, item)| (path.as_str(), *item)).collect();
        match self {
            Action::Put { was, now } => (was.map(|was| (path, was)).into_iter().collect(), vec![(path, *now)]),
            Action::Remove { was } => (vec![(path, *was)], Vec::new()),
            Action::Replace { was, now } => (all(was), all(now)),
            Action::Rename { from, was, now } => (vec![(from.raw(), *was)], vec![(path, *now)]),
        }
    }
}

/// What a sync does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// In the order of their paths. Whatever removes without putting anything in its place comes after all others.
    pub changes: Vec<Change>,
    /// Paths that are the same on both sides already, and not in the base: what the base has to say of them.
    pub agreed: Vec<(String, Option<Item>)>,
    /// What waits for a person.
    pub conflicts: Vec<Conflict>,
}
