//! Refs that a host shows to those who push, and perhaps not to those who fetch (`uploadpack.hideRefs`).

use gix::protocol::transport::{Protocol, Service};

use super::{CentralError, remote::beginning_with};
use crate::{
    names::ObjectId,
    send_pack::connect::{self, ConnectOptions, RemoteUrl},
    text::UntrustedName,
};

/// The refs whose full names begin with `prefix`, as one who pushes to `url` is told of them. Nothing is pushed.
pub fn shown_to_pushers(
    url: &RemoteUrl,
    options: &ConnectOptions,
    prefix: &str,
) -> Result<Vec<(UntrustedName, ObjectId)>, CentralError> {
    let session = connect::open(url, Service::ReceivePack, Protocol::V1, options)?;
    let refs = session.handshake.refs.as_deref().unwrap_or_default();
    let shown = beginning_with(refs, &[prefix.to_owned()]);
    let _ = session.close();
    Ok(shown)
}
