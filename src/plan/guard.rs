//! Plans that are not applied unless somebody says so.

use super::dehydrate::DehydratePlan;

/// A sync that would empty a good part of the owned folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyDeletes {
    /// Documents that would be removed from central.
    pub removed: usize,
    /// Documents that central holds for this workspace.
    pub held: usize,
}

/// Fewer removals than this are an ordinary day's work, unless they are all there is.
const FEW: usize = 5;

/// Stops a plan that removes all of the owned folder's documents, or more than half of them and at least five.
pub fn deletes(plan: &DehydratePlan, held: usize) -> Option<TooManyDeletes> {
    let removed = plan.remove.len();
    let all = removed > 0 && removed == held;
    let most = removed >= FEW && removed * 2 > held;
    (all || most).then_some(TooManyDeletes { removed, held })
}

/// How central's head relates to the commit that this clone saw last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lineage {
    /// Nothing was seen before, or the head is the same.
    Same,
    /// The head has the last seen commit in its history.
    Descends,
    /// It has not: central was rewound or force-pushed, or its branch is gone.
    Rewound,
}

/// Whether the work may go on with central in this state.
pub fn lineage(lineage: Lineage, adopt_central: bool) -> Result<(), Lineage> {
    match lineage {
        Lineage::Rewound if !adopt_central => Err(Lineage::Rewound),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removing(count: usize) -> DehydratePlan {
        DehydratePlan {
            remove: (0..count).map(|n| format!("A-T-{n:04}").parse().unwrap()).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn removing_all_or_most_stops() {
        for (removed, held, stops) in [
            (0, 0, false),
            (0, 10, false),
            (1, 1, true),
            (3, 3, true),
            (4, 5, false),
            (5, 9, true),
            (5, 10, false),
            (6, 10, true),
            (400, 1000, false),
            (501, 1000, true),
        ] {
            assert_eq!(
                deletes(&removing(removed), held).is_some(),
                stops,
                "{removed} of {held}"
            );
        }
    }

    #[test]
    fn a_rewound_central_stops_until_it_is_adopted() {
        assert!(lineage(Lineage::Rewound, false).is_err());
        assert!(lineage(Lineage::Rewound, true).is_ok());
        assert!(lineage(Lineage::Descends, false).is_ok());
        assert!(lineage(Lineage::Same, false).is_ok());
    }
}
