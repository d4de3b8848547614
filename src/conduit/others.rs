//! Conduits that get in each other's way: a mirror's target that another one writes, and circles.

use std::path::Path;

use super::{
    ConduitError,
    definition::{Defined, Remote},
    endpoint::{self, Endpoints, Identity},
};
use crate::plan::conduit::{
    Mode, Side,
    circle::{Way, circle},
};

/// One end of a conduit.
enum Place {
    /// A folder and all those above it.
    Folder(Vec<Identity>),
    Branch(String),
}

impl Place {
    /// Whether one is the other, or lies in it.
    fn meets(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::Folder(one), Place::Folder(other)) => endpoint::meet(one, other),
            (Place::Branch(one), Place::Branch(other)) => one == other,
            _ => false,
        }
    }
}

/// A conduit, and where its ends are. Documents come from where no conduit writes.
struct Tied<'a> {
    name: &'a str,
    defined: &'a Defined,
    ends: [Option<Place>; 2],
}

impl<'a> Tied<'a> {
    fn of(name: &'a str, defined: &'a Defined, endpoints: &Endpoints) -> Result<Self, ConduitError> {
        let end = |side: Side| match (&endpoints.roots[side as usize], defined.definition.remote()) {
            (Some(root), _) => endpoint::lineage(root).map(|lineage| Some(Place::Folder(lineage))),
            (None, Some((_, Remote::Branch(branch)))) => Ok(Some(Place::Branch(branch))),
            (None, _) => Ok(None),
        };
        Ok(Tied {
            name,
            defined,
            ends: [end(Side::Alpha)?, end(Side::Beta)?],
        })
    }

    /// What a sync of it may change.
    fn written(&self) -> impl Iterator<Item = &Place> {
        let sides = Side::BOTH
            .into_iter()
            .filter(|side| self.defined.definition.writes(*side));
        sides.filter_map(|side| self.ends[side as usize].as_ref())
    }

    fn is_mirror(&self) -> bool {
        self.defined.definition.mode == Mode::Mirror
    }

    /// Refuses a mirror into what the other one writes too, or the other way round.
    fn check_mirror(&self, other: &Tied<'_>) -> Result<(), ConduitError> {
        if !self.is_mirror() && !other.is_mirror() {
            return Ok(());
        }
        let shared = self
            .written()
            .find(|ours| other.written().any(|theirs| ours.meets(theirs)));
        let place = match shared {
            None => return Ok(()),
            Some(Place::Folder(_)) => "folder",
            Some(Place::Branch(_)) => "branch of central",
        };
        let both = format!(
            "the conduits {} and {} write the same {place}, and one of them is a mirror, which would delete what the other one \
             brings",
            self.name, other.name
        );
        Err(ConduitError::Overlap(both.into()))
    }

    /// Its ways, each place as its number in `known`.
    fn ways(&'a self, known: &mut Vec<&'a Place>) -> Vec<Way<'a>> {
        let [Some(alpha), Some(beta)] = &self.ends else {
            return Vec::new();
        };
        let [from, to] = [alpha, beta].map(|place| {
            let at = known.iter().position(|other| other.meets(place));
            at.unwrap_or_else(|| {
                known.push(place);
                known.len() - 1
            })
        });
        let there = Way {
            name: self.name,
            from,
            to,
        };
        let back = Way {
            from: to,
            to: from,
            ..there
        };
        match self.defined.definition.mode {
            Mode::Bidirectional => vec![there, back],
            Mode::Mirror | Mode::Selective => vec![there],
        }
    }
}

/// Refuses what gets in the way of `others`, which are enabled.
pub fn check<'a>(
    project: &Path,
    name: &str,
    defined: &Defined,
    own: &Endpoints,
    others: impl Iterator<Item = (&'a String, &'a Defined)>,
) -> Result<(), ConduitError> {
    let own = Tied::of(name, defined, own)?;
    let mut all = Vec::new();
    for (name, defined) in others {
        // One that cannot be opened writes nothing.
        let Ok(endpoints) = endpoint::open(project, defined) else {
            continue;
        };
        let other = Tied::of(name, defined, &endpoints)?;
        own.check_mirror(&other)?;
        all.push(other);
    }
    let mut known = Vec::new();
    let ours = own.ways(&mut known);
    let theirs: Vec<Way<'_>> = all.iter().flat_map(|other| other.ways(&mut known)).collect();
    match circle(&ours, &theirs) {
        None => Ok(()),
        Some(names) => {
            let names = names.join(", ");
            let told = format!(
                "the conduits {name}, {names} lead in a circle: what one brings the next one carries on, back to where it came from"
            );
            Err(ConduitError::Overlap(told.into()))
        }
    }
}
