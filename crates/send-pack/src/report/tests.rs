use gix_transport::client::blocking_io::HandleProgress;

use super::*;

fn lines(lines: &[&str]) -> Vec<u8> {
    let mut out: Vec<u8> = lines
        .iter()
        .flat_map(|l| format!("{:04x}{l}\n", l.len() + 5).into_bytes())
        .collect();
    out.extend(b"0000");
    out
}

#[test]
fn reads_what_git_reports() {
    let mut report = Report::default();
    parse(
        &lines(&["unpack ok", "ng refs/heads/main failed to update ref"]),
        &mut report,
    )
    .unwrap();
    assert_eq!(report.unpack, Some(Ok(())));
    assert_eq!(
        report.refs,
        [(b"refs/heads/main".to_vec(), Err("failed to update ref".into()))]
    );
}

#[test]
fn a_report_cut_at_any_byte_is_an_error_or_the_truth() {
    let whole = lines(&["unpack ok", "ok refs/heads/main"]);
    for cut in 0..whole.len() {
        let mut report = Report::default();
        assert!(parse(&whole[..cut], &mut report).is_err(), "cut at {cut}");
    }
}

#[test]
fn garbage_is_an_error() {
    for garbage in [&b"zzzz"[..], b"0003", b"ffff", b"0004", b"00"] {
        assert!(parse(garbage, &mut Report::default()).is_err());
    }
}

fn answer(sideband: bool, heard: &[&[u8]]) -> (Report, io::Result<()>) {
    let (mut report, mut answer) = (Report::default(), Answer::new(sideband));
    let heard = heard.iter().try_for_each(|line| answer.line(line));
    let read = answer.finish(heard, &mut report);
    (report, read)
}

#[test]
fn hooks_lines_stay_lines_and_the_report_may_come_in_pieces() {
    let whole = lines(&["unpack ok", "ok refs/heads/main"]);
    let (one, two) = whole.split_at(7);
    let on = |band: u8, bytes: &[u8]| [&[band], bytes].concat();
    let (report, read) = answer(
        true,
        &[
            &on(2, b"first\nsec"),
            &on(1, one),
            &on(2, b"ond\n"),
            &on(1, two),
            &on(3, b"fatal"),
        ],
    );
    assert!(read.is_ok() && report.fatal);
    assert_eq!(report.refs.len(), 1);
    assert_eq!(report.server_text, "first\nsecond\nfatal");
}

#[test]
fn a_fatal_error_has_a_line_of_its_own_and_a_hooks_words_are_none() {
    let whole = [&[1][..], &lines(&["unpack ok", "ok refs/heads/main"])].concat();
    let (report, read) = answer(true, &[b"\x02half a line", &whole]);
    assert!(read.is_ok() && !report.fatal);
    let (report, _) = answer(true, &[b"\x02half a line", b"\x03fatal: no room"]);
    assert!(report.fatal);
    assert_eq!(report.server_text, "half a line\nfatal: no room");
}

#[test]
fn on_a_band_the_report_ends_with_its_own_flush() {
    let whole = lines(&["unpack ok", "ok refs/heads/main"]);
    let cut = [&[1], &whole[..whole.len() - 4]].concat();
    let (report, read) = answer(true, &[&cut]);
    assert_eq!(read.expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(report.refs.len(), 1, "what was understood is kept");
}

#[test]
fn an_answer_is_read_up_to_its_end() {
    let read_from = |bytes: &[u8]| {
        let mut packets = packetline::blocking_io::StreamingPeekableIter::new(bytes, &[PacketLineRef::Flush], false);
        let reader = packets.as_read_without_sidebands::<HandleProgress<'_>>();
        let mut report = Report::default();
        let read = read(Box::new(reader), false, &mut report);
        (report, read)
    };
    let whole = lines(&["unpack ok", "ok refs/heads/main"]);
    let (report, read) = read_from(&whole);
    assert!(read.is_ok());
    assert_eq!(report.unpack, Some(Ok(())));
    assert_eq!(report.refs, [(b"refs/heads/main".to_vec(), Ok(()))]);
    for broken in [&whole[..whole.len() - 5], b"0009ERR x0000", b"zzzz"] {
        assert!(read_from(broken).1.is_err());
    }
}

#[test]
fn what_was_understood_before_the_answer_broke_off_is_kept() {
    let refused = lines(&["unpack ok", "ng refs/heads/main hook declined"]);
    let on_band = [&[1], &refused[..refused.len() - 4]].concat();
    let (report, read) = answer(true, &[&on_band, b"\x07?"]);
    assert!(read.is_err());
    assert_eq!(report.refs[0].1, Err("hook declined".into()));
    let (report, read) = answer(false, &[b"unpack ok\n", b"ok refs/heads/main\n"]);
    assert!(read.is_ok() && report.refs.len() == 1);
    assert!(answer(false, &[b"ERR no such thing"]).1.is_err());
}

#[test]
fn a_server_that_never_stops_is_stopped() {
    let line = [2; 60_000];
    let mut answer = Answer::new(true);
    let mut said = 0;
    while answer.line(&line).is_ok() {
        said += line.len();
        assert!(said <= MAX_HEARD && answer.text.len() <= 2 * MAX_TEXT);
    }
    answer.heard = MAX_HEARD - MIN_LINE;
    assert!(answer.line(b"\x02.").is_ok(), "up to the limit");
    assert!(answer.line(b"\x02.").is_err(), "and no further");
}

#[test]
fn a_report_longer_than_any_is_not_taken() {
    let mut answer = Answer::new(true);
    let piece = [&[1][..], &[b'x'; MAX_REPORT / 8]].concat();
    assert!((0..8).all(|_| answer.line(&piece).is_ok()), "up to the limit");
    assert!(answer.line(b"\x01x").is_err(), "and no further");
}

/// However much more than the limit was said, it is the end that is kept, and seen to be one.
#[test]
fn of_a_long_text_the_end_is_kept() {
    for said in [MAX_TEXT + 1, MAX_TEXT * 3 / 2, MAX_TEXT * 2] {
        let text = [&vec![b'.'; said - 6][..], b"reason"].concat();
        let (report, _) = answer(true, &[&[&[2], &text[..]].concat()]);
        let kept = report.server_text;
        assert!(kept.starts_with("….") && kept.ends_with(".reason"), "{said}");
        assert_eq!(kept.chars().count(), MAX_TEXT + 1, "{said}");
    }
}

#[test]
fn nothing_that_moves_a_cursor_gets_through() {
    let hostile = b"\x1b[2J\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07ok\r\n\xe2\x80\xaeabc\n\n\x9b1mx";
    let clean = printable_lines(hostile);
    assert!(!clean.chars().any(|c| c.is_control() && c != '\n'), "{clean:?}");
    assert!(clean.starts_with("red"), "{clean:?}");
    assert!(clean.contains("\nabc"), "{clean:?}");
}
