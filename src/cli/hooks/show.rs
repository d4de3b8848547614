//! What `hooks install`, `uninstall` and `status` print.

use std::{io::Write, path::Path};

use serde_json::{Value, json};

use super::super::{Global, output, render};
use crate::{
    hooks::{
        Event,
        install::Outcome,
        script,
        status::{Place, Proof},
    },
    text,
};

/// A path as it may be shown: its names may be anybody's.
pub fn shown(path: &Path) -> String {
    text::shown(path).to_string()
}

/// Prints what came of installing or uninstalling; what could not be done goes to standard error.
pub fn print_outcomes(global: &Global, command: &str, done: &[(Event, Outcome)]) {
    if global.json {
        let hooks: Vec<Value> = done
            .iter()
            .map(|(event, outcome)| outcome_json(*event, outcome))
            .collect();
        render::print_json(&render::document(command, json!({ "hooks": hooks })));
        return;
    }
    for (event, outcome) in done {
        let text = outcome_text(*event, outcome);
        if matches!(outcome, Outcome::Refused { .. }) {
            let _ = output::stderr().write_all(text.as_bytes());
        } else if global.talks() || !outcome.is_installed() {
            let _ = output::stdout().write_all(text.as_bytes());
        }
    }
}

fn outcome_text(event: Event, outcome: &Outcome) -> String {
    let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    match outcome {
        Outcome::Created(path) => format!("{event}: made {}\n", shown(path)),
        Outcome::Inserted(path) => format!("{event}: added to {}\n", shown(path)),
        Outcome::Unchanged(path) => format!("{event}: is there already, in {}\n", shown(path)),
        Outcome::ByHand(path) => format!("{event}: {} has its own line for it, which stays\n", shown(path)),
        Outcome::Configured(section) => format!("{event}: configured as {section}\n"),
        Outcome::Managed(manager, path) => {
            format!("{event}: {manager} has been told already, in {}\n", shown(path))
        }
        Outcome::ForManager {
            manager,
            config,
            snippet,
        } => format!(
            "{event}: {manager} is in charge of this repository's hooks; nothing was changed. Add to {}:\n\n{}\n",
            shown(config),
            indented(snippet)
        ),
        Outcome::Refused { path, why, snippet } => {
            let hint = match snippet.is_empty() {
                true => String::new(),
                false => format!(
                    "  To call it from there yourself, the command is:\n\n{}\n",
                    indented(snippet)
                ),
            };
            format!("{event}: {} was not changed: {why}\n{hint}", shown(path))
        }
        Outcome::Withdrawn(path) => {
            format!(
                "{event}: taken out of {}, which still calls for other workspaces\n",
                shown(path)
            )
        }
        Outcome::Restored(path) => format!("{event}: {} is as it was\n", shown(path)),
        Outcome::Removed(path) => format!("{event}: removed {}\n", shown(path)),
        Outcome::Unconfigured(section) => format!("{event}: removed {section} from the configuration\n"),
    }
}

fn outcome_json(event: Event, outcome: &Outcome) -> Value {
    let (word, place) = match outcome {
        Outcome::Created(path) => ("created", shown(path)),
        Outcome::Inserted(path) => ("inserted", shown(path)),
        Outcome::Unchanged(path) => ("unchanged", shown(path)),
        Outcome::ByHand(path) => ("by-hand", shown(path)),
        Outcome::Configured(section) => ("configured", section.to_string()),
        Outcome::Managed(_, path) => ("managed", shown(path)),
        Outcome::ForManager { config, .. } => ("for-manager", shown(config)),
        Outcome::Refused { path, .. } => ("refused", shown(path)),
        Outcome::Restored(path) => ("restored", shown(path)),
        Outcome::Withdrawn(path) => ("withdrawn", shown(path)),
        Outcome::Removed(path) => ("removed", shown(path)),
        Outcome::Unconfigured(section) => ("unconfigured", section.to_string()),
    };
    let mut value = json!({ "event": event.name(), "outcome": word, "place": place });
    match outcome {
        Outcome::Managed(manager, _) => value["manager"] = manager.to_string().into(),
        Outcome::ForManager { manager, snippet, .. } => {
            value["manager"] = manager.to_string().into();
            value["snippet"] = snippet.as_str().into();
        }
        Outcome::Refused { why, snippet, .. } => {
            value["reason"] = why.to_string().into();
            value["snippet"] = snippet.as_str().into();
        }
        _ => {}
    }
    value
}

/// A line on one hook, its event left out.
pub fn status_text(place: &Place, proof: &Proof) -> String {
    let place = match place {
        Place::None => return "not installed".into(),
        Place::File(path, script::Order::Before) => shown(path),
        Place::File(path, script::Order::After) => format!("{}, after its own lines", shown(path)),
        Place::ByHand(path) => format!("{}, by a line of yours", shown(path)),
        Place::Config(section) => format!("{section} in the repository's configuration"),
        Place::AllConfig(section) => format!("{section} in your git configuration"),
        Place::Managed(manager, path) => format!("{manager}, in {}", shown(path)),
        Place::Untold(manager, path) => {
            return format!(
                "not installed; {manager} is in charge and {} does not call it (`hooks install` shows how)",
                shown(path)
            );
        }
        Place::Damaged(path, why) => return format!("{}: {why}", shown(path)),
    };
    match proof {
        Proof::Fires => format!("fires: {place}"),
        Proof::Silent(why) => format!("does not fire: {place}: {why}"),
        Proof::NotTried => format!("installed: {place} (not tried, which would run the rest of it too)"),
        Proof::Nothing => place,
    }
}

/// The same for machines.
pub fn status_json((event, place, proof): &(Event, Place, Proof)) -> Value {
    let (kind, path) = match place {
        Place::None => ("none", None),
        Place::File(path, _) => ("file", Some(shown(path))),
        Place::ByHand(path) => ("by-hand", Some(shown(path))),
        Place::Config(section) => ("config", Some(section.to_string())),
        Place::AllConfig(section) => ("all-config", Some(section.to_string())),
        Place::Managed(_, path) => ("managed", Some(shown(path))),
        Place::Untold(_, path) => ("for-manager", Some(shown(path))),
        Place::Damaged(path, _) => ("damaged", Some(shown(path))),
    };
    let mut value = json!({ "event": event.name(), "kind": kind, "place": path, "fires": Value::Null });
    match place {
        Place::File(_, order) => value["after"] = (*order == script::Order::After).into(),
        Place::Managed(manager, _) | Place::Untold(manager, _) => value["manager"] = manager.to_string().into(),
        Place::Damaged(_, why) => value["reason"] = why.to_string().into(),
        _ => {}
    }
    match proof {
        Proof::Fires => value["fires"] = true.into(),
        Proof::Silent(why) => {
            value["fires"] = false.into();
            value["reason"] = why.to_string().into();
        }
        Proof::NotTried | Proof::Nothing => {}
    }
    value
}
