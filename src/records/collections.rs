//! Collections: documents in an order that everybody may change.

use std::collections::BTreeMap;

use shared_records::{Dot, position, shown::Record};

use super::{Records, RecordsError, Tx, kinds};

/// A collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collection {
    /// Which one.
    pub id: String,
    /// What it is called. Others may be called the same.
    pub title: String,
    /// The documents in it, in their order.
    pub items: Vec<Item>,
}

/// A document in a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its code.
    pub document: String,
    /// Its place: see [`position`]. Where nobody gave it one, it stands at the end.
    position: Option<(String, Dot)>,
}

impl Item {
    /// What it is ordered by.
    fn place(&self) -> (bool, Option<(String, Dot)>, String) {
        (self.position.is_none(), self.position.clone(), self.document.clone())
    }
}

/// Where a document is put among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// Before all of them.
    First,
    /// Behind all of them.
    Last,
    /// Before this one.
    Before(String),
    /// Behind this one.
    After(String),
}

impl Records {
    /// All collections that are not gone, by id. One whose title has not come yet waits for it.
    pub fn collections(&self) -> Result<Vec<Collection>, RecordsError> {
        Ok(collections(&self.list_of("collection")?))
    }
}

fn collections(records: &[Record]) -> Vec<Collection> {
    let mut all: BTreeMap<&str, Collection> = BTreeMap::new();
    let mut gone: Vec<&str> = Vec::new();
    let mut positions = BTreeMap::new();
    for record in records {
        let shown = &record.shown;
        match (record.key.as_slice(), record.field.as_str()) {
            ([id], "title") => {
                let title = shown.value.as_str().unwrap_or_default();
                all.entry(id).or_default().title = title.to_owned();
            }
            ([id], "gone") if shown.value == true => gone.push(id),
            ([id, document], "pos") => {
                if let Some(place) = shown.value.as_str().filter(|text| position::is_position(text)) {
                    positions.insert((id.clone(), document.clone()), (place.to_owned(), shown.by));
                }
            }
            ([id, document], "") => all.entry(id).or_default().items.push(Item {
                document: document.clone(),
                position: None,
            }),
            _ => {}
        }
    }
    gone.iter().for_each(|id| drop(all.remove(id)));
    all.retain(|_, collection| !collection.title.is_empty());
    for (id, collection) in &mut all {
        collection.id = (*id).to_owned();
        for item in &mut collection.items {
            item.position = positions.remove(&((*id).to_owned(), item.document.clone()));
        }
        collection.items.sort_by_key(Item::place);
    }
    all.into_values().collect()
}

impl Collection {
    /// A position at `spot`, among the others than `moved`. `chance` is 64 random bits. `None`: the document that the spot is at is
    /// not in here, or so many were put at one place that there is no room left there.
    fn position(&self, spot: &Spot, moved: &str, chance: u64) -> Option<String> {
        let others: Vec<&Item> = self.items.iter().filter(|item| item.document != moved).collect();
        let find = |document: &String| others.iter().position(|item| item.document == *document);
        let at = match spot {
            Spot::First => 0,
            Spot::Last => others.len(),
            Spot::Before(document) => find(document)?,
            Spot::After(document) => find(document)? + 1,
        };
        let place = |item: &&Item| item.position.as_ref().map(|(place, _)| place.clone());
        let after = others[..at].iter().rev().find_map(place);
        // Of two that two devices put at one place by chance one moves along.
        let before = others[at..]
            .iter()
            .filter_map(place)
            .find(|place| Some(place) > after.as_ref());
        position::between(after.as_deref(), before.as_deref(), chance)
    }
}

impl Collection {
    fn put(&mut self, document: &str, position: Option<(String, Dot)>) {
        self.items.retain(|item| item.document != document);
        self.items.push(Item {
            document: document.to_owned(),
            position,
        });
        self.items.sort_by_key(Item::place);
    }
}

impl Tx<'_> {
    /// Puts a document into a collection, or at another place in it.
    pub fn put_in(
        &mut self,
        collection: &mut Collection,
        document: &str,
        spot: &Spot,
        chance: u64,
    ) -> Result<(), RecordsError> {
        let place = collection
            .position(spot, document, chance)
            .ok_or(RecordsError::NoRoom)?;
        self.put(&kinds::item(&collection.id, document, ""), true.into())?;
        let by = self.put(&kinds::item(&collection.id, document, "pos"), place.clone().into())?;
        collection.put(document, by.map(|by| (place, by)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use shared_records::{DeviceId, shown::Shown};

    use super::*;

    fn record(key: &[&str], field: &str, value: impl Into<serde_json::Value>, by: u64) -> Record {
        Record {
            model: "collection".into(),
            key: key.iter().map(|part| (*part).to_owned()).collect(),
            field: field.into(),
            shown: Shown {
                value: value.into(),
                by: Dot {
                    device: DeviceId::from_bits([1; 10]),
                    seq: by,
                },
                others: Vec::new(),
            },
        }
    }

    fn order(collection: &Collection) -> Vec<&str> {
        collection.items.iter().map(|item| item.document.as_str()).collect()
    }

    /// Ties go by who wrote, and what is of no use as a position is none.
    #[test]
    fn items_stand_in_their_order() {
        let all = collections(&[
            record(&["a"], "title", "Release", 1),
            record(&["a", "D"], "", true, 2),
            record(&["a", "C"], "", true, 3),
            record(&["a", "B"], "", true, 4),
            record(&["a", "A"], "", true, 5),
            record(&["a", "A"], "pos", "V", 9),
            record(&["a", "B"], "pos", "V", 8),
            record(&["a", "C"], "pos", "!", 7),
            record(&["a", "X"], "pos", "K", 6),
            record(&["gone"], "title", "Old", 1),
            record(&["gone"], "gone", true, 2),
            record(&["later", "A"], "", true, 1),
        ]);
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(order(&all[0]), ["B", "A", "C", "D"]);
    }

    #[test]
    fn each_spot_has_room() {
        let mut all = collections(&[record(&["a"], "title", "Release", 1)]);
        let collection = &mut all[0];
        let put = |collection: &mut Collection, document: &str, spot: Spot| {
            let place = collection.position(&spot, document, 7).expect("a place");
            let by = Dot {
                device: DeviceId::from_bits([1; 10]),
                seq: 1,
            };
            collection.put(document, Some((place, by)));
        };
        put(collection, "B", Spot::Last);
        put(collection, "C", Spot::Last);
        put(collection, "A", Spot::First);
        put(collection, "D", Spot::After("B".into()));
        put(collection, "E", Spot::Before("B".into()));
        assert_eq!(order(collection), ["A", "E", "B", "D", "C"]);
        put(collection, "C", Spot::Before("A".into()));
        put(collection, "A", Spot::After("D".into()));
        assert_eq!(order(collection), ["C", "E", "B", "D", "A"]);
        assert_eq!(collection.position(&Spot::Before("X".into()), "A", 7), None);
        assert_eq!(
            collection.position(&Spot::After("A".into()), "A", 7),
            None,
            "behind itself"
        );
    }
}
