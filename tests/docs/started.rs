//! Other programs are started in the places that end them.

use std::fs;

use super::{rooms::files_below, root};

/// A git that is started otherwise would take files of a checkout for a bare repository.
#[test]
fn every_git_is_started_by_the_same_function() {
    assert_eq!(starts("new(\"git\")"), ["crates/send-pack/src/connect/git.rs"]);
    assert_eq!(starts("ask(\"git\")"), [""; 0]);
}

/// A program that is started otherwise would be waited for without an end, or left behind.
#[test]
fn every_program_is_started_where_it_is_ended() {
    let expected = [
        // Questions, with deadlines of their own.
        "crates/send-pack/src/connect/git.rs",
        "crates/send-pack/src/connect/question.rs",
        // A session's, which has deadlines and ends what it started.
        "crates/send-pack/src/connect/server.rs",
        "crates/send-pack/src/connect/ssh.rs",
        // A person waits for them on purpose.
        "src/cli/editor.rs",
        "src/cli/pager.rs",
        // This program itself, which ends by itself.
        "src/cli/watch/mod.rs",
        "src/hooks/publish.rs",
        "src/hooks/run.rs",
    ];
    assert_eq!(starts("Command::new("), expected);
    assert_eq!(starts("gix::command"), [""; 0]);
}

/// The files of the program, without tests, whose code has `call` in it.
fn starts(call: &str) -> Vec<String> {
    let mut starts = Vec::new();
    for folder in ["crates/records/src", "crates/send-pack/src", "src"] {
        for file in files_below(&root().join(folder)) {
            let is_of_tests =
                file.ends_with("tests.rs") || file.ends_with("fixture.rs") || file.iter().any(is_for_tests);
            if is_of_tests || file.extension().is_none_or(|ext| ext != "rs") {
                continue;
            }
            let code = fs::read_to_string(&file).unwrap();
            let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
            // A name that ends in it is another function's.
            let is_whole = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if code.match_indices(call).any(|(at, _)| is_whole(at)) {
                starts.push(file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    starts.sort();
    starts
}

fn is_for_tests(part: &std::ffi::OsStr) -> bool {
    part.to_str()
        .is_some_and(|part| part == "tests" || part.ends_with("_tests"))
}
