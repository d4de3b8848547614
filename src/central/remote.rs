//! Central's branch, and refs beside it, listed over a connection that stays open for a fetch.

mod refs;

use gix::bstr::BString;
use gix::protocol::{
    handshake::Ref,
    ls_refs::RefPrefixes,
    transport::{Protocol, Service},
};

use super::{CentralError, ObjectFormat};
use crate::{
    names::ObjectId,
    send_pack::connect::{self, ConnectOptions, FailureKind, Giver, Greeting, Reached, RemoteUrl, Scheme, Session},
    text::UntrustedName,
};

pub(super) use self::refs::beginning_with;
use self::refs::{BRANCHES, asked_for, branches, default_branch, value_of};
pub use self::refs::{CONDUIT_REFS, CONDUITS};

/// An open connection to central's upload-pack and what it said of our branch.
pub struct Remote {
    pub(super) session: Session,
    url: RemoteUrl,
    /// The branch, without `refs/heads/`.
    pub branch: UntrustedName,
    /// Its commit. `None`: the branch does not exist (yet).
    pub head: Option<ObjectId>,
    /// The hash that names central's objects.
    pub format: ObjectFormat,
    /// Where the branch does not exist: the branches that do, the one that `HEAD` names first.
    pub others: Vec<(UntrustedName, ObjectId)>,
    /// The refs beside the branch that were asked for, by their full names.
    pub beside: Vec<(UntrustedName, ObjectId)>,
    /// How their names begin.
    prefixes: Vec<String>,
}

/// A central that was listed, by what does not change with its branch.
#[derive(Debug, Clone)]
pub struct Met {
    greeting: Greeting,
    branch: UntrustedName,
    prefixes: Vec<String>,
}

impl Remote {
    /// Connects and lists. `branch` is the configured one; otherwise it is what central's `HEAD` points to.
    pub fn list(url: &RemoteUrl, options: &ConnectOptions, branch: Option<&str>) -> Result<Self, CentralError> {
        Self::list_beside(url, options, branch, Vec::new())
    }

    /// The same in one exchange with the refs whose full names begin with one of `prefixes`: see [`Remote::beside`].
    pub fn list_beside(
        url: &RemoteUrl,
        options: &ConnectOptions,
        branch: Option<&str>,
        prefixes: Vec<String>,
    ) -> Result<Self, CentralError> {
        Self::listen(Self::call(url, options)?, url, options, branch, prefixes)
    }

    /// Connects, and does not wait for central's first word yet.
    pub fn call(url: &RemoteUrl, options: &ConnectOptions) -> Result<Reached, CentralError> {
        Ok(connect::reach(url, Service::UploadPack, Protocol::V2, options)?)
    }

    /// The same as [`list_beside()`](Remote::list_beside), for a central that was called.
    pub fn listen(
        called: Reached,
        url: &RemoteUrl,
        options: &ConnectOptions,
        branch: Option<&str>,
        prefixes: Vec<String>,
    ) -> Result<Self, CentralError> {
        let session = called.shake_hands()?;
        let is_http = matches!(url.scheme(), Scheme::Http | Scheme::Https);
        // A server may let everybody greet it, and demand credentials once it is sent a request.
        let mut challenge = match Self::of(session, url, branch, prefixes.clone()) {
            Err(CentralError::Connect(err)) if is_http && err.kind == FailureKind::Unauthenticated => err,
            listed => return listed,
        };
        for giver in Giver::all(url, options) {
            let opened = connect::open_authenticated(url, Service::UploadPack, Protocol::V2, options, giver);
            let session = match opened {
                // The server's own words say more than that nobody knows a password.
                Err(err) if err.kind == FailureKind::Unauthenticated => break,
                opened => opened?,
            };
            match Self::of(session, url, branch, prefixes.clone()) {
                Err(CentralError::Connect(err)) if err.kind == FailureKind::Unauthenticated => challenge = err,
                listed => {
                    return listed.map(|mut remote| {
                        remote.session.credentials_work(true);
                        remote
                    });
                }
            }
        }
        Err(challenge.into())
    }

