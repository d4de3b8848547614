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
mod tests;
