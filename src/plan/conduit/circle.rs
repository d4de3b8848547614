//! Conduits that lead in a circle: what one brings the next one carries on, back to where it came from.

use std::collections::{BTreeSet, VecDeque};

/// A conduit's way from one place to another one that it writes. Places are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way<'a> {
    /// The conduit.
    pub name: &'a str,
    /// Whence.
    pub from: usize,
    /// Whither.
    pub to: usize,
}

/// The conduits by which what `own` brings comes back to where it was. `None`: it does not. A conduit of two ways is no circle by
/// itself, nor with others between the same two places: they agree. Two of one way each, one there and one back, are one.
pub fn circle<'a>(own: &[Way<'_>], others: &[Way<'a>]) -> Option<Vec<&'a str>> {
    own.iter().find_map(|one| {
        let ends = (one.from, one.to);
        let is_between = |way: &Way<'_>| (way.from, way.to) == ends || (way.to, way.from) == ends;
        let is_two_way = |way: &Way<'_>| {
            let back = |other: &Way<'_>| other.name == way.name && (other.from, other.to) == (way.to, way.from);
            others.iter().any(back)
        };
        let agrees = |way: &&Way<'a>| is_between(way) && (own.len() > 1 || is_two_way(way));
        let ways: Vec<Way<'a>> = others.iter().filter(|way| !agrees(way)).copied().collect();
        back(one, &ways)
    })
}

fn back<'a>(own: &Way<'_>, ways: &[Way<'a>]) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::from([own.to]);
    let mut open = VecDeque::from([(own.to, Vec::new())]);
    while let Some((at, names)) = open.pop_front() {
        if at == own.from {
            return Some(names);
        }
        for way in ways.iter().filter(|way| way.from == at) {
            if seen.insert(way.to) {
                let mut names = names.clone();
                names.push(way.name);
                open.push_back((way.to, names));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_a_circle() {
        let way = |name, from, to| Way { name, from, to };
        let both = |name, a, b| [way(name, a, b), way(name, b, a)];
        let one = [way("own", 0, 1)];
        assert_eq!(circle(&one, &[]), None);
        assert_eq!(circle(&one, &[way("b", 1, 2)]), None);
        assert_eq!(circle(&one, &[way("b", 0, 1)]), None);
        assert_eq!(circle(&one, &[way("b", 1, 0)]), Some(vec!["b"]));
        assert_eq!(circle(&one, &[way("b", 1, 2), way("c", 2, 0)]), Some(vec!["b", "c"]));
        assert_eq!(circle(&one, &[way("b", 1, 2), way("c", 2, 1)]), None);
        assert_eq!(circle(&both("own", 0, 1), &[]), None);
        assert_eq!(circle(&both("own", 0, 1), &both("b", 0, 1)), None);
        assert_eq!(circle(&both("own", 0, 1), &[way("b", 0, 1)]), None);
        assert_eq!(circle(&one, &both("b", 0, 1)), None);
        let chain = [both("b", 1, 2), both("c", 2, 3)].concat();
        assert_eq!(circle(&both("own", 0, 1), &chain), None);
        let ring = [chain, both("d", 3, 0).to_vec()].concat();
        assert_eq!(circle(&both("own", 0, 1), &ring), Some(vec!["b", "c", "d"]));
    }
}
