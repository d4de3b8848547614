//! What the error of a sync that stopped has to say.

use metis_sync::{
    send_pack::{RefusalKind, connect::FailureKind},
    sync::{SyncErrorKind, SyncReport},
};

use super::two;
use crate::scenarios::direct::sync;
use crate::support::{point::Point, process::run, servers::Sshd, workspace::Remote, world::World};

/// 81#18: an error, and not a word of something done.
#[test]
fn an_authentication_failure_leaves_no_partial_state() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let remote = sshd.stranger();
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "Mine.");
    // How to call ssh, where a program that syncs gets it from: git's configuration.
    for args in [
        ["init", "--quiet", "."].as_slice(),
        &["config", "core.sshCommand", &remote.env[0].1],
    ] {
        let mut git = api.program("git");
        git.args(args);
        run(git).success();
    }
    let before = api.snapshot();

    let err = sync(&api).unwrap_err();

    let connection = err.kind.connection().unwrap_or_else(|| panic!("{err:?}"));
    assert_eq!(connection.kind, FailureKind::Unauthenticated, "{err:?}");
    assert!(
        err.to_string()
            .starts_with(&format!("cannot authenticate to {}", remote.url)),
        "{err}"
    );
    let nothing = SyncReport {
        workspace: err.report.workspace.clone(),
        seconds: err.report.seconds,
        is_first: true,
        ..SyncReport::default()
    };
    assert_eq!(*err.report, nothing);
    let after = api.snapshot();
    let touched: Vec<_> = after
        .since(&before)
        .into_iter()
        .filter(|path| !path.starts_with(".metis/.sync"))
        .collect();
    assert!(touched.iter().all(|path| path.as_os_str() == ".metis"), "{touched:?}");
}

/// 81#22: the error has what was done before it.
#[test]
fn a_refused_push_reports_what_was_pulled() {
    let world = World::new();
    let (api, web) = two(&world);
    web.write("WEB-T-0002", "New.");
    sync(&web).unwrap();
    api.edit("API-T-0001", "Changed.");
    world.points.script(Point::BeforeRef, "echo frozen >&2; exit 1");

    let err = sync(&api).unwrap_err();

    let SyncErrorKind::Refused(refusal) = &*err.kind else {
        panic!("{err:?}")
    };
    assert_eq!(
        (refusal.kind, refusal.server_text.as_str()),
        (RefusalKind::Hook, "frozen")
    );
    assert_eq!(
        (err.report.files_pulled(), err.report.files_pushed(), err.report.commit),
        (1, 0, None)
    );
    assert_eq!(api.hydrated("web"), web.documents());

    let report = sync(&api).unwrap();
    assert_eq!(
        (report.files_pulled(), report.files_pushed()),
        (0, 1),
        "the next one pushes"
    );
}

/// 81#20: nobody there, by a name and by a port.
#[test]
fn a_network_failure_leaves_no_partial_state() {
    let world = World::new();
    for url in ["git://127.0.0.1:1/central.git", "https://central.invalid/central.git"] {
        let remote = Remote {
            url: url.into(),
            env: Vec::new(),
        };
        let api = world.workspace_on("api", &remote);
        api.write("API-T-0001", "Mine.");
        let err = sync(&api).unwrap_err();
        let kind = err.kind.connection().map(|err| err.kind);
        assert_eq!(kind, Some(FailureKind::Unreachable), "{err:?}");
        assert!(err.to_string().starts_with(&format!("cannot reach {url}")), "{err}");
        assert_eq!((err.report.files_pulled(), err.report.head), (0, None));
    }
}
