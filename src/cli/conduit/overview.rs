//! Where all conduits stand, for the commands that are about everything.

use serde_json::{Value, json};

use super::super::{colour::Paint, render};
use crate::{
    conduit::{self, Overview, definition::Confirmed},
    sync::{SyncOptions, Workspace, stop::Hint},
};

/// Conduits that are named before the rest is counted.
const NAMED: usize = 3;

/// All conduits, or why they cannot be told.
pub struct Looked(Result<Vec<Overview>, Hint>);

/// Looks at all conduits of the workspace. `asks`: at the branches of central as they are now.
pub fn look(workspace: &Workspace, options: &SyncOptions, asks: bool) -> Looked {
    Looked(conduit::overview(workspace, options, asks).map_err(|error| conduit::explain(&error, "NAME")))
}

impl Looked {
    /// For JSON.
    pub fn json(&self) -> Value {
        match &self.0 {
            Ok(all) => json!(all),
            Err(hint) => json!([{ "stop": hint.stop.name(), "message": hint.message, "next": hint.next }]),
        }
    }

    /// Whether both sides of each that is enabled are the same.
    pub fn is_right(&self) -> bool {
        self.0.as_ref().is_ok_and(|all| all.iter().all(Overview::is_in_step))
    }

    /// For a script: the name, and what [`Overview::words()`] says, with the state of one that is not enabled.
    pub fn rows(&self) -> Vec<(String, &'static str, String)> {
        let all = self.0.iter().flatten();
        all.map(|one| (one.name.clone(), one.state.word(), one.words()))
            .collect()
    }

    /// One line, or with `verbose` one for each, and what to type. None where there are no conduits.
    pub fn lines(&self, paint: Paint, verbose: bool) -> Vec<String> {
        let all = match &self.0 {
            Ok(all) if all.is_empty() => return Vec::new(),
            Ok(all) => all,
            Err(hint) => {
                let first = format!("{} {}", paint.red("Conduits:"), hint.message);
                return vec![first, format!("  {}", hint.next)];
            }
        };
        if verbose {
            let line = |one: &Overview| {
                let words = coloured(paint, one);
                format!("  {}: {} \u{2192} {}: {words}", one.name, one.alpha, one.beta)
            };
            return std::iter::once("Conduits:".to_owned())
                .chain(all.iter().map(line))
                .collect();
        }
        // What is well needs no name where something is not.
        let due: Vec<&Overview> = all.iter().filter(|one| !one.is_in_step()).collect();
        let shown: Vec<&Overview> = if due.is_empty() { all.iter().collect() } else { due };
        let named = shown.iter().take(NAMED);
        let mut parts: Vec<String> = named
            .map(|one| format!("{}: {}", one.name, coloured(paint, one)))
            .collect();
        match all.len() - parts.len() {
            0 => {}
            more => parts.push(format!("{more} more")),
        }
        vec![format!("Conduits: {}", parts.join("; "))]
    }
}

fn coloured(paint: Paint, one: &Overview) -> String {
    let words = one.words();
    match (one.is_in_step(), one.state) {
        (true, Confirmed::Enabled) => paint.green(&words),
        (true, _) => words,
        (false, _) if one.stop.is_some() => paint.red(&words),
        (false, _) => paint.yellow(&words),
    }
}

/// The same where there is no central.
pub fn tell_alone(global: &super::super::Global, command: &str, looked: &Looked) -> super::super::Exit {
    let exit = render::alone(global, command, json!({ "conduits": looked.json() }));
    if global.talks() && !global.json {
        for line in looked.lines(Paint::stdout(global), global.is_verbose()) {
            say!("{line}");
        }
    }
    exit
}
