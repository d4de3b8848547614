//! The YAML block at the head of a document: which document it is, and what the queries need of it.

use std::{borrow::Cow, collections::HashSet, ops::Range};

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};

use crate::names::ShortCode;

/// The most bytes a frontmatter may have.
pub const FRONTMATTER_LIMIT: usize = 64 << 10;

/// How deep lists and mappings may be nested.
const DEPTH_LIMIT: usize = 32;

/// A document's frontmatter. Only the code must be right; of the other keys, what has an unexpected type counts as absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontmatter {
    /// `short_code`
    pub short_code: ShortCode,
    /// `id`: a name of its own in its workspace, made from its title, which the Metis tools write as other documents'
    /// `parent`.
    pub id: Option<String>,
    /// `title`
    pub title: Option<String>,
    /// `level`: `vision`, `initiative`, `task`, …
    pub level: Option<String>,
    /// `parent`, as written; `NULL` and an empty value are `None`.
    pub parent: Option<String>,
    /// `blocked_by`, each entry as written, but for the brackets of an unquoted `[[CODE]]`.
    pub blocked_by: Vec<String>,
    /// `archived`
    pub archived: bool,
    /// `tags`
    pub tags: Vec<String>,
    /// `x` of the first tag `#phase/x`.
    pub phase: Option<String>,
}

/// Why a file's frontmatter does not say which document it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Damage {
    #[error("it has no frontmatter")]
    Missing,
    #[error("its frontmatter has no short_code")]
    NoShortCode,
    #[error("the short_code in its frontmatter is not text")]
    ShortCodeNotText,
    #[error(
        "the short_code in its frontmatter breaks the rule: a project, a letter and at least four digits, as in API-T-0001"
    )]
    ShortCodeBreaksRule,
    #[error("its frontmatter has more than one short_code")]
    ShortCodeTwice,
    #[error("its frontmatter is not closed by a line '---'")]
    NotClosed,
    #[error("its frontmatter is not UTF-8 text")]
    NotUtf8,
    #[error("its frontmatter is over the limit of {FRONTMATTER_LIMIT} bytes")]
    TooLong,
    #[error("its frontmatter is nested more than {DEPTH_LIMIT} levels deep")]
    TooDeep,
    #[error("its frontmatter is not valid YAML: line {line}: {message}")]
    Yaml {
        /// Line of the file, from 1.
        line: usize,
        message: String,
    },
}

impl Damage {
    /// Whether the file is just not a document, such as a README, unless something else says that it was one.
    pub fn is_plain_file(&self) -> bool {
        matches!(self, Damage::Missing | Damage::NoShortCode)
    }
}

/// Read the frontmatter of a document. The body is not looked at; it need not be UTF-8.
pub fn parse(document: &[u8]) -> Result<Frontmatter, Damage> {
    let block = std::str::from_utf8(&document[block(document)?]).map_err(|_| Damage::NotUtf8)?;
    let mut keys = Keys::default();
    let mut short_codes = 0;
    read_mapping(block, |key, value| {
        short_codes += usize::from(key == "short_code");
        keys.set(key, value);
    })?;
    let short_code = match (short_codes, keys.short_code) {
        (0, _) => return Err(Damage::NoShortCode),
        (1, Value::Scalar(scalar)) if scalar.is_text => scalar.text,
        (1, _) => return Err(Damage::ShortCodeNotText),
        _ => return Err(Damage::ShortCodeTwice),
    };
    let tags = keys.tags.into_texts();
    Ok(Frontmatter {
        short_code: short_code.parse().map_err(|_| Damage::ShortCodeBreaksRule)?,
        id: keys.id.into_text(),
        title: keys.title.into_text(),
        level: keys.level.into_text(),
        parent: keys.parent.into_only_text(),
        blocked_by: keys.blocked_by.into_texts(),
        archived: matches!(keys.archived, Value::Scalar(scalar) if scalar.is_true()),
        phase: tags
            .iter()
            .find_map(|tag| tag.strip_prefix("#phase/"))
            .map(str::to_owned),
        tags,
    })
}

