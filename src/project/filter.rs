//! The programs that git's attributes name as filters: started for each file, or once for all of them.

mod running;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gix::{bstr::BString, filter::plumbing::Driver};

use self::running::{Running, Said};
use crate::{send_pack::connect, text::shown};

/// How long a filter may take for a file.
const PATIENCE: Duration = Duration::from_secs(10);
/// No filter makes more of a file.
const MOST: u64 = 64 << 20;

/// How many bytes of texts are kept with what became of them. A sync reads what it is about to push more than once.
const KEPT: usize = 32 << 20;

/// The filters of one repository.
#[derive(Default)]
pub(super) struct Filters {
    /// One did not end in time, and none is run again.
    is_slow: Cell<bool>,
    /// Those that run. `None`: it asked to be left alone.
    running: RefCell<BTreeMap<BString, Option<Running>>>,
    made: RefCell<Made>,
}

/// Where filters run, and until when.
pub(super) struct Place<'p> {
    /// The folder that git starts them in.
    pub(super) top: &'p Path,
    pub(super) interrupt: &'p Arc<AtomicBool>,
}

impl Filters {
    /// Does something that runs filters, unless one of them has kept somebody waiting for too long before.
    pub(super) fn unless_slow(&self, run: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<Vec<u8>, String> {
        if self.is_slow.get() {
            return Err("a filter did not end in time".into());
        }
        run().map_err(|err| {
            self.is_slow.set(err.kind() == io::ErrorKind::TimedOut);
            err.to_string()
        })
    }

    /// What a filter makes of the bytes of a file. One that fails changes nothing, as for git, unless it is required; one that does not
    /// end, or has no end, or leaves nothing, did not do what it is for.
    pub(super) fn clean(&self, driver: &Driver, path: &Path, bytes: &[u8], at: &Place<'_>) -> io::Result<Vec<u8>> {
        let key = (driver.name.clone(), path.to_owned());
        if let Some(made) = self.made.borrow().of(&key, bytes) {
            return Ok(made);
        }
        let cleaned = self.cleaned(driver, path, bytes, at)?;
        self.made.borrow_mut().keep(key, bytes, &cleaned);
        Ok(cleaned)
    }

    fn cleaned(&self, driver: &Driver, path: &Path, bytes: &[u8], at: &Place<'_>) -> io::Result<Vec<u8>> {
        let set = |command: &Option<BString>| command.clone().filter(|command| !command.is_empty());
        let cleaned = match (set(&driver.process), set(&driver.clean)) {
            (Some(process), _) => self.ask((&driver.name, &process), path, bytes, at)?,
            (None, Some(clean)) => run(&clean, path, bytes, at)?,
            (None, None) => None,
        };
        let failed = |what: &str| {
            let name = shown(Path::new(OsStr::from_bytes(&driver.name)));
            Err(io::Error::other(format!("the filter {name} {what}")))
        };
        match cleaned {
            Some(cleaned) if cleaned.is_empty() && !bytes.is_empty() => failed("left nothing of it"),
            Some(cleaned) => Ok(cleaned),
            None if driver.required => failed("is required and failed"),
            None => Ok(bytes.to_vec()),
        }
    }

    /// One start for all files. `None`: it failed, or does not do this.
    fn ask(
        &self,
        (name, command): (&BString, &[u8]),
        path: &Path,
        bytes: &[u8],
        at: &Place<'_>,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut running = self.running.borrow_mut();
        let begun = match running.remove(name) {
            Some(begun) => begun,
            None => Running::start(command, at).map_or_else(|err| judged(err, at), Ok)?,
        };
        let Some(mut filter) = begun else {
            running.insert(name.clone(), None);
            return Ok(None);
        };
        // After an error it is in the middle of something: the next file starts it again.
        let said = filter
            .clean(path, bytes)
            .map_or_else(|err| judged(err, at), |said| Ok(Some(said)))?;
        let (kept, cleaned) = match said {
            Some(Said::Cleaned(cleaned)) => (Some(Some(filter)), Some(cleaned)),
            Some(Said::NotThis) => (Some(Some(filter)), None),
            Some(Said::NothingMore) => (Some(None), None),
            None => (None, None),
        };
        if let Some(kept) = kept {
            running.insert(name.clone(), kept);
        }
        Ok(cleaned)
    }
}

/// One start for one file. `None`: it failed.
fn run(command: &[u8], path: &Path, bytes: &[u8], at: &Place<'_>) -> io::Result<Option<Vec<u8>>> {
    let line = with_path(command, path.as_os_str().as_bytes());
    let output = connect::ask_as_git(OsStr::from_bytes(&line))
        .in_folder(at.top)
        .told(bytes)
        .within(PATIENCE)
        .at_most(MOST)
        .until(at.interrupt)
        .answer()?;
    Ok(output.status.success().then_some(output.stdout))
}

/// Whether an error is a failure of the filter, which is nothing, or keeps what it would have made from being known.
fn judged<T>(err: io::Error, at: &Place<'_>) -> io::Result<Option<T>> {
    let is_over = at.interrupt.load(Ordering::Relaxed);
    match err.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::InvalidData if !is_over => Ok(None),
        io::ErrorKind::TimedOut => {
            let text = format!("a program that git runs did not end within {} s", PATIENCE.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        }
        _ => Err(err),
    }
}

/// What filters made of texts.
#[derive(Default)]
struct Made {
    texts: BTreeMap<Key, (Vec<u8>, Vec<u8>)>,
    bytes: usize,
}

/// A filter, and the file that it is for.
type Key = (BString, PathBuf);

impl Made {
    fn of(&self, key: &Key, text: &[u8]) -> Option<Vec<u8>> {
        let (of, made) = self.texts.get(key)?;
        (of == text).then(|| made.clone())
    }

    fn keep(&mut self, key: Key, text: &[u8], made: &[u8]) {
        self.bytes += text.len() + made.len();
        if self.bytes <= KEPT {
            self.texts.insert(key, (text.to_vec(), made.to_vec()));
        }
    }
}

/// A command line with the file's path, quoted as git does it, in the place of `%f`.
fn with_path(command: &[u8], path: &[u8]) -> Vec<u8> {
    let mut line = Vec::new();
    let mut rest = command.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match (byte, rest.peek()) {
            (b'%', Some(b'%')) => line.extend(rest.next()),
            (b'%', Some(b'f')) => {
                rest.next();
                line.extend_from_slice(&gix::quote::single(path.into()));
            }
            _ => line.push(byte),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        let line = with_path(b"clean --100%% -- %f %x", b"it's/a!b $c");
        assert_eq!(line, br"clean --100% -- 'it'\''s/a'\!'b $c' %x");
        assert_eq!(with_path(b"%", b"x"), b"%");
    }
}
