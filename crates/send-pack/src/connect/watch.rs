//! Every wait on the other side ends: by time, or because the user interrupts it.
//!
//! All reads and writes of all transports go through [`Wire`], which works on non-blocking descriptors and waits with
//! `poll(2)` in slices, so that the interrupt flag is seen within a tenth of a second.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::deadline::{Deadlines, Stop};
use super::pace::{LowSpeed, Pace};
use super::text;

const SLICE: Duration = Duration::from_millis(100);

/// Of what the other side says first, so much is kept to be shown if it is not git's protocol.
const FIRST: usize = 200;

/// Watches over one session: its deadlines, the interrupt flag, and what made it stop.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) deadlines: Deadlines,
    interrupt: Arc<AtomicBool>,
    hung_up: AtomicBool,
    stopped: Mutex<Option<Stop>>,
    pace: Mutex<Option<Pace>>,
    sent: AtomicU64,
    received: AtomicU64,
    /// The first bytes that came, up to [`FIRST`].
    first: Mutex<Vec<u8>>,
    /// How many more bytes may be received.
    allowance: AtomicU64,
}

impl Watch {
    pub(crate) fn new(deadlines: Deadlines, interrupt: Arc<AtomicBool>) -> Watch {
        Watch {
            deadlines,
            interrupt,
            hung_up: AtomicBool::new(false),
            stopped: Mutex::new(None),
            pace: Mutex::new(None),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            first: Mutex::default(),
            allowance: AtomicU64::new(u64::MAX),
        }
    }

    /// What ended the session, if it was us. The first reason stays.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Let everything that still waits on this session fail.
    pub(crate) fn hang_up(&self) {
        self.hung_up.store(true, Ordering::Relaxed);
    }

    pub(crate) fn limit_speed(&self, limit: Option<LowSpeed>) {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = limit.map(Pace::new);
    }

    /// Bytes written so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes written and read so far.
    pub(super) fn moved(&self) -> [u64; 2] {
        [self.sent(), self.received.load(Ordering::Relaxed)]
    }

    /// From now on no more than this may be received; `None` is no limit.
    pub(crate) fn allow(&self, bytes: Option<u64>) {
        self.allowance.store(bytes.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts what was received, and fails if it is more than allowed.
    pub(crate) fn received(&self, bytes: u64) -> io::Result<()> {
        self.received.fetch_add(bytes, Ordering::Relaxed);
        let left = self.allowance.load(Ordering::Relaxed);
        if left == u64::MAX {
            return Ok(());
        }
        match left.checked_sub(bytes) {
            Some(left) => {
                self.allowance.store(left, Ordering::Relaxed);
                Ok(())
            }
            None => Err(self.stop(Stop::TooMuch)),
        }
    }

    fn note_first(&self, bytes: &[u8]) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let room = FIRST - first.len();
        first.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The first line that came, fit for a terminal, where it is not how git begins: with a length in four hex digits.
    pub(crate) fn said_first(&self) -> Option<String> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let is_git = first.iter().take(4).all(u8::is_ascii_hexdigit);
        let line = first.split(|byte| *byte == b'\n').map(|line| text::line(line, 80));
        line.filter(|_| !is_git).find(|line| !line.trim().is_empty())
    }

    /// Records the interrupt flag as the reason of the end if it is set, and nothing was the reason before.
    pub(crate) fn note_interrupt(&self) {
        if self.interrupt.load(Ordering::Relaxed) {
            self.stop(Stop::Interrupted);
        }
    }

    /// Fails if the session must not go on.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.interrupt.load(Ordering::Relaxed) {
            return Err(self.stop(Stop::Interrupted));
        }
        if self.deadlines.total.is_some_and(|total| Instant::now() >= total) {
            return Err(self.stop(Stop::Total));
        }
        match self.hung_up.load(Ordering::Relaxed) {
            true => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the session is closed")),
            false => Ok(()),
        }
    }

    pub(crate) fn stop(&self, stop: Stop) -> io::Error {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(stop);
        stop.into()
    }

    /// The time to wait before looking again, `None` when `limit` is over.
    fn slice(&self, started: Instant, limit: Option<Duration>) -> Option<Duration> {
        let left = match limit {
            Some(limit) => limit.checked_sub(started.elapsed()).filter(|left| !left.is_zero())?,
            None => SLICE,
        };
        let total = self
            .deadlines
            .total
            .map_or(SLICE, |total| total.saturating_duration_since(Instant::now()));
        Some(left.min(SLICE).min(total.max(Duration::from_millis(1))))
    }

    /// Wait until `fd` is ready for `events` or has failed; false when `limit` is over.
    pub(crate) fn ready(&self, fd: BorrowedFd<'_>, events: PollFlags, limit: Duration) -> io::Result<bool> {
        let started = Instant::now();
        loop {
            self.check()?;
            let Some(slice) = self.slice(started, Some(limit)) else {
                return Ok(false);
            };
            let before = Instant::now();
            let timeout = Timespec {
                tv_sec: slice.as_secs() as _,
                tv_nsec: slice.subsec_nanos() as _,
            };
            let ready = match poll(&mut [PollFd::from_borrowed_fd(fd, events)], Some(&timeout)) {
                Ok(ready) => ready > 0,
                Err(rustix::io::Errno::INTR) => false,
                Err(err) => return Err(err.into()),
            };
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            if pace.as_mut().is_some_and(|pace| pace.waited(before.elapsed())) {
                drop(pace);
                return Err(self.stop(Stop::Slow));
            }
            if ready {
                return Ok(true);
            }
        }
    }

    /// What another thread has to say; `None` if it is gone.
    pub(crate) fn receive<T>(&self, from: &Receiver<T>, limit: Option<(Duration, Stop)>) -> io::Result<Option<T>> {
        let started = Instant::now();
        loop {
            self.check()?;
            let slice = match (self.slice(started, limit.map(|(limit, _)| limit)), limit) {
                (Some(slice), _) => slice,
                (None, Some((_, late))) => return Err(self.stop(late)),
                (None, None) => SLICE,
            };
            match from.recv_timeout(slice) {
                Ok(value) => return Ok(Some(value)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// A pipe or socket under watch. Its descriptor must not block.
#[derive(Debug)]
pub(crate) struct Wire<T> {
    pub(crate) inner: T,
    watch: Arc<Watch>,
}

impl<T: AsFd> Wire<T> {
    /// Take `inner` under watch and make it non-blocking.
    pub(crate) fn new(inner: T, watch: Arc<Watch>) -> io::Result<Wire<T>> {
        rustix::io::ioctl_fionbio(&inner, true)?;
        Ok(Wire { inner, watch })
    }

    fn retry(&mut self, events: PollFlags, mut act: impl FnMut(&mut T) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            self.watch.check()?;
            match act(&mut self.inner) {
                Ok(moved) => {
                    if let Some(pace) = self.watch.pace.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                        pace.moved(moved);
                    }
                    return Ok(moved);
                }
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {
                    let idle = self.watch.deadlines.idle;
                    if !self.watch.ready(self.inner.as_fd(), events, idle)? {
                        return Err(self.watch.stop(Stop::Idle(idle)));
                    }
                }
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
    }
}

impl<T: Read + AsFd> Read for Wire<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.retry(PollFlags::IN, |inner| inner.read(buf))?;
        self.watch.note_first(&buf[..read]);
        self.watch.received(read as u64)?;
        Ok(read)
    }
}

impl<T: Write + AsFd> Write for Wire<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.retry(PollFlags::OUT, |inner| inner.write(buf))?;
        self.watch.sent.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
