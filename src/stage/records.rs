//! Records: the others' logs are taken up, and this clone's own one is published.
//!
//! Which logs are new, and what is to be pushed, are values; fetching and pushing themselves go with the documents.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared_records::{
    DeviceId,
    log::{self, Fault},
};

use super::{Context, push::Beside};
use crate::{
    central::{
        AGENT, CentralError,
        device_log::{self, AS_BRANCHES, Content, Files, NewLog, REFS},
        fetch::Wanted,
        from_gix,
        publish::store_log,
        store::Store,
    },
    names::ObjectId,
    records::{self, Publisher, Records, RecordsError, Text},
    send_pack::Outcome,
    text::UntrustedName,
};

/// Why records could not be exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Those that are here.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// Those that came.
    #[error(transparent)]
    Central(#[from] CentralError),
}

/// The refs of one device's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Listed {
    /// Where logs lie.
    pub usual: Option<ObjectId>,
    /// Where they lie at a host that takes branches alone.
    pub branch: Option<ObjectId>,
}

impl Listed {
    /// The one at this place, by what the names there begin with; the usual one where that is not said.
    pub fn at(&self, route: &str) -> Option<ObjectId> {
        if route == AS_BRANCHES { self.branch } else { self.usual }
    }

    /// The one that counts.
    pub fn any(&self) -> Option<ObjectId> {
        self.usual.or(self.branch)
    }
}

/// The logs among central's refs. Refs with other names are passed over.
pub fn logs(refs: &[(UntrustedName, ObjectId)]) -> BTreeMap<DeviceId, Listed> {
    let mut logs: BTreeMap<DeviceId, Listed> = BTreeMap::new();
    for (name, id) in refs {
        let name = name.raw();
        let (device, is_branch) = match (name.strip_prefix(REFS), name.strip_prefix(AS_BRANCHES)) {
            (Some(device), _) => (device, false),
            (None, Some(device)) => (device, true),
            (None, None) => continue,
        };
        if let Ok(device) = device.parse() {
            let listed = logs.entry(device).or_default();
            *(if is_branch {
                &mut listed.branch
            } else {
                &mut listed.usual
            }) = Some(*id);
        }
    }
    logs
}

/// How many logs a sync takes up at most. Refs cost nothing to whoever makes them.
const MAX_LOGS: usize = 2_000;

/// The logs of others that were not taken up as they are listed. `tips`: as they were taken up last. Of too many some are left to
/// the next sync, whichever: whoever moves many refs all the time keeps no certain one out.
pub fn new_logs(
    logs: &BTreeMap<DeviceId, Listed>,
    tips: &BTreeMap<DeviceId, ObjectId>,
    own: DeviceId,
) -> BTreeMap<DeviceId, Wanted> {
    let others = logs.iter().filter(|(device, _)| **device != own);
    let wanted = others.filter_map(|(device, listed)| {
        let (tip, seen) = (listed.any()?, tips.get(device).copied());
        (seen != Some(tip)).then_some((*device, Wanted { tip, seen }))
    });
    let mut wanted: Vec<(DeviceId, Wanted)> = wanted.collect();
    if wanted.len() > MAX_LOGS {
        wanted.sort_unstable_by_key(|(_, wanted)| wanted.tip);
        wanted.truncate(MAX_LOGS);
    }
    wanted.into_iter().collect()
}

/// What was taken up of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenUp {
    /// How many entries.
    pub entries: usize,
    /// Why it counts no further.
    pub fault: Option<Fault>,
}

/// Takes up what is new in a device's log, whose commit is here.
pub fn take_up(
    records: &mut Records,
    store: &Store,
    device: DeviceId,
    tip: ObjectId,
) -> Result<TakenUp, ExchangeError> {
    let files = Files::of(store, tip)?;
    let since = records.since(device)?;
    let reading = log::read(device, &files.names(), since, |name| files.read(name))?;
    records.take_up(device, &reading, tip, records::now(), || ())?;
    Ok(TakenUp {
        entries: reading.entries.len(),
        fault: reading.fault,
    })
}

/// The own log, ready to be pushed.
pub struct LogPush {
    /// Its device.
    pub device: DeviceId,
    /// The entries that central has not.
    pub entries: u64,
    /// The last of them.
    pub seq: u64,
    /// What the ref's name begins with.
    pub route: &'static str,
    expected: Option<ObjectId>,
    log: NewLog,
}

impl LogPush {
    /// What its ref is to lead to.
    pub fn commit(&self) -> ObjectId {
        self.log.commit
    }

    /// As a ref that is pushed beside the documents, at this place.
    pub fn beside(&self, route: &str) -> Beside<'_> {
        Beside {
            name: format!("{route}{}", self.device),
            expected: if route == self.route { self.expected } else { None },
            new: Some(self.log.commit),
            objects: &self.log.objects,
        }
    }

    /// Whether the usual place is no place for logs at this host: it refused the ref, or it has it as this clone left it
    /// although it listed none. `is_ours`: whether the log was published as a commit before.
    pub fn wants_a_branch(&self, outcome: &Outcome, is_ours: impl FnOnce(ObjectId) -> bool) -> bool {
        match outcome {
            Outcome::Refused(_) => true,
            Outcome::Moved { actual: Some(actual) } => self.expected.is_none() && is_ours(from_gix(actual)),
            _ => false,
        }
    }
}

