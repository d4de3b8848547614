//! Connections to a served board of whoever has not shown that they know where it is.

use std::{
    collections::VecDeque,
    io,
    net::{Shutdown, TcpStream},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::serve::CONNECTIONS;

/// Connections that have not shown the page's name, with a number each.
#[derive(Default)]
pub(super) struct Strangers {
    all: Mutex<VecDeque<(u64, TcpStream)>>,
    numbers: AtomicU64,
}

impl Strangers {
    /// Takes in one more, and lets the oldest go where there are too many: whoever has something to ask does so at once.
    pub(super) fn admit(&self, stream: &TcpStream) -> io::Result<u64> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CONNECTIONS
            && let Some((_, oldest)) = all.pop_front()
        {
            let _ = oldest.shutdown(Shutdown::Both);
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        all.push_back((number, stream.try_clone()?));
        Ok(number)
    }

    /// Forgets one.
    pub(super) fn leave(&self, number: u64) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(it, _)| *it != number);
    }
}
