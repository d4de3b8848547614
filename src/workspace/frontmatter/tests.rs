//! What counts as a document's frontmatter.

use super::*;

fn yaml(block: &str) -> Result<Frontmatter, Damage> {
    parse(format!("---\n{block}\n---\n\n# Body\n").as_bytes())
}

#[test]
fn a_document_as_the_metis_tools_write_it() {
    let text = r##"---
id: fetch
level: task
title: "Fetch: \"quietly\""
short_code: "API-T-0001"
created_at: 2026-02-26T01:32:08.792941+00:00
parent: API-I-0020
blocked_by: [API-T-0002, "API-T-0003", [[API-T-0004]], "[[API-T-0005]]"]
archived: true

tags:
  - "#task"
  - "#phase/completed"

exit_criteria_met: false
strategy_id: NULL
---

# Fetch
"##;
    let expected = parse(text.as_bytes()).unwrap();
    assert_eq!(expected.short_code.as_str(), "API-T-0001");
    assert_eq!(expected.id.as_deref(), Some("fetch"));
    assert_eq!(expected.title.as_deref(), Some("Fetch: \"quietly\""));
    assert_eq!(expected.level.as_deref(), Some("task"));
    assert_eq!(expected.parent.as_deref(), Some("API-I-0020"));
    assert_eq!(
        expected.blocked_by,
        ["API-T-0002", "API-T-0003", "API-T-0004", "[[API-T-0005]]"]
    );
    assert!(expected.archived);
    assert_eq!(expected.tags, ["#task", "#phase/completed"]);
    assert_eq!(expected.phase.as_deref(), Some("completed"));

    let crlf = text.replace('\n', "\r\n");
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(crlf.as_bytes());
    bytes.extend(b"latin-1: caf\xe9");
    assert_eq!(
        parse(&bytes).unwrap(),
        expected,
        "BOM, CRLF and a body in another encoding"
    );
}

#[test]
fn other_keys_may_be_anything() {
    let odd = yaml(
        "short_code: API-T-0001\ntitle: [a]\nlevel: {a: b}\nparent: NULL\nblocked_by: API-T-0002\narchived: \"true\"\n\
         tags: {a: [b]}\n? [complex]\n: key\nother: &x [*x, *x]\nx: *x",
    )
    .unwrap();
    assert_eq!(
        (odd.title, odd.level, odd.parent, odd.archived),
        (None, None, None, false)
    );
    assert_eq!((odd.blocked_by, odd.tags), (vec!["API-T-0002".to_owned()], vec![]));

    let empty = yaml("short_code: 'API-T-0001'\nparent: \nblocked_by:\ntags:\n  - #task\n  - {a: b}").unwrap();
    assert_eq!((empty.parent, empty.blocked_by, empty.tags), (None, vec![], vec![]));
    assert_eq!(yaml("short_code: A-T-0001\nparent: \"NULL\"").unwrap().parent, None);
    assert_eq!(
        yaml("short_code: A-T-0001\nparent: [[A-I-0001]]")
            .unwrap()
            .parent
            .as_deref(),
        Some("A-I-0001")
    );
    assert_eq!(
        yaml("short_code: A-T-0001\ntitle: 2026").unwrap().title.as_deref(),
        Some("2026")
    );
    assert_eq!(
        yaml("short_code: !!str A-T-0001").unwrap().short_code.as_str(),
        "A-T-0001"
    );
    assert_eq!(
        yaml("short_code: A-T-0001\ntitle: a\ntitle: b")
            .unwrap()
            .title
            .as_deref(),
        Some("b")
    );
}

