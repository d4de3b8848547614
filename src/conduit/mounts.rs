//! Which disks a conduit's folders were on. What lies in the place of a disk that is not mounted is another folder, and would
//! count as edits and deletions.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ready::Ready, rules::Rules, scan::Scan};
use crate::{
    fs::{Dir, mounts::begin_of},
    plan::conduit::Side,
};

/// What both sides were mounted from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounts {
    alpha: OneSide,
    beta: OneSide,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OneSide {
    /// Where the disk begins that the folder lies on. `None`: the project lies on it too, and is here to ask.
    begins: Option<PathBuf>,
    /// Folders of it that are on other disks.
    inner: Vec<String>,
}

impl Mounts {
    /// Where the folders are. What is in them a scan has to say.
    pub fn of(roots: [Option<&Dir>; 2], project: &Path) -> Self {
        let project = project.canonicalize().unwrap_or_else(|_| project.to_owned());
        let [alpha, beta] = roots.map(|root| {
            let begins = root.map(|root| begin_of(root.path()));
            OneSide {
                begins: begins.filter(|begins| !project.starts_with(begins)),
                inner: Vec::new(),
            }
        });
        Mounts { alpha, beta }
    }

    /// The same with what was found in the folders.
    pub fn with(mut self, scans: &[Scan; 2]) -> Self {
        for side in Side::BOTH {
            self.on_mut(side).inner = scans[side as usize].disks().map(str::to_owned).collect();
        }
        self
    }

    /// A side that lay on a disk, and does not.
    pub fn lost(&self, now: &Mounts) -> Option<Side> {
        let is_lost = |side: &Side| match (&self.on(*side).begins, &now.on(*side).begins) {
            (Some(was), Some(is)) => !is.starts_with(was),
            (was, is) => was.is_some() && is.is_none(),
        };
        Side::BOTH.into_iter().find(is_lost)
    }

    /// A folder that was a disk, and is none, though it still belongs to the conduit.
    pub fn lost_inside(&self, now: &Mounts, rules: &Rules) -> Option<(Side, &str)> {
        let lost = |side: Side| {
            let gone = |folder: &&String| !now.on(side).inner.contains(folder) && rules.enters(folder);
            self.on(side)
                .inner
                .iter()
                .find(gone)
                .map(|folder| (side, folder.as_str()))
        };
        Side::BOTH.into_iter().find_map(lost)
    }

    fn on(&self, side: Side) -> &OneSide {
        match side {
            Side::Alpha => &self.alpha,
            Side::Beta => &self.beta,
        }
    }

    fn on_mut(&mut self, side: Side) -> &mut OneSide {
        match side {
            Side::Alpha => &mut self.alpha,
            Side::Beta => &mut self.beta,
        }
    }
}

impl Ready<'_> {
    /// The disks of both sides as they are.
    pub fn mounts(&self) -> Mounts {
        Mounts::of(self.roots(), &self.top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conduit::Definition;

    fn mounts(begins: [Option<&str>; 2], inner: &[&str]) -> Mounts {
        let [alpha, beta] = begins.map(|begins| OneSide {
            begins: begins.map(PathBuf::from),
            inner: inner.iter().map(|folder| (*folder).to_owned()).collect(),
        });
        Mounts { alpha, beta }
    }

    #[test]
    fn only_what_was_mounted_can_be_unmounted() {
        for (was, now, lost) in [
            (None, None, None),
            (None, Some("/usb"), None),
            (Some("/usb"), Some("/usb"), None),
            (Some("/usb"), Some("/usb/stick"), None),
            (Some("/usb/stick"), Some("/usb"), Some(Side::Beta)),
            (Some("/usb"), None, Some(Side::Beta)),
            (Some("/usb"), Some("/other"), Some(Side::Beta)),
        ] {
            assert_eq!(
                mounts([None, was], &[]).lost(&mounts([None, now], &[])),
                lost,
                "{was:?} {now:?}"
            );
        }
    }

    #[test]
    fn a_disk_inside_is_missed_where_it_belongs_to_the_conduit() {
        let rules = Rules::new(&Definition {
            exclude: vec!["left-out/".into()],
            ..Definition::new("a".into(), "b".into())
        });
        for (was, now, lost) in [
            (&["d"][..], &["d"][..], None),
            (&["d"], &["d", "e"], None),
            (&["d", "e"], &["d"], Some("e")),
            (&["left-out/d"], &[], None),
        ] {
            let (was, now) = (mounts([None; 2], was), mounts([None; 2], now));
            assert_eq!(was.lost_inside(&now, &rules).map(|(_, folder)| folder), lost);
        }
    }
}
