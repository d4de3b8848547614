//! The server's answer to a push, line by line, to the verdict: no panic, bounded memory, nothing hostile in a text, and
//! no yes without both lines that say it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use send_pack::fuzzing::{self, Answer, Report, Verdict};

const MAIN: &[u8] = b"refs/heads/main";

fuzz_target!(|data: &[u8]| {
    let Some((&flags, data)) = data.split_first() else {
        return;
    };
    let mut report = Report::default();
    let mut answer = Answer::new(flags & 1 == 0);
    // Each line behind its length; the band is part of it.
    let mut rest = data;
    let mut heard = Ok(());
    while let Some((&length, after)) = rest.split_first() {
        let (line, after) = after.split_at(after.len().min(length.into()));
        rest = after;
        heard = answer.line(line);
        if heard.is_err() {
            break;
        }
    }
    let read = answer.finish(heard, &mut report);
    judge(&report, read.is_ok());

    let mut report = Report::default();
    let read = fuzzing::parse(data, &mut report);
    judge(&report, read.is_ok());
});

fn judge(report: &Report, whole: bool) {
    let verdict = fuzzing::verdict(report, MAIN);
    if verdict == Verdict::Applied {
        assert_eq!(report.unpack, Some(Ok(())));
        assert!(report.refs.contains(&(MAIN.to_vec(), Ok(()))));
    }
    let reasons = report.refs.iter().filter_map(|(_, status)| status.as_ref().err());
    let unpack = report.unpack.iter().filter_map(|status| status.as_ref().err());
    for text in reasons.chain(unpack).chain([&report.server_text]) {
        assert!(!text.contains(|c: char| c != '\n' && c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    let _ = whole;
}
