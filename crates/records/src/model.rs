//! The kinds of records, and by which rule each of their fields is decided.

use serde_json::Value;

use crate::Cell;

/// How what a cell shows is decided over its candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It is there as long as one candidate is: who adds wins against who removes at the same time.
    Present,
    /// The last candidate's value.
    Last,
    /// The same for text that took somebody's time: the values of the others are shown too.
    LastOfAll,
    /// The first candidate's value: written once, by whoever made the record.
    First,
    /// True if one candidate is.
    Ever,
    /// The greatest number.
    Greatest,
}

/// What a record needs to be there before it can be shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A document of this code.
    Document(String),
    /// A record of this model and id.
    Record(&'static str, String),
}

/// The rule of a cell. `None`: its model or field is not known here.
pub fn rule(cell: &Cell) -> Option<Rule> {
    let rule = match (cell.model.as_str(), cell.key.len(), cell.field.as_str()) {
        ("tag", 2, "") | ("link" | "assignment", 3, "") => Rule::Present,
        ("tagdef", 1, "colour" | "text") => Rule::Last,
        ("album" | "collection", 1, "title") => Rule::Last,
        ("album" | "collection", 2, "") => Rule::Present,
        ("collection", 2, "pos") => Rule::Last,
        ("meta", 2, "star" | "hidden") => Rule::Last,
        ("meta", 2, "read") => Rule::Greatest,
        ("note", 1, "document" | "parent" | "author") => Rule::First,
        ("note", 1, "body") => Rule::LastOfAll,
        ("tagdef" | "album" | "collection" | "note", 1, "gone") => Rule::Ever,
        _ => return None,
    };
    Some(rule)
}

/// What the record of this cell needs, by its key, or by its value where that names it.
pub fn need(cell: &Cell, value: &Value) -> Option<Need> {
    let part = |at: usize| cell.key.get(at).cloned();
    let named = || value.as_str().map(str::to_owned);
    match (cell.model.as_str(), cell.key.len()) {
        ("note", 1) if cell.field == "document" => named().map(Need::Document),
        ("note", 1) if cell.field == "parent" => named().map(|id| Need::Record("note", id)),
        ("tag", 2) | ("link" | "assignment", 3) => part(0).map(Need::Document),
        ("meta", 2) => part(1).map(Need::Document),
        ("album", 2) => part(0).map(|id| Need::Record("album", id)),
        ("collection", 2) => part(0).map(|id| Need::Record("collection", id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_rule_and_others_have_none() {
        let rule = |model, key: &[&str], field| rule(&Cell::new(model, key, field));
        assert_eq!(rule("tag", &["API-T-0001", "urgent"], ""), Some(Rule::Present));
        assert_eq!(rule("tagdef", &["urgent"], "colour"), Some(Rule::Last));
        assert_eq!(rule("album", &["id"], "gone"), Some(Rule::Ever));
        assert_eq!(
            rule("album", &["id", "API-T-0001"], "pos"),
            None,
            "an album has no order"
        );
        assert_eq!(rule("collection", &["id", "API-T-0001"], "pos"), Some(Rule::Last));
        assert_eq!(rule("meta", &["ann", "API-T-0001"], "read"), Some(Rule::Greatest));
        assert_eq!(rule("note", &["id"], "body"), Some(Rule::LastOfAll));
        assert_eq!(rule("note", &["id"], "document"), Some(Rule::First));
        assert_eq!(rule("tag", &["API-T-0001"], ""), None);
        assert_eq!(rule("tag", &["API-T-0001", "urgent"], "weight"), None);
        assert_eq!(rule("hologram", &["x"], ""), None);
    }

    #[test]
    fn a_record_says_what_it_is_about() {
        let need = |model, key: &[&str]| need(&Cell::new(model, key, ""), &true.into());
        let document = Need::Document("API-T-0001".into());
        assert_eq!(need("tag", &["API-T-0001", "urgent"]), Some(document.clone()));
        assert_eq!(need("meta", &["ann", "API-T-0001"]), Some(document));
        assert_eq!(
            need("collection", &["id", "API-T-0001"]),
            Some(Need::Record("collection", "id".into()))
        );
        assert_eq!(need("tagdef", &["urgent"]), None);
        let said = |field, value: &str| super::need(&Cell::new("note", &["id"], field), &value.into());
        assert_eq!(
            said("document", "API-T-0001"),
            Some(Need::Document("API-T-0001".into()))
        );
        assert_eq!(said("parent", "other"), Some(Need::Record("note", "other".into())));
        assert_eq!(said("body", "other"), None);
    }
}
