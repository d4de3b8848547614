//! Central's objects on this machine are thrown away where they are damaged, and fetched anew: once.

use std::cell::Cell;

/// Whether that is to be done, or was.
#[derive(Debug, Default)]
pub struct Renewal(Cell<State>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    NotNeeded,
    Due,
    Done,
}

impl Renewal {
    /// Whether it was neither asked for nor done yet. What is missing after it, central does not have either.
    pub fn may_help(&self) -> bool {
        self.0.get() == State::NotNeeded
    }

    /// Sees to it that the next fetch begins without the objects that are here, unless one did.
    pub fn ask(&self) {
        if self.may_help() {
            self.0.set(State::Due);
        }
    }

    /// Whether the objects that are here are to be thrown away.
    pub fn is_due(&self) -> bool {
        self.0.get() == State::Due
    }

    /// Notes that they were.
    pub fn done(&self) {
        self.0.set(State::Done);
    }

    /// Whether they were.
    pub fn is_done(&self) -> bool {
        self.0.get() == State::Done
    }
}
