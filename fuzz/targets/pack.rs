//! Packs of a server that means harm: whatever comes is refused or cut into packs whose objects are what their ids say.
//!
//! What the fuzzer makes up is a list of objects. They are compressed and sealed here: no fuzzer finds a checksum.
#![no_main]

use std::io::Write as _;

use gix_hash::Kind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&how, mut rest)) = data.split_first() else { return };
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    // Where each object is, and what its id would be if it were a file.
    let mut places: Vec<(usize, Vec<u8>)> = Vec::new();
    if how == 0 {
        pack.extend(rest);
        pack[11] = rest.len() as u8;
    } else {
        while let [kind, about, len, more @ ..] = rest {
            let (content, after) = more.split_at(more.len().min(usize::from(*len)));
            rest = after;
            let place = pack.len();
            let base = match places.len() {
                0 => &(0, vec![0; 20]),
                many => &places[usize::from(*about) % many],
            };
            let names_base = match kind & 0xf {
                0..=5 => Vec::new(),
                7 => base.1.clone(),
                _ => offset((place - base.0) as u64),
            };
            add(&mut pack, *kind, &names_base, content);
            places.push((place, id(content)));
        }
        // One more or less than there are, now and then.
        pack[11] = (places.len() as u8).wrapping_add(u8::from(how == 1));
    }
    let mut hash = gix_hash::hasher(Kind::Sha1);
    hash.update(&pack);
    pack.extend_from_slice(hash.try_finalize().expect("no collision").as_slice());
    let folder = tempfile::tempdir().expect("a temp folder");
    metis_sync::central::fuzzing::received(&pack, folder.path());
});

/// Adds an object to `pack`: its kind and, in the higher bits of `kind`, whether it lies about its size.
fn add(pack: &mut Vec<u8>, kind: u8, names_base: &[u8], content: &[u8]) {
    let size = match kind >> 4 {
        0 => u64::MAX,
        1 => content.len() as u64 + 1,
        2 => 5000,
        _ => content.len() as u64,
    };
    let kind = match kind & 0xf {
        kind @ 0..=7 => kind,
        _ => 6,
    };
    let mut left = size >> 4;
    pack.push(kind << 4 | (size & 0xf) as u8 | if left > 0 { 0x80 } else { 0 });
    while left > 0 {
        let byte = (left & 0x7f) as u8;
        left >>= 7;
        pack.push(byte | if left > 0 { 0x80 } else { 0 });
    }
    pack.extend(names_base);
    let mut out = flate2::write::ZlibEncoder::new(pack, flate2::Compression::fast());
    out.write_all(content).and_then(|()| out.finish().map(drop)).expect("memory can be written to");
}

fn id(file: &[u8]) -> Vec<u8> {
    let id = gix_object::compute_hash(Kind::Sha1, gix_object::Kind::Blob, file);
    id.expect("no collision").as_slice().to_vec()
}

/// How a pack says how far away a base is (gitformat-pack, "offset encoding").
fn offset(mut distance: u64) -> Vec<u8> {
    let mut bytes = vec![(distance & 0x7f) as u8];
    loop {
        distance >>= 7;
        if distance == 0 {
            break;
        }
        distance -= 1;
        bytes.push(0x80 | (distance & 0x7f) as u8);
    }
    bytes.reverse();
    bytes
}
