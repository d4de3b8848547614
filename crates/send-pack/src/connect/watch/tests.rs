use super::*;
use std::os::unix::net::UnixStream;

fn wires(deadlines: Deadlines) -> (Wire<UnixStream>, UnixStream, Arc<Watch>, Arc<AtomicBool>) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let interrupt = Arc::new(AtomicBool::new(false));
    let watch = Arc::new(Watch::new(deadlines, interrupt.clone()));
    (
        Wire::new(ours, watch.clone()).expect("non-blocking"),
        theirs,
        watch,
        interrupt,
    )
}

#[test]
fn silence_ends_a_read_and_a_full_pipe_ends_a_write() {
    let idle = Duration::from_millis(30);
    let (mut wire, _theirs, watch, _) = wires(Deadlines {
        idle,
        ..Deadlines::default()
    });
    assert_eq!(
        wire.read(&mut [0]).expect_err("silence").kind(),
        io::ErrorKind::TimedOut
    );
    let stuck = wire.write_all(&vec![0; 16 << 20]).expect_err("nobody reads");
    assert_eq!(
        (stuck.kind(), watch.stopped()),
        (io::ErrorKind::TimedOut, Some(Stop::Idle(idle)))
    );
}

#[test]
fn dripping_ends_at_the_total_deadline() {
    let total = Some(Instant::now() + Duration::from_millis(60));
    let (mut wire, mut theirs, watch, _) = wires(Deadlines {
        total,
        ..Deadlines::default()
    });
    let drip = std::thread::spawn(move || {
        while theirs.write_all(b".").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let read = io::copy(&mut wire, &mut io::sink());
    assert!(read.is_err_and(|err| err.kind() == io::ErrorKind::TimedOut));
    assert_eq!(watch.stopped(), Some(Stop::Total));
    drop(wire);
    drip.join().expect("ends when nobody listens");
}

#[test]
fn an_interrupt_is_seen_while_waiting_and_is_not_retried() {
    let (mut wire, _theirs, watch, interrupt) = wires(Deadlines::default());
    let flag = std::thread::spawn(move || interrupt.store(true, Ordering::Relaxed));
    let read = wire.read_exact(&mut [0]).expect_err("interrupted");
    assert_ne!(read.kind(), io::ErrorKind::Interrupted);
    assert_eq!(watch.stopped(), Some(Stop::Interrupted));
    flag.join().expect("sets a flag");
}