/// What stands below the frontmatter; everything, where there is none.
pub fn body(document: &[u8]) -> &[u8] {
    let Ok(block) = block(document) else {
        return document;
    };
    let fence = &document[block.end..];
    let end = fence.iter().position(|b| *b == b'\n').map_or(fence.len(), |at| at + 1);
    &fence[end..]
}

/// The codes that a damaged frontmatter seems to claim: lines `short_code: …` of a block that need not be YAML, nor
/// closed. A clue to which document it may be, never proof.
pub fn claimed_codes(document: &[u8]) -> Vec<ShortCode> {
    let head = match block(document) {
        Ok(block) => &document[block],
        Err(Damage::Missing) => return Vec::new(),
        Err(_) => &document[..document.len().min(FRONTMATTER_LIMIT)],
    };
    let mut seen = HashSet::new();
    head.split(|b| *b == b'\n')
        .filter_map(|line| {
            let value = std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}').trim();
            let value = value.strip_prefix("short_code")?.trim_start().strip_prefix(':')?;
            let value = value.split(" #").next().unwrap_or_default();
            value.trim().trim_matches(['"', '\'']).parse::<ShortCode>().ok()
        })
        .filter(|code| seen.insert(code.clone()))
        .collect()
}

/// Where the YAML lies: between a first line `---` (after an optional byte order mark) and the next such line.
fn block(document: &[u8]) -> Result<Range<usize>, Damage> {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    let is_fence = |line: &[u8]| line.trim_ascii_end() == b"---";
    let line_end = |from: usize| document[from..].iter().position(|b| *b == b'\n').map(|i| from + i + 1);

    let first = if document.starts_with(BOM) { BOM.len() } else { 0 };
    let start = line_end(first).unwrap_or(document.len());
    if !is_fence(&document[first..start]) {
        return Err(Damage::Missing);
    }
    let mut line = start;
    while line < document.len() {
        if line - start > FRONTMATTER_LIMIT {
            return Err(Damage::TooLong);
        }
        let next = line_end(line).unwrap_or(document.len());
        if is_fence(&document[line..next]) {
            return Ok(start..line);
        }
        line = next;
    }
    match document.len() - start > FRONTMATTER_LIMIT {
        true => Err(Damage::TooLong),
        false => Err(Damage::NotClosed),
    }
}

/// The keys we know, each with its last value.
#[derive(Default)]
struct Keys {
    short_code: Value,
    id: Value,
    title: Value,
    level: Value,
    parent: Value,
    blocked_by: Value,
    archived: Value,
    tags: Value,
}

impl Keys {
    fn set(&mut self, key: &str, value: Value) {
        match key {
            "short_code" => self.short_code = value,
            "id" => self.id = value,
            "title" => self.title = value,
            "level" => self.level = value,
            "parent" => self.parent = value,
            "blocked_by" => self.blocked_by = value,
            "archived" => self.archived = value,
            "tags" => self.tags = value,
            _ => {}
        }
    }
}

/// A key's value, as far as we care: a scalar, or the scalars of a list with inner lists laid flat.
#[derive(Default)]
enum Value {
    #[default]
    Absent,
    Scalar(Scalar),
    List(Vec<Scalar>),
}

impl Value {
    fn into_text(self) -> Option<String> {
        match self {
            Value::Scalar(scalar) => scalar.into_text(),
            _ => None,
        }
    }

    /// As [`into_text()`](Self::into_text), and an unquoted `[[CODE]]` too, which YAML takes for a list in a list.
    fn into_only_text(self) -> Option<String> {
        match self {
            Value::List(mut scalars) if scalars.len() == 1 => scalars.pop()?.into_text(),
            value => value.into_text(),
        }
    }

    fn into_texts(self) -> Vec<String> {
        match self {
            Value::Absent => Vec::new(),
            Value::Scalar(scalar) => scalar.into_text().into_iter().collect(),
            Value::List(scalars) => scalars.into_iter().filter_map(Scalar::into_text).collect(),
        }
    }
}

struct Scalar {
    text: String,
    /// Quoted, or plain and not one of YAML's numbers, truth values or nulls.
    is_text: bool,
}

