//! Progress on a terminal: one line on stderr, drawn only for work that takes longer than half a second.
//!
//! A thread draws, so that a step which reports nothing while it goes on is seen as well. It never draws while a
//! password may be asked for on the same terminal: it would wipe the question.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::sync::{Progress, Step};

use super::{Global, output};

const PATIENCE: Duration = Duration::from_millis(500);
const REDRAW: Duration = Duration::from_millis(100);
/// Nobody types a password in less.
const TYPING: Duration = Duration::from_secs(1);
const WIDTH: usize = 24;
/// Where the terminal does not say how wide it is.
const COLUMNS: usize = 80;

/// Draws steps as they come.
pub struct Bar {
    shared: Option<Arc<Shared>>,
    /// Whether a person may be asked for a password.
    may_prompt: bool,
    listing: Option<Instant>,
    /// Central let us in faster than anybody types.
    no_password: bool,
}

#[derive(Default)]
struct Shared {
    line: Mutex<Line>,
    wake: Condvar,
}

#[derive(Default)]
struct Line {
    /// What to draw. `None`: nothing for now.
    text: Option<String>,
    /// What stands there.
    drawn: Option<String>,
    over: bool,
}

impl Bar {
    /// Draws nothing where nobody looks: no terminal, `--quiet`, `--no-progress`.
    pub fn new(global: &Global) -> Self {
        let enabled = global.talks() && !global.no_progress && output::talks_to_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let shared = (enabled && !dumb).then(Arc::<Shared>::default);
        if let Some(shared) = &shared {
            let shared = Arc::clone(shared);
            // Without a thread there is no bar, which is no reason to stop.
            let _ = std::thread::Builder::new()
                .name("progress".into())
                .spawn(move || shared.draw());
        }
        Bar {
            shared,
            may_prompt: global.may_prompt(),
            listing: None,
            no_password: false,
        }
    }

    /// Wipes the line, so that what is printed next stands alone.
    pub fn clear(&mut self) {
        if let Some(shared) = &self.shared {
            shared.show(None);
        }
    }

    /// Whether this step may ask for a password.
    fn asks(&self, step: &Step) -> bool {
        self.may_prompt
            && match step {
                Step::Listing => true,
                // To central once more, ...
                Step::Pushing => !self.no_password,
                // ... and to the project's own remote, which is somebody else.
                Step::Dehydrating => true,
                _ => false,
            }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.show(None);
            shared.lock().over = true;
            shared.wake.notify_all();
        }
    }
}

impl Progress for Bar {
    fn step(&mut self, step: Step) {
        let Some(shared) = &self.shared else { return };
        match (&step, self.listing.take()) {
            (Step::Listing, _) => self.listing = Some(Instant::now()),
            (_, Some(begun)) => self.no_password = begun.elapsed() < TYPING,
            _ => {}
        }
        shared.show((!self.asks(&step)).then(|| words(step)));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what to draw from now on; nothing is wiped at once.
    fn show(&self, text: Option<String>) {
        let mut line = self.lock();
        if text.is_none() && line.drawn.take().is_some() {
            output::redraw("");
        }
        line.text = text;
    }

    fn draw(&self) {
        let mut line = self.lock();
        let mut pause = PATIENCE;
        while !line.over {
            (line, _) = self
                .wake
                .wait_timeout(line, pause)
                .unwrap_or_else(PoisonError::into_inner);
            pause = REDRAW;
            let Line { text, drawn, over } = &mut *line;
            if let (Some(text), false) = (text.as_ref(), *over)
                && drawn.as_ref() != Some(text)
            {
                output::redraw(&fitted(text, output::columns().unwrap_or(COLUMNS)));
                *drawn = Some(text.clone());
            }
        }
    }
}

/// A line that wraps could not be wiped.
fn fitted(text: &str, columns: usize) -> String {
    text.chars().take(columns.saturating_sub(1)).collect()
}

fn words(step: Step) -> String {
    let bar = |what: &str, done: usize, total: usize| {
        let filled = (WIDTH * done.min(total)).checked_div(total).unwrap_or(WIDTH);
        let (filled, left) = ("=".repeat(filled), " ".repeat(WIDTH - filled));
        format!("{what} [{filled}{left}] {done}/{total}")
    };
    match step {
        Step::Hydrating { done, total } => bar("hydrating", done, total),
        Step::Copying { done, total } => bar("copying", done, total),
        step => step.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_and_never_wraps() {
        assert_eq!(
            words(Step::Hydrating { done: 1, total: 2 }),
            "hydrating [============            ] 1/2"
        );
        assert_eq!(
            words(Step::Copying { done: 3, total: 4 }),
            "copying [==================      ] 3/4"
        );
        assert_eq!(words(Step::Fetching { bytes: 5 << 19 }), "receiving, 2.5 MiB");
        assert_eq!(fitted("äöü", 3), "äö");
        assert_eq!(fitted("ä", 0), "");
    }

    #[test]
    fn nothing_is_drawn_where_a_password_may_be_asked_for() {
        let mut bar = Bar {
            shared: None,
            may_prompt: true,
            listing: None,
            no_password: false,
        };
        assert!(bar.asks(&Step::Listing) && bar.asks(&Step::Pushing) && bar.asks(&Step::Dehydrating));
        assert!(!bar.asks(&Step::RebuildingCache));
        bar.no_password = true;
        assert!(!bar.asks(&Step::Pushing));
        bar.may_prompt = false;
        assert!(!bar.asks(&Step::Listing));
    }
}