    fn of(
        mut session: Session,
        url: &RemoteUrl,
        branch: Option<&str>,
        prefixes: Vec<String>,
    ) -> Result<Self, CentralError> {
        let mut is_partial = false;
        let mut refs = match session.handshake.refs.take() {
            Some(refs) => refs,
            None => {
                is_partial = true;
                list_refs(&mut session, asked_for(branch, &prefixes))?
            }
        };
        let format = match session
            .handshake
            .capabilities
            .capability("object-format")
            .and_then(|c| c.value().map(|v| v.to_string()))
            .as_deref()
        {
            Some("sha256") => ObjectFormat::Sha256,
            _ => ObjectFormat::Sha1,
        };
        let branch = branch.map_or_else(|| default_branch(&refs), str::to_owned);
        let head = value_of(&refs, &format!("refs/heads/{branch}"));
        let beside = beginning_with(&refs, &prefixes);
        let mut others = Vec::new();
        if head.is_none() {
            if is_partial {
                refs = list_refs(&mut session, vec!["HEAD".into(), BRANCHES.into()])?;
            }
            others = branches(&refs);
        }
        Ok(Remote {
            session,
            url: url.clone(),
            branch: branch.into(),
            head,
            format,
            others,
            beside,
            prefixes,
        })
    }

    /// What a later [`list_again()`](Remote::list_again) can do with less.
    pub fn met(&self) -> Option<Met> {
        // With an older protocol the refs are in the greeting.
        let lists = self.session.handshake.server_protocol_version == Protocol::V2;
        let greeting = self.session.greeting().filter(|_| lists)?;
        Some(Met {
            greeting,
            branch: self.branch.clone(),
            prefixes: self.prefixes.clone(),
        })
    }

    /// Lists the branch of a central that was met before.
    pub fn list_again(url: &RemoteUrl, options: &ConnectOptions, met: Met) -> Result<Self, CentralError> {
        let branch = Some(met.branch.raw());
        let opened = connect::open_known(met.greeting, url, Service::UploadPack, Protocol::V2, options);
        match opened
            .map_err(CentralError::from)
            .and_then(|session| Self::of(session, url, branch, met.prefixes.clone()))
        {
            Err(CentralError::Connect(err)) if matches!(err.kind, FailureKind::TimedOut | FailureKind::Interrupted) => {
                Err(err.into())
            }
            // Whatever it does not like any more, a handshake will show.
            Err(_) => Remote::list_beside(url, options, branch, met.prefixes),
            listed => listed,
        }
    }

    /// Connects anew. A server that holds one process for a connection remembers every `shallow` of an earlier fetch on
    /// it, and would cut a later one off at the same places. What was listed stays as it was.
    pub(super) fn reconnect(&mut self, options: &ConnectOptions) -> Result<(), CentralError> {
        let again = Remote::list(&self.url, options, Some(self.branch.raw()))?;
        let old = std::mem::replace(&mut self.session, again.session);
        let _ = old.close();
        Ok(())
    }

    /// Ends the connection. Errors no longer matter.
    pub fn close(self) {
        let _ = self.session.close();
    }
}

fn list_refs(session: &mut Session, wanted: Vec<BString>) -> Result<Vec<Ref>, CentralError> {
    let _exchange = session.exchange("ls-refs");
    let _bounded = session.bounded();
    let mut prefixes = RefPrefixes::new();
    prefixes.extend(wanted);
    let listed = gix::protocol::LsRefsCommand::new(
        Some(prefixes),
        &session.handshake.capabilities,
        ("agent", Some(super::AGENT.into())),
    )
    .invoke_blocking(&mut session.transport, &mut gix::progress::Discard, false);
    listed.map_err(|err| {
        let cause = session.explain(&err);
        if cause.kind == FailureKind::Unauthenticated {
            session.credentials_work(false);
        }
        cause.into()
    })
}
