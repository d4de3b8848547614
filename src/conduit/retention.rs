//! How long generations, and what they kept, are remembered.

use jiff::{Timestamp, ToSpan};

use super::{
    ConduitError, Generation,
    record::{FOLDER, Records, kept, remove_all},
};
use crate::fs::{Dir, Kind};

/// So many are remembered, and all those of [`DAYS`].
const GENERATIONS: usize = 20;
const DAYS: i64 = 30;
/// So much is kept, unless the newest alone is more.
const KEPT_BYTES: u64 = 1 << 30;

impl Records<'_> {
    /// Forgets old generations and what they kept, and those with which more is kept than may be; the newest and those with
    /// something waiting never.
    pub fn prune(&self, now: Timestamp) -> Result<(), ConduitError> {
        let numbers = self.numbers()?;
        let old = now.checked_sub((24 * DAYS).hours()).unwrap_or(now);
        let mut bytes = 0;
        for (newer, number) in numbers.iter().rev().enumerate() {
            let Some(generation) = self.read(*number)? else {
                continue;
            };
            let kept_bytes = match generation.kept_bytes {
                Some(bytes) => bytes,
                None => size(self.dir, &kept(*number)),
            };
            bytes += kept_bytes;
            let started: Option<Timestamp> = generation.started.parse().ok();
            let is_old = newer >= GENERATIONS && started.is_some_and(|started| started < old);
            if newer > 0 && generation.conflicts.is_empty() && (is_old || bytes > KEPT_BYTES) {
                self.forget(*number)?;
                bytes -= kept_bytes;
            } else if generation.kept_bytes.is_none() {
                self.write(&Generation {
                    kept_bytes: Some(kept_bytes),
                    ..generation
                })?;
            }
        }
        Ok(())
    }

    fn forget(&self, number: u64) -> Result<(), ConduitError> {
        remove_all(self.dir, &kept(number))?;
        for end in ["ops", "json"] {
            match self.dir.remove_file(format!("{FOLDER}/{number}.{end}")) {
                Err(err) if !err.is_gone() => return Err(err.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The bytes of all files in a folder of ours. What cannot be looked at has none.
fn size(dir: &Dir, path: &str) -> u64 {
    let entries = dir.open_dir(path).and_then(|folder| folder.list()).unwrap_or_default();
    let sizes = entries.iter().filter_map(|entry| {
        let inner = format!("{path}/{}", entry.name.to_str()?);
        Some(match entry.kind {
            Kind::Dir => size(dir, &inner),
            _ => dir.lstat(&inner).ok()?.len,
        })
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        conduit::Definition,
        plan::conduit::{Conflict, Kind as Disagreement},
    };

    fn generation(number: u64, days: i64) -> Generation {
        let started = Timestamp::now() - (24 * days).hours();
        Generation {
            started: started.to_string(),
            ..Generation::new(number, "sync".into(), &Definition::new("a".into(), "b".into()))
        }
    }

    /// Writes these generations, each of so many MiB, and returns the numbers of those that stay.
    fn kept_of(all: &[(Generation, u64)]) -> Vec<u64> {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_root(temp.path()).unwrap();
        let records = Records::open(&dir).unwrap();
        for (generation, mib) in all {
            records.write(generation).unwrap();
            let folder = temp.path().join(kept(generation.generation)).join("beta/deep");
            std::fs::create_dir_all(&folder).unwrap();
            // It has no bytes on the disk.
            let file = std::fs::File::create(folder.join("a")).unwrap();
            file.set_len(mib << 20).unwrap();
        }
        for _ in 0..2 {
            records.prune(Timestamp::now()).unwrap();
        }
        let numbers = records.numbers().unwrap();
        assert_eq!(dir.open_dir("kept").unwrap().list().unwrap().len(), numbers.len());
        numbers
    }

    #[test]
    fn no_more_is_kept_than_a_gibibyte_but_for_the_newest_and_what_waits() {
        let waits = |number| Generation {
            conflicts: vec![Conflict {
                path: "a".into(),
                kind: Disagreement::BothEdited,
            }],
            ..generation(number, 0)
        };
        let all = |sizes: [u64; 4]| -> Vec<(Generation, u64)> {
            (1..)
                .zip(sizes)
                .map(|(number, size)| (generation(number, 0), size))
                .collect()
        };
        assert_eq!(kept_of(&all([1, 1, 1, 1])), [1, 2, 3, 4]);
        assert_eq!(kept_of(&all([600, 600, 400, 10])), [2, 3, 4]);
        assert_eq!(kept_of(&all([1, 1, 1, 2000])), [4]);
        let mut waiting = all([600, 600, 600, 600]);
        waiting[1].0 = waits(2);
        assert_eq!(kept_of(&waiting), [2, 4]);
    }

    #[test]
    fn twenty_are_remembered_and_those_of_a_month() {
        let old: Vec<(Generation, u64)> = (1..=25).map(|number| (generation(number, 40), 0)).collect();
        assert_eq!(kept_of(&old), (6..=25).collect::<Vec<_>>());
        let recent: Vec<(Generation, u64)> = (1..=25).map(|number| (generation(number, 20), 0)).collect();
        assert_eq!(kept_of(&recent).len(), 25);
    }
}
