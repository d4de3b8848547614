//! Which entries of the journal are taken back.

use std::collections::BTreeSet;

use crate::{state::journal::JournalEntry, text::Untrusted};

/// The last `count` deeds that can be taken back and were not yet, newest first. A sync that published what `resolve` decided is
/// one deed with it.
pub fn chosen(entries: Vec<JournalEntry>, count: usize) -> Vec<JournalEntry> {
    let undone: BTreeSet<Untrusted> = entries.iter().flat_map(|entry| entry.undoes.clone()).collect();
    let did_something =
        |entry: &JournalEntry| entry.made.is_some() || !entry.folders.is_empty() || !entry.resolved.is_empty();
    let mut chosen: Vec<JournalEntry> = Vec::new();
    let mut deeds = 0;
    for entry in entries.into_iter().rev() {
        if !entry.undoes.is_empty() || undone.contains(&entry.started) || !did_something(&entry) {
            continue;
        }
        let belongs = !entry.resolved.is_empty() && chosen.last().is_some_and(|later| later.trigger.raw() == "resolve");
        deeds += usize::from(!belongs);
        if deeds > count {
            break;
        }
        chosen.push(entry);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{names::ObjectId, state::journal::ResolvedFile};

    fn entry(started: &str, complete: impl FnOnce(&mut JournalEntry)) -> JournalEntry {
        let mut entry = JournalEntry {
            started: started.into(),
            ..JournalEntry::default()
        };
        complete(&mut entry);
        entry
    }

    fn published(started: &str, trigger: &str) -> JournalEntry {
        entry(started, |entry| {
            entry.made = Some(ObjectId::from_bytes(&[1; 20]).unwrap());
            entry.trigger = trigger.into();
        })
    }

    fn resolved(started: &str) -> JournalEntry {
        let file = ResolvedFile {
            code: "API-T-0001".parse().unwrap(),
            path: "API-T-0001.md".into(),
            version: None,
            kept: None,
        };
        entry(started, |entry| entry.resolved = vec![file])
    }

    fn times(entries: Vec<JournalEntry>, count: usize) -> Vec<String> {
        let chosen = chosen(entries, count);
        chosen.iter().map(|entry| entry.started.raw().to_owned()).collect()
    }

    #[test]
    fn the_last_ones_that_did_something() {
        let entries = vec![published("1", "sync"), published("2", "sync"), entry("3", |_| {})];
        assert_eq!(times(entries.clone(), 1), ["2"]);
        assert_eq!(times(entries.clone(), 9), ["2", "1"]);
        let undone = |time: &str| {
            entry("4", |entry| {
                entry.undoes = vec![time.into()];
                entry.made = Some(ObjectId::from_bytes(&[2; 20]).unwrap());
            })
        };
        assert_eq!(times([entries, vec![undone("2")]].concat(), 1), ["1"], "not twice");
    }

    #[test]
    fn a_decision_and_the_sync_that_published_it_are_one() {
        let entries = vec![published("1", "sync"), resolved("2"), published("3", "resolve")];
        assert_eq!(times(entries.clone(), 1), ["3", "2"]);
        assert_eq!(times(entries, 2), ["3", "2", "1"]);
        let alone = vec![resolved("1"), resolved("2"), published("3", "sync")];
        assert_eq!(times(alone, 2), ["3", "2"]);
    }
}
