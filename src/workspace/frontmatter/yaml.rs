//! The keys and values of a YAML mapping, as far as documents use them.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};

use super::Damage;

/// How deep lists and mappings may be nested.
pub(super) const DEPTH_LIMIT: usize = 32;

/// A key's value, as far as we care: a scalar, or the scalars of a list with inner lists laid flat.
#[derive(Default)]
pub(super) enum Value {
    #[default]
    Absent,
    Scalar(Scalar),
    List(Vec<Scalar>),
}

impl Value {
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Value::Scalar(scalar) => scalar.into_text(),
            _ => None,
        }
    }

    /// As [`into_text()`](Self::into_text), and an unquoted `[[CODE]]` too, which YAML takes for a list in a list.
    pub(super) fn into_only_text(self) -> Option<String> {
        match self {
            Value::List(mut scalars) if scalars.len() == 1 => scalars.pop()?.into_text(),
            value => value.into_text(),
        }
    }

    pub(super) fn into_texts(self) -> Vec<String> {
        match self {
            Value::Absent => Vec::new(),
            Value::Scalar(scalar) => scalar.into_text().into_iter().collect(),
            Value::List(scalars) => scalars.into_iter().filter_map(Scalar::into_text).collect(),
        }
    }
}

pub(super) struct Scalar {
    pub(super) text: String,
    /// Quoted, or plain and not one of YAML's numbers, truth values or nulls.
    pub(super) is_text: bool,
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

    pub(super) fn is_true(&self) -> bool {
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
pub(super) fn read_mapping(yaml: &str, mut each: impl FnMut(&str, Value)) -> Result<(), Damage> {
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
