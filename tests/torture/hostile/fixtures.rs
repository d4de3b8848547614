//! What a hostile central has: names, kinds of entries, documents and trees that no honest one would.

use super::{Den, Entry, Fixture, Object, beside, inside, nowhere, text};

/// Names that are no document's, in many ways.
pub(super) fn names() -> Vec<Fixture> {
    let file = |name: &[u8]| ("100644", name.to_vec(), text());
    let long = format!("WEB-T-{}.md", "1".repeat(300));
    let cases: Vec<(&str, Vec<&[u8]>)> = vec![
        ("two dots", vec![b".."]),
        ("a dot", vec![b"."]),
        ("a path out", vec![b"../../victim.md", b"../config.toml"]),
        ("an absolute path", vec![b"/tmp/metis-torture-victim"]),
        ("git's folder", vec![b".git", b".GIT"]),
        (
            "git's folder on other systems",
            vec![b".git ", b"git~1", b".g\xe2\x80\x8cit"],
        ),
        ("our folder", vec![b".metis", b".METIS", b".Metis"]),
        ("our files", vec![b"config.toml", b"metis.db"]),
        ("leading dashes", vec![b"-rf", b"--upload-pack=touch x.md"]),
        (
            "control characters",
            vec![b"WEB-T-0002\n.md", b"\x1b]0;owned\x07.md", b"\x7f\x08.md"],
        ),
        (
            "text that runs backwards",
            vec!["WEB-T-0002\u{202e}dm.md".as_bytes(), "\u{2066}x".as_bytes()],
        ),
        (
            "characters without width",
            vec!["WEB-T-0002\u{200b}.md".as_bytes(), "\u{feff}WEB-T-0002.md".as_bytes()],
        ),
        ("no UTF-8", vec![b"\xff\xfe.md", b"WEB-T-0002\xc3.md"]),
        ("300 bytes", vec![long.as_bytes()]),
        ("other case", vec![b"web-t-0001.md", b"WEB-T-0001.MD", b"Web-T-0001.md"]),
        (
            "composed and decomposed",
            vec!["WEB-T-\u{e9}.md".as_bytes(), "WEB-T-e\u{301}.md".as_bytes()],
        ),
        (
            "devices of other systems",
            vec![b"CON.md", b"NUL", b"COM1.md", b"WEB-T-0001.md:stream"],
        ),
        ("trailing dots and spaces", vec![b"WEB-T-0001.md.", b"WEB-T-0001.md "]),
        ("a backslash", vec![b"..\\victim.md", b"WEB-T-0001\\.md"]),
        ("a temp file of ours", vec![b"metis.db.sync-build-1-0"]),
        (
            "digits of another script",
            vec!["WEB-T-\u{661}\u{662}\u{663}\u{664}.md".as_bytes()],
        ),
    ];
    let all = cases
        .into_iter()
        .map(|(name, names)| inside(name, names.iter().map(|n| file(n)).collect(), names.len()));
    let mut all: Vec<_> = all.collect();
    // Passed over in silence, like any dot-file: what counts is that it changes nothing.
    all.push(Fixture {
        come: 0,
        ..inside(
            "our marker",
            vec![file(b".hydrated"), file(b".metis-sync-tmp-1-0000000000000000-0")],
            0,
        )
    });
    all
}

/// Entries that are no plain files.
pub(super) fn kinds(den: &Den) -> Vec<Fixture> {
    let link = |target: &str| Object::Blob(target.as_bytes().to_vec());
    let twin = |n: u8| ("100644", b"WEB-T-0002.md".to_vec(), Object::Blob(vec![n]));
    let empty = Object::Id(den.tree(&[]));
    let mut fixtures = vec![
        inside(
            "symbolic links",
            vec![
                ("120000", b"WEB-T-0002.md".to_vec(), link("../config.toml")),
                ("120000", b"WEB-T-0003.md".to_vec(), link("/etc/passwd")),
                ("120000", b"sub".to_vec(), link("../..")),
            ],
            3,
        ),
        inside("a submodule", vec![("160000", b"WEB-T-0002.md".to_vec(), nowhere())], 1),
        inside("folders", vec![("40000", b"WEB-T-0002.md".to_vec(), empty.clone())], 1),
        inside("the same name twice", vec![twin(1), twin(2)], 1),
        Fixture {
            come: 1,
            ..inside("the same name three times", vec![twin(1), twin(2), twin(3)], 1)
        },
        beside("two dots", vec![("40000", b"..".to_vec(), empty.clone())], 1),
        beside("git's folder", vec![("40000", b".git".to_vec(), empty.clone())], 1),
        beside("our folder", vec![("40000", b".metis".to_vec(), empty.clone())], 1),
        beside("our state", vec![("40000", b".sync".to_vec(), empty.clone())], 0),
        beside("a dash", vec![("40000", b"-rf".to_vec(), empty.clone())], 1),
        beside(
            "twins",
            vec![
                ("40000", b"WEB".to_vec(), empty.clone()),
                ("40000", b"Ops".to_vec(), empty.clone()),
                ("40000", "w\u{e9}b".as_bytes().to_vec(), empty.clone()),
                ("40000", "we\u{301}b".as_bytes().to_vec(), empty.clone()),
            ],
            4,
        ),
        beside(
            "control characters",
            vec![("40000", b"a\nb\x1b[2J".to_vec(), empty.clone())],
            1,
        ),
        beside("300 bytes", vec![("40000", vec![b'a'; 300], empty.clone())], 1),
        beside("a link", vec![("120000", b"docs".to_vec(), link("/etc"))], 1),
        beside("a submodule", vec![("160000", b"vendor".to_vec(), nowhere())], 1),
        beside("a workspace twice", vec![("40000", b"ops".to_vec(), empty.clone())], 1),
    ];
    // git takes what is neither file, folder nor link for a submodule.
    for (mode, skips) in [
        ("100600", 0),
        ("100777", 0),
        ("100000", 0),
        ("107777", 0),
        ("0100644", 0),
        ("140000", 1),
        ("000000", 1),
        ("177777", 1),
    ] {
        let odd = |name: &[u8]| vec![(mode, name.to_vec(), text())];
        fixtures.push(beside(&format!("mode {mode}"), odd(b"strange"), skips));
        fixtures.push(inside(&format!("mode {mode}"), odd(b"WEB-T-0002.md"), skips));
    }
    fixtures
}

