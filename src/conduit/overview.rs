//! Where the conduits of a workspace stand. Nothing is changed by looking.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    ConduitError, Order, Report, Status,
    definition::{self, Confirmed},
    explain,
    record::Records,
    sync_now,
};
use crate::{
    plan::conduit::Mode,
    state::files::FOLDER,
    sync::{SyncOptions, Workspace},
    text::Untrusted,
};

/// A conduit as it is.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// The conduit.
    pub name: String,
    /// Its source.
    pub alpha: Untrusted,
    /// Its target.
    pub beta: Untrusted,
    /// Who may write where.
    pub mode: Mode,
    /// Whether this clone syncs it.
    pub state: Confirmed,
    /// The newest generation.
    pub last: Option<Last>,
    /// What a sync would do. `None`: it is not enabled, or would stop.
    pub plan: Option<Report>,
    /// Why a sync would stop.
    pub stop: Option<Stopped>,
}

/// A generation, in short.
#[derive(Debug, Serialize)]
pub struct Last {
    /// Its number.
    pub generation: u64,
    /// When it began, RFC 3339.
    pub started: String,
    /// How far it came.
    pub status: Status,
}

/// Why a sync would stop.
#[derive(Debug, Serialize)]
pub struct Stopped {
    /// The kind of stop.
    pub stop: &'static str,
    /// What is wrong.
    pub message: Untrusted,
    /// What to do.
    pub next: Untrusted,
}

impl Stopped {
    fn of(error: &ConduitError, name: &str) -> Self {
        let hint = explain(error, name);
        Stopped {
            stop: hint.stop.name(),
            message: hint.message,
            next: hint.next,
        }
    }
}

impl Overview {
    /// Whether both sides have the same, as far as anything is known of them.
    pub fn is_in_step(&self) -> bool {
        let is_idle = |plan: &Report| plan.changes.is_empty() && plan.conflicts.is_empty();
        match self.state {
            Confirmed::Enabled => self.plan.as_ref().is_some_and(is_idle),
            Confirmed::Changed | Confirmed::No => true,
        }
    }

    /// What it comes to, in a few words.
    pub fn words(&self) -> String {
        let plan = match (&self.state, &self.stop, &self.plan) {
            (Confirmed::Enabled, Some(stop), _) => return format!("stopped: {}", stop.message),
            (Confirmed::Enabled, None, Some(plan)) => plan,
            (state, ..) => return state.words().to_owned(),
        };
        let counted = [
            (plan.copied.alpha + plan.copied.beta, "to copy"),
            (plan.deleted.alpha + plan.deleted.beta, "to delete"),
            (plan.conflicts.len(), "to decide"),
        ];
        let parts: Vec<String> = counted
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        match (parts.is_empty(), plan.changes.is_empty()) {
            (false, _) => parts.join(", "),
            (true, false) => "a permission to change".to_owned(),
            (true, true) => "in step".to_owned(),
        }
    }
}

/// All conduits of the workspace. `options` are those of any look at central; where `asks` is false, a branch counts as the last
/// sync saw it.
///
/// # Errors
///
/// A definition breaks a rule.
pub fn overview(workspace: &Workspace, options: &SyncOptions, asks: bool) -> Result<Vec<Overview>, ConduitError> {
    let guard = workspace.guard()?;
    let enabled: &BTreeMap<String, String> = &guard.notes().conduits;
    let mut out = Vec::new();
    for (name, defined) in definition::all(workspace.metis().dir())? {
        let state = defined.definition.confirmed(enabled.get(&name));
        let looked = (state == Confirmed::Enabled).then(|| {
            let order = Order {
                options: SyncOptions {
                    dry_run: true,
                    ..options.clone()
                },
                is_offline: !asks,
                ..Order::default()
            };
            sync_now(workspace, &name, &order)
        });
        let (plan, stop) = match looked {
            None => (None, None),
            Some(Ok(plan)) => (Some(plan), None),
            Some(Err(error)) => (None, Some(Stopped::of(&error, &name))),
        };
        out.push(Overview {
            last: newest(workspace, &name)?,
            alpha: defined.definition.alpha.into(),
            beta: defined.definition.beta.into(),
            mode: defined.definition.mode,
            state,
            plan,
            stop,
            name,
        });
    }
    Ok(out)
}

fn newest(workspace: &Workspace, name: &str) -> Result<Option<Last>, ConduitError> {
    if workspace.check_state().is_err() {
        return Ok(None);
    }
    let dir = match workspace.metis().dir().open_dir(format!("{FOLDER}/conduits/{name}")) {
        Err(err) if err.is_gone() => return Ok(None),
        dir => dir?,
    };
    let records = Records::open(&dir)?;
    let number = records.numbers()?.last().copied();
    let newest = number.map(|number| records.read(number)).transpose()?.flatten();
    Ok(newest.map(|generation| Last {
        generation: generation.generation,
        started: generation.started,
        status: generation.status,
    }))
}
