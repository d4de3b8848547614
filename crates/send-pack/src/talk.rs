//! The exchange of one attempt: commands and a pack go out, a report comes back.

use std::io;

use gix_transport::client::{MessageKind, WriteMode};

use super::{
    connect::Session,
    pack::{self, PackObject, WriteError},
    report::{self, Report},
    request::{self, Negotiated, PushOptions, RefUpdate},
};

/// Where it broke off.
pub(super) enum Talk<E> {
    Source(E),
    /// Not all was sent.
    Send(io::Error),
    Receive(io::Error),
}

/// Sends, and reads the answer into `report`, as far as there is one.
pub(super) fn talk<E>(
    session: &mut Session,
    updates: &[&RefUpdate],
    negotiated: &Negotiated,
    options: &PushOptions,
    objects: Option<impl ExactSizeIterator<Item = Result<PackObject, E>>>,
    report: &mut Report,
) -> Result<(), Talk<E>> {
    let _exchange = session.exchange("push");
    let request = session
        .transport
        .request(WriteMode::Binary, MessageKind::Flush, false)
        .map_err(|err| match err {
            gix_transport::client::Error::Io(err) => Talk::Send(err),
            other => Talk::Send(io::Error::other(other)),
        })?;
    let (writer, reader) = request.into_parts();
    let mut writer = io::BufWriter::with_capacity(32 << 10, writer);
    let sent = send(&mut writer, updates, negotiated, options, objects);
    // A half-written request must not be completed by the buffer's drop.
    let (inner, _unsent) = writer.into_parts();
    drop(inner);
    if let Err(Talk::Source(_)) = sent {
        return sent;
    }
    // Also when the server stopped listening: it may have said why. Where sending failed for a reason of this machine's the
    // server still waits for the rest, and so would we for its answer.
    if let Err(Talk::Send(err)) = &sent
        && is_of_this_machine(err)
    {
        return sent;
    }
    let read = report::read(reader, negotiated.sideband, report);
    sent?;
    read.map_err(Talk::Receive)
}

/// Whether the system refused to send, without a word of the other side's end.
fn is_of_this_machine(err: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut};
    let by_the_other = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut];
    err.raw_os_error().is_some() && !by_the_other.contains(&err.kind())
}

fn send<E>(
    mut out: impl io::Write,
    updates: &[&RefUpdate],
    negotiated: &Negotiated,
    options: &PushOptions,
    objects: Option<impl ExactSizeIterator<Item = Result<PackObject, E>>>,
) -> Result<(), Talk<E>> {
    request::write_commands(updates, negotiated, options, &mut out).map_err(Talk::Send)?;
    if let Some(objects) = objects {
        let count = u32::try_from(objects.len())
            .map_err(|_| Talk::Send(io::Error::other("a pack cannot have that many objects")))?;
        let objects = objects.map(|object| {
            object.map(|object| match negotiated.thin {
                true => object,
                false => PackObject {
                    delta_base: None,
                    ..object
                },
            })
        });
        pack::write(objects, count, negotiated.object_hash, &mut out).map_err(|err| match err {
            WriteError::Source(err) => Talk::Source(err),
            WriteError::Write(err) => Talk::Send(err),
            WriteError::Count { announced, seen } => Talk::Send(io::Error::other(format!(
                "{announced} objects were announced, {seen} were there"
            ))),
        })?;
    }
    out.flush().map_err(Talk::Send)
}
