//! What takes time, each on a thread of its own. Whoever waits is woken when one is done.

use std::{
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    panic::{self, AssertUnwindSafe},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

/// How many run at once.
const AT_ONCE: usize = 4;

/// Jobs that run, each of which ends with a `T`.
pub struct Jobs<T> {
    running: usize,
    sender: Sender<T>,
    receiver: Receiver<T>,
    /// A byte in it wakes.
    waking: UnixStream,
    woken: UnixStream,
}

impl<T: Send + 'static> Jobs<T> {
    /// With none yet.
    pub fn new() -> io::Result<Self> {
        let (waking, woken) = UnixStream::pair()?;
        for end in [&waking, &woken] {
            end.set_nonblocking(true)?;
        }
        let (sender, receiver) = mpsc::channel();
        Ok(Jobs {
            running: 0,
            sender,
            receiver,
            waking,
            woken,
        })
    }

    /// Whether another one has to wait.
    pub fn is_full(&self) -> bool {
        self.running >= AT_ONCE
    }

    /// Whether none runs.
    pub fn is_idle(&self) -> bool {
        self.running == 0
    }

    /// Starts one. If it panics it ends with what `broken` gives.
    pub fn start(&mut self, work: impl FnOnce() -> T + Send + 'static, broken: impl FnOnce() -> T + Send + 'static) {
        self.running += 1;
        let (sender, waking) = (self.sender.clone(), self.waking.try_clone());
        thread::spawn(move || {
            let done = panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| broken());
            // Nobody may be left to hear it.
            let _ = sender.send(done);
            // A full socket wakes as well.
            let _ = waking.and_then(|mut waking| waking.write(&[1]));
        });
    }

    /// What one that is done ended with.
    pub fn done(&mut self) -> Option<T> {
        let done = self.receiver.try_recv().ok()?;
        self.running -= 1;
        Some(done)
    }

    /// Waits until all are done, or for so long.
    pub fn finish(&mut self, wait: Duration) {
        let end = Instant::now() + wait;
        while self.running > 0
            && self
                .receiver
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .is_ok()
        {
            self.running -= 1;
        }
    }

    /// To wait on.
    pub fn woken(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }

    /// Forgets that it was woken.
    pub fn calm(&self) {
        while (&self.woken).read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    #[test]
    fn one_that_is_done_wakes_and_one_that_panics_is_done_too() {
        let mut jobs = Jobs::new().unwrap();
        jobs.start(|| 1, || 0);
        jobs.start(|| panic!("of this test"), || 2);
        let mut ends = Vec::new();
        while !jobs.is_idle() {
            poll(&mut [PollFd::new(&jobs.woken(), PollFlags::IN)], None).unwrap();
            jobs.calm();
            ends.extend(std::iter::from_fn(|| jobs.done()));
        }
        ends.sort_unstable();
        assert_eq!(ends, [1, 2]);
        for _ in 0..AT_ONCE {
            assert!(!jobs.is_full());
            jobs.start(|| 3, || 0);
        }
        assert!(jobs.is_full());
        jobs.finish(Duration::from_secs(60));
        assert!(jobs.is_idle());
    }
}