/// Documents with a head that costs more to read than to send.
pub(super) fn heads() -> Vec<Fixture> {
    let head = |yaml: &str| Object::Blob(format!("---\nshort_code: WEB-T-0002\n{yaml}\n---\n\nText.\n").into_bytes());
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (last, next) in "abcdefghijkl".chars().zip("bcdefghijklm".chars()) {
        bomb.push_str(&format!(
            "{next}: &{next} [{}]\n",
            vec![format!("*{last}"); 9].join(", ")
        ));
    }
    let deep = |open: &str, close: &str| format!("parent: {}{}", open.repeat(200_000), close.repeat(200_000));
    let cases = [
        ("a bomb of aliases", bomb),
        ("200,000 levels in brackets", deep("[", "]")),
        ("200,000 levels in braces", deep("{a: ", "}")),
        (
            "200,000 levels of dashes",
            format!("parent:\n  {}x", "- ".repeat(200_000)),
        ),
        ("200,000 open brackets", format!("parent: {}", "[".repeat(200_000))),
        ("10 MB of head", format!("title: {}", "x".repeat(10 << 20))),
        (
            "10 MB of keys",
            (0..400_000).map(|n| format!("key-{n}: value\n")).collect(),
        ),
        ("a head that never ends", "\0".repeat(1 << 20)),
        ("merge keys", "base: &base {<<: *base}\n<<: *base".to_owned()),
    ];
    cases
        .into_iter()
        .map(|(name, yaml)| inside(name, vec![("100644", b"WEB-T-0002.md".to_vec(), head(&yaml))], 0))
        .collect()
}

/// Trees that are larger than what was sent.
pub(super) fn trees(den: &Den) -> Vec<Fixture> {
    let mut level = den.tree(&[("100644", b"WEB-T-0009.md".to_vec(), text())]);
    for _ in 0..6 {
        let names = (0..10).map(|n| ("40000", format!("d{n}").into_bytes(), Object::Id(level.clone())));
        level = den.tree(&names.collect::<Vec<_>>());
    }
    let path = format!("{}x", "d/".repeat(1000));
    let commit =
        format!("commit refs/heads/deep\ncommitter a <a@b> 0 +0000\ndata 0\nM 100644 inline {path}\ndata 1\nx\n");
    let central = &den.world.central;
    central.git_reading(&["fast-import", "--quiet"], commit.as_bytes());
    let deep = central.git(&["rev-parse", "deep^{tree}"]).trim().to_owned();
    let blob = Object::Id(den.object("blob", b"x"));
    let wide: Vec<Entry> = (0..100_000)
        .map(|n| ("100644", format!("n-{n:06}").into_bytes(), blob.clone()))
        .collect();
    vec![
        inside(
            "a million paths",
            vec![("40000", b"million".to_vec(), Object::Id(level.clone()))],
            1,
        ),
        beside(
            "a million paths",
            vec![("40000", b"Million".to_vec(), Object::Id(level))],
            1,
        ),
        inside(
            "1,000 levels",
            vec![("40000", b"deep".to_vec(), Object::Id(deep.clone()))],
            1,
        ),
        beside("1,000 levels", vec![("40000", b"Deep".to_vec(), Object::Id(deep))], 1),
        inside("100,000 entries", wide, 100_000),
    ]
}
