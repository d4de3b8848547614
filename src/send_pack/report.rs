//! What the server answers to a push: `report-status`, with progress and errors beside it.
//!
//! <https://git-scm.com/docs/gitprotocol-pack#_report_status>

use std::io;

use gix_transport::{
    client::blocking_io::ExtendedBufRead,
    packetline::{self, BandRef, PacketLineRef},
};

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

/// Everything a server says is kept only up to here; the rest is read and dropped.
const MAX_TEXT: usize = 16 << 10;
/// A report has a line per ref: we send one.
const MAX_REPORT: usize = 256 << 10;

/// Reads to the end of the answer. An `Err` means that the answer broke off or was none; `report` then holds
/// what was understood up to there.
pub fn read<'a>(
    mut reader: Box<dyn ExtendedBufRead<'a> + Unpin + 'a>,
    sideband: bool,
    report: &mut Report,
) -> io::Result<()> {
    if sideband {
        let (mut nested, mut text) = (Vec::new(), Vec::new());
        let ended = demultiplex(&mut *reader, &mut nested, &mut text, &mut report.fatal);
        report.server_text = printable_lines(&text);
        ended?;
        parse(&nested, report)
    } else {
        loop {
            match reader.readline() {
                None => return Ok(()),
                Some(Ok(Ok(PacketLineRef::Data(line)))) => line_of_report(line, report),
                Some(Ok(Ok(_))) => return Ok(()),
                Some(Ok(Err(err))) => return Err(io::Error::new(io::ErrorKind::InvalidData, err.to_string())),
                Some(Err(err)) => return Err(err),
            }
        }
    }
}

/// Takes the bands apart: `nested` is band 1, `text` the others.
///
/// Not with gix's progress handler, which gets each piece without the line end it may have: then two lines look like one.
fn demultiplex<'a>(
    reader: &mut (dyn ExtendedBufRead<'a> + Unpin + 'a),
    nested: &mut Vec<u8>,
    text: &mut Vec<u8>,
    fatal: &mut bool,
) -> io::Result<()> {
    let invalid = |err: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, err.to_string());
    let keep = |into: &mut Vec<u8>, bytes: &[u8], limit: usize| {
        into.extend_from_slice(&bytes[..bytes.len().min(limit.saturating_sub(into.len()))]);
    };
    while let Some(line) = reader.readline() {
        match line?.map_err(|err| invalid(&err))? {
            PacketLineRef::Flush => break,
            line => match line.decode_band().map_err(|err| invalid(&err))? {
                BandRef::Data(bytes) => keep(nested, bytes, MAX_REPORT),
                BandRef::Progress(bytes) => keep(text, bytes, MAX_TEXT),
                BandRef::Error(bytes) => {
                    *fatal = true;
                    if !text.is_empty() && !text.ends_with(b"\n") {
                        text.push(b'\n');
                    }
                    keep(text, bytes, MAX_TEXT);
                }
            },
        }
    }
    Ok(())
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
            Err(err) => return Err(io::Error::new(io::ErrorKind::InvalidData, err.to_string())),
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

/// Text from the other side, fit for a terminal: lines trimmed, control and bidirectional characters dropped, no
/// empty lines, cut at 16 KiB. A carriage return ends a line, as progress meters use it.
pub fn printable_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]);
    let mut out = String::new();
    for line in text.split(['\n', '\r']) {
        let clean: String = strip_escapes(line);
        let clean = clean.trim_end();
        if !clean.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(clean);
        }
    }
    out
}

/// Drops ANSI escape sequences whole, so that no `[31m` is left of them, and every other character that does not print.
fn strip_escapes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' || c == '\u{9b}' {
            if c == '\u{1b}' && chars.next_if_eq(&'[').is_none() {
                chars.next();
                continue;
            }
            while chars.next_if(|c| matches!(c, '0'..='?' | ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '@'..='~'));
        } else if c == '\t' {
            out.push(' ');
        } else if !prints_nothing(c) {
            out.push(c);
        }
    }
    out
}

fn prints_nothing(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn nothing_that_moves_a_cursor_gets_through() {
        let hostile = b"\x1b[2J\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07ok\r\n\xe2\x80\xaeabc\n\n\x9b1mx";
        let clean = printable_lines(hostile);
        assert!(!clean.chars().any(|c| c.is_control() && c != '\n'), "{clean:?}");
        assert!(clean.starts_with("red"), "{clean:?}");
        assert!(clean.contains("\nabc"), "{clean:?}");
    }
}
