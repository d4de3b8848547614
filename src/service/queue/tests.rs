use std::sync::{
    atomic::{AtomicBool, AtomicUsize},
    mpsc,
};

use super::*;
use crate::service::Direction;

/// A workspace of its own for each test: the table is the process's.
fn place() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn with_retries(retries: u32) -> Outcome {
    Ok(SyncReport {
        retries,
        ..SyncReport::default()
    })
}

/// Until `state` holds of the workspace.
fn until(place: &Path, state: impl Fn(&Place) -> bool) {
    let place = place.canonicalize().unwrap();
    while !table().get(&place).is_some_and(&state) {
        std::thread::yield_now();
    }
}

#[test]
fn one_syncs_one_waits_and_the_others_share_what_it_brings() {
    let place = place();
    let place = place.path();
    let syncs = AtomicUsize::new(0);
    let counted = &syncs;
    let (go, may_go) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let first = scope.spawn(move || {
            run(place, &SyncRequest::default(), || {
                may_go.recv().unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                with_retries(1)
            })
        });
        until(place, |here| here.running.is_some());
        let call = |request: SyncRequest, retries| {
            scope.spawn(move || {
                run(place, &request, || {
                    counted.fetch_add(1, Ordering::Relaxed);
                    with_retries(retries)
                })
            })
        };
        let waiting = call(SyncRequest::default(), 2);
        until(place, |here| here.waiting.is_some());
        let pull = || SyncRequest {
            direction: Direction::Pull,
            ..SyncRequest::default()
        };
        let shares: Vec<_> = (0..8).map(|_| call(pull(), 3)).collect();
        let ticket = table()[&place.canonicalize().unwrap()].waiting.clone().unwrap();
        // The table, the waiting call, this test, and everybody who shares.
        while Arc::strong_count(&ticket) < 3 + shares.len() {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        assert_eq!(first.join().unwrap().unwrap().retries, 1);
        assert_eq!(waiting.join().unwrap().unwrap().retries, 2);
        for share in shares {
            assert_eq!(share.join().unwrap().unwrap().retries, 2);
        }
    });
    assert_eq!(syncs.into_inner(), 2);
    assert!(!table().contains_key(&place.canonicalize().unwrap()));
}

#[test]
fn what_is_not_covered_has_its_own_turn() {
    let place = place();
    let place = place.path();
    let (go, may_go) = mpsc::channel::<()>();
    let told = &mpsc::channel::<&str>();
    std::thread::scope(|scope| {
        let sender = told.0.clone();
        scope.spawn(move || {
            run(place, &SyncRequest::default(), || {
                may_go.recv().unwrap();
                sender.send("first").unwrap();
                with_retries(0)
            })
        });
        until(place, |here| here.running.is_some());
        for (name, force) in [("plain", false), ("forced", true)] {
            let sender = told.0.clone();
            let request = SyncRequest {
                force,
                ..SyncRequest::default()
            };
            scope.spawn(move || {
                run(place, &request, || {
                    sender.send(name).unwrap();
                    with_retries(0)
                })
            });
            until(place, |here| here.waiting.is_some());
        }
        go.send(()).unwrap();
    });
    let mut order: Vec<&str> = told.1.try_iter().collect();
    assert_eq!(order.remove(0), "first");
    order.sort_unstable();
    assert_eq!(order, ["forced", "plain"]);
}

#[test]
fn patience_and_wanting_it_have_an_end() {
    let place = place();
    let place = place.path();
    let (go, may_go) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            run(place, &SyncRequest::default(), || {
                may_go.recv().unwrap();
                with_retries(0)
            })
        });
        until(place, |here| here.running.is_some());
        let hasty = SyncRequest {
            lock_wait: Duration::ZERO,
            ..SyncRequest::default()
        };
        let err = run(place, &hasty, || unreachable!()).unwrap_err();
        assert!(matches!(&*err.kind, SyncErrorKind::Locked { holder } if holder.raw().contains("in this process")));
        let unwanted = SyncRequest {
            interrupt: Arc::new(AtomicBool::new(true)),
            ..SyncRequest::default()
        };
        let err = run(place, &unwanted, || unreachable!()).unwrap_err();
        assert!(err.kind.is_interruption());
        until(place, |here| here.waiting.is_none());
        go.send(()).unwrap();
    });
}

#[test]
fn an_interruption_is_its_own_callers_and_a_panic_hands_the_turn_on() {
    let place = place();
    let place = place.path();
    let (go, may_go) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let panics = scope.spawn(move || {
            run(place, &SyncRequest::default(), || {
                may_go.recv().unwrap();
                panic!("of this test")
            })
        });
        until(place, |here| here.running.is_some());
        let interrupted = scope.spawn(|| {
            run(
                place,
                &SyncRequest::default(),
                || Err(SyncErrorKind::Interrupted.into()),
            )
        });
        until(place, |here| here.waiting.is_some());
        let shares = scope.spawn(|| run(place, &SyncRequest::default(), || with_retries(7)));
        let ticket = table()[&place.canonicalize().unwrap()].waiting.clone().unwrap();
        while Arc::strong_count(&ticket) < 4 {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        assert!(panics.join().is_err());
        assert!(interrupted.join().unwrap().unwrap_err().kind.is_interruption());
        assert_eq!(shares.join().unwrap().unwrap().retries, 7);
    });
}
