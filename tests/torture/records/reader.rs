//! Whoever reads the logs of others is killed on the way.

use super::Stage;
use crate::torture::trace;
use crate::{
    records::over_every_transport,
    support::{
        servers::skip,
        workspace::{Remote, Workspace},
        world::World,
    },
};

/// The guide's fourth test: of 1,000 entries 500 were taken up when the program died, and the next run goes on with the 501st; over
/// every transport.
#[test]
fn a_killed_reader_goes_on_where_it_was() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    over_every_transport(goes_on_where_it_was);
}

fn goes_on_where_it_was(world: &World, remote: &Remote) {
    let own = world.workspace_on("api", remote);
    own.write("API-T-0001", "One.");
    own.sync().report();
    for part in 0..10 {
        let tags: Vec<String> = (0..100).map(|number| format!("tag-{part}-{number}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        own.run(&[&["tag", "add", "API-T-0001"], &tags[..]].concat()).success();
    }
    own.sync().report();
    let watermark = |reader: &Workspace| {
        let status = Stage::json(reader, &["record", "status"], "a reader");
        status["devices"][0]["entries"].as_u64().unwrap_or(0)
    };
    // Each transaction ends with a flush, which SQLite may have been built to do either way.
    let flushes = ["fdatasync", "fsync"].map(|call| (1..40).map(move |when| (call, when)));
    let (mut half, mut over) = (0, "");
    for (call, when) in flushes.into_iter().flatten() {
        if call == over || half > 0 {
            continue;
        }
        let reader = world.workspace_on(&format!("{}-{when}", call.replace("data", "d")), remote);
        let command = reader.sync_command(&[]);
        let killed = trace::with_injected(&reader, &command, call, "signal=KILL", &when.to_string());
        let before = watermark(&reader);
        assert!(
            [0, 500, 1000].contains(&before),
            "{before}: it is never between two batches"
        );
        if killed.code.is_some() {
            over = call;
        }
        if before != 500 {
            continue;
        }
        half += 1;
        let report = Stage::json(&reader, &["sync"], &killed.transcript());
        assert_eq!(report["records"]["received"], 500, "{report}");
        assert_eq!(watermark(&reader), 1000);
        let tags = Stage::json(&reader, &["record", "list", "tag"], "the reader")["records"].clone();
        assert_eq!(tags.as_array().map(Vec::len), Some(1000));
    }
    assert!(half > 0, "no kill was after the first batch");
}
