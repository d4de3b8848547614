//! Progress on a terminal: one line on stderr, drawn only for work that takes longer than half a second.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use crate::sync::{Progress, Step};

use super::Global;

const PATIENCE: Duration = Duration::from_millis(500);
const REDRAW: Duration = Duration::from_millis(100);
const WIDTH: usize = 24;

/// Draws steps as they come.
pub struct Bar {
    enabled: bool,
    began: Instant,
    drawn: Option<Instant>,
}

impl Bar {
    /// Draws nothing where nobody looks: no terminal, `--quiet`, `--no-progress`.
    pub fn new(global: &Global) -> Self {
        Bar {
            enabled: global.talks() && !global.no_progress && io::stderr().is_terminal(),
            began: Instant::now(),
            drawn: None,
        }
    }

    /// Wipes the line, so that what is printed next stands alone.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        }
    }
}

impl Progress for Bar {
    fn step(&mut self, step: Step) {
        let soon = self.drawn.is_some_and(|at| at.elapsed() < REDRAW);
        if !self.enabled || self.began.elapsed() < PATIENCE || soon {
            return;
        }
        let text = match step {
            Step::Listing => "asking central".to_owned(),
            Step::Fetching => "receiving".to_owned(),
            Step::Hydrating { done, total } => {
                let filled = (WIDTH * done).checked_div(total).unwrap_or(WIDTH);
                format!(
                    "hydrating [{}{}] {done}/{total}",
                    "=".repeat(filled),
                    " ".repeat(WIDTH - filled)
                )
            }
            Step::Dehydrating => "reading own documents".to_owned(),
            Step::Pushing => "pushing".to_owned(),
            Step::Retrying { retry, wait } => format!("central moved, retry {retry} in {:.1} s", wait.as_secs_f64()),
            Step::RebuildingCache => "rebuilding metis.db".to_owned(),
        };
        let _ = write!(io::stderr().lock(), "\r\x1b[2K{text}");
        self.drawn = Some(Instant::now());
    }
}
