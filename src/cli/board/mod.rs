//! `git metis-sync board`: the documents of all workspaces as one page, in a file or served.

mod serve;
mod strangers;

use std::{
    fs::{File, Permissions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use clap::{Args, ValueHint};
use jiff::Timestamp;
use rustix::fs::OFlags;
use serde_json::json;

use crate::{
    cache::{self, Cache, Document, Filter, QueryError},
    stage::rebuild_cache,
    state::{
        cursor,
        files::{FOLDER, StateDir, StateError},
        journal,
    },
    sync::{self, SyncErrorKind, Workspace},
    text::{escaped, shown},
    view::{
        AsOf,
        board::{self, Board, is_board},
    },
    workspace::read_document,
};

use self::serve::{Server, Shows};
use super::{
    Exit, Global, document, editor, output,
    render::{self, count},
};

/// Where the page is put if nobody says where.
const NAME: &str = "board.html";

/// The page that leads to a served one.
const LEADS: &str = "board-served.html";

/// Syncs that the page lists.
const SYNCS: usize = 50;

#[derive(Debug, Clone, Args)]
pub struct BoardArgs {
    /// Where to write the page; `-` is standard output [default: .metis/.sync/board.html]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Open it in the browser that git opens pages in (web.browser)
    #[arg(long)]
    open: bool,
    /// Serve the page to this machine instead, on a PORT or a free one, and bring it up to each sync until Ctrl-C
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    #[arg(conflicts_with = "file")]
    serve: Option<u16>,
}

/// Writes the page, or serves it.
pub fn run(global: &Global, args: &BoardArgs, interrupt: &AtomicBool) -> Exit {
    document::asked_of(global, "board", |workspace, guard| {
        let board = look(workspace, &sync::open_cache(workspace, guard)?)?;
        if let Some(port) = args.serve {
            return Ok(served(global, args.open, port, workspace, interrupt));
        }
        let page = board::page(&board, None);
        let file = match args.file.as_deref() {
            Some(file) if file == Path::new("-") => {
                let _ = output::stdout().write_all(page.as_bytes());
                return Ok(Exit::Ok);
            }
            Some(file) => {
                let file = global.start_dir().join(file);
                write(&file, &page).map(|()| file)
            }
            None => keep(workspace, &page),
        };
        Ok(match file {
            Ok(file) => told(global, workspace, args.open, &board, &file),
            Err(NotWritten::Io(message)) => document::stopped(global, "board", "io", message, String::new()),
            Err(NotWritten::State(err)) => render::explained(global, "board", &SyncErrorKind::from(err), ""),
            Err(NotWritten::Taken(file)) => {
                let message = format!("{} is there and no board", shown(&file));
                let next = "It was left as it is: name another file, or move that one away.".to_owned();
                document::stopped(global, "board", "taken", message, next)
            }
        })
    })
}

fn look(workspace: &Workspace, cache: &Cache) -> Result<Board, QueryError> {
    let everything = Filter {
        archived: true,
        ..Filter::default()
    };
    let documents = cache.find(&everything)?;
    let metis = workspace.metis();
    // A page that shows the others is worth more than none.
    let text = |document: &Document| {
        let bytes = read_document(metis.dir(), document.path.raw()).ok()?;
        Some(rebuild_cache::body(&bytes))
    };
    let journal = workspace
        .own_state()
        .and_then(|state| journal::read_last(&state, SYNCS).ok());
    let mut syncs = journal.unwrap_or_default().entries;
    syncs.reverse();
    let now = Timestamp::now();
    Ok(board::plan(&documents, &text, syncs, AsOf::of(workspace, now), now))
}

/// The workspace in a folder, as it is each time.
struct Here {
    start: PathBuf,
    /// What a sync that changes something writes.
    files: [PathBuf; 3],
}

impl Here {
    fn new(start: PathBuf, dot_metis: &Path) -> Self {
        let state = dot_metis.join(FOLDER);
        Here {
            start,
            files: [
                dot_metis.join(cache::FILE_NAME),
                state.join(cursor::FILE),
                state.join(journal::NAME),
            ],
        }
    }

    fn board(&self) -> Result<Board, String> {
        let workspace = Workspace::discover(&self.start).map_err(|err| err.to_string())?;
        let guard = workspace.guard().map_err(|err| err.to_string())?;
        let cache = sync::open_cache(&workspace, &guard);
        cache
            .and_then(|cache| look(&workspace, &cache))
            .map_err(|err| err.to_string())
    }
}

impl Shows for Here {
    fn page(&self) -> Result<String, String> {
        let version = self.version();
        let board = self.board().map_err(|reason| escaped(&reason))?;
        Ok(board::page(&board, Some(&version)))
    }

    fn version(&self) -> String {
        serve::version_of(self.files.iter().map(PathBuf::as_path))
    }
}

/// Serves the page until Ctrl-C.
fn served(global: &Global, open: bool, port: u16, workspace: &Workspace, interrupt: &AtomicBool) -> Exit {
    let server = match Server::open(port) {
        Ok(server) => server,
        Err(err) => {
            let message = format!("nothing can be served on port {port} of 127.0.0.1: {err}");
            let next = "`--serve` without a port takes a free one.".to_owned();
            return document::stopped(global, "board", "port", message, next);
        }
    };
    let url = server.url();
    if global.json {
        render::print_json(&render::document("board", json!({ "url": url })));
    } else {
        say!("{url}");
    }
    let _ = output::stdout().flush();
    let stopped = open.then(|| lead_to(global, workspace, &url)).flatten();
    server.run(&Here::new(global.start_dir(), workspace.metis().path()), interrupt);
    stopped.unwrap_or(Exit::Interrupted)
}

/// Has the browser led to the served page by a file that only this user can read: others see the arguments of a program.
fn lead_to(global: &Global, workspace: &Workspace, url: &str) -> Option<Exit> {
    let page = format!("<!doctype html>\n<meta http-equiv=\"refresh\" content=\"0;url={url}\">\n");
    let leads = StateDir::create(workspace.metis().path())
        .and_then(|state| state.replace(LEADS, page.as_bytes()).map(|()| state.path().join(LEADS)));
    match leads {
        Ok(file) => opened(
            global,
            workspace,
            &file,
            &format!("the board is served and not opened: open {url}"),
        ),
        Err(err) => Some(render::explained(global, "board", &SyncErrorKind::from(err), "")),
    }
}

/// Why there is no page.
enum NotWritten {
    /// Something else is there.
    Taken(PathBuf),
    /// It cannot be written, in words.
    Io(String),
    /// The folder of this clone's state cannot be.
    State(StateError),
}

/// Puts the page beside this clone's state, which git passes over.
fn keep(workspace: &Workspace, page: &str) -> Result<PathBuf, NotWritten> {
    let state = StateDir::create(workspace.metis().path()).map_err(NotWritten::State)?;
    state.replace(NAME, page.as_bytes()).map_err(NotWritten::State)?;
    Ok(state.path().join(NAME))
}

/// Writes the page, but over nothing that is no such page.
fn write(file: &Path, page: &str) -> Result<(), NotWritten> {
    let fail = |err: io::Error| NotWritten::Io(format!("{} cannot be written: {err}", shown(file)));
    let mut beginning = Vec::new();
    // Somebody else may have put a pipe there, which would be waited for.
    let opened = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(file);
    match opened {
        Ok(there) => {
            let regular = there.metadata().map_err(fail)?.is_file();
            there.take(1024).read_to_end(&mut beginning).map_err(fail)?;
            if !regular || !(beginning.is_empty() || is_board(&beginning)) {
                return Err(NotWritten::Taken(file.to_owned()));
            }
        }
        Err(err) if err.kind() == ErrorKind::NotFound => {}
        Err(err) => return Err(fail(err)),
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut temp = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(fail)?;
    temp.write_all(page.as_bytes()).map_err(fail)?;
    temp.persist(file).map_err(|err| fail(err.error))?;
    Ok(())
}

/// Opens the page, and says where it is.
fn told(global: &Global, workspace: &Workspace, open: bool, board: &Board, file: &Path) -> Exit {
    let name = shown(file).to_string();
    let but = format!("the board was written and not opened: it is {name}");
    if let Some(stopped) = open.then(|| opened(global, workspace, file, &but)).flatten() {
        return stopped;
    }
    if global.json {
        let value = json!({
            "as_of": board.as_of,
            "file": name,
            "documents": board.cards.len(),
            "workspaces": board.workspaces.len(),
        });
        render::print_json(&render::document("board", value));
    } else if global.talks() {
        say!("{name}: {}", count(board.cards.len()));
    }
    Exit::Ok
}

/// Opens a page in the browser; how it ended if that cannot be, `but` being what there is all the same.
fn opened(global: &Global, workspace: &Workspace, file: &Path, but: &str) -> Option<Exit> {
    let reason = match editor::browse(workspace.metis().project(), file) {
        Ok(status) if status.success() => return None,
        Ok(status) => format!("git web--browse ended with {status}"),
        Err(err) => err.to_string(),
    };
    let next = "`git config web.browser NAME` chooses a browser.".to_owned();
    Some(document::stopped(
        global,
        "board",
        "browser",
        format!("{but} ({reason})"),
        next,
    ))
}
