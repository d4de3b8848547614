//! Real packs that somebody changed, and packs of whatever entries.

use gix_pack::data::entry::Header;
use proptest::prelude::*;

use super::{
    crafted::{Crafted, SHA1, appending, id_of, number, sealed},
    real, received,
};

/// What an attacker does to bytes.
#[derive(Debug, Clone)]
enum Change {
    Cut(usize),
    Flip(usize, u8),
    Repeat(usize, usize),
    Remove(usize, usize),
    Swap(usize, usize),
    Insert(usize, Vec<u8>),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<usize>;
        prop_oneof![
            1 => at().prop_map(Change::Cut),
            4 => (at(), 1..=255_u8).prop_map(|(at, with)| Change::Flip(at, with)),
            1 => (at(), 1..300_usize).prop_map(|(at, len)| Change::Repeat(at, len)),
            1 => (at(), 1..300_usize).prop_map(|(at, len)| Change::Remove(at, len)),
            1 => (at(), at()).prop_map(|(a, b)| Change::Swap(a, b)),
            1 => (at(), proptest::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, what)| Change::Insert(at, what)),
        ]
    }

    fn make(self, bytes: &mut Vec<u8>) {
        let len = bytes.len().max(1);
        let range = |at: usize, count: usize| at % len..(at % len + count).min(bytes.len());
        match self {
            _ if bytes.is_empty() => {}
            Change::Cut(at) => bytes.truncate(at % len),
            Change::Flip(at, with) => bytes[at % len] ^= with,
            Change::Swap(a, b) => bytes.swap(a % len, b % len),
            Change::Remove(at, count) => drop(bytes.drain(range(at, count))),
            Change::Repeat(at, count) => {
                let again = bytes[range(at, count)].to_vec();
                bytes.splice(at % len..at % len, again);
            }
            Change::Insert(at, what) => drop(bytes.splice(at % len..at % len, what)),
        }
    }
}

/// What an entry is said to build on, by place or by id.
#[derive(Debug, Clone)]
enum On {
    Nothing(Header),
    Place(usize),
    Itself,
    Behind(u64),
    Before,
    Within(usize, u64),
    Id(usize),
    NoId,
}

#[derive(Debug, Clone)]
struct Spec {
    on: On,
    /// What is said of its size, and of that of what it leads to.
    lie: Option<u64>,
    base_lie: Option<u64>,
    result_lie: Option<u64>,
    data: Vec<u8>,
}

fn lie() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        12 => Just(None),
        1 => (0..40_u64).prop_map(Some),
        1 => prop_oneof![Just(0), Just(1 << 26), Just(70 << 20), Just(1 << 31), Just(1 << 32), Just(1 << 60), Just(u64::MAX)]
            .prop_map(Some),
    ]
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let on = prop_oneof![
        4 => prop_oneof![Just(Header::Blob), Just(Header::Tree), Just(Header::Commit), Just(Header::Tag)].prop_map(On::Nothing),
        8 => any::<usize>().prop_map(On::Place),
        1 => Just(On::Itself),
        1 => (1..200_u64).prop_map(On::Behind),
        1 => Just(On::Before),
        1 => (any::<usize>(), 1..9_u64).prop_map(|(nth, by)| On::Within(nth, by)),
        4 => any::<usize>().prop_map(On::Id),
        1 => Just(On::NoId),
    ];
    let data = proptest::collection::vec(any::<u8>(), 0..60);
    let spec = (on, lie(), lie(), lie(), data).prop_map(|(on, lie, base_lie, result_lie, data)| Spec {
        on,
        lie,
        base_lie,
        result_lie,
        data,
    });
    proptest::collection::vec(spec, 1..25)
}

/// Builds it so that what is no lie is right: objects that build on others are really what their ids say.
fn crafted(specs: &[Spec]) -> Crafted {
    let mut pack = Crafted::new();
    let mut contents: Vec<Vec<u8>> = Vec::new();
    for (n, spec) in specs.iter().enumerate() {
        let next = pack.next();
        let base = match spec.on {
            On::Place(nth) | On::Within(nth, _) | On::Id(nth) if n > 0 => Some(nth % n),
            _ => None,
        };
        let header = match (&spec.on, base) {
            (On::Nothing(header), _) => *header,
            (On::Itself, _) => Header::OfsDelta { base_distance: 0 },
            // A distance is never negative: what wraps around lies behind.
            (On::Behind(by), _) => Header::OfsDelta {
                base_distance: 0_u64.wrapping_sub(*by),
            },
            (On::Before, _) => Header::OfsDelta {
                base_distance: next + 1,
            },
            (On::Place(_), Some(base)) => Header::OfsDelta {
                base_distance: next - pack.places[base],
            },
            (On::Within(_, by), Some(base)) => Header::OfsDelta {
                base_distance: next - pack.places[base] - by,
            },
            (On::Id(_), Some(base)) => Header::RefDelta {
                base_id: id_of(&contents[base]),
            },
            _ => Header::RefDelta { base_id: SHA1.null() },
        };
        let (content, data) = match base {
            Some(base) => {
                let base = &contents[base];
                let content = [base.as_slice(), &spec.data].concat();
                let honest = appending(base.len() as u64, &spec.data);
                let sizes = [number(base.len() as u64), number(content.len() as u64)].concat();
                let said = [
                    number(spec.base_lie.unwrap_or(base.len() as u64)),
                    number(spec.result_lie.unwrap_or(content.len() as u64)),
                ]
                .concat();
                (content, [&said, &honest[sizes.len()..]].concat())
            }
            None => (spec.data.clone(), spec.data.clone()),
        };
        pack.add_lying(header, spec.lie.unwrap_or(data.len() as u64), &data);
        contents.push(content);
    }
    pack
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_real_pack_that_was_changed(
        by_place in any::<bool>(),
        changes in proptest::collection::vec(Change::any(), 1..5),
        checksum_fits in prop::bool::weighted(0.8),
    ) {
        let mut pack = real_ones()[usize::from(by_place)].clone();
        pack.truncate(pack.len() - SHA1.len_in_bytes());
        for change in changes {
            change.make(&mut pack);
        }
        if checksum_fits {
            pack = sealed(&pack);
        }
        // Either is well: what counts is what `received` looks at.
        let _ = received(&pack);
    }

    #[test]
    fn a_pack_that_was_made_up(specs in specs(), count in prop_oneof![9 => Just(None), 1 => (0..40_u32).prop_map(Some)]) {
        let pack = crafted(&specs);
        let count = count.unwrap_or(specs.len() as u32);
        let _ = received(&pack.counted(count));
    }
}

fn real_ones() -> &'static [Vec<u8>; 2] {
    static REAL: std::sync::OnceLock<[Vec<u8>; 2]> = std::sync::OnceLock::new();
    REAL.get_or_init(|| [real(&[]), real(&["--delta-base-offset"])])
}
