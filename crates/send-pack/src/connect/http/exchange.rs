//! One POST: what is written to it, and the answer.
//!
//! As git does, what fits into `http.postBuffer` is collected and sent with its length, which every server and proxy
//! understands; more is streamed in chunks, in constant memory, by a thread. A collected request is sent when the
//! answer is first asked for, so an upload that is given up half-way is never sent at all.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use ureq::http::{HeaderName, HeaderValue};
use ureq::{AsSendBody, SendBody};

use super::super::errors::HttpReport;
use super::super::watch::Watch;
use super::agent::Line;
use super::answer::{Answer, accepted};

/// Size of what goes from the writer to the thread at once, and how many of them may wait.
const CHUNK: usize = 64 << 10;
const CHUNKS: usize = 4;

/// A POST that knows everything but its body.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) line: Line,
    pub(super) report: Arc<HttpReport>,
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Sender {
    fn send(&self, body: &[u8]) -> io::Result<Answer> {
        self.answer(body)
    }

    fn send_stream(&self, body: Upload) -> io::Result<Answer> {
        self.answer(SendBody::from_owned_reader(body))
    }

    fn answer(&self, body: impl AsSendBody) -> io::Result<Answer> {
        let response = self.line.call(&self.report, "POST", &self.url, &self.headers, body)?;
        accepted(response, &self.headers, &self.report, &self.line.watch)
    }
}

enum State {
    /// The request is being written into memory.
    Collecting(Vec<u8>),
    /// A thread sends what comes through the channel; `None` when the writer is done.
    Streaming {
        chunks: Option<SyncSender<Vec<u8>>>,
        pending: Vec<u8>,
        answer: Receiver<io::Result<Answer>>,
    },
    Answered(Box<dyn BufRead + Send>),
    Over,
}

/// One exchange, shared by the three ends that gix wants of it.
#[derive(Clone)]
pub(super) struct Exchange {
    state: Arc<Mutex<State>>,
    sender: Sender,
    watch: Arc<Watch>,
    /// The most to collect, in bytes.
    limit: usize,
}

impl Exchange {
    pub(super) fn new(sender: Sender, watch: Arc<Watch>, limit: usize) -> Exchange {
        Exchange {
            state: Arc::new(Mutex::new(State::Collecting(Vec::new()))),
            sender,
            watch,
            limit,
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Collecting(collected) if collected.len() + bytes.len() <= self.limit => {
                collected.extend_from_slice(bytes);
                Ok(())
            }
            State::Collecting(collected) => {
                let mut pending = std::mem::take(collected);
                pending.extend_from_slice(bytes);
                *state = self.stream(pending)?;
                Ok(())
            }
            State::Streaming {
                chunks,
                pending,
                answer,
            } => {
                pending.extend_from_slice(bytes);
                if pending.len() < CHUNK {
                    return Ok(());
                }
                let sent = chunks.as_ref().map(|chunks| chunks.send(std::mem::take(pending)));
                if let Some(Ok(())) = sent {
                    return Ok(());
                }
                // The thread has ended early; why, is worth more than that it has.
                Err(match self.watch.receive(answer, None)? {
                    Some(Err(err)) => err,
                    _ => closed(),
                })
            }
            State::Answered(_) | State::Over => Err(closed()),
        }
    }

    fn stream(&self, pending: Vec<u8>) -> io::Result<State> {
        let (chunks, receiver) = sync_channel(CHUNKS);
        let (answered, answer) = sync_channel(1);
        let (sender, watch) = (self.sender.clone(), self.watch.clone());
        let span = tracing::Span::current();
        std::thread::Builder::new().name("upload".into()).spawn(move || {
            let body = Upload {
                chunks: receiver,
                current: Cursor::default(),
                watch,
            };
            answered.send(span.in_scope(|| sender.send_stream(body))).ok();
        })?;
        Ok(State::Streaming {
            chunks: Some(chunks),
            pending,
            answer,
        })
    }

    /// No more will be written.
    fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Streaming { chunks, pending, .. } = &mut *state
            && let Some(chunks) = chunks.take()
            && !pending.is_empty()
        {
            // If the thread has ended, the answer says why.
            chunks.send(std::mem::take(pending)).ok();
        }
    }

    /// Send what is still to be sent and wait for the head of the answer.
    fn answer(&self) -> io::Result<Vec<u8>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match std::mem::replace(&mut *state, State::Over) {
            State::Collecting(collected) => self.sender.send(&collected)?,
            State::Streaming {
                chunks: None, answer, ..
            } => self.watch.receive(&answer, None)?.ok_or_else(closed)??,
            State::Streaming { chunks: Some(_), .. } => return Err(io::Error::other("the request is not finished")),
            other => {
                *state = other;
                return Ok(Vec::new());
            }
        };
        *state = State::Answered(Box::new(BufReader::with_capacity(16 << 10, answer.body)));
        Ok(answer.headers)
    }

    fn body(&self) -> io::Result<Box<dyn BufRead + Send>> {
        self.answer()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Over) {
            State::Answered(body) => Ok(body),
            _ => Err(closed()),
        }
    }
}

fn closed() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

/// What the request is written to; dropping it ends the request.
pub(super) struct Request(pub(super) Exchange);

impl Write for Request {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf).map(|()| buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// The head of the answer, line by line.
pub(super) enum Headers {
    Known(Cursor<Vec<u8>>),
    /// Of a request that is not sent before they are asked for.
    Awaited(Exchange),
    /// Of a request that failed; gix asks for credentials if it sees the error here, and only here.
    Failed(Option<io::Error>),
}

impl Headers {
    fn cursor(&mut self) -> io::Result<&mut Cursor<Vec<u8>>> {
        match self {
            Headers::Known(_) => {}
            Headers::Awaited(exchange) => *self = Headers::Known(Cursor::new(exchange.answer()?)),
            Headers::Failed(err) => return Err(err.take().unwrap_or_else(closed)),
        }
        match self {
            Headers::Known(cursor) => Ok(cursor),
            _ => Err(closed()),
        }
    }
}

/// The body of the answer.
pub(super) enum Body {
    Known(Box<dyn BufRead + Send>),
    Awaited(Exchange),
    None,
}

impl Body {
    fn reader(&mut self) -> io::Result<&mut (dyn BufRead + Send)> {
        match self {
            Body::Known(_) => {}
            Body::Awaited(exchange) => *self = Body::Known(exchange.body()?),
            Body::None => *self = Body::Known(Box::new(io::empty())),
        }
        match self {
            Body::Known(reader) => Ok(reader),
            _ => Err(closed()),
        }
    }
}

macro_rules! buffered {
    ($type:ty, $reader:ident) => {
        impl Read for $type {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.$reader()?.read(buf)
            }
        }

        impl BufRead for $type {
            fn fill_buf(&mut self) -> io::Result<&[u8]> {
                self.$reader()?.fill_buf()
            }

            fn consume(&mut self, amount: usize) {
                if let Ok(reader) = self.$reader() {
                    reader.consume(amount);
                }
            }
        }
    };
}

buffered!(Headers, cursor);
buffered!(Body, reader);

/// The request body as the sending thread reads it.
pub(super) struct Upload {
    chunks: Receiver<Vec<u8>>,
    current: Cursor<Vec<u8>>,
    watch: Arc<Watch>,
}

impl Read for Upload {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.current.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            // However long the writer computes, it is not the other side that is silent.
            match self.watch.receive(&self.chunks, None)? {
                Some(chunk) => self.current = Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}
