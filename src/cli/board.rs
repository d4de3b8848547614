//! `git metis-sync board`: the documents of all workspaces as one page.

use std::{
    fs::{File, Permissions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, ValueHint};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    cache::{Cache, Document, Filter, QueryError},
    stage::rebuild_cache,
    state::{
        files::{StateDir, StateError},
        journal,
    },
    sync::{self, SyncErrorKind, Workspace},
    text::shown,
    view::{
        AsOf,
        board::{self, Board, is_board},
    },
    workspace::read_document,
};

use super::{
    Exit, Global, document, editor, output,
    render::{self, count},
};

/// Where the page is put if nobody says where.
const NAME: &str = "board.html";

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
}

/// Writes the page.
pub fn run(global: &Global, args: &BoardArgs) -> Exit {
    document::asked_of(global, "board", |workspace, guard| {
        let board = look(workspace, &sync::open_cache(workspace, guard)?)?;
        let page = board::page(&board);
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
        let bytes = read_document(metis.dir(), &document.path).ok()?;
        Some(rebuild_cache::body(&bytes))
    };
    let state = StateDir::open(metis.path()).ok().flatten();
    let journal = state.and_then(|state| journal::read_last(&state, SYNCS).ok());
    let mut syncs = journal.unwrap_or_default().entries;
    syncs.reverse();
    let now = Timestamp::now();
    Ok(board::plan(&documents, &text, syncs, AsOf::of(workspace, now), now))
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
    match File::open(file) {
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
    let opened = match open.then(|| editor::browse(workspace.metis().project(), file)) {
        None => Ok(()),
        Some(Ok(status)) if status.success() => Ok(()),
        Some(Ok(status)) => Err(format!("git web--browse ended with {status}")),
        Some(Err(err)) => Err(err.to_string()),
    };
    if let Err(reason) = opened {
        let message = format!("the board was written and not opened: {reason}");
        let next = format!("`git config web.browser NAME` chooses a browser; the page is {name}.");
        return document::stopped(global, "board", "browser", message, next);
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
