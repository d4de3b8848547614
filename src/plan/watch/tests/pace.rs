use super::{
    super::{
        Failure, Next, Pace, Way,
        pace::{AWAY, SURVEY},
    },
    *,
};

/// One that has synced what it found.
fn settled(settings: Settings) -> Pace {
    let mut pace = Pace::new(settings);
    assert_eq!(pace.next(at(0.0)), Next::Survey);
    pace.surveyed(at(0.0), found(1));
    assert_eq!(pace.next(at(0.0)), Next::Sync(Way::Both));
    pace.begun();
    pace.succeeded(Way::Both, Some(1));
    assert_eq!(pace.next(at(1.0)), Next::Wait(SURVEY));
    pace
}

#[test]
fn an_edit_is_pushed_once_it_is_at_rest() {
    let mut pace = settled(SETTINGS);
    pace.event(at(20.0));
    pace.event(at(20.2));
    assert_eq!(pace.next(at(20.3)), Next::Wait(at(20.6)));
    assert_eq!(pace.next(at(20.6)), Next::Survey);
    pace.surveyed(at(20.6), found(2));
    assert_eq!(pace.next(at(20.6)), Next::Wait(at(30.6)));
    pace.event(at(25.0));
    pace.surveyed(at(25.4), found(3));
    assert_eq!(pace.next(at(30.6)), Next::Wait(at(35.4)));
    assert_eq!(pace.next(at(35.4)), Next::Sync(Way::Both));
    pace.begun();
    pace.event(at(35.5));
    assert_eq!(pace.next(at(35.6)), Next::Wait(at(35.9)));
    pace.surveyed(at(35.9), found(4));
    pace.succeeded(Way::Both, Some(3));
    assert_eq!(
        pace.next(at(36.0)),
        Next::Wait(at(45.9)),
        "what changed during the sync"
    );
}

#[test]
fn an_event_without_a_change_is_no_sync() {
    let mut pace = settled(SETTINGS);
    pace.event(at(20.0));
    pace.surveyed(at(20.4), found(1));
    assert_eq!(pace.next(at(60.0)), Next::Wait(at(20.4) + SURVEY));
    // There and back again.
    pace.surveyed(at(61.0), found(2));
    pace.surveyed(at(62.0), found(1));
    assert_eq!(pace.next(at(100.0)), Next::Wait(at(62.0) + SURVEY));
}

/// Somebody who writes without a pause, an hour long: a push a minute, and surveys in between.
#[test]
fn who_never_pauses_is_pushed_every_minute() {
    let mut pace = settled(SETTINGS);
    let (mut now, mut print, mut surveys) = (at(20.0), 1, 0);
    let mut syncs = Vec::new();
    while now < at(20.0 + 3600.0) {
        pace.event(now);
        match pace.next(now) {
            Next::Survey => {
                surveys += 1;
                print += 1;
                pace.surveyed(now, found(print));
            }
            Next::Sync(way) => {
                syncs.push((now, way));
                pace.begun();
                pace.succeeded(way, Some(print));
            }
            Next::Wait(_) => now += at(0.3),
        }
    }
    assert!(syncs[0].0 <= at(81.0), "{syncs:?}");
    assert!((55..=70).contains(&syncs.len()), "{syncs:?}");
    assert!(syncs.iter().all(|(_, way)| *way == Way::Both));
    assert!(surveys < 800, "{surveys}");
}

#[test]
fn central_moved_while_own_documents_are_not_at_rest() {
    let mut pace = settled(SETTINGS);
    pace.event(at(20.0));
    pace.surveyed(at(20.4), found(2));
    pace.central_moved();
    assert_eq!(pace.next(at(21.0)), Next::Sync(Way::Pull));
    pace.begun();
    pace.succeeded(Way::Pull, Some(2));
    assert_eq!(pace.next(at(22.0)), Next::Wait(at(30.4)));
    assert_eq!(pace.next(at(30.4)), Next::Sync(Way::Both));
}

#[test]
fn nothing_is_pushed_in_the_middle_of_a_rebase() {
    let unfinished = Found {
        is_unfinished: true,
        ..found(2)
    };
    let mut pace = settled(SETTINGS);
    pace.surveyed(at(20.0), unfinished);
    assert_eq!(pace.next(at(200.0)), Next::Wait(at(20.0) + SURVEY));
    pace.central_moved();
    assert_eq!(pace.next(at(200.0)), Next::Sync(Way::Pull));
    pace.begun();
    pace.succeeded(Way::Pull, Some(2));
    pace.surveyed(at(210.0), found(2));
    assert_eq!(pace.next(at(220.0)), Next::Sync(Way::Both));
}

#[test]
fn while_git_holds_its_index_files_are_looked_at_every_second() {
    let held = Found {
        is_held: true,
        ..found(2)
    };
    let mut pace = settled(SETTINGS);
    pace.surveyed(at(20.0), held);
    assert_eq!(pace.next(at(20.5)), Next::Wait(at(21.0)));
    assert_eq!(pace.next(at(21.0)), Next::Survey);
    pace.surveyed(at(31.0), found(2));
    assert_eq!(pace.next(at(31.0)), Next::Sync(Way::Both));
}

#[test]
fn nothing_is_pushed_where_that_is_not_wanted() {
    let pulls = Settings {
        push: false,
        ..SETTINGS
    };
    let mut pace = Pace::new(pulls);
    pace.surveyed(at(0.0), found(1));
    assert_eq!(pace.next(at(0.0)), Next::Sync(Way::Pull));
    pace.begun();
    pace.succeeded(Way::Pull, Some(1));
    pace.surveyed(at(20.0), found(2));
    assert_eq!(pace.next(at(100.0)), Next::Wait(at(20.0) + SURVEY));
    pace.set(SETTINGS);
    assert_eq!(pace.next(at(100.0)), Next::Sync(Way::Both), "now it is");
}

