//! A file of zeros, far larger than what is sent of it.

use std::{fs, process::Command};

use super::{Den, Fixture, Object, inside};
use crate::support::process::run;

/// `size` bytes of zeros as a document and, in a folder of no workspace, as a picture.
fn zeros(size: u64) {
    let Some((mut den, api)) = Den::new() else { return };
    den.publish(&Fixture::default());
    den.sync(&api).report();
    let mut command = Command::new("sh");
    command
        .current_dir(&den.world.central.dir)
        .env_clear()
        .envs(den.world.server_env())
        .args(["-c", &format!("head -c {size} /dev/zero | git hash-object -w --stdin")]);
    let id = run(command).success().trim().to_owned();
    let fixture = inside("zeros", vec![("100644", b"WEB-T-0002.md".to_vec(), Object::Id(id))], 1);
    // In a pack, as the server would have it from a push.
    den.publish(&fixture);
    den.world.central.git(&["repack", "-adq", "--window=0"]);
    let fixture = Fixture { come: 0, ..fixture };
    den.met_by(&api, &fixture);
    // To others who begin with it, and to those who go on from it.
    let fresh = den.world.workspace_on("new", &den.daemon.remote());
    fresh.write("NEW-T-0001", "Mine.");
    assert_eq!(den.sync(&fresh).report().pulled.len(), 3);
    // It was named when it came; now it is as it was.
    den.met_by(&api, &Fixture { skips: 0, ..fixture });
    let verify = run(api.metis_sync(&["verify"]));
    assert_eq!(verify.code, Some(0), "{}", verify.transcript());
    // Nor does it take a server that can leave it out.
    den.world.central.git(&["config", "uploadpack.allowFilter", "false"]);
    let late = den.world.workspace_on("late", &den.daemon.remote());
    late.write("LATE-T-0001", "Mine.");
    let report = den.sync(&late).report();
    assert_eq!((report.pulled.len(), report.pushed.len()), (3, 1), "{report:?}");
    assert!(report.warnings.iter().any(|warning| warning.contains("WEB-T-0002.md")));
    // Cut down to what may be, it comes, although the server has it as a difference to what never came.
    let shorter = den.object("blob", &vec![0; (size / 20).min(12 << 20) as usize]);
    let cut = inside(
        "cut",
        vec![("100644", b"WEB-T-0002.md".to_vec(), Object::Id(shorter))],
        0,
    );
    let cut = Fixture { come: 1, ..cut };
    den.met_by(&api, &cut);
    assert_eq!(
        fs::metadata(api.metis().join("web/WEB-T-0002.md"))
            .expect("it came")
            .len(),
        (size / 20).min(12 << 20)
    );
}

#[test]
fn a_file_that_is_larger_than_what_was_sent() {
    zeros(80 << 20);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn a_gibibyte_of_zeros() {
    zeros(1 << 30);
}
