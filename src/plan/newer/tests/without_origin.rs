//! Central's version names no commit that it was made from.

use super::*;

#[test]
fn without_an_origin_the_last_common_version_decides() {
    let evidence = |edited, central_is_committed, past| Evidence::NoOrigin {
        edited,
        central_is_committed,
        central_is_outdated: false,
        past,
    };
    let clean = |past| evidence(false, false, past);
    let noted = |version| Some((version, false));
    for (versions, evidence, verdict) in [
        (versions(1, 2, noted(1)), clean(Past::This), OLDER),
        (versions(0, 2, NOTHING), clean(Past::Never), OLDER),
        (versions(2, 1, noted(1)), clean(Past::Other), Verdict::Push),
        (
            versions(2, 1, noted(1)),
            clean(Past::This),
            Verdict::Behind(Why::HadBefore),
        ),
        (
            versions(2, 1, noted(1)),
            evidence(true, false, Past::This),
            Verdict::Push,
        ),
        (versions(1, 0, NOTHING), clean(Past::Never), Verdict::Push),
        (versions(3, 0, NOTHING), clean(Past::Other), Verdict::Diverged),
        (
            versions(1, 0, NOTHING),
            clean(Past::This),
            Verdict::Behind(Why::HadBefore),
        ),
        (
            versions(3, 2, NOTHING),
            evidence(true, true, Past::Other),
            Verdict::Push,
        ),
        (
            versions(3, 2, noted(1)),
            evidence(true, true, Past::Other),
            Verdict::Push,
        ),
        (versions(3, 2, NOTHING), clean(Past::Other), Verdict::Diverged),
        (
            versions(3, 2, NOTHING),
            evidence(true, false, Past::Other),
            Verdict::Diverged,
        ),
        (versions(3, 2, noted(1)), clean(Past::Other), Verdict::Diverged),
    ] {
        assert_eq!(decide(&versions, &evidence), verdict, "{versions:?} {evidence:?}");
    }
}

#[test]
fn what_an_older_client_took_back_goes_forward_again() {
    for (here, noted, edited) in [
        (2, Some((2, false)), false),
        (2, Some((1, true)), false),
        (2, NOTHING, false),
        (3, Some((2, true)), true),
        (0, Some((0, true)), false),
    ] {
        let evidence = Evidence::NoOrigin {
            edited,
            central_is_committed: false,
            central_is_outdated: true,
            past: Past::This,
        };
        assert_eq!(decide(&versions(here, 1, noted), &evidence), Verdict::Push, "{here}");
    }
}

#[test]
fn without_a_commit_it_is_three_way() {
    let evidence = |copied, past| Evidence::NoCommit { copied, past };
    let own = |past| evidence(false, past);
    let noted = |version| Some((version, false));
    for (versions, evidence, verdict) in [
        (versions(2, 1, noted(1)), own(Past::This), Verdict::Push),
        (versions(0, 1, noted(1)), own(Past::Never), Verdict::Push),
        (versions(1, 2, noted(1)), own(Past::This), OLDER),
        (versions(1, 0, noted(1)), own(Past::This), OLDER),
        (versions(3, 2, noted(1)), own(Past::Other), Verdict::Diverged),
        (versions(0, 2, NOTHING), own(Past::Other), OLDER),
        (versions(1, 0, NOTHING), own(Past::Never), Verdict::Push),
        (versions(3, 0, NOTHING), own(Past::Other), Verdict::Diverged),
        (
            versions(1, 2, NOTHING),
            own(Past::This),
            Verdict::Behind(Why::HadBefore),
        ),
        (
            versions(2, 1, noted(1)),
            evidence(true, Past::This),
            Verdict::Behind(Why::HadBefore),
        ),
        (versions(2, 1, noted(1)), evidence(true, Past::Other), Verdict::Push),
    ] {
        assert_eq!(decide(&versions, &evidence), verdict, "{versions:?} {evidence:?}");
    }
}