#[test]
fn a_failure_is_waited_out() {
    let mut pace = settled(SETTINGS);
    pace.surveyed(at(20.0), found(2));
    pace.begun();
    pace.failed(at(31.0), Failure::Network, Some(2));
    assert_eq!(pace.next(at(31.0)), Next::Wait(at(46.0)));
    pace.begun();
    pace.failed(at(46.0), Failure::Network, Some(2));
    assert_eq!(pace.next(at(46.0)), Next::Wait(at(76.0)));
    assert_eq!(pace.backs_off_until(), Some(at(76.0)));
    let mut asleep = pace.clone();
    asleep.woke();
    assert_eq!(asleep.next(at(47.0)), Next::Survey);
    asleep.surveyed(at(47.0), found(2));
    assert_eq!(asleep.next(at(47.0)), Next::Sync(Way::Both), "the network may be back");
    pace.central_is_back();
    assert_eq!(pace.next(at(47.0)), Next::Sync(Way::Both));
    pace.begun();
    pace.failed(at(48.0), Failure::Auth, Some(2));
    pace.central_is_back();
    assert_eq!(pace.next(at(48.0)), Next::Wait(at(20.0) + SURVEY));
    pace.is_mended();
    assert_eq!(pace.next(at(48.0)), Next::Sync(Way::Both));
}

#[test]
fn a_refused_push_holds_back_nothing_but_itself() {
    let mut pace = settled(SETTINGS);
    pace.surveyed(at(20.0), found(2));
    pace.central_moved();
    pace.begun();
    pace.failed(at(31.0), Failure::Refused, Some(2));
    let survey = Next::Wait(at(20.0) + SURVEY);
    assert_eq!(pace.next(at(31.0)), survey);
    pace.central_moved();
    assert_eq!(pace.next(at(40.0)), Next::Sync(Way::Pull));
    pace.begun();
    pace.succeeded(Way::Pull, Some(2));
    assert_eq!(pace.next(at(41.0)), survey, "the same is not pushed again so soon");
    assert_eq!(pace.backs_off_until(), Some(at(331.0)));
    let mut edited = pace.clone();
    edited.surveyed(at(50.0), found(3));
    assert_eq!(edited.next(at(60.0)), Next::Sync(Way::Both));
    pace.surveyed(at(320.0), found(2));
    assert_eq!(
        pace.next(at(331.0)),
        Next::Sync(Way::Both),
        "central's rules may be others"
    );
}

#[test]
fn a_guards_stop_waits_for_a_change() {
    let stopped = || {
        let mut pace = settled(SETTINGS);
        pace.surveyed(at(20.0), found(2));
        pace.begun();
        pace.failed(at(31.0), Failure::Guard, Some(2));
        pace
    };
    let mut pace = stopped();
    let mut surveys = 0;
    let mut now = at(31.0);
    // Half an hour in which nothing happens.
    while now < at(31.0 + 1_790.0) {
        match pace.next(now) {
            Next::Survey => {
                surveys += 1;
                pace.surveyed(now, found(2));
            }
            Next::Wait(until) => now = until,
            Next::Sync(way) => panic!("{way:?} at {now:?}"),
        }
    }
    assert!((5..=7).contains(&surveys), "{surveys}");

    let mut pace = stopped();
    pace.surveyed(at(60.0), found(3));
    assert_eq!(pace.next(at(70.0)), Next::Sync(Way::Both));
    let mut pace = stopped();
    pace.central_moved();
    assert_eq!(pace.next(at(61.0)), Next::Sync(Way::Both));
    let mut pace = stopped();
    pace.woke();
    pace.surveyed(at(60.0), found(2));
    assert_eq!(pace.next(at(70.0)), Next::Wait(at(60.0) + SURVEY), "sleep is no change");
}

#[test]
fn without_a_pause_to_wait_for_it_takes_milliseconds() {
    let mut pace = settled(Settings {
        settle: Duration::ZERO,
        ..SETTINGS
    });
    pace.event(at(20.0));
    assert_eq!(pace.next(at(20.01)), Next::Survey);
    pace.surveyed(at(20.01), found(2));
    assert_eq!(pace.next(at(20.01)), Next::Sync(Way::Both));
}

#[test]
fn a_workspace_that_is_away_is_looked_for() {
    let mut pace = settled(SETTINGS);
    pace.begun();
    pace.is_away(at(20.0), true);
    assert_eq!(pace.next(at(20.0)), Next::Survey);
    pace.is_away(at(20.0), false);
    // Events and centrals are nothing to it until then.
    pace.event(at(21.0));
    pace.central_moved();
    assert_eq!(pace.next(at(29.0)), Next::Wait(at(20.0) + AWAY));
    assert_eq!(pace.next(at(30.0)), Next::Survey);
    pace.is_back(SETTINGS);
    assert_eq!(pace.next(at(30.0)), Next::Survey);
    pace.surveyed(at(30.0), found(1));
    assert_eq!(
        pace.next(at(30.0)),
        Next::Wait(at(30.0) + SURVEY),
        "the sync still runs"
    );
    pace.succeeded(Way::Pull, None);
    assert_eq!(pace.next(at(30.0)), Next::Sync(Way::Both));
}