#[test]
fn what_is_wrong_is_told_apart() {
    for (document, damage) in [
        ("", Damage::Missing),
        ("# Title\n---\nshort_code: A-T-0001\n---\n", Damage::Missing),
        ("\n---\nshort_code: A-T-0001\n---\n", Damage::Missing),
        ("--- \nshort_code: A-T-0001\n", Damage::NotClosed),
        ("---", Damage::NotClosed),
        ("---\n---\n", Damage::NoShortCode),
        ("---\ntitle: x\n---\n", Damage::NoShortCode),
        ("---\nhello\n---\n", Damage::NoShortCode),
        ("---\n- short_code: A-T-0001\n---\n", Damage::NoShortCode),
        ("---\nx:\n  short_code: A-T-0001\n---\n", Damage::NoShortCode),
        ("---\nshort_code: 1\n---\n", Damage::ShortCodeNotText),
        ("---\nshort_code: [A-T-0001]\n---\n", Damage::ShortCodeNotText),
        ("---\nshort_code:\n---\n", Damage::ShortCodeNotText),
        ("---\nshort_code: {{ short_code }}\n---\n", Damage::ShortCodeNotText),
        ("---\na: &a A-T-0001\nshort_code: *a\n---\n", Damage::ShortCodeNotText),
        ("---\nshort_code: \"\"\n---\n", Damage::ShortCodeBreaksRule),
        ("---\nshort_code: a-t-1\n---\n", Damage::ShortCodeBreaksRule),
        (
            "---\nshort_code: A-T-0001\nshort_code: A-T-0001\n---\n",
            Damage::ShortCodeTwice,
        ),
    ] {
        assert_eq!(parse(document.as_bytes()), Err(damage), "{document:?}");
    }
    for broken in [
        "title: \"N of \"M\"\"",
        "a: [",
        "a: *nowhere",
        "a: b: c",
        "<<<<<<< HEAD\na: b\n=======",
    ] {
        assert!(
            matches!(yaml(broken), Err(Damage::Yaml { .. })),
            "{broken:?} {:?}",
            yaml(broken)
        );
    }
    let unicode = parse(b"---\nshort_code: A-T-0001\ntitle: caf\xe9\n---\n");
    assert_eq!(unicode, Err(Damage::NotUtf8));
    match yaml("short_code: A-T-0001\na: [") {
        Err(Damage::Yaml { line, .. }) => assert!((3..=4).contains(&line), "{line}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bombs_cost_little() {
    let long = format!("short_code: A-T-0001\ntitle: {}", "x".repeat(FRONTMATTER_LIMIT));
    assert_eq!(yaml(&long), Err(Damage::TooLong));
    assert_eq!(parse(format!("---\n{long}").as_bytes()), Err(Damage::TooLong));
    let many_lines = "a\n".repeat(FRONTMATTER_LIMIT);
    assert_eq!(parse(format!("---\n{many_lines}").as_bytes()), Err(Damage::TooLong));
    assert_eq!(yaml(&format!("a: {}", "[".repeat(40))), Err(Damage::TooDeep));
    assert_eq!(yaml(&format!("a:\n{}", "- ".repeat(40))), Err(Damage::TooDeep));
    for nested in ["[", "{a: ", "- ", "? ", "{", "!x ", "&a "] {
        assert!(
            yaml(&format!("a:\n{}", nested.repeat(60_000 / nested.len()))).is_err(),
            "{nested}"
        );
    }

    let mut laughs = String::from("short_code: A-T-0001\na0: &a0 [x, x]\n");
    for i in 1..500 {
        laughs += &format!("a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1);
    }
    assert!(yaml(&laughs).is_ok());
}

#[test]
fn a_damaged_block_may_still_claim_a_code() {
    let claimed = |text: &str| {
        let codes = claimed_codes(text.as_bytes());
        codes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        claimed("---\ntitle: \"a \"b\"\"\r\nshort_code: \"A-T-0001\" # x\r\n---\r\n"),
        ["A-T-0001"]
    );
    assert_eq!(
        claimed("---\n<<<<<<< HEAD\nshort_code: A-T-0001\n=======\nshort_code: 'A-T-0002'\n"),
        ["A-T-0001", "A-T-0002"]
    );
    assert!(claimed("short_code: A-T-0001").is_empty());
    assert!(claimed("---\ntitle: x\n---\nshort_code: A-T-0001").is_empty());
}

/// Every text cut short or with one byte changed is a value or a damage, never a panic.
#[test]
fn no_mutilation_panics() {
    let text = "---\ntitle: \"a: [b] {c}\"\nshort_code: 'A-T-0001'\nparent: |\n  x\nblocked_by: [[A]]\ntags:\n- &a !!str \"#x\"\n- *a\n? k\n: v\n---\n";
    let bytes = text.as_bytes();
    for end in 0..bytes.len() {
        let _ = parse(&[&bytes[..end], b"\n---\n"].concat());
    }
    for at in 4..bytes.len() {
        for byte in b"\0\t\n \"#%&'*,-:>?@[\\]`{|}!~\x7f\xff" {
            let mut changed = bytes.to_vec();
            changed[at] = *byte;
            let _ = parse(&changed);
            let _ = claimed_codes(&changed);
        }
    }
}
