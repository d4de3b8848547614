//! Packs that each break one rule.

use std::{fs, path::Path};

use gix_pack::data::entry::Header;

use super::{
    super::super::repack,
    crafted::{Crafted, SHA1, appending, deflated, id_of, sealed},
    received_in,
};
use crate::{central::objects, names::ObjectFormat};

type Cases = Vec<(&'static str, Vec<u8>)>;

/// A pack with one object.
fn one() -> Crafted {
    let mut pack = Crafted::new();
    pack.blob(b"a blob");
    pack
}

/// The same with an entry that says that it has `size` bytes.
fn with(header: Header, size: Option<u64>, data: &[u8]) -> Vec<u8> {
    let mut pack = one();
    pack.add_lying(header, size.unwrap_or(data.len() as u64), data);
    pack.done()
}

/// What is wrong with a pack, or with entries that are whole objects.
fn packs() -> Cases {
    let whole = one().done();
    let mut reserved = one();
    for kind in [0, 5] {
        reserved.places.push(reserved.next());
        reserved.bytes.push(kind << 4);
        reserved.bytes.extend(deflated(b""));
    }
    let mut endless_size = one();
    endless_size.places.push(endless_size.next());
    endless_size.bytes.extend([0xbf; 40]);
    vec![
        ("nothing", Vec::new()),
        ("no pack", b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        ("a header alone", whole[..12].to_vec()),
        ("half an entry", whole[..16].to_vec()),
        ("no checksum", whole[..whole.len() - 20].to_vec()),
        ("half a checksum", whole[..whole.len() - 5].to_vec()),
        (
            "a wrong checksum",
            [&whole[..whole.len() - 1], &[!whole[whole.len() - 1]]].concat(),
        ),
        (
            "version 4",
            sealed(&[b"PACK\0\0\0\x04", &whole[8..whole.len() - 20]].concat()),
        ),
        ("more than it says", {
            let mut p = one();
            p.blob(b"b");
            p.counted(1)
        }),
        ("less than it says", one().counted(2)),
        ("four billion objects", one().counted(u32::MAX)),
        ("reserved kinds", reserved.done()),
        ("a size without end", endless_size.done()),
        ("a size of 2^60", with(Header::Blob, Some(1 << 60), b"b")),
        ("a size of 2^64 - 1", with(Header::Blob, Some(u64::MAX), b"b")),
        ("a size too small", with(Header::Blob, Some(3), b"longer than that")),
        ("a size too large", with(Header::Blob, Some(30), b"shorter")),
        ("no zlib", {
            let mut p = one();
            p.places.push(p.next());
            p.bytes.extend([0x33, 1, 2, 3]);
            p.done()
        }),
        ("a commit of 70 MiB", with(Header::Commit, None, &vec![b'x'; 70 << 20])),
    ]
}

/// What is wrong with entries that are differences.
fn differences() -> Cases {
    let to = |base_distance| Header::OfsDelta { base_distance };
    let first = one().next() - 12;
    vec![
        ("a difference to itself", with(to(0), None, &appending(6, b"x"))),
        (
            "a difference to what comes",
            with(to(0_u64.wrapping_sub(30)), None, &appending(6, b"x")),
        ),
        (
            "a difference to before the pack",
            with(to(1 << 40), None, &appending(6, b"x")),
        ),
        (
            "a difference to the header",
            with(to(first + 12), None, &appending(6, b"x")),
        ),
        (
            "a difference to the middle of one",
            with(to(first - 1), None, &appending(6, b"x")),
        ),
        (
            "a difference to nothing known",
            with(Header::RefDelta { base_id: SHA1.null() }, None, &appending(6, b"x")),
        ),
        ("a difference that is empty", with(to(first), None, b"")),
        (
            "a difference to a longer one",
            with(to(first), None, &appending(60, b"x")),
        ),
        (
            "a difference that copies what is not there",
            with(to(first), None, &[6, 7, 0x91, 5, 7]),
        ),
        (
            "a difference that says less than it makes",
            with(to(first), None, &[6, 2, 0x90, 6]),
        ),
        (
            "a difference that says more than it makes",
            with(to(first), None, &[6, 50, 0x90, 6]),
        ),
        (
            "a difference with the reserved order",
            with(to(first), None, &[6, 6, 0]),
        ),
        (
            "a difference that ends within an order",
            with(to(first), None, &[6, 6, 0x91]),
        ),
        // 2^64 + 6, which is 6 where the bit that does not fit is dropped.
        ("a difference with a size that wraps around", {
            let size = [&[0x86], &[0x80; 8][..], &[0x02]].concat();
            with(to(first), None, &[&[6], &size[..], &[0x90, 6]].concat())
        }),
        (
            "a difference with sizes without end",
            with(to(first), None, &[0xff; 30]),
        ),
        ("two that build on each other", {
            // Nobody can make ids that fit, but a pack can say so by place and by id at once.
            let mut pack = one();
            let place = pack.add(
                Header::RefDelta {
                    base_id: id_of(b"a blobxy"),
                },
                &appending(7, b"y"),
            );
            pack.difference_to(place, &appending(7, b"x"));
            pack.done()
        }),
    ]
}

/// Each is refused in words, and nothing else happens.
#[test]
fn packs_that_break_the_rules() {
    for (name, pack) in packs().into_iter().chain(differences()) {
        let folder = tempfile::tempdir().unwrap();
        match received_in(&pack, folder.path(), 9) {
            // What follows the pack is the connection's affair.
            Ok((received, 1)) if name == "more than it says" => assert_eq!(received.objects, 1),
            // Without a size it is as large as can be.
            Ok((received, 1)) if received.is_partial => assert_eq!(received.objects, 1, "{name}"),
            Ok(came) => panic!("{name}: {came:?}"),
            Err(err) => {
                let words = err.to_string();
                assert!(!words.is_empty() && words.len() < 1000, "{name}: {words}");
            }
        }
    }
}

/// The same object many times over, whole and as a difference, is one object. One that comes as a difference to itself as
/// well may be found there and not be readable, but the search for it ends.
#[test]
fn an_object_that_comes_again_and_again() {
    let mut pack = Crafted::new();
    let first = pack.blob(b"the same");
    let longer = pack.blob(b"the same and more");
    for _ in 0..20 {
        pack.blob(b"the same");
        pack.difference_to(first, &appending(8, b""));
        pack.difference_to(first, &appending(8, b" and more"));
        pack.add(
            Header::RefDelta {
                base_id: id_of(b"the same and more"),
            },
            &appending(17, b""),
        );
    }
    pack.difference_to(longer, &appending(17, b"!"));
    let folder = tempfile::tempdir().unwrap();
    let (received, readable) = received_in(&pack.done(), folder.path(), usize::MAX).unwrap();
    assert_eq!(received.objects, 83);
    assert!([2, 3].contains(&readable), "{readable}");
    // Where that is so the packs stay as they are.
    let together = put_together(folder.path());
    assert_eq!(together.is_ok(), readable == 3, "{together:?}");
}

/// Receives so many small packs more that all are put together.
fn put_together(folder: &Path) -> Result<Vec<std::path::PathBuf>, repack::RepackError> {
    let objects = folder.join("objects");
    for n in 0..60_u32 {
        let mut pack = Crafted::new();
        pack.blob(&n.to_be_bytes());
        received_in(&pack.done(), folder, 0).unwrap();
    }
    let area = folder.join("area");
    fs::create_dir_all(area.join("pack")).unwrap();
    let odb = objects::open(&objects, ObjectFormat::Sha1).unwrap();
    let plan = repack::plan(repack::census(&objects).unwrap()).unwrap();
    repack::apply(&plan, &objects, &area, &odb)
}