impl Scalar {
    fn new(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Self {
        let is_text = match tag {
            None => style != ScalarStyle::Plain || !is_typed(&text),
            Some(tag) => (tag.is_yaml_core_schema() && tag.suffix == "str") || tag.suffix.is_empty(),
        };
        Scalar {
            text: text.into_owned(),
            is_text,
        }
    }

    fn is_true(&self) -> bool {
        !self.is_text && matches!(self.text.as_str(), "true" | "True" | "TRUE")
    }

    /// `NULL` in quotes is a null as well: the Metis tools write it where there is no parent.
    fn into_text(self) -> Option<String> {
        (!is_null(&self.text)).then_some(self.text)
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether an unquoted scalar is no text by YAML's core schema.
fn is_typed(text: &str) -> bool {
    is_null(text)
        || matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
        || text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && text.parse::<f64>().is_ok()
        || text.starts_with("0x")
        || text.starts_with("0o")
}

/// Call `each` with every key and value of the mapping that `yaml` must be.
///
/// An alias is never expanded, so that a few bytes cannot stand for many: as a value it counts as absent.
fn read_mapping(yaml: &str, mut each: impl FnMut(&str, Value)) -> Result<(), Damage> {
    let mut events = Events {
        parser: Parser::new_from_str(yaml),
        depth: 0,
    };
    let mut documents = 0;
    loop {
        match events.next()? {
            Event::StreamEnd => break,
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(Damage::Yaml {
                        line: 1,
                        message: "more than one YAML document".into(),
                    });
                }
            }
            Event::MappingStart(..) => loop {
                let key = match events.next()? {
                    Event::MappingEnd => break,
                    Event::Scalar(key, ..) => Some(key),
                    other => {
                        events.value(other)?;
                        None
                    }
                };
                let value = events.next()?;
                let value = events.value(value)?;
                if let Some(key) = key {
                    each(&key, value);
                }
            },
            Event::SequenceStart(anchor, tag) => {
                events.value(Event::SequenceStart(anchor, tag))?;
            }
            _ => {}
        }
    }
    match documents {
        0 => Err(Damage::NoShortCode),
        _ => Ok(()),
    }
}

struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    depth: usize,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<Event<'a>, Damage> {
        match self.parser.next_event() {
            None => Ok(Event::StreamEnd),
            Some(Ok((event, _))) => {
                match event {
                    Event::MappingStart(..) | Event::SequenceStart(..) => self.depth += 1,
                    Event::MappingEnd | Event::SequenceEnd => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if self.depth > DEPTH_LIMIT {
                    return Err(Damage::TooDeep);
                }
                Ok(event)
            }
            Some(Err(err)) => Err(Damage::Yaml {
                // The block begins on the file's second line.
                line: err.marker().line() + 1,
                message: err.info().chars().filter(|c| !c.is_control()).take(200).collect(),
            }),
        }
    }

    /// The value that begins with `event`, read to its end.
    fn value(&mut self, event: Event<'a>) -> Result<Value, Damage> {
        let is_list = matches!(event, Event::SequenceStart(..));
        if !is_list && !matches!(event, Event::MappingStart(..)) {
            return Ok(match event {
                Event::Scalar(text, style, _, tag) => Value::Scalar(Scalar::new(text, style, tag.as_deref())),
                _ => Value::Absent,
            });
        }
        let mut scalars = Vec::new();
        let (mut open, mut mappings) = (1, usize::from(!is_list));
        while open > 0 {
            match self.next()? {
                Event::Scalar(text, style, _, tag) if mappings == 0 => {
                    scalars.push(Scalar::new(text, style, tag.as_deref()));
                }
                Event::SequenceStart(..) => open += 1,
                Event::SequenceEnd => open -= 1,
                Event::MappingStart(..) => (open, mappings) = (open + 1, mappings + 1),
                Event::MappingEnd => (open, mappings) = (open - 1, mappings - 1),
                _ => {}
            }
        }
        Ok(if is_list { Value::List(scalars) } else { Value::Absent })
    }
}

#[cfg(test)]
mod tests {
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
}
