//! Whether a host takes the refs that logs of records lie at. Not every host takes more than branches, and only a push shows it.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::Probed;
use crate::{
    central::{
        device_log::{self, AS_BRANCHES, Content, NewLog, REFS},
        publish::{Beside, publish},
        remote::Remote,
        store::{self, Store},
    },
    names::ObjectId,
    project::Project,
    send_pack::connect::{ConnectError, ConnectOptions, Prompt, RemoteUrl},
    sync::{
        SyncErrorKind, SyncOptions,
        cycle::settled,
        place::{self, Locations},
        setup::connect_options,
    },
    text::{Untrusted, UntrustedName},
};

/// The end of the name of the ref that is pushed. It is no device's, so that every reader passes over it where it stays.
const NAME: &str = "probe";
/// What it holds, for whoever finds it there.
const TEXT: &str =
    "`git metis-sync init` pushed this to see whether shared records can be kept here. It may be deleted.\n";
/// A host that takes longer tells by itself, with the first record.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where central takes logs of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// At the usual place.
    Refs,
    /// As branches.
    Branches,
    /// Neither, in the host's words.
    Nowhere(Untrusted),
    /// That could not be found out.
    Untold(Untrusted),
}

/// Where logs lie among central's refs, which is where it takes them.
pub(super) fn lie(refs: &[(UntrustedName, ObjectId)]) -> Option<Taken> {
    let any = |route| refs.iter().any(|(name, _)| name.raw().starts_with(route));
    match (any(REFS), any(AS_BRANCHES)) {
        (true, _) => Some(Taken::Refs),
        (false, true) => Some(Taken::Branches),
        (false, false) => None,
    }
}

/// Pushes a ref like those of logs to the central that was `probed`, looks whether central lists it, and takes it away again.
/// Nobody is asked for a password, and no branch is pushed to a central that is empty: some hosts take the first branch for
/// their `HEAD`.
pub fn try_logs(upstream: &str, probed: &Probed, project: &Project, folder: &Path, options: &SyncOptions) -> Taken {
    let tried = || -> Result<Taken, SyncErrorKind> {
        let host = Host::open(upstream, probed, project, folder, options)?;
        let Some(refusal) = host.refusal(REFS)? else {
            return Ok(Taken::Refs);
        };
        if probed.head.is_none() {
            return Ok(Taken::Untold(
                format!("it refuses refs/metis/: {refusal}; with its first branch still to come, no other was tried")
                    .into(),
            ));
        }
        Ok(match host.refusal(AS_BRANCHES)? {
            None => Taken::Branches,
            Some(refusal) => Taken::Nowhere(refusal.into()),
        })
    };
    tried().unwrap_or_else(|err| Taken::Untold(err.to_string().into()))
}

/// A central that is tried.
struct Host<'p> {
    at: Locations,
    connect: ConnectOptions,
    /// Its branch.
    branch: &'p str,
    store: Store,
    probe: NewLog,
}

impl<'p> Host<'p> {
    fn open(
        upstream: &str,
        probed: &'p Probed,
        project: &Project,
        folder: &Path,
        options: &SyncOptions,
    ) -> Result<Self, SyncErrorKind> {
        let configured = RemoteUrl::parse(upstream).map_err(ConnectError::from)?;
        let (id, name) = (place::identity(&configured, project, folder), configured.to_string());
        let cache = options.cache_dir.clone().map_or_else(store::user_cache_dir, Ok)?;
        let mut connect = connect_options(options, project, folder, Instant::now() + DEADLINE);
        connect.prompt = Prompt::Never;
        let (files, now) = (
            BTreeMap::from([(NAME.to_owned(), Content::New(TEXT))]),
            Timestamp::now(),
        );
        let subject = "records: does this host take them?";
        Ok(Host {
            at: place::locations(upstream, project, folder)?,
            connect,
            branch: probed.branch.raw(),
            store: Store::scratch(&cache, [&id, &name], probed.format)?,
            probe: device_log::make(probed.format, None, subject, &files, &project.committer(), now),
        })
    }

    /// Why refs of this place cannot be used, in the host's words. `None`: they can.
    fn refusal(&self, route: &str) -> Result<Option<String>, SyncErrorKind> {
        let name = format!("{route}{NAME}");
        let commit = Some(self.probe.commit);
        let is_made = match self.push(&name, None, commit) {
            // One that is there already was taken, too.
            Ok(is_made) => is_made,
            Err(SyncErrorKind::Refused(refusal)) => return Ok(Some(refusal.reason)),
            Err(err) => return Err(err),
        };
        let prefixes = vec![name.clone()];
        let listed = Remote::list_beside(&self.at.fetch, &self.connect, Some(self.branch), prefixes);
        if is_made {
            // Where it must not be taken away again it stays, and the next who looks is spared the push.
            let _ = self.push(&name, commit, None);
        }
        let listed = listed?;
        let is_listed = !listed.beside.is_empty();
        listed.close();
        Ok((!is_listed).then(|| "it is not listed after it was pushed".to_owned()))
    }

    /// `false`: the ref was not what was expected.
    fn push(&self, name: &str, expected: Option<ObjectId>, new: Option<ObjectId>) -> Result<bool, SyncErrorKind> {
        let beside = Beside {
            name: name.to_owned(),
            expected,
            new,
            objects: new.map_or(&[], |_| &self.probe.objects),
        };
        let pushed = publish(
            &mut None,
            &self.store,
            &self.at.push,
            &self.connect,
            None,
            Some(&beside),
        );
        settled(pushed.map(|published| published.beside.expect("an outcome for the ref")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_there_tells_where_they_are_taken() {
        let id = ObjectId::from_bytes(&[1; 20]).unwrap();
        let of = |names: &[&str]| {
            let refs: Vec<_> = names.iter().map(|name| ((*name).into(), id)).collect();
            lie(&refs)
        };
        let (usual, branch) = ("refs/metis/log/a", "refs/heads/metis/log/b");
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["refs/heads/main"]), None);
        assert_eq!(of(&[branch]), Some(Taken::Branches));
        assert_eq!(of(&[branch, usual]), Some(Taken::Refs));
    }
}