/// What is pushed of the own log, noted as pending, and in the store as far as that goes. `None`: there is nothing new, or central
/// has refused it, and `is_left` says that this is not to be tried again yet.
pub fn draft(
    ctx: &Context<'_>,
    records: &mut Records,
    store: &mut Store,
    compact_from: usize,
    is_left: impl FnOnce(DeviceId) -> bool,
) -> Result<Option<LogPush>, RecordsError> {
    let own = records.own_log()?;
    if own.refused > 0 && own.refused >= own.written && is_left(records.device()) {
        return Ok(None);
    }
    let author = ctx.project.committer();
    let publisher = Publisher {
        user: author.0.clone(),
        prefix: ctx.owned.as_ref().map(ToString::to_string).unwrap_or_default(),
        program: AGENT.into(),
    };
    let Some(draft) = records.draft(&publisher, compact_from)? else {
        return Ok(None);
    };
    let files = draft.files.iter().map(|file| (file.name.clone(), content(&file.text)));
    let subject = format!("records: {}", draft.device);
    let log = device_log::make(
        store.format(),
        own.tip,
        &subject,
        &files.collect(),
        &author,
        Timestamp::now(),
    );
    records.note_pending(&draft.pending(log.commit, |name| log.files.get(name).copied()))?;
    // What is not in the store is fetched by those who want it.
    let _ = store_log(store, &log, own.tip);
    Ok(Some(LogPush {
        device: draft.device,
        entries: draft.seq - own.published,
        seq: draft.seq,
        route: if own.route == AS_BRANCHES { AS_BRANCHES } else { REFS },
        expected: own.tip,
        log,
    }))
}

fn content(text: &Text) -> Content<'_> {
    match text {
        Text::New(text) => Content::New(text),
        Text::Published(part) => Content::There(part.blob),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ObjectId {
        ObjectId::from_bytes(&[n; 20]).unwrap()
    }

    fn device(n: u8) -> DeviceId {
        DeviceId::from_bits([n; 10])
    }

    #[test]
    fn logs_are_told_from_other_refs() {
        let refs = [
            (format!("{REFS}{}", device(1)), id(1)),
            (format!("{AS_BRANCHES}{}", device(1)), id(2)),
            (format!("{AS_BRANCHES}{}", device(2)), id(3)),
            (format!("{REFS}main"), id(4)),
            (format!("{REFS}{}/x", device(3)), id(5)),
            ("refs/heads/main".to_owned(), id(6)),
        ];
        let logs = logs(&refs.map(|(name, id)| (name.as_str().into(), id)));
        assert_eq!(logs.len(), 2);
        let both = logs[&device(1)];
        assert_eq!(
            (both.any(), both.at(REFS), both.at(AS_BRANCHES)),
            (Some(id(1)), Some(id(1)), Some(id(2)))
        );
        assert_eq!((logs[&device(2)].any(), logs[&device(2)].at("")), (Some(id(3)), None));
    }

    #[test]
    fn only_new_logs_of_others_are_wanted() {
        let usual = |n| Listed {
            usual: Some(id(n)),
            branch: None,
        };
        let logs = BTreeMap::from([(device(1), usual(1)), (device(2), usual(2)), (device(3), usual(3))]);
        let tips = BTreeMap::from([(device(2), id(2)), (device(3), id(9))]);
        let wanted = new_logs(&logs, &tips, device(1));
        assert_eq!(wanted.keys().copied().collect::<Vec<_>>(), [device(3)]);
        assert_eq!((wanted[&device(3)].tip, wanted[&device(3)].seen), (id(3), Some(id(9))));
        assert!(new_logs(&BTreeMap::new(), &tips, device(1)).is_empty());
    }

    #[test]
    fn of_very_many_logs_some_wait_for_the_next_sync() {
        let numbered = |n: usize| n.to_be_bytes();
        let logs: BTreeMap<DeviceId, Listed> = (0..MAX_LOGS + 10)
            .map(|n| {
                let mut bits = [0; 10];
                bits[2..].copy_from_slice(&numbered(n));
                // The first ones have the last commits.
                let mut commit = [0; 20];
                commit[..8].copy_from_slice(&numbered(usize::MAX - n));
                let listed = Listed {
                    usual: Some(ObjectId::from_bytes(&commit).unwrap()),
                    branch: None,
                };
                (DeviceId::from_bits(bits), listed)
            })
            .collect();
        let wanted = new_logs(&logs, &BTreeMap::new(), device(1));
        assert_eq!(wanted.len(), MAX_LOGS);
        assert!(!wanted.contains_key(&DeviceId::from_bits([0; 10])));
        let tips = wanted.iter().map(|(device, wanted)| (*device, wanted.tip)).collect();
        assert_eq!(new_logs(&logs, &tips, device(1)).len(), 10);
    }
}
