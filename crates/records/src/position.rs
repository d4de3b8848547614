//! Places in an order that everybody may insert into: fractions, written so that they are ordered as text.
//!
//! A position is the digits behind the point of a number between 0 and 1, in base 62. Between any two there is always another one,
//! so nothing has to move. Which one is taken is left to chance, out of a billion at least: two devices that insert at the same
//! place at the same time do not meet.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: i64 = 62;

/// Out of how many places one is taken by chance.
const ROOM: i64 = 1 << 36;
/// The digits within which what is put at either end moves on.
const STEP: usize = 4;
/// A position that is longer is none.
pub const MAX_LEN: usize = 8192;

/// A position after `after` and before `before`; where one of them is missing, at that end. `chance` is 64 random bits. `None`: one
/// of them is no position, or they are not in that order.
pub fn between(after: Option<&str>, before: Option<&str>, chance: u64) -> Option<String> {
    let read = |end: Option<&str>| end.map_or(Some(None), |text| digits(text).map(Some));
    let (low, high) = (read(after)?, read(before)?);
    let (low, high): (Vec<i64>, Vec<i64>) = match (low, high) {
        (None, None) => (vec![BASE / 2], vec![BASE / 2 + 1]),
        (Some(low), None) => {
            let high = moved(&low, 2).unwrap_or_else(|| vec![BASE]);
            (low, high)
        }
        (None, Some(high)) => (moved(&high, -2).unwrap_or_default(), high),
        (Some(low), Some(high)) => (low, high),
    };
    within(&low, &high, chance)
}

/// Whether it is a position.
pub fn is_position(text: &str) -> bool {
    digits(text).is_some()
}

fn digits(text: &str) -> Option<Vec<i64>> {
    let is_whole = !text.is_empty() && text.len() <= MAX_LEN && !text.ends_with('0');
    let digit = |byte| DIGITS.binary_search(&byte).ok().map(|digit| digit as i64);
    is_whole.then(|| text.bytes().map(digit).collect())?
}

/// The first digits of a position, moved by some of the smallest steps that they can make. `None`: beyond 0 or 1.
fn moved(position: &[i64], steps: i64) -> Option<Vec<i64>> {
    let mut moved: Vec<i64> = (0..STEP).map(|at| position.get(at).copied().unwrap_or(0)).collect();
    let mut carry = steps;
    for digit in moved.iter_mut().rev() {
        let sum = *digit + carry;
        (*digit, carry) = (sum.rem_euclid(BASE), sum.div_euclid(BASE));
    }
    (carry == 0).then_some(moved)
}

/// A number between these two that `chance` picks, of so many digits that there are enough to pick from.
fn within(low: &[i64], high: &[i64], chance: u64) -> Option<String> {
    let at = |digits: &[i64], place: usize| digits.get(place).copied().unwrap_or(0);
    let mut gap: i64 = 0;
    let mut picked: Vec<i64> = Vec::new();
    while gap < ROOM {
        let place = picked.len();
        gap = gap * BASE + at(high, place) - at(low, place);
        if gap < 0 || place >= MAX_LEN {
            return None;
        }
        picked.push(at(low, place));
    }
    let mut carry = 1 + (chance % (gap as u64 - 1)) as i64;
    for digit in picked.iter_mut().rev() {
        let sum = *digit + carry;
        (*digit, carry) = (sum % BASE, sum / BASE);
    }
    while picked.last() == Some(&0) {
        picked.pop();
    }
    Some(picked.into_iter().map(|digit| DIGITS[digit as usize] as char).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Numbers that look like chance.
    fn chances() -> impl Iterator<Item = u64> {
        std::iter::successors(Some(0x9e37_79b9_7f4a_7c15_u64), |n| {
            let n = n ^ (n << 13);
            let n = n ^ (n >> 7);
            Some(n ^ (n << 17))
        })
    }

    fn is_between(low: Option<&str>, new: &str, high: Option<&str>) -> bool {
        is_position(new) && low.is_none_or(|low| low < new) && high.is_none_or(|high| new < high)
    }

    #[test]
    fn thousands_at_one_place_do_not_meet() {
        let (low, high) = (Some("V"), Some("V1"));
        let taken: BTreeSet<String> = chances()
            .take(4000)
            .map(|chance| between(low, high, chance).unwrap())
            .collect();
        assert_eq!(taken.len(), 4000);
        assert!(taken.iter().all(|new| is_between(low, new, high)));
    }

    #[test]
    fn thousands_one_after_the_other_stay_short_at_the_ends_and_bounded_within() {
        let mut last = between(None, None, 7).unwrap();
        let mut first = last.clone();
        let mut inner = between(Some(&last), None, 9).unwrap();
        for chance in chances().take(4000) {
            let next = between(Some(&last), None, chance).unwrap();
            assert!(is_between(Some(&last), &next, None));
            let before = between(None, Some(&first), chance).unwrap();
            assert!(is_between(None, &before, Some(&first)));
            let within = between(Some("U"), Some(&inner), chance).unwrap();
            assert!(is_between(Some("U"), &within, Some(&inner)));
            (last, first, inner) = (next, before, within);
        }
        assert!(last.len() <= 12 && first.len() <= 12, "{last} {first}");
        assert!(inner.len() < 2000, "{}", inner.len());
    }

    #[test]
    fn neighbours_and_ends_have_room() {
        let pairs = [
            ("1", "2"),
            ("1", "11"),
            ("1zzzzzzzzz", "2"),
            ("zzzzzzzz", "zzzzzzzz1"),
            ("01", "02"),
        ];
        for (low, high) in pairs {
            for chance in [0, 1, u64::MAX].into_iter().chain(chances().take(99)) {
                let new = between(Some(low), Some(high), chance).unwrap();
                assert!(is_between(Some(low), &new, Some(high)), "{low} {new} {high}");
            }
        }
        for chance in [0, u64::MAX] {
            let end = "z".repeat(50);
            assert!(is_between(
                Some(&end),
                &between(Some(&end), None, chance).unwrap(),
                None
            ));
            let start = format!("{}1", "0".repeat(50));
            assert!(is_between(
                None,
                &between(None, Some(&start), chance).unwrap(),
                Some(&start)
            ));
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for odd in ["", "0", "a0", "a-b", "ä", &"a".repeat(MAX_LEN + 1)] {
            assert!(!is_position(odd));
            assert_eq!(between(Some(odd), None, 1), None);
        }
        assert_eq!(between(Some("b"), Some("a"), 1), None);
        assert_eq!(between(Some("a"), Some("a"), 1), None);
    }
}
