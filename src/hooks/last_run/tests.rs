use std::time::Duration;

use super::*;

#[test]
fn a_failure_is_told_once() {
    let dot_metis = tempfile::tempdir().unwrap();
    let state = StateDir::create(dot_metis.path()).unwrap();
    let load = || LastRun::load(&state, Note::Syncing);
    assert_eq!(load(), None);
    let then = Timestamp::UNIX_EPOCH;
    let mut run = LastRun::new("pre-push", Ended::Failed, "cannot reach x", then);
    run.store(&state, Note::Syncing).unwrap();
    let now = Timestamp::from_second(150).unwrap();
    assert_eq!(
        load().unwrap().untold(now).unwrap(),
        "the sync in the background after the last pre-push failed 2 min ago: cannot reach x"
    );
    run.told = true;
    run.store(&state, Note::Syncing).unwrap();
    assert_eq!(load().unwrap().untold(now), None);
    let fine = LastRun::new("pre-push", Ended::Synced, "", then);
    assert_eq!(fine.untold(now), None);
}

#[test]
fn one_that_was_killed_did_not_finish() {
    let then = Timestamp::UNIX_EPOCH;
    let begun = LastRun::begun("pre-push", Duration::from_secs(60), None, then);
    let here = process::place();
    let standing = |place: &str, second, runs| {
        let now = Timestamp::from_second(second).unwrap();
        begun.clone().standing(place, now, &|_| runs).ended
    };
    assert_eq!(
        standing(&here, 1000, true),
        Ended::Begun,
        "it hangs, which is not for us to say"
    );
    assert_eq!(standing(&here, 1, false), Ended::Unfinished);
    assert_eq!(standing("another container", 30, false), Ended::Begun);
    assert_eq!(standing("another container", 61, true), Ended::Unfinished);
    let ended = LastRun::new("pre-push", Ended::Synced, "", then);
    assert_eq!(ended.clone().standing("", then, &|_| false), ended);

    let told = begun.standing(&here, then, &|_| false).untold(then).unwrap();
    assert!(
        told.ends_with("pre-push did not finish (begun just now): its process was ended before the sync was"),
        "{told}"
    );
    let for_ever = LastRun::begun("pre-push", Duration::MAX, None, then);
    assert_eq!(for_ever.standing("elsewhere", then, &|_| false).ended, Ended::Begun);
}

#[test]
fn only_the_own_note_of_waiting_goes() {
    let dot_metis = tempfile::tempdir().unwrap();
    let state = StateDir::create(dot_metis.path()).unwrap();
    let command = Process::from_argument("1:2").unwrap();
    let mut waiting = LastRun::begun("pre-push", Duration::MAX, Some(&command), Timestamp::now());
    waiting.store(&state, Note::Waiting).unwrap();
    let loaded = LastRun::latest(&state).unwrap();
    assert!(loaded.covers(&command) && !loaded.covers(&Process::from_argument("1:3").unwrap()));
    LastRun::waits_no_more(&state);
    assert_eq!(LastRun::latest(&state), None);
    waiting.worker.as_mut().unwrap().process = Some(command);
    waiting.store(&state, Note::Waiting).unwrap();
    LastRun::waits_no_more(&state);
    assert!(LastRun::latest(&state).is_some(), "somebody else's");
}

#[test]
fn what_came_with_a_pull_reaches_no_terminal_as_it_is() {
    let dot_metis = tempfile::tempdir().unwrap();
    let state = StateDir::create(dot_metis.path()).unwrap();
    let foreign = "\u{1b}[2J\u{9b}\u{202e}\u{7f}\r\n";
    let mut run = LastRun::new(foreign, Ended::Failed, foreign, Timestamp::UNIX_EPOCH);
    run.ended_at = foreign.into();
    run.store(&state, Note::Syncing).unwrap();
    let run = LastRun::load(&state, Note::Syncing).unwrap();
    let line = run.untold(Timestamp::now()).unwrap();
    let json = serde_json::to_string(&run).unwrap();
    for text in [line, json] {
        assert!(!text.chars().any(crate::plan::listing::is_hidden), "{text:?}");
    }
}
