//! What the server answers to a push: `report-status`, with progress and errors beside it.
//!
//! <https://git-scm.com/docs/gitprotocol-pack#_report_status>

use std::io;

use gix_transport::{
    client::blocking_io::ExtendedBufRead,
    packetline::{self, PacketLineRef},
};

use super::text;

/// The server's answer, as it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// `None`: no `unpack` line was seen. `Some(Ok)`: the pack was taken.
    pub unpack: Option<Result<(), String>>,
    /// What became of each ref, in the server's order.
    pub refs: Vec<(Vec<u8>, Result<(), String>)>,
    /// Lines printed by the server's programs and hooks (band 2) and fatal errors (band 3), fit for a terminal.
    pub server_text: String,
    /// The server reported a fatal error on band 3.
    pub fatal: bool,
}

/// Of what a server says beside its report, the end is kept, because that is where the reason stands.
const MAX_TEXT: usize = 16 << 10;
/// A report has a line per ref, of which there are a few thousand at most.
const MAX_REPORT: usize = 256 << 10;
/// Hooks are talkative, but one that says more than this never ends.
const MAX_HEARD: usize = 64 << 20;
/// A line counts as at least so many bytes, because it costs as much to take in.
const MIN_LINE: usize = 64;

/// Reads to the end of the answer. An `Err` means that the answer broke off or was none; `report` then holds
/// what was understood up to there.
pub fn read<'a>(
    mut reader: Box<dyn ExtendedBufRead<'a> + Unpin + 'a>,
    sideband: bool,
    report: &mut Report,
) -> io::Result<()> {
    let mut answer = Answer::new(sideband);
    let heard = loop {
        match reader.readline() {
            None => break Ok(()),
            Some(Ok(Ok(PacketLineRef::Data(line)))) => {
                if let Err(err) = answer.line(line) {
                    break Err(err);
                }
            }
            Some(Ok(Ok(_))) => break Err(invalid("the server's answer is out of order")),
            Some(Ok(Err(err))) => break Err(invalid(&err.to_string())),
            Some(Err(err)) => break Err(err),
        }
    };
    answer.finish(heard, report)
}

/// What has been heard of an answer, line by line; never more of it in memory than the limits say.
#[derive(Debug)]
pub struct Answer {
    sideband: bool,
    /// The report: the pkt-lines on band 1, or the lines themselves as pkt-lines again.
    report: Vec<u8>,
    text: Vec<u8>,
    fatal: bool,
    heard: usize,
}

impl Answer {
    /// Of a server with which bands were agreed on, or not.
    pub fn new(sideband: bool) -> Self {
        Answer {
            sideband,
            report: Vec::new(),
            text: Vec::new(),
            fatal: false,
            heard: 0,
        }
    }

    /// Takes the content of one pkt-line of the server's; an error ends the conversation.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.heard += line.len().max(MIN_LINE);
        if self.heard > MAX_HEARD {
            return Err(invalid("the server says more than any hook would"));
        }
        if let Some(message) = line.strip_prefix(b"ERR ") {
            return Err(io::Error::other(packetline::read::Error {
                message: message.into(),
            }));
        }
        if !self.sideband {
            packetline::blocking_io::encode::data_to_write(line, &mut self.report)?;
            return self.check_report();
        }
        match line {
            [1, report @ ..] => {
                self.report.extend_from_slice(report);
                self.check_report()
            }
            [band @ (2 | 3), text @ ..] => {
                self.fatal |= *band == 3;
                if *band == 3 && !self.text.is_empty() && !self.text.ends_with(b"\n") {
                    self.text.push(b'\n');
                }
                self.text.extend_from_slice(text);
                if self.text.len() > 2 * MAX_TEXT {
                    self.text.drain(..self.text.len() - MAX_TEXT);
                }
                Ok(())
            }
            _ => Err(invalid("the server's answer has a band that does not exist")),
        }
    }

    fn check_report(&self) -> io::Result<()> {
        match self.report.len() > MAX_REPORT {
            true => Err(invalid("the server's report is longer than any report")),
            false => Ok(()),
        }
    }

    /// Puts what was understood into `report`, also if listening ended with an error, which is returned.
    pub fn finish(mut self, heard: io::Result<()>, report: &mut Report) -> io::Result<()> {
        if !self.sideband && heard.is_ok() {
            self.report.extend_from_slice(b"0000");
        }
        report.server_text = text::lines(&self.text, MAX_TEXT);
        report.fatal = self.fatal;
        let parsed = parse(&self.report, report);
        heard.and(parsed)
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Parses the pkt-lines that the report consists of, up to its flush.
pub fn parse(mut bytes: &[u8], report: &mut Report) -> io::Result<()> {
    loop {
        match packetline::decode::streaming(bytes) {
            Ok(packetline::decode::Stream::Complete { line, bytes_consumed }) => {
                match line {
                    PacketLineRef::Data(line) => line_of_report(line, report),
                    _ => return Ok(()),
                }
                bytes = &bytes[bytes_consumed..];
            }
            Ok(packetline::decode::Stream::Incomplete { .. }) => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the server's report broke off",
                ));
            }
            Err(err) => return Err(invalid(&err.to_string())),
        }
    }
}

fn line_of_report(line: &[u8], report: &mut Report) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    if let Some(status) = line.strip_prefix(b"unpack ") {
        report.unpack = Some(if status == b"ok" {
            Ok(())
        } else {
            Err(printable_lines(status))
        });
    } else if let Some(name) = line.strip_prefix(b"ok ") {
        report.refs.push((name.to_vec(), Ok(())));
    } else if let Some(rest) = line.strip_prefix(b"ng ") {
        let mut parts = rest.splitn(2, |b| *b == b' ');
        let name = parts.next().unwrap_or_default().to_vec();
        let reason = printable_lines(parts.next().unwrap_or_default());
        report.refs.push((name, Err(reason)));
    }
}

/// Text from the other side, fit for a terminal: no escape sequences, control or bidirectional characters and empty
/// lines, and of what is longer than 16 Ki characters the end.
pub fn printable_lines(bytes: &[u8]) -> String {
    text::lines(bytes, MAX_TEXT)
}

#[cfg(test)]
mod tests {
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
            let mut packets =
                packetline::blocking_io::StreamingPeekableIter::new(bytes, &[PacketLineRef::Flush], false);
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
}
