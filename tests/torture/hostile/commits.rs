//! Commits that are hardly any.

use super::{Den, Fixture};
use crate::support::process::run;

/// git goes on with a commit that names nobody, so it stays in central's history for good: whoever pushed it must not keep everybody
/// else from pushing by that.
#[test]
fn commits_that_name_nobody() {
    let Some((mut den, api)) = Den::new() else { return };
    den.publish(&Fixture::default());
    den.sync(&api).report();
    for (round, names) in [
        "",
        "author a\ncommitter a\n",
        "author\ncommitter <\nencoding \u{1b}\n",
        "author a <b> x y\n",
    ]
    .into_iter()
    .enumerate()
    {
        den.publish(&Fixture::default());
        let central = &den.world.central;
        let [tree, tip] = ["main^{tree}", "main"].map(|name| central.git(&["rev-parse", name]).trim().to_owned());
        let text = format!("tree {tree}\nparent {tip}\n{names}\nsync: web\n\nWorkspace-Left: ops\n");
        let commit = den.object("commit", text.as_bytes());
        central.git(&["update-ref", "refs/heads/main", &commit]);
        api.edit("API-T-0001", "More.");
        assert_eq!(den.sync(&api).report().pushed, ["API-T-0001"], "{names:?}");
        let prefix = format!("new{round}");
        let fresh = den.world.workspace_on(&prefix, &den.daemon.remote());
        let code = format!("NEW{round}-T-0001");
        fresh.write(&code, "Mine.");
        assert_eq!(den.sync(&fresh).report().pushed, [code], "{names:?}");
        for asked in [
            &["log", "WEB-T-0001"][..],
            &["log", "API-T-0001"],
            &["blame", "WEB-T-0001"],
            &["show", "WEB-T-0001@2020-01-01"],
        ] {
            run(fresh.metis_sync(asked)).success();
        }
    }
}
