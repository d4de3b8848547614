//! One exchange with the server: what is wanted is said at once, and the pack that comes is taken apart.

use std::{
    error::Error,
    io::{self, BufReader, Read},
    path::Path,
};

use gix::protocol::{
    Command,
    fetch::{Arguments, Response, response::ShallowUpdate},
    transport::Protocol,
};

use super::{
    super::{
        AGENT, CentralError, from_gix,
        incoming::{self, Bounds, Here, Received},
        remote::Remote,
        to_gix,
    },
    Want,
};
use crate::{
    names::ObjectId,
    send_pack::connect::{ConnectOptions, FailureKind, Session},
};

fn arguments(session: &Session, want: &Want<'_>) -> Arguments {
    let version = session.handshake.server_protocol_version;
    let mut features = Command::Fetch.default_features(version, &session.handshake.capabilities);
    // Depth counts from the tip only where it is not asked to count from the present boundary.
    features.retain(|(name, _)| !matches!(*name, "deepen-relative" | "include-tag" | "no-done" | "ref-in-want"));
    features.push(("agent", Some(AGENT.into())));
    let mut arguments = Arguments::new(version, features, false);
    for tip in want.tips {
        arguments.want(to_gix(*tip));
    }
    if arguments.can_use_shallow() {
        for id in want.shallow {
            arguments.shallow(to_gix(*id));
        }
        if let Some(depth) = want.depth {
            arguments.deepen(depth);
        }
    }
    if let Some(filter) = want.filter
        && arguments.can_use_filter()
    {
        arguments.filter(filter);
    }
    // The older protocols answer each of several, which takes more than the one round.
    let haves = if version == Protocol::V2 { want.haves.len() } else { 1 };
    for have in want.haves.iter().take(haves) {
        arguments.have(to_gix(*have));
    }
    arguments
}

/// Receives what is wanted into `area`. `on_shallow` hears first where the history that comes ends.
pub(super) fn receive(
    remote: &mut Remote,
    options: &ConnectOptions,
    want: &Want<'_>,
    area: &Path,
    here: &Here<'_>,
    on_shallow: impl FnOnce(&[ObjectId]) -> Result<(), CentralError>,
    told: &mut dyn FnMut(u64),
) -> Result<Received, CentralError> {
    let session = &mut remote.session;
    let _exchange = session.exchange("fetch");
    let version = session.handshake.server_protocol_version;
    let mut arguments = arguments(session, want);
    let mut received = None;
    let mut too_large = false;
    let mut refused = None;
    let result = (|| -> Result<(), Box<dyn Error + Send + Sync>> {
        // What is said before the pack is held in memory, and has to end.
        let bounded = session.bounded();
        let mut reader = arguments.send(&mut session.transport, true)?;
        let response = Response::from_line_reader(version, &mut reader, true, false)?;
        drop(bounded);
        let shallow: Vec<ObjectId> = response
            .shallow_updates()
            .iter()
            .filter_map(|update| match update {
                ShallowUpdate::Shallow(id) => Some(from_gix(id)),
                ShallowUpdate::Unshallow(_) => None,
            })
            .collect();
        if !response.has_pack() {
            return Err("central sent no objects".into());
        }
        let words: std::rc::Rc<std::cell::RefCell<Vec<u8>>> = Default::default();
        let sink = words.clone();
        reader.set_progress_handler(Some(Box::new(move |is_error, text: &[u8]| {
            if is_error && sink.borrow().len() < 4096 {
                sink.borrow_mut().extend_from_slice(text);
            }
            std::ops::ControlFlow::Continue(())
        })));
        on_shallow(&shallow)?;
        let stream = BufReader::new(Counted {
            inner: &mut reader,
            bytes: 0,
            told,
        });
        let came = incoming::receive(stream, area, here, remote.format, Bounds::default(), &options.interrupt)
            .map_err(|err| {
                too_large = err.is_too_large();
                refused = err.refusal();
                let words = words.borrow();
                if words.is_empty() {
                    Box::<dyn std::error::Error + Send + Sync>::from(err)
                } else {
                    crate::send_pack::printable_lines(&words).into()
                }
            })?;
        // What is left is a flush, and for some servers a last progress line.
        std::io::copy(&mut reader, &mut std::io::sink())?;
        received = Some(came);
        Ok(())
    })();
    if let Some(refused) = refused {
        // What the server says meanwhile has nothing to do with it.
        return Err(CentralError::cache(area, "written")(refused));
    }
    match (result, received) {
        (Ok(()), Some(received)) => Ok(received),
        (Ok(()), None) => unreachable!("success notes what came"),
        (Err(_), _) if too_large => Err(CentralError::TooLarge),
        (Err(err), _) => Err(match session.explain(err.as_ref()) {
            failure if failure.kind != FailureKind::Other => CentralError::Connect(failure),
            failure => CentralError::Receive(failure.message.into()),
        }),
    }
}

/// Tells how many bytes were taken from a reader.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    bytes: u64,
    told: &'a mut dyn FnMut(u64),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        (self.told)(self.bytes);
        Ok(read)
    }
}
