mod without_origin;

use std::collections::BTreeSet;

use super::*;

/// 0 stands for a document that is not there.
fn id(n: u8) -> Option<ObjectId> {
    (n > 0).then(|| ObjectId::from_bytes(&[n; 20]).unwrap())
}

fn versions(here: u8, central: u8, noted: Option<(u8, bool)>) -> Versions {
    Versions {
        here: id(here),
        central: id(central),
        noted: noted.map(|(version, mine)| Noted {
            version: id(version),
            mine,
        }),
    }
}

fn origin(relation: Relation) -> Origin {
    Origin {
        relation,
        edited: false,
        uncommitted: false,
        central_is_committed: false,
        at_origin: None,
        at_base: None,
        given_up: false,
        kept_aside: false,
        from_worktree: true,
    }
}

fn by(versions: Versions, origin: Origin) -> Verdict {
    decide(&versions, &Evidence::Origin(origin))
}

const NOTHING: Option<(u8, bool)> = None;
const OLDER: Verdict = Verdict::Behind(Why::Older);

#[test]
fn equal_versions_are_in_step_whatever_is_known() {
    for same in [0, 1] {
        let same = versions(same, same, Some((2, true)));
        assert_eq!(by(same, origin(Relation::Apart)), Verdict::InStep);
        let evidence = Evidence::NoCommit {
            copied: true,
            past: Past::This,
        };
        assert_eq!(decide(&same, &evidence), Verdict::InStep);
    }
}

#[test]
fn what_is_committed_on_top_of_the_origin_is_newer() {
    for (here, central) in [(2, 1), (0, 1), (1, 0)] {
        for noted in [NOTHING, Some((9, false)), Some((central, false))] {
            for edited in [false, true] {
                let origin = Origin {
                    edited,
                    ..origin(Relation::Descends)
                };
                assert_eq!(by(versions(here, central, noted), origin), Verdict::Push);
            }
        }
    }
}

#[test]
fn an_uncommitted_edit_of_another_clone_stays() {
    let theirs = |edited, at_origin| Origin {
        uncommitted: true,
        edited,
        at_origin: id(at_origin),
        ..origin(Relation::Descends)
    };
    let stays = Verdict::Behind(Why::UncommittedElsewhere);
    assert_eq!(by(versions(1, 2, NOTHING), theirs(false, 1)), stays);
    assert_eq!(by(versions(3, 2, NOTHING), theirs(false, 1)), Verdict::Diverged);
    assert_eq!(by(versions(3, 2, NOTHING), theirs(true, 1)), Verdict::Diverged);
    assert_eq!(by(versions(1, 2, NOTHING), theirs(true, 1)), stays);
    let noted = Some((2, false));
    assert_eq!(by(versions(3, 2, noted), theirs(true, 1)), Verdict::Push);
    // Neither having seen it nor having pushed the one before makes it this clone's.
    for noted in [noted, Some((1, true))] {
        assert_eq!(by(versions(1, 2, noted), theirs(false, 1)), stays);
        assert_eq!(by(versions(3, 2, noted), theirs(false, 1)), Verdict::Diverged);
    }
}

#[test]
fn an_edit_apart_from_the_origin_is_compared_with_the_merge_base() {
    let edited = |at_base| Origin {
        edited: true,
        at_base: id(at_base),
        ..origin(Relation::Apart)
    };
    assert_eq!(by(versions(1, 2, NOTHING), edited(1)), OLDER, "edited back to it");
    assert_eq!(by(versions(3, 2, NOTHING), edited(2)), Verdict::Push);
    assert_eq!(by(versions(3, 2, NOTHING), edited(1)), Verdict::Diverged);
}

#[test]
fn each_reason_to_stay_has_words_of_its_own() {
    let reasons = [
        Why::Older,
        Why::UncommittedElsewhere,
        Why::UncommittedHere,
        Why::KeptAside,
        Why::HadBefore,
    ];
    let words: BTreeSet<_> = reasons.map(Why::words).into();
    assert_eq!(words.len(), reasons.len());
    assert!(words.iter().all(|words| words.contains(' ')));
}

