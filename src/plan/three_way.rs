//! One thing on two sides, and what both had in common last: who changed it since.
//!
//! What a key stands for, a document's code or a path, and who gives way where both changed it, is for the caller to say:
//! [`newer`](super::newer) for documents, [`conduit`](super::conduit) for paths.

/// Who changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Both sides have the same, whatever they had before.
    Alike,
    /// The first side alone.
    First,
    /// The second side alone.
    Second,
    /// Both, each in its own way.
    Both,
}

/// Compares two sides with `base`.
pub fn changed<T: PartialEq>(base: &T, first: &T, second: &T) -> Changed {
    if first == second {
        Changed::Alike
    } else if second == base {
        Changed::First
    } else if first == base {
        Changed::Second
    } else {
        Changed::Both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_that_has_what_the_base_has_did_nothing() {
        let none = None;
        for (base, first, second, expected) in [
            (Some(1), Some(1), Some(1), Changed::Alike),
            (Some(1), Some(2), Some(2), Changed::Alike),
            (Some(1), none, none, Changed::Alike),
            (Some(1), Some(2), Some(1), Changed::First),
            (Some(1), none, Some(1), Changed::First),
            (none, Some(1), none, Changed::First),
            (Some(1), Some(1), Some(2), Changed::Second),
            (Some(1), Some(1), none, Changed::Second),
            (Some(1), Some(2), Some(3), Changed::Both),
            (Some(1), none, Some(2), Changed::Both),
            (none, Some(1), Some(2), Changed::Both),
        ] {
            assert_eq!(
                changed(&base, &first, &second),
                expected,
                "{base:?} {first:?} {second:?}"
            );
        }
    }
}
