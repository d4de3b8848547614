//! One write, and what makes it a proper one.

use serde_json::Value;

use crate::{Dot, Stamp};

/// How many parts a key may have.
pub const MAX_KEY: usize = 4;
/// How long a part of a key may be, in bytes.
pub const MAX_PART: usize = 512;
/// How long the name of a model or a field may be.
pub const MAX_NAME: usize = 64;
/// How many dots one entry may replace.
pub const MAX_OVER: usize = 1024;
/// The greatest sequence number: beyond it, readers that count in floating point would be wrong.
pub const MAX_SEQ: u64 = (1 << 53) - 1;

/// The place that entries are about: what is written at one place replaces nothing at another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The kind of record, as `tag`.
    pub model: String,
    /// Which one, as a document and a name.
    pub key: Vec<String>,
    /// Which property of it. Empty: that it is there at all.
    pub field: String,
}

impl Cell {
    /// The cell of these names.
    pub fn new(model: &str, key: &[&str], field: &str) -> Self {
        Cell {
            model: model.to_owned(),
            key: key.iter().map(|part| (*part).to_owned()).collect(),
            field: field.to_owned(),
        }
    }
}

/// One write of a device's.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Which of its device's writes it is.
    pub seq: u64,
    /// When it was written.
    pub stamp: Stamp,
    /// Where.
    pub cell: Cell,
    /// What. `None`: nothing but that what it replaces is to go.
    pub value: Option<Value>,
    /// What its writer saw there.
    pub over: Vec<Dot>,
}

/// Why an entry is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Improper {
    /// Its sequence number is 0 or too great.
    #[error("a sequence number that cannot be")]
    Seq,
    /// A model or a field has no proper name.
    #[error("a name that is not of small letters, digits and hyphens")]
    Name,
    /// The key is none.
    #[error("a key that is empty, too long, or of too many parts")]
    Key,
    /// `null` says nothing.
    #[error("a value that is null")]
    Null,
    /// It replaces too much,
    #[error("too many writes that are replaced")]
    Over,
    /// or what comes after it.
    #[error("a write that replaces itself or a later one of its device")]
    Later,
}

impl Entry {
    /// Whether this can be an entry of `device`'s log.
    pub fn check(&self, device: crate::DeviceId) -> Result<(), Improper> {
        if self.seq == 0 || self.seq > MAX_SEQ {
            return Err(Improper::Seq);
        }
        check_cell(&self.cell)?;
        if self.value == Some(Value::Null) {
            return Err(Improper::Null);
        }
        if self.over.len() > MAX_OVER {
            return Err(Improper::Over);
        }
        if self.over.iter().any(|dot| dot.seq == 0 || dot.seq > MAX_SEQ) {
            return Err(Improper::Seq);
        }
        match self.over.iter().any(|dot| dot.device == device && dot.seq >= self.seq) {
            true => Err(Improper::Later),
            false => Ok(()),
        }
    }
}

/// Whether something can be written there.
pub fn check_cell(cell: &Cell) -> Result<(), Improper> {
    let is_name = |name: &str| {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        name.len() <= MAX_NAME && name.bytes().all(is_letter)
    };
    if cell.model.is_empty() || !is_name(&cell.model) || !is_name(&cell.field) {
        return Err(Improper::Name);
    }
    let is_part = |part: &String| (1..=MAX_PART).contains(&part.len());
    match (1..=MAX_KEY).contains(&cell.key.len()) && cell.key.iter().all(is_part) {
        true => Ok(()),
        false => Err(Improper::Key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceId;

    fn entry() -> Entry {
        Entry {
            seq: 7,
            stamp: Stamp::at(1),
            cell: Cell::new("tag", &["API-T-0001", "urgent"], ""),
            value: Some(true.into()),
            over: Vec::new(),
        }
    }

    #[test]
    fn each_rule_is_looked_at() {
        let ours = DeviceId::from_bits([1; 10]);
        let dot = |device, seq| Dot { device, seq };
        let with = |change: &dyn Fn(&mut Entry)| {
            let mut entry = entry();
            change(&mut entry);
            entry.check(ours)
        };
        assert_eq!(with(&|_| {}), Ok(()));
        assert_eq!(with(&|entry| entry.value = None), Ok(()));
        assert_eq!(with(&|entry| entry.seq = 0), Err(Improper::Seq));
        assert_eq!(with(&|entry| entry.seq = MAX_SEQ + 1), Err(Improper::Seq));
        assert_eq!(with(&|entry| entry.cell.model.clear()), Err(Improper::Name));
        assert_eq!(with(&|entry| entry.cell.model = "Tag".into()), Err(Improper::Name));
        assert_eq!(with(&|entry| entry.cell.field = "a b".into()), Err(Improper::Name));
        assert_eq!(with(&|entry| entry.cell.key.clear()), Err(Improper::Key));
        assert_eq!(with(&|entry| entry.cell.key[0].clear()), Err(Improper::Key));
        assert_eq!(
            with(&|entry| entry.cell.key[0] = "x".repeat(MAX_PART + 1)),
            Err(Improper::Key)
        );
        assert_eq!(
            with(&|entry| entry.cell.key = vec!["x".into(); MAX_KEY + 1]),
            Err(Improper::Key)
        );
        assert_eq!(with(&|entry| entry.value = Some(Value::Null)), Err(Improper::Null));
        assert_eq!(
            with(&|entry| entry.over = vec![dot(ours, 6); MAX_OVER + 1]),
            Err(Improper::Over)
        );
        assert_eq!(with(&|entry| entry.over = vec![dot(ours, 0)]), Err(Improper::Seq));
        assert_eq!(with(&|entry| entry.over = vec![dot(ours, 7)]), Err(Improper::Later));
        let other = DeviceId::from_bits([2; 10]);
        assert_eq!(with(&|entry| entry.over = vec![dot(ours, 6), dot(other, 99)]), Ok(()));
    }
}
