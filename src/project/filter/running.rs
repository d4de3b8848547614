//! A filter that is started once for all files (`gitattributes(5)`, "Long Running Filter Process").

use std::{
    ffi::OsStr,
    io::{self, Read as _},
    os::unix::ffi::OsStrExt,
    path::Path,
    time::Instant,
};

use gix::protocol::transport::packetline::blocking_io::encode;

use super::{MOST, PATIENCE, Place};
use crate::send_pack::connect::{self, Conversation};

/// The most that is sent at once.
const PACKET: usize = 65_516;
/// A filter says no more than so many lines beside what it makes of a file.
const LINES: usize = 100;

/// A filter that runs.
pub(super) struct Running {
    filter: Conversation,
    /// When it was asked.
    since: Instant,
}

/// What a filter made of a file.
pub(super) enum Said {
    Cleaned(Vec<u8>),
    /// Nothing of this one.
    NotThis,
    /// Nothing of any.
    NothingMore,
}

impl Running {
    /// Starts it. `None`: it does not do what is asked of it here.
    pub(super) fn start(command: &[u8], at: &Place<'_>) -> io::Result<Option<Self>> {
        let question = connect::ask_as_git(OsStr::from_bytes(command)).in_folder(at.top);
        let mut it = Running {
            filter: question.within(PATIENCE).until(at.interrupt).converse()?,
            since: Instant::now(),
        };
        it.say(&["git-filter-client", "version=2"])?;
        if it.lines()? != ["git-filter-server", "version=2"] {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // There are some that do not begin unless they are offered both.
        it.say(&["capability=clean", "capability=smudge"])?;
        let cleans = it.lines()?.iter().any(|line| line == "capability=clean");
        Ok(cleans.then_some(it))
    }

    pub(super) fn clean(&mut self, path: &Path, bytes: &[u8]) -> io::Result<Said> {
        self.since = Instant::now();
        let mut name = b"pathname=".to_vec();
        name.extend_from_slice(path.as_os_str().as_bytes());
        self.send(b"command=clean\n")?;
        self.send(&[&name, b"\n".as_slice()].concat())?;
        self.flush()?;
        for part in bytes.chunks(PACKET) {
            self.send(part)?;
        }
        self.flush()?;
        match self.status()?.as_deref() {
            Some("success") => {}
            Some("abort") => return Ok(Said::NothingMore),
            _ => return Ok(Said::NotThis),
        }
        let mut cleaned = Vec::new();
        while let Some(part) = self.packet()? {
            cleaned.extend(part);
            if cleaned.len() as u64 > MOST {
                let text = format!("a program that git runs said more than {} MiB", MOST >> 20);
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
            }
        }
        // It may take back what it said before.
        match self.status()?.as_deref() {
            None | Some("success") => Ok(Said::Cleaned(cleaned)),
            _ => Ok(Said::NotThis),
        }
    }

    /// The last status that is said. `None`: none is.
    fn status(&mut self) -> io::Result<Option<String>> {
        let lines = self.lines()?;
        let mut said = lines.iter().rev().filter_map(|line| line.strip_prefix("status="));
        Ok(said.next().map(str::to_owned))
    }

    fn say(&mut self, lines: &[&str]) -> io::Result<()> {
        for line in lines {
            self.send(format!("{line}\n").as_bytes())?;
        }
        self.flush()
    }

    fn lines(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        while let Some(line) = self.packet()? {
            if lines.len() == LINES {
                return Err(io::ErrorKind::InvalidData.into());
            }
            lines.push(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
        }
        Ok(lines)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        encode::data_to_write(bytes, &mut self.filter).map(drop)
    }

    fn flush(&mut self) -> io::Result<()> {
        encode::flush_to_write(&mut self.filter).map(drop)
    }

    /// The next packet; `None` where a list of them ends.
    fn packet(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.since.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut head = [0; 4];
        self.filter.read_exact(&mut head)?;
        let len = std::str::from_utf8(&head)
            .ok()
            .and_then(|head| usize::from_str_radix(head, 16).ok());
        match len {
            Some(0) => Ok(None),
            Some(len @ 4..) => {
                let mut packet = vec![0; len - 4];
                self.filter.read_exact(&mut packet)?;
                Ok(Some(packet))
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
