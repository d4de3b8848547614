//! Several callers of one process at once.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use metis_sync::{
    service::{self, Direction, SyncRequest},
    sync::{self, Progress, Step},
};

use super::two;
use crate::{
    scenarios::direct::opened,
    support::{workspace::Workspace, world::World},
};

fn request(workspace: &Workspace) -> SyncRequest {
    SyncRequest {
        cache_dir: Some(workspace.home.join(".cache")),
        ..SyncRequest::default()
    }
}

/// Counts how often central is listed, and stops at the first one until it may go on.
struct Counting<'a> {
    listings: &'a AtomicUsize,
    told: mpsc::Sender<()>,
    may_go: &'a Mutex<mpsc::Receiver<()>>,
}

impl Progress for Counting<'_> {
    fn step(&mut self, step: Step) {
        if step == Step::Listing && self.listings.fetch_add(1, Ordering::Relaxed) == 0 {
            self.told.send(()).unwrap();
            self.may_go.lock().unwrap().recv().unwrap();
        }
    }
}

/// While one syncs, nine more ask: they are served by one sync that begins after that, and see what was there when they asked.
#[test]
fn ten_calls_are_two_syncs() {
    let world = World::new();
    let (api, web) = two(&world);
    let listings = AtomicUsize::new(0);
    let (told, first_lists) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let may_go = Mutex::new(may_go);
    let call = |workspace: sync::Workspace, request: SyncRequest| {
        let mut progress = Counting {
            listings: &listings,
            told: told.clone(),
            may_go: &may_go,
        };
        service::execute(&workspace, &request, &mut progress).unwrap().report
    };
    let call = &call;
    std::thread::scope(|scope| {
        let (here, asked) = (opened(&api), request(&api));
        let first = scope.spawn(move || call(here, asked));
        first_lists.recv().unwrap();
        web.edit("WEB-T-0001", "More.");
        web.sync().report();
        let tip = world.central.tip().unwrap();
        let others: Vec<_> = (0..9)
            .map(|number| {
                let direction = [Direction::Both, Direction::Pull][usize::from(number > 0)];
                let request = SyncRequest {
                    direction,
                    ..request(&api)
                };
                let here = opened(&api);
                scope.spawn(move || call(here, request))
            })
            .collect();
        go.send(()).unwrap();
        first.join().unwrap();
        for other in others {
            let report = other.join().unwrap();
            assert_eq!(report.head.unwrap().to_string(), tip);
        }
    });
    let listings = listings.into_inner();
    // A pull that came before the one that pushes waits for itself; each further one shares.
    assert!((2..=3).contains(&listings), "{listings}");
    assert_eq!(api.hydrated("web"), web.documents());
}

/// A report is a value: shared, stored, sent.
#[test]
fn request_and_report_are_values() {
    let world = World::new();
    let (api, _web) = two(&world);
    let stored = serde_json::to_string(&request(&api)).unwrap();
    assert!(!stored.contains(".cache"), "{stored}");
    let loaded: SyncRequest = serde_json::from_str(&stored).unwrap();
    let loaded = SyncRequest {
        cache_dir: request(&api).cache_dir,
        since: world.central.tip(),
        ..loaded
    };
    let served = service::execute(&opened(&api), &loaded, &mut ()).unwrap();
    let value = serde_json::to_value(&served).unwrap();
    assert_eq!(
        (&value["outcome"], &value["changed"]),
        (&"up-to-date".into(), &serde_json::json!([]))
    );
    assert!(value["phases_completed"][0]["seconds"].is_f64(), "{value}");
    assert!(value.get("conduits").is_none());
}
