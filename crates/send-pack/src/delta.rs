//! Encodes one object as copies from and insertions into another, in the format of pack deltas.
//!
//! <https://git-scm.com/docs/pack-format#_deltified_representation>

use std::collections::HashMap;

/// Bases and targets beyond this size are sent whole: offsets have four bytes, and an index of the base costs memory.
const MAX_SIZE: usize = 256 << 20;
/// The length of the base's pieces that a target is searched for: long enough to be told apart in text whose lines
/// are alike.
const WINDOW: usize = 32;
/// A piece of the base is remembered at every such offset.
const STRIDE: usize = 16;
/// The multiplier of the rolling hash: odd, with its bits well spread.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
/// The longest run that one copy instruction can name.
const MAX_COPY: usize = 0xff_ffff;
/// The longest run that one insert instruction can carry.
const MAX_INSERT: usize = 127;
/// Of pieces with the same content (a base of zeros) only this many are remembered; more only cost time.
const MAX_EQUAL: usize = 8;

/// Encodes `target` against `base`. `None` if that would not make it notably smaller.
///
/// Equal beginnings and ends are found first: one changed line costs no search at all. What is left between them is
/// searched for pieces of the base.
pub fn encode(base: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    if base.is_empty() || target.is_empty() || base.len() > MAX_SIZE || target.len() > MAX_SIZE {
        return None;
    }
    let worthwhile = target.len() - target.len() / 8;
    let mut out = Vec::with_capacity(64);
    size(&mut out, base.len());
    size(&mut out, target.len());

    let prefix = base.iter().zip(target).take_while(|(a, b)| a == b).count();
    let suffix = base[prefix..]
        .iter()
        .rev()
        .zip(target[prefix..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    copy(&mut out, 0, prefix);
    middle(
        &mut out,
        base,
        prefix,
        base.len() - suffix,
        &target[prefix..target.len() - suffix],
        worthwhile,
    )?;
    copy(&mut out, base.len() - suffix, suffix);
    (out.len() < worthwhile).then_some(out)
}

/// Encodes `target` against `base[from..to]`, which shares neither its first nor its last byte with it. Gives up once
/// `out` is larger than `limit`.
fn middle(out: &mut Vec<u8>, base: &[u8], from: usize, to: usize, target: &[u8], limit: usize) -> Option<()> {
    if target.len() < WINDOW || to - from < WINDOW {
        insert(out, target);
        return Some(());
    }
    let mut pieces: HashMap<u64, Vec<usize>> = HashMap::with_capacity((to - from) / STRIDE);
    for at in (from..=to - WINDOW).step_by(STRIDE) {
        let same = pieces.entry(hash(&base[at..at + WINDOW])).or_default();
        if same.len() < MAX_EQUAL {
            same.push(at);
        }
    }
    // What the oldest byte of the window has been multiplied with by the time it leaves.
    let leaving = BASE.wrapping_pow(WINDOW as u32 - 1);
    let (mut pending, mut at) = (0, 0);
    let mut rolling = hash(&target[..WINDOW]);
    while at + WINDOW <= target.len() {
        let best = pieces.get(&rolling).and_then(|candidates| {
            candidates
                .iter()
                .filter(|&&start| base[start..start + WINDOW] == target[at..at + WINDOW])
                .map(|&start| {
                    let back = base[from..start]
                        .iter()
                        .rev()
                        .zip(target[pending..at].iter().rev())
                        .take_while(|(a, b)| a == b)
                        .count();
                    let forward = base[start..to]
                        .iter()
                        .zip(&target[at..])
                        .take_while(|(a, b)| a == b)
                        .count();
                    (back + forward, start - back, at - back)
                })
                .max()
        });
        match best {
            Some((length, base_at, target_at)) => {
                insert(out, &target[pending..target_at]);
                copy(out, base_at, length);
                at = target_at + length;
                pending = at;
                if let Some(window) = target.get(at..at + WINDOW) {
                    rolling = hash(window);
                }
            }
            None => {
                if let Some(&entering) = target.get(at + WINDOW) {
                    let left = (target[at] as u64 + 1).wrapping_mul(leaving);
                    rolling = rolling
                        .wrapping_sub(left)
                        .wrapping_mul(BASE)
                        .wrapping_add(entering as u64 + 1);
                }
                at += 1;
            }
        }
        if out.len() + at - pending > limit {
            return None;
        }
    }
    insert(out, &target[pending..]);
    Some(())
}

/// The rolling hash of a whole window.
fn hash(window: &[u8]) -> u64 {
    window.iter().fold(0, |hash: u64, byte| {
        hash.wrapping_mul(BASE).wrapping_add(*byte as u64 + 1)
    })
}

fn size(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn copy(out: &mut Vec<u8>, mut offset: usize, mut length: usize) {
    while length > 0 {
        let run = length.min(MAX_COPY);
        let head = out.len();
        out.push(0x80);
        for (bit, byte) in (offset as u32).to_le_bytes().into_iter().enumerate() {
            if byte != 0 {
                out[head] |= 1 << bit;
                out.push(byte);
            }
        }
        for (bit, byte) in (run as u32).to_le_bytes().into_iter().take(3).enumerate() {
            if byte != 0 {
                out[head] |= 0x10 << bit;
                out.push(byte);
            }
        }
        offset += run;
        length -= run;
    }
}

fn insert(out: &mut Vec<u8>, data: &[u8]) {
    for chunk in data.chunks(MAX_INSERT) {
        out.push(chunk.len() as u8);
        out.extend_from_slice(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A decoder written from the format's description, not from the encoder.
    fn apply(base: &[u8], delta: &[u8]) -> Vec<u8> {
        let number = |at: &mut usize| {
            let (mut n, mut shift) = (0usize, 0);
            loop {
                let byte = delta[*at];
                *at += 1;
                n |= ((byte & 0x7f) as usize) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    return n;
                }
            }
        };
        let mut at = 0;
        assert_eq!(number(&mut at), base.len());
        let size = number(&mut at);
        let mut out = Vec::new();
        let mut bytes = delta[at..].iter().copied();
        while let Some(head) = bytes.next() {
            if head & 0x80 != 0 {
                let mut field = |first: u32, count: u32| {
                    (0..count).fold(0usize, |n, i| match head >> (first + i) & 1 {
                        1 => n | (bytes.next().unwrap() as usize) << (8 * i),
                        _ => n,
                    })
                };
                let (offset, length) = (field(0, 4), field(4, 3));
                let length = if length == 0 { 0x10000 } else { length };
                out.extend_from_slice(&base[offset..offset + length]);
            } else {
                assert_ne!(head, 0, "reserved");
                out.extend(bytes.by_ref().take(head as usize));
            }
        }
        assert_eq!(out.len(), size);
        out
    }

    #[test]
    fn one_changed_line_in_a_large_document_is_a_few_bytes() {
        let base: Vec<u8> = (0..40_000u32)
            .flat_map(|n| format!("line {n} of the plan\n").into_bytes())
            .collect();
        let text = String::from_utf8(base.clone()).unwrap();
        let target = text
            .replacen("line 20000 of", "line 20000, rewritten, of", 1)
            .into_bytes();
        let delta = encode(&base, &target).unwrap();
        assert!(delta.len() < 60, "{}", delta.len());
        assert_eq!(apply(&base, &delta), target);
    }

    #[test]
    fn two_changes_far_apart_copy_what_lies_between() {
        let base: Vec<u8> = (0..4_000u32)
            .flat_map(|n| format!("line {n} of the plan\n").into_bytes())
            .collect();
        let text = String::from_utf8(base.clone()).unwrap();
        let target = text
            .replacen("line 10 of", "LINE TEN", 1)
            .replacen("line 3900 of", "", 1)
            .into_bytes();
        let delta = encode(&base, &target).unwrap();
        assert!(delta.len() < 100, "{}", delta.len());
        assert_eq!(apply(&base, &delta), target);
    }

    #[test]
    fn unlike_data_is_sent_whole() {
        assert_eq!(encode(&[1; 500], &(0..250).collect::<Vec<u8>>()), None);
        assert_eq!(encode(b"", b"x"), None);
        assert_eq!(encode(b"x", b""), None);
    }

    #[test]
    fn runs_longer_than_one_instruction_are_split() {
        let base: Vec<u8> = (0..20_000_000u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let mut target = base.clone();
        target.splice(9_000_000..9_000_000, std::iter::repeat_n(7, 300));
        assert_eq!(apply(&base, &encode(&base, &target).unwrap()), target);
    }

    proptest::proptest! {
        #[test]
        fn every_delta_decodes_to_its_target(
            base in proptest::collection::vec(0u8..4, 1..600),
            edits in proptest::collection::vec((0usize..600, 0usize..40, proptest::collection::vec(0u8..4, 0..40)), 0..6),
        ) {
            let mut target = base.clone();
            for (at, removed, added) in edits {
                let at = at.min(target.len());
                let end = (at + removed).min(target.len());
                target.splice(at..end, added);
            }
            if let Some(delta) = encode(&base, &target) {
                proptest::prop_assert_eq!(apply(&base, &delta), target);
            }
        }
    }
}
