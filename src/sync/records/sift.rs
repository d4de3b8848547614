//! Logs of which some cannot be received: those are found, and the others are taken up all the same.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared_records::DeviceId;

use super::{super::session::Session, left::Left, may_be_a_log};
use crate::{
    central::{
        CentralError,
        fetch::{Wanted, fetch_all},
        store::Store,
    },
    names::ObjectId,
    stage::{Warning, fetch},
};

/// How many exchanges with central this takes at most. One log among thousands is found by a dozen; whoever makes many that cannot
/// be received keeps no sync busy for longer.
const EXCHANGES: usize = 24;

/// A log that is wanted.
type Log = (DeviceId, Wanted);

/// Fetches those of the wanted logs that can be received, which all of them at once cannot, and names the others. Only what came is
/// still wanted.
pub(in crate::sync) fn sift(session: &mut Session<'_>, store: &mut Store, why: Why) {
    let mut logs: Vec<Log> = std::mem::take(&mut session.shared.wanted).into_iter().collect();
    let tips: BTreeMap<DeviceId, ObjectId> = logs.iter().map(|(device, wanted)| (*device, wanted.tip)).collect();
    // Whoever makes logs that cannot be received knows no place for them where others are always passed over.
    fastrand::shuffle(&mut logs);
    let sifted = sifted(logs, why, |logs| {
        let wanted: Vec<Wanted> = logs.iter().map(|(_, wanted)| *wanted).collect();
        match received(session, store, &wanted) {
            Ok(()) => Ok(Ok(())),
            Err(err) if may_be_a_log(&err) => Ok(Err(Why::from(&err))),
            Err(err) => Err(err),
        }
    });
    match sifted {
        Ok(sifted) => {
            session.shared.wanted = sifted.received.into_iter().collect();
            let state = &session.notebook.state;
            let refused = sifted.refused.iter();
            let refused = refused.map(|(device, why)| (*device, tips[device], why.is_doubtful));
            Left::load(state).note(refused, state, Timestamp::now());
            for (device, why) in sifted.refused {
                session.warn(Warning::LogFrozen {
                    device: device.to_string().into(),
                    fault: why.words.into(),
                });
            }
            if !sifted.left.is_empty() {
                let text = format!(
                    "too many logs cannot be received to find them all, and {} wait",
                    sifted.left.len()
                );
                session.warn(Warning::RecordsLeft(text.into()));
            }
        }
        Err(err) => session.warn(Warning::RecordsLeft(err.to_string().into())),
    }
}

fn received(session: &Session<'_>, store: &mut Store, wanted: &[Wanted]) -> Result<(), CentralError> {
    let mut remote = fetch::list_with_logs(&session.ctx, None, || ())?;
    let received = fetch_all(&mut remote, &session.ctx.connect, store, wanted, &mut |_| {});
    remote.close();
    received.map(drop)
}

/// Why logs could not be received.
pub(in crate::sync) struct Why {
    words: String,
    /// Whether the connection may be the reason as well.
    is_doubtful: bool,
}

impl From<&CentralError> for Why {
    fn from(err: &CentralError) -> Self {
        Why {
            words: err.to_string(),
            is_doubtful: matches!(err, CentralError::Receive(_)),
        }
    }
}

/// What became of logs that could not be received together.
#[derive(Debug)]
struct Sifted<W> {
    received: Vec<Log>,
    /// Why each of these was not.
    refused: Vec<(DeviceId, W)>,
    /// Nobody asked for these alone.
    left: Vec<Log>,
}

/// Halves what cannot be received, for which there is a reason already, until it is single logs. `ask` says whether some come
/// together, with the reason where not; its error ends everything.
fn sifted<W, E>(
    logs: Vec<Log>,
    why: W,
    mut ask: impl FnMut(&[Log]) -> Result<Result<(), W>, E>,
) -> Result<Sifted<W>, E> {
    let mut out = Sifted {
        received: Vec::new(),
        refused: Vec::new(),
        left: Vec::new(),
    };
    let mut failed = vec![(logs, why)];
    let mut exchanges = 0;
    while let Some((mut logs, why)) = failed.pop() {
        if let [(device, _)] = logs.as_slice() {
            out.refused.push((*device, why));
            continue;
        }
        let half = logs.split_off(logs.len() / 2);
        for part in [logs, half].into_iter().filter(|part| !part.is_empty()) {
            if exchanges == EXCHANGES {
                out.left.extend(part);
                continue;
            }
            exchanges += 1;
            match ask(&part)? {
                Ok(()) => out.received.extend(part),
                Err(why) => failed.push((part, why)),
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many come, are refused and are left, and after how many exchanges, where these of so many cannot be received.
    fn of(number: u8, bad: &[u8]) -> (usize, Vec<u8>, usize, usize) {
        let device = |n| DeviceId::from_bits([n; 10]);
        let log = |n| {
            let tip = ObjectId::from_bytes(&[n; 20]).unwrap();
            (device(n), Wanted { tip, seen: None })
        };
        let mut exchanges = 0;
        let sifted = sifted((0..number).map(log).collect(), String::new(), |logs| {
            exchanges += 1;
            let is_bad = logs.iter().any(|(it, _)| bad.iter().any(|n| device(*n) == *it));
            Ok::<_, ()>(if is_bad { Err("no".to_owned()) } else { Ok(()) })
        });
        let sifted = sifted.unwrap();
        let refused = sifted
            .refused
            .iter()
            .map(|(it, _)| (0..number).find(|n| device(*n) == *it).unwrap());
        let mut refused: Vec<u8> = refused.collect();
        refused.sort_unstable();
        (sifted.received.len(), refused, sifted.left.len(), exchanges)
    }

    #[test]
    fn those_that_come_are_told_from_those_that_do_not() {
        assert_eq!(of(1, &[0]), (0, vec![0], 0, 0));
        assert_eq!(of(2, &[1]), (1, vec![1], 0, 2));
        assert_eq!(of(100, &[17]), (99, vec![17], 0, 14));
        assert_eq!(of(5, &[0, 4]), (3, vec![0, 4], 0, 8));
        // It was the company that failed, and does not any more.
        assert_eq!(of(3, &[]), (3, vec![], 0, 2));
    }

    #[test]
    fn it_ends_however_many_are_bad() {
        let all: Vec<u8> = (0..200).collect();
        let (received, refused, left, exchanges) = of(200, &all);
        assert_eq!((received, exchanges), (0, EXCHANGES));
        assert_eq!(refused.len() + left, 200);
    }
}
