//! `git metis-sync watch --status`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::{Exit, Global, render},
    state::{last::LastSync, lock::Holder},
    sync::{Workspace, stop},
    text::{Untrusted, shown},
    watch::{
        note::{self, Note},
        registry,
    },
};

/// How it goes in a workspace.
struct Standing<'a> {
    path: &'a Path,
    is_registered: bool,
    /// Who watches it; `Some(None)` if it does not say.
    watcher: Option<Option<Holder>>,
    noted: Option<Note>,
    /// Why it cannot be watched.
    problem: Option<Untrusted>,
}

impl<'a> Standing<'a> {
    fn of(path: &'a Path, registered: &[PathBuf]) -> Self {
        let found = Workspace::discover(path);
        let state = found.as_ref().ok();
        let state = state.and_then(Workspace::own_state);
        let mut noted = state.as_ref().and_then(Note::load);
        if let (Some(note), Some(state)) = (&mut noted, &state) {
            // A sync by hand may have gone well since.
            let last = LastSync::load(state, Timestamp::now());
            let is_over = |failed: &note::Failed| last.as_ref().is_some_and(|last| last.came_after(failed.at.raw()));
            note.last_failure = note.last_failure.take().filter(|failed| !is_over(failed));
        }
        Standing {
            path,
            is_registered: registered.iter().any(|registered| registered == path),
            watcher: state.as_ref().and_then(note::watcher),
            noted,
            problem: found.err().map(|kind| stop::explain(&kind, "").message),
        }
    }

    fn json(&self) -> Value {
        json!({
            "path": shown(self.path).to_string(), "registered": self.is_registered, "watched": self.watcher.is_some(),
            "watcher": self.watcher, "noted": self.noted, "problem": self.problem,
        })
    }

    fn say(&self) {
        let how = match (&self.problem, &self.watcher) {
            (Some(problem), _) => problem.to_string(),
            (None, None) => "not watched".into(),
            (None, Some(None)) => "watched".into(),
            (None, Some(Some(holder))) => format!("watched by {holder}"),
        };
        let registered = if self.is_registered { "" } else { " (not registered)" };
        say!("{}: {how}{registered}", shown(self.path));
        if let Some(noted) = self.noted.as_ref().filter(|_| self.watcher.is_some()) {
            details(noted);
        }
    }
}

/// Shows how it goes in each of these workspaces.
pub fn show(global: &Global, paths: &[PathBuf]) -> Exit {
    let registered = match registry::all() {
        Ok(registered) => registered,
        Err(err) => return super::failed(global, &format!("git's configuration cannot be read: {err}")),
    };
    let standings = paths.iter().map(|path| Standing::of(path, &registered));
    if global.json {
        let all: Vec<Value> = standings.map(|standing| standing.json()).collect();
        render::print_json(&render::document("watch", json!({ "workspaces": all })));
        return Exit::Ok;
    }
    standings.for_each(|standing| standing.say());
    if registered.is_empty() {
        say!("No workspace is registered; `git metis-sync watch --install PATH` registers one.");
    }
    Exit::Ok
}

fn details(noted: &Note) {
    if !noted.events {
        say!("  files are looked at every 5 s: the system tells of no more changes");
    }
    if let Some(at) = &noted.last_success {
        say!("  last success: {}", render::time(at.raw()));
    }
    if let Some(failed) = &noted.last_failure {
        say!("  last failure: {}: {}", render::time(failed.at.raw()), failed.message);
        say!(
            "  tried again at {}, or when something changes",
            render::time(failed.next.raw())
        );
    }
}
