//! Requests that leave in one piece.

use std::io::{self, Write};

use gix_transport::Service;

/// More than that is not held back.
const ROOM: usize = 8 << 10;

/// Holds back what is written until it is flushed, as gix does before it waits for an answer: it writes the length, the text
/// and the end of each line by themselves, and a server would be woken for each.
///
/// Nothing is sent when it is dropped: a request that was given up half-way must not be completed.
#[derive(Debug)]
pub(crate) struct Gathered<W> {
    inner: W,
    held: Vec<u8>,
    room: usize,
}

impl<W: Write> Gathered<W> {
    /// For requests to `service`. Pushes are passed on as they come: whoever sends one gathers it, and has to know what of it
    /// has left.
    pub(crate) fn new(inner: W, service: Service) -> Self {
        let room = match service {
            Service::UploadPack => ROOM,
            Service::ReceivePack => 0,
        };
        let held = Vec::new();
        Gathered { inner, held, room }
    }

    fn send(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        self.inner.write_all(&held)
    }
}

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.held.len() + buf.len() > self.room {
            self.send()?;
        }
        if buf.len() > self.room {
            return self.inner.write(buf);
        }
        self.held.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()?;
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces that were written.
    #[derive(Default)]
    struct Pieces(Vec<Vec<u8>>);

    impl Write for Pieces {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.0.push(buf.to_vec());
            Ok(buf.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(service: Service, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let mut gathered = Gathered::new(Pieces::default(), service);
        for piece in pieces {
            gathered.write_all(piece).expect("nothing fails");
        }
        let before = gathered.inner.0.clone();
        gathered.flush().expect("nothing fails");
        (before, gathered.inner.0)
    }

    #[test]
    fn a_request_leaves_in_one_piece_when_it_is_flushed() {
        let (before, after) = written(Service::UploadPack, &[b"0014", b"command=ls-refs", b"\n", b"0000"]);
        assert!(before.is_empty());
        assert_eq!(after, [b"0014command=ls-refs\n0000"]);
    }

    #[test]
    fn what_is_large_is_passed_on_in_order() {
        let large = vec![b'x'; ROOM + 1];
        let (before, after) = written(Service::UploadPack, &[b"a", &large, b"b"]);
        assert_eq!(before, [b"a".to_vec(), large.clone()]);
        assert_eq!(after, [b"a".to_vec(), large, b"b".to_vec()]);
    }

    #[test]
    fn pushes_are_passed_on_as_they_come() {
        let (before, _) = written(Service::ReceivePack, &[b"00", b"14"]);
        assert_eq!(before, [b"00", b"14"]);
    }
}
