//! Names that some file systems take for one: `Foo` and `foo`, or `é` as one character and as two.

use std::collections::{HashMap, HashSet};

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{
    change::{Action, Change, Resolution},
    conflict::{Conflict, Kind},
    listing::{Listing, Side, with_folders},
};
use crate::text::UntrustedName;

/// What all names have in common that are one name to a file system that ignores case or composes characters.
pub fn fold_key(path: &str) -> String {
    match path.is_ascii() {
        true => path.to_ascii_lowercase(),
        false if is_nfc(path) => path.to_lowercase().nfc().collect(),
        false => path.nfc().collect::<String>().to_lowercase().nfc().collect(),
    }
}

/// Takes the changes out of `out` that would put two such names side by side, and makes renames of what only changes
/// its name on a side that takes both names for one.
pub(super) fn settle_names(out: &mut Resolution, listings: [&Listing; 2], folds: [bool; 2]) {
    let twins = twins(&out.changes, listings);
    if !twins.is_empty() {
        let collides = |path: &str| with_folders(path).any(|path| twins.contains(&fold_key(path)));
        let (kept, dropped) = std::mem::take(&mut out.changes).into_iter().partition(|change| {
            let (before, after) = change.paths();
            let aside = change.aside.as_ref().map(|name| name.raw());
            !before
                .iter()
                .chain(&after)
                .map(|(path, _)| *path)
                .chain(aside)
                .any(collides)
        });
        out.changes = kept;
        let paths: HashSet<UntrustedName> = dropped.into_iter().map(|change: Change| change.path).collect();
        out.conflicts.extend(paths.into_iter().map(|path| Conflict {
            path,
            kind: Kind::Collision,
        }));
    }
    for side in Side::BOTH {
        if folds[side as usize] {
            make_renames(&mut out.changes, side);
        }
    }
}

/// The fold keys of new names, or of folders on the way to them, that something else will have as well.
fn twins(changes: &[Change], listings: [&Listing; 2]) -> HashSet<String> {
    let mut twins = HashSet::new();
    let mut coming: HashMap<String, &str> = HashMap::new();
    let mut going: [HashSet<&str>; 2] = Default::default();
    for change in changes {
        let (before, after) = change.paths();
        let stays = |path: &str| matches!(&change.action, Action::Put { was: Some(_), .. }) && change.path == path;
        going[change.side as usize].extend(before.iter().map(|(path, _)| *path).filter(|path| !stays(path)));
        for name in after
            .iter()
            .map(|(path, _)| *path)
            .filter(|path| !stays(path))
            .flat_map(with_folders)
        {
            let key = fold_key(name);
            if coming.get(&key).is_some_and(|other| *other != name) {
                twins.insert(key);
            } else {
                coming.insert(key, name);
            }
        }
    }
    if coming.is_empty() {
        return twins;
    }
    for side in Side::BOTH {
        let staying = listings[side as usize].items.iter().map(|(path, _)| path.as_str());
        let mut folder = "";
        for path in staying.filter(|path| !going[side as usize].contains(path)) {
            for name in with_folders(path).take_while(|name| *name != folder) {
                let key = fold_key(name);
                if coming.get(&key).is_some_and(|other| *other != name) {
                    twins.insert(key);
                }
            }
            folder = path.rfind('/').map_or("", |at| &path[..at]);
        }
    }
    twins
}

fn make_renames(changes: &mut Vec<Change>, side: Side) {
    let mut going: HashMap<String, usize> = HashMap::new();
    for (at, change) in changes.iter().enumerate() {
        if change.side == side && matches!(change.action, Action::Remove { .. }) {
            going.insert(fold_key(change.path.raw()), at);
        }
    }
    let mut renamed = HashSet::new();
    for at in 0..changes.len() {
        let Action::Put { was: None, now } = changes[at].action else {
            continue;
        };
        let from = going
            .get(&fold_key(changes[at].path.raw()))
            .filter(|_| changes[at].side == side);
        let Some((from, Action::Remove { was })) = from.map(|from| (*from, &changes[*from].action)) else {
            continue;
        };
        let was = *was;
        renamed.insert(from);
        changes[at].action = Action::Rename {
            from: changes[from].path.clone(),
            was,
            now,
        };
    }
    let mut at = 0;
    changes.retain(|_| {
        at += 1;
        !renamed.contains(&(at - 1))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_composition_are_folded() {
        for (a, b, one) in [
            ("Foo", "foo", true),
            ("É/x", "e\u{301}/X", true),
            ("ÅNGSTRÖM", "a\u{30a}ngstro\u{308}m", true),
            ("a", "b", false),
            ("straße", "strasse", false),
        ] {
            assert_eq!(fold_key(a) == fold_key(b), one, "{a} {b}");
        }
    }
}
