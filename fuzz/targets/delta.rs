//! Every delta decodes to its target, by a decoder written from the format's description.
#![no_main]

use libfuzzer_sys::fuzz_target;
use send_pack::fuzzing;

fuzz_target!(|data: &[u8]| {
    let Some((&cut, data)) = data.split_first() else { return };
    let (base, target) = data.split_at(data.len() * usize::from(cut) / 256);
    // Alike but for a little, as versions of a document are.
    let mut grown = base.to_vec();
    let at = grown.len() / 2;
    grown.splice(at..at, target.iter().copied());
    for target in [target, &grown] {
        if let Some(delta) = fuzzing::encode(base, target) {
            assert_eq!(applied(base, &delta), target);
        }
    }
});

fn number(delta: &[u8], at: &mut usize) -> usize {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = delta[*at];
        *at += 1;
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return number;
        }
    }
}

fn applied(base: &[u8], delta: &[u8]) -> Vec<u8> {
    let mut at = 0;
    assert_eq!(number(delta, &mut at), base.len());
    let size = number(delta, &mut at);
    let mut out = Vec::new();
    while at < delta.len() {
        let head = delta[at];
        at += 1;
        if head & 0x80 != 0 {
            let mut field = |bits: std::ops::Range<u8>| {
                let mut value = 0;
                for (place, bit) in bits.enumerate() {
                    if head >> bit & 1 == 1 {
                        value |= usize::from(delta[at]) << (8 * place);
                        at += 1;
                    }
                }
                value
            };
            let offset = field(0..4);
            let length = match field(4..7) {
                0 => 0x10000,
                length => length,
            };
            out.extend_from_slice(&base[offset..offset + length]);
        } else {
            assert_ne!(head, 0, "reserved");
            out.extend_from_slice(&delta[at..at + usize::from(head)]);
            at += usize::from(head);
        }
    }
    assert_eq!(out.len(), size);
    out
}