#[test]
fn an_edit_on_top_of_centrals_version_is_newer() {
    for relation in [Relation::Descends, Relation::Apart] {
        let on_top = Origin {
            edited: true,
            uncommitted: true,
            central_is_committed: true,
            at_origin: id(1),
            at_base: id(1),
            ..origin(relation)
        };
        assert_eq!(by(versions(3, 2, Some((1, false))), on_top), Verdict::Push);
    }
}

#[test]
fn an_edit_of_this_clone_goes_back_only_where_it_was_given_up() {
    let ours = Origin {
        uncommitted: true,
        at_origin: id(1),
        ..origin(Relation::Descends)
    };
    let mine = Some((2, true));
    assert_eq!(by(versions(1, 2, mine), ours), Verdict::Push);
    assert_eq!(by(versions(3, 2, mine), ours), Verdict::Push, "committed otherwise");
    let stashed = Origin {
        kept_aside: true,
        ..ours
    };
    assert_eq!(by(versions(1, 2, mine), stashed), Verdict::Behind(Why::KeptAside));
    let elsewhere = Origin {
        from_worktree: false,
        ..ours
    };
    assert_eq!(
        by(versions(1, 2, mine), elsewhere),
        Verdict::Behind(Why::UncommittedHere)
    );
}

#[test]
fn apart_from_the_origin_the_merge_base_decides() {
    let apart = |at_base| Origin {
        at_base: id(at_base),
        ..origin(Relation::Apart)
    };
    assert_eq!(by(versions(1, 2, NOTHING), apart(1)), OLDER);
    assert_eq!(by(versions(0, 2, NOTHING), apart(0)), OLDER, "added later");
    assert_eq!(by(versions(1, 0, NOTHING), apart(1)), OLDER, "removed later");
    assert_eq!(by(versions(2, 1, NOTHING), apart(1)), Verdict::Push);
    assert_eq!(by(versions(0, 1, NOTHING), apart(1)), Verdict::Push);
    assert_eq!(by(versions(2, 3, NOTHING), apart(1)), Verdict::Diverged);
    assert_eq!(by(versions(0, 3, NOTHING), apart(1)), Verdict::Diverged);
}

#[test]
fn what_was_made_from_a_commit_that_nobody_has_any_more_was_given_up() {
    let gone = Origin {
        given_up: true,
        at_base: id(1),
        ..origin(Relation::Apart)
    };
    let mine = Some((2, true));
    assert_eq!(by(versions(1, 2, mine), gone), Verdict::Push);
    let draft = |kept_aside, from_worktree| Origin {
        uncommitted: true,
        at_origin: id(1),
        kept_aside,
        from_worktree,
        ..gone
    };
    for (here, kept_aside, from_worktree, verdict) in [
        (1, false, true, Verdict::Push),
        (1, true, true, Verdict::Behind(Why::KeptAside)),
        (1, false, false, Verdict::Behind(Why::UncommittedHere)),
        (3, true, false, Verdict::Push),
    ] {
        let origin = draft(kept_aside, from_worktree);
        assert_eq!(by(versions(here, 2, mine), origin), verdict, "{origin:?}");
    }
}

#[test]
fn centrals_past_is_asked_only_where_it_matters() {
    assert!(!wants_past(&versions(1, 1, NOTHING), false, false));
    assert!(!wants_past(&versions(0, 1, NOTHING), false, false));
    assert!(!wants_past(&versions(1, 2, Some((1, false))), false, false));
    assert!(!wants_past(&versions(2, 1, Some((1, false))), true, false));
    assert!(wants_past(&versions(2, 1, Some((1, false))), false, false));
    assert!(wants_past(&versions(2, 1, Some((1, false))), true, true));
    assert!(wants_past(&versions(1, 2, NOTHING), true, false));
}
