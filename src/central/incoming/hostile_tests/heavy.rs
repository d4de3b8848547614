//! Packs that weigh more than they seem: what costs more to receive than to send costs bounded memory.

use std::{env, io::Write as _, process::Command};

use gix::zlib::stream::deflate;
use gix_pack::data::entry::Header;

use super::{
    crafted::{Crafted, appending, id_of, number},
    received_in,
};

/// Each line names an attack that is a process of its own, with so much memory that it may allocate, its threads' stacks
/// included.
const HEAVY: [(&str, u64); 9] = [
    ("chain of 10,000", 200),
    ("chain of 66,000", 200),
    ("chain of 10,000 by id", 200),
    ("chain of 10,000, the last first", 200),
    ("comb", 130),
    ("comb of large ones", 450),
    ("size of nothing, half a million times", 80),
    ("size of 300 MiB", 200),
    ("size of a gibibyte, by a difference", 200),
];

fn chain(length: u32) -> Crafted {
    let mut pack = Crafted::new();
    let mut last = pack.blob(b"0000");
    for n in 1..length {
        let new = [&[4, 4, 4][..], format!("{n:04x}").as_bytes().get(..4).unwrap()].concat();
        let new = if n < 0x10000 {
            new
        } else {
            [&[4, 4, 4][..], &n.to_le_bytes()].concat()
        };
        last = pack.difference_to(last, &new);
    }
    pack
}

/// Each builds on the one before, and so do others that nothing builds on: whoever resolves them last holds all that
/// they build on until then.
fn comb(size: u64, length: u64) -> Crafted {
    let mut pack = Crafted::new();
    let mut last = pack.blob(&vec![0; size as usize]);
    let mut len = size;
    for _ in 0..length {
        for n in 0..6_u8 {
            pack.difference_to(last, &appending(len, &[n]));
        }
        last = pack.difference_to(last, &appending(len, b"longer"));
        len += 6;
    }
    pack
}

fn heavy(name: &str) {
    let zeros = vec![0; 1 << 20];
    let few = |pack: &[u8]| received_in(pack, tempfile::tempdir().unwrap().path(), 20);
    let result = match name {
        "chain of 10,000" => few(&chain(10_000).done()),
        "chain of 66,000" => few(&chain(66_000).done()),
        "chain of 10,000 by id" => {
            let mut pack = Crafted::new();
            let mut content = b"0000".to_vec();
            pack.blob(&content);
            for n in 1..10_000 {
                let base_id = id_of(&content);
                content = format!("{n:04x}").into_bytes();
                pack.add(Header::RefDelta { base_id }, &[&[4, 4, 4], &content[..]].concat());
            }
            few(&pack.done())
        }
        "chain of 10,000, the last first" => {
            let mut pack = Crafted::new();
            for n in (1..10_000).rev() {
                let base_id = id_of(format!("{:04x}", n - 1).as_bytes());
                let new = format!("{n:04x}");
                pack.add(Header::RefDelta { base_id }, &[&[4, 4, 4], new.as_bytes()].concat());
            }
            pack.blob(b"0000");
            few(&pack.done())
        }
        "comb" => few(&comb(4 << 20, 40).done()),
        "comb of large ones" => few(&comb(60 << 20, 12).done()),
        "size of nothing, half a million times" => {
            let mut pack = Crafted::new();
            for _ in 0..500_000 {
                pack.places.push(0);
                pack.bytes.extend([0x30, 0x78, 0x9c, 3, 0, 0, 0, 0, 1]);
            }
            few(&pack.done())
        }
        "size of 300 MiB" | "size of a gibibyte, by a difference" => {
            let mut pack = Crafted::new();
            let first = pack.blob(&zeros);
            if name == "size of 300 MiB" {
                pack.places.push(pack.next());
                Header::Blob.write_to(300 << 20, &mut pack.bytes).unwrap();
                let mut out = deflate::Write::new(&mut pack.bytes, gix::zlib::Compression::BEST_SPEED);
                for _ in 0..300 {
                    out.write_all(&zeros).unwrap();
                }
                out.flush().unwrap();
            } else {
                let copies = [0xf0, 0, 0, 0x10].repeat(1 << 10);
                pack.difference_to(first, &[number(1 << 20), number(1 << 30), copies].concat());
            }
            pack.blob(b"last");
            few(&pack.done())
        }
        other => panic!("{other}?"),
    };
    println!("\n{result:?}");
    match name {
        "size of 300 MiB" | "size of a gibibyte, by a difference" => {
            let (received, readable) = result.unwrap();
            assert_eq!((received.is_partial, readable), (true, 2));
        }
        "size of nothing, half a million times" => assert_eq!(result.unwrap().1, 1),
        _ => {
            let (received, readable) = result.unwrap();
            assert!(readable > 0);
            assert_eq!(
                received.is_partial,
                name == "comb of large ones",
                "twice that is too large"
            );
        }
    }
}

const ATTACK: &str = "METIS_SYNC_TEST_ATTACK";

/// Re-run by the tests below as a process of its own.
#[test]
fn the_attacked_process() {
    let Ok(name) = env::var(ATTACK) else { return };
    let (_, mib) = HEAVY.iter().find(|(heavy, _)| *heavy == name).unwrap();
    let limit = Some(mib << 20);
    let limit = rustix::process::Rlimit {
        current: limit,
        maximum: limit,
    };
    rustix::process::setrlimit(rustix::process::Resource::Data, limit).unwrap();
    heavy(&name);
}

/// Those whose names begin so, each in a process of its own.
fn attack(kind: &str) {
    let (_, module) = module_path!().split_once("::").unwrap();
    for (name, mib) in HEAVY.into_iter().filter(|(name, _)| name.starts_with(kind)) {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", &format!("{module}::the_attacked_process")])
            .env(ATTACK, name)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} in {mib} MiB: {said}");
    }
}

#[test]
fn long_chains() {
    attack("chain");
}

#[test]
fn combs() {
    attack("comb");
}

#[test]
fn sizes() {
    attack("size");
}
