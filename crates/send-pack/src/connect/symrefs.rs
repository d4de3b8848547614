//! Symbolic refs of the protocols before version 2, where they stand among the capabilities.
//!
//! gix matches them with the listed refs and takes it for impossible that one of them is not listed. A server may say
//! so all the same, by malice or, as dulwich for the `HEAD` of an empty repository, in good faith. So gix does not get to see
//! them, and they are matched here.

use std::any::Any;
use std::borrow::Cow;

use bstr::{BStr, BString, ByteSlice};
use gix_protocol::handshake::Ref;
use gix_sec::identity::Account;
use gix_transport::client::blocking_io::{RequestWriter, SetServiceResponse, Transport};
use gix_transport::client::{Capabilities, Error, MessageKind, TransportWithoutIO, WriteMode};
use gix_transport::{Protocol, Service};

/// `HEAD` and what it points to.
type Symref = (BString, BString);

/// Servers name `HEAD` and perhaps a few more; each is looked for among all refs.
const MAX_SYMREFS: usize = 16;

/// A transport for the time of the handshake, which keeps the symbolic refs back.
pub(super) struct WithoutSymrefs<'t> {
    inner: &'t mut (dyn Transport + Send),
    kept: Vec<Symref>,
}

impl<'t> WithoutSymrefs<'t> {
    pub(super) fn new(inner: &'t mut (dyn Transport + Send)) -> Self {
        WithoutSymrefs {
            inner,
            kept: Vec::new(),
        }
    }

    /// Make the refs symbolic that are. One that is not listed has nothing to point to yet.
    pub(super) fn give_back(self, refs: &mut Vec<Ref>) {
        for (name, target) in self.kept {
            let known = refs.iter_mut().find(|known| *known.unpack().0 == name);
            match known {
                Some(known) => {
                    let (object, tag) = match known {
                        Ref::Direct { object, .. } => (*object, None),
                        Ref::Peeled { tag, object, .. } => (*object, Some(*tag)),
                        Ref::Symbolic { .. } | Ref::Unborn { .. } => continue,
                    };
                    *known = Ref::Symbolic {
                        full_ref_name: name,
                        target,
                        tag,
                        object,
                    };
                }
                None => refs.push(Ref::Unborn {
                    full_ref_name: name,
                    target,
                }),
            }
        }
    }
}

/// The capabilities without symbolic refs, and those.
fn parted(all: &Capabilities) -> (Option<Capabilities>, Vec<Symref>) {
    let (mut rest, mut symrefs) = (vec![0], Vec::new());
    for capability in all.iter() {
        if capability.name() == "symref" {
            let pair = capability.value().and_then(|value| value.split_once_str(":"));
            // `(null)` is how git names the target of one that leads out of what the server shows.
            symrefs.extend(
                pair.filter(|(_, target)| *target != b"(null)")
                    .map(|(name, target)| (name.into(), target.into())),
            );
            continue;
        }
        rest.push(b' ');
        rest.extend_from_slice(capability.name());
        if let Some(value) = capability.value() {
            rest.push(b'=');
            rest.extend_from_slice(value);
        }
    }
    symrefs.truncate(MAX_SYMREFS);
    (Capabilities::from_bytes(&rest).ok().map(|(rest, _)| rest), symrefs)
}

impl TransportWithoutIO for WithoutSymrefs<'_> {
    fn set_identity(&mut self, account: Account) -> Result<(), Error> {
        self.inner.set_identity(account)
    }

    fn to_url(&self) -> Cow<'_, BStr> {
        self.inner.to_url()
    }

    fn supported_protocol_versions(&self) -> &[Protocol] {
        self.inner.supported_protocol_versions()
    }

    fn connection_persists_across_multiple_requests(&self) -> bool {
        self.inner.connection_persists_across_multiple_requests()
    }

    fn configure(&mut self, config: &dyn Any) -> gix_error::Result {
        self.inner.configure(config)
    }
}

impl Transport for WithoutSymrefs<'_> {
    fn handshake<'a>(
        &mut self,
        service: Service,
        extra_parameters: &'a [(&'a str, Option<&'a str>)],
    ) -> Result<SetServiceResponse<'_>, Error> {
        let mut response = self.inner.handshake(service, extra_parameters)?;
        if response.refs.is_some() {
            let (rest, symrefs) = parted(&response.capabilities);
            if !symrefs.is_empty() || response.capabilities.contains("symref") {
                response.capabilities = rest.unwrap_or_default();
            }
            self.kept = symrefs;
        }
        Ok(response)
    }

    fn request(&mut self, mode: WriteMode, on_into_read: MessageKind, trace: bool) -> Result<RequestWriter<'_>, Error> {
        self.inner.request(mode, on_into_read, trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbolic_refs_are_parted_from_the_rest() {
        let all = b"\0report-status symref=HEAD:refs/heads/main symref symref=x:(null) agent=a/1";
        let (all, _) = Capabilities::from_bytes(all).expect("valid");
        let (rest, symrefs) = parted(&all);
        let rest = rest.expect("valid");
        assert!(rest.contains("report-status") && !rest.contains("symref"));
        assert_eq!(
            rest.capability("agent")
                .and_then(|agent| agent.value().map(ToOwned::to_owned)),
            Some("a/1".into())
        );
        assert_eq!(symrefs, [("HEAD".into(), "refs/heads/main".into())]);
    }
}
