//! How a folder's files differ from what they should be, id by id.

use serde::Serialize;

use super::listing::Documents;
use crate::names::{ObjectId, ShortCode};

/// A document with other bytes than it should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// The document.
    pub code: ShortCode,
    /// The blob it should be.
    pub expected: ObjectId,
    /// The blob that its bytes make.
    pub found: ObjectId,
}

/// All that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// There, with other bytes.
    pub differing: Vec<Differing>,
    /// Not there.
    pub missing: Vec<ShortCode>,
    /// There and not expected.
    pub extra: Vec<ShortCode>,
}

impl Differences {
    /// Whether all is as expected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many documents differ in one way or another.
    pub fn len(&self) -> usize {
        self.differing.len() + self.missing.len() + self.extra.len()
    }
}

/// Compares what was found with what should be there.
pub fn compare(expected: &Documents, found: &Documents) -> Differences {
    let mut out = Differences::default();
    for (code, blob) in expected {
        match found.get(code) {
            Some(id) if id == blob => {}
            Some(id) => out.differing.push(Differing {
                code: code.clone(),
                expected: *blob,
                found: *id,
            }),
            None => out.missing.push(code.clone()),
        }
    }
    out.extra = found
        .keys()
        .filter(|code| !expected.contains_key(*code))
        .cloned()
        .collect();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ObjectId {
        ObjectId::from_bytes(&[n; 20]).unwrap()
    }

    #[test]
    fn every_way_to_differ_is_told_apart() {
        let listing = |documents: &[(&str, u8)]| -> Documents {
            documents
                .iter()
                .map(|(code, n)| (code.parse().unwrap(), id(*n)))
                .collect()
        };
        let expected = listing(&[("A-T-0001", 1), ("A-T-0002", 1), ("A-T-0003", 1)]);
        let found = listing(&[("A-T-0001", 1), ("A-T-0002", 2), ("A-T-0004", 1)]);
        let differences = compare(&expected, &found);
        let [differing] = differences.differing.as_slice() else {
            panic!("{differences:?}");
        };
        assert_eq!(differing.code.as_str(), "A-T-0002");
        assert_eq!([differing.expected, differing.found], [1, 2].map(id));
        assert_eq!(differences.missing, ["A-T-0003".parse().unwrap()]);
        assert_eq!(differences.extra, ["A-T-0004".parse().unwrap()]);
        assert_eq!(differences.len(), 3);
        assert!(!differences.is_empty());
        assert!(compare(&expected, &expected).is_empty());
    }

    #[test]
    fn one_way_to_differ_is_enough() {
        let [some, other] = [1, 2].map(|n| Documents::from([("A-T-0001".parse().unwrap(), id(n))]));
        for differences in [
            compare(&some, &other),
            compare(&some, &Documents::new()),
            compare(&Documents::new(), &some),
        ] {
            assert_eq!(differences.len(), 1);
            assert!(!differences.is_empty());
        }
    }
}
