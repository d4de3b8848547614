//! Why something was not done with a conduit, and what to do about it.

use super::super::{Exit, Global, render};
use crate::{
    conduit::{self, ConduitError},
    sync::stop::Hint,
};

/// Prints why something was not done with the conduit `name`, and returns the exit code.
pub fn tell(global: &Global, error: &ConduitError, name: &str) -> Exit {
    let hint = conduit::explain(error, name);
    render::failure(global, "conduit", kind(error, &hint), &hint, None);
    hint.exit
}

/// The same of one of several that were to be synced, whose JSON document has it already.
pub fn tell_of_sync(global: &Global, error: &ConduitError, name: &str) -> Exit {
    let mut hint = conduit::explain(error, name);
    hint.message = format!("{name}: {}", hint.message.raw()).into();
    let global = Global {
        json: false,
        ..global.clone()
    };
    render::failure(&global, "conduit", kind(error, &hint), &hint, None);
    hint.exit
}

/// The word for it in JSON, which of a sync is the one that documents have too.
fn kind(error: &ConduitError, hint: &Hint) -> &'static str {
    match error {
        ConduitError::Workspace(kind) => kind.word(),
        ConduitError::Central { kind, .. } => kind.word(),
        _ => hint.stop.name(),
    }
}
