//! The marker in a hydrated folder: where its files are from, and at which tree they are.

use std::fmt::Write;

use crate::names::ObjectId;

const MARKER_HEADER: &str = "git-metis-sync hydrated folder";
const MARKER_VERSION: u32 = 1;

/// What a hydrated folder's marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Central's URL, without user name and password.
    pub central: String,
    /// The tree that was last applied whole; `None` while the first one is.
    pub tree: Option<ObjectId>,
    /// The tree that is being applied. Found by a later run, it says that the one before was interrupted: each file may
    /// be that of `tree` or of this one.
    pub applying: Option<ObjectId>,
}

/// Why a marker says nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MarkerError {
    /// A later version wrote it.
    Newer,
    /// It is no marker.
    Corrupt,
}

impl Marker {
    pub(in crate::workspace) fn to_bytes(&self) -> Vec<u8> {
        let central: String = self.central.chars().filter(|c| !c.is_control()).collect();
        let mut text = format!(
            "{MARKER_HEADER} {MARKER_VERSION}\n\
             # A copy of central's folder, kept by git-metis-sync. Changes made here are set aside, not synced.\n\
             central: {central}\n"
        );
        for (key, id) in [("tree", self.tree), ("applying", self.applying)] {
            if let Some(id) = id {
                let _ = writeln!(text, "{key}: {id}");
            }
        }
        text.into_bytes()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, MarkerError> {
        let text = std::str::from_utf8(bytes).map_err(|_| MarkerError::Corrupt)?;
        let mut lines = text.lines();
        let version = lines.next().and_then(|line| line.strip_prefix(MARKER_HEADER));
        match version.and_then(|version| version.trim().parse::<u32>().ok()) {
            Some(MARKER_VERSION) => {}
            Some(version) if version > MARKER_VERSION => return Err(MarkerError::Newer),
            _ => return Err(MarkerError::Corrupt),
        }
        let (mut central, mut tree, mut applying) = (None, None, None);
        for (key, value) in lines.filter_map(|line| line.split_once(": ")) {
            let id = || value.parse().map(Some).map_err(|_| MarkerError::Corrupt);
            match key {
                "central" => central = Some(value.to_owned()),
                "tree" => tree = id()?,
                "applying" => applying = id()?,
                _ => {}
            }
        }
        Ok(Marker {
            central: central.ok_or(MarkerError::Corrupt)?,
            tree,
            applying,
        })
    }
}
