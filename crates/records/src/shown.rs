//! What a cell shows.

use serde::Serialize;
use serde_json::Value;

use crate::{
    Candidate, Cell, Dot,
    model::{self, Rule},
};

/// What a cell shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// Its value.
    pub value: Value,
    /// The write that it is of; of several that say the same, the last one.
    #[serde(skip)]
    pub by: Dot,
    /// What others wrote at the same time, where that is shown too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Value>,
}

/// One line of a listing of all that is shared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// The kind of record.
    pub model: String,
    /// Which one.
    pub key: Vec<String>,
    /// Which property of it.
    pub field: String,
    /// What it shows.
    #[serde(flatten)]
    pub shown: Shown,
}

/// Decides by the rule of its model what `cell` shows. `None`: nothing, or nothing that this version knows of. The order of
/// `candidates` makes no difference.
pub fn shown(cell: &Cell, mut candidates: Vec<Candidate>) -> Option<Shown> {
    let rule = model::rule(cell)?;
    candidates.retain(|candidate| fits(rule, &candidate.value));
    candidates.sort_by_key(|candidate| (candidate.stamp, candidate.dot));
    let last = candidates.last()?;
    let mut others = Vec::new();
    let decides = match rule {
        Rule::Present | Rule::Last => last,
        Rule::First => candidates.first()?,
        Rule::Ever => candidates.iter().rev().find(|it| it.value == true).unwrap_or(last),
        Rule::Greatest => candidates.iter().max_by_key(|candidate| candidate.value.as_u64())?,
        Rule::LastOfAll => {
            let earlier = candidates.iter().rev().skip(1).map(|candidate| &candidate.value);
            earlier.filter(|value| **value != last.value).for_each(|value| {
                if !others.contains(value) {
                    others.push(value.clone());
                }
            });
            last
        }
    };
    Some(Shown {
        value: decides.value.clone(),
        by: decides.dot,
        others,
    })
}

/// Whether a value is of the kind that the rule decides over. Another one is passed over by everybody alike.
fn fits(rule: Rule, value: &Value) -> bool {
    match rule {
        Rule::Present => *value == true,
        Rule::Last => value.is_string() || value.is_boolean(),
        Rule::LastOfAll | Rule::First => value.is_string(),
        Rule::Ever => value.is_boolean(),
        Rule::Greatest => value.is_u64(),
    }
}

/// Whether `value` can be written to `cell`, as far as this version knows.
pub fn takes(cell: &Cell, value: &Value) -> bool {
    model::rule(cell).is_none_or(|rule| fits(rule, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeviceId, Dot, Stamp};

    fn candidate(n: u8, at: u64, value: impl Into<Value>) -> Candidate {
        Candidate {
            dot: Dot {
                device: DeviceId::from_bits([n; 10]),
                seq: 1,
            },
            stamp: Stamp::at(at),
            value: value.into(),
        }
    }

    fn value(model: &str, key: &[&str], field: &str, candidates: &[Candidate]) -> Option<Value> {
        let cell = Cell::new(model, key, field);
        let shown = shown(&cell, candidates.to_vec());
        let turned = super::shown(&cell, candidates.iter().rev().cloned().collect());
        assert_eq!(shown, turned, "in any order");
        shown.map(|shown| shown.value)
    }

    #[test]
    fn one_candidate_is_enough_to_be_there() {
        let key = ["API-T-0001", "urgent"];
        assert_eq!(value("tag", &key, "", &[]), None);
        assert_eq!(
            value("tag", &key, "", &[candidate(1, 1, true), candidate(2, 2, true)]),
            Some(true.into())
        );
    }

    #[test]
    fn the_last_writer_wins_and_a_tie_goes_to_the_greater_device() {
        let colour = |candidates: &[Candidate]| value("tagdef", &["urgent"], "colour", candidates);
        assert_eq!(
            colour(&[candidate(9, 1, "red"), candidate(1, 2, "blue")]),
            Some("blue".into())
        );
        assert_eq!(
            colour(&[candidate(9, 2, "red"), candidate(1, 2, "blue")]),
            Some("red".into())
        );
    }

    #[test]
    fn what_was_written_once_stays() {
        let both = [candidate(9, 1, "API-T-0001"), candidate(1, 2, "WEB-T-0002")];
        assert_eq!(value("note", &["id"], "document", &both), Some("API-T-0001".into()));
    }

    #[test]
    fn who_loses_a_text_is_shown() {
        let cell = Cell::new("note", &["id"], "body");
        let texts = [
            candidate(1, 1, "one"),
            candidate(2, 3, "three"),
            candidate(3, 2, "two"),
            candidate(4, 2, "three"),
        ];
        let shown = shown(&cell, texts.to_vec()).unwrap();
        assert_eq!(
            (shown.value, shown.others),
            ("three".into(), vec!["two".into(), "one".into()])
        );
    }

    #[test]
    fn gone_is_gone_and_read_marks_grow() {
        let gone = [candidate(1, 1, true), candidate(2, 2, false)];
        assert_eq!(value("album", &["id"], "gone", &gone), Some(true.into()));
        let read = [candidate(1, 1, 20u64), candidate(2, 2, 3u64)];
        assert_eq!(value("meta", &["ann", "API-T-0001"], "read", &read), Some(20.into()));
    }

    #[test]
    fn what_is_of_another_kind_is_passed_over() {
        let both = [candidate(1, 1, "red"), candidate(2, 2, 7)];
        assert_eq!(value("tagdef", &["urgent"], "colour", &both), Some("red".into()));
        assert_eq!(value("tagdef", &["urgent"], "colour", &both[1..]), None);
        assert_eq!(value("hologram", &["x"], "", &[candidate(1, 1, true)]), None);
        assert!(takes(&Cell::new("hologram", &["x"], ""), &7.into()));
        assert!(!takes(&Cell::new("tagdef", &["x"], "colour"), &7.into()));
    }
}
