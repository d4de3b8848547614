//! The process's standard streams, for the protocol alone.

use std::{
    collections::HashSet,
    future::Future,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::{
    RoleServer,
    model::{ClientNotification, ClientRequest, GetMeta, JsonRpcMessage, ProtocolVersion, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{Transport, async_rw::AsyncRwTransport},
};
use tokio::{fs::File, sync::Notify};

/// Takes standard input and output away from everything else in this process and from whatever it starts: reading there gives
/// nothing, and what is printed goes to standard error.
pub fn take() -> io::Result<(File, File)> {
    let input = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    // The one use that is no printing.
    #[allow(clippy::disallowed_methods)]
    let output = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    #[allow(clippy::disallowed_methods)]
    rustix::stdio::dup2_stdout(io::stderr())?;
    let file = |fd| File::from_std(std::fs::File::from(fd));
    Ok((file(input), file(output)))
}

/// A transport whose input ends only when everything that was asked is answered: the service takes its end for its own.
pub struct Answering {
    inner: AsyncRwTransport<RoleServer, File, File>,
    open: Arc<Open>,
    /// Whether a client has said which era it speaks. Until then nothing but requests means anything, and the service would end with
    /// whatever else it gets.
    begun: bool,
    ended: bool,
}

/// Requests without an answer.
#[derive(Default)]
struct Open {
    ids: Mutex<HashSet<RequestId>>,
    fewer: Notify,
}

impl Answering {
    pub fn new((input, output): (File, File)) -> Self {
        Answering {
            inner: AsyncRwTransport::new(input, output),
            open: Arc::default(),
            begun: false,
            ended: false,
        }
    }
}

/// Whether the service takes this one for a client's first request that counts.
fn begins(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            let is_whole = meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty();
            let version = meta.protocol_version().filter(|_| is_whole);
            version.is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version))
        }
    }
}

impl Open {
    fn ids(&self) -> MutexGuard<'_, HashSet<RequestId>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, id: Option<&RequestId>) {
        if id.is_some_and(|id| self.ids().remove(id)) {
            self.fewer.notify_one();
        }
    }
}

impl Transport<RoleServer> for Answering {
    type Error = io::Error;

    fn send(&mut self, item: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let answered = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        let open = Arc::clone(&self.open);
        let sent = self.inner.send(item);
        async move {
            let sent = sent.await;
            open.close(answered.as_ref());
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        while !self.ended {
            match self.inner.receive().await {
                Some(message) => {
                    match &message {
                        JsonRpcMessage::Request(request) => {
                            self.begun = self.begun || begins(&request.request);
                            self.open.ids().insert(request.id.clone());
                        }
                        _ if !self.begun => continue,
                        // What was cancelled gets no answer.
                        JsonRpcMessage::Notification(notification) => {
                            if let ClientNotification::CancelledNotification(cancelled) = &notification.notification {
                                self.open.close(cancelled.params.request_id.as_ref());
                            }
                        }
                        _ => {}
                    }
                    return Some(message);
                }
                None => self.ended = true,
            }
        }
        while !self.open.ids().is_empty() {
            self.open.fewer.notified().await;
        }
        None
    }

    async fn close(&mut self) -> io::Result<()> {
        self.inner.close().await
    }
}
