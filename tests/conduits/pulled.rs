//! What comes with a commit in the place of what this clone notes of a conduit.

use std::fs;

use super::Pair;
use crate::support::process::run;

/// What a killed sync was doing counts for what both sides had, so a commit that brings such a note along could have whatever one side
/// alone has deleted; one that brings a past sync along could have anything put into a folder.
#[test]
fn a_killed_sync_that_came_with_a_commit() {
    let pair = Pair::in_git();
    for name in ["a", "b", "c", "d"] {
        pair.put(&format!("left/{name}"), "1");
    }
    pair.sync(0);
    let past = ".metis/.sync/conduits/notes/generations";
    let record = fs::read_to_string(pair.path(&format!("{past}/1.json"))).expect("it synced");
    let record = record.replace("\"generation\":1", "\"generation\":9");
    let record = record.replace("\"verified\"", "\"copying\"");
    assert!(record.contains("\"copying\""), "{record}");
    pair.put(&format!("{past}/9.json"), &record);
    // The file's content is known to whoever wrote this: it is what git makes of the text.
    let change = r#"{"side":"beta","path":"mine","action":{"put":{"was":null,"now":{"id":"e965047ad7c57865823c7d992b1d046ea66edf78","form":"file"}}},"aside":null}"#;
    pair.put(&format!("{past}/9.ops"), &format!("[{change}]"));
    pair.put("right/mine", "Hello\n");
    let mut add = pair.own.program("git");
    add.args(["add", "--force", past]);
    run(add).success();
    for asked in [&["sync", "notes"][..], &["undo", "notes"], &["history", "notes"]] {
        let stopped = pair.run(asked, 3);
        assert!(stopped.stderr.contains("git tracks"), "{}", stopped.transcript());
    }
    assert_eq!(pair.texts("right"), ["a=1", "b=1", "c=1", "d=1", "mine=Hello\n"]);

    fs::remove_file(pair.path(&format!("{past}/9.json"))).expect("it is ours");
    fs::remove_file(pair.path(&format!("{past}/9.ops"))).expect("it is ours");
    let mut forget = pair.own.program("git");
    forget.args(["rm", "-r", "--quiet", "--cached", past]);
    run(forget).success();
    pair.sync(0);
    pair.assert_both(&["a=1", "b=1", "c=1", "d=1", "mine=Hello\n"]);
}
