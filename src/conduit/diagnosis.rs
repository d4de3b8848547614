//! What `doctor` finds about conduits.

use super::{
    Overview, Status,
    definition::Confirmed,
    explain,
    overview::{Last, Stopped, overview},
};
use crate::{
    sync::{SyncOptions, Workspace, doctor::Finding, stop::Stop},
    text::Untrusted,
};

const CHECK: &str = "conduits";

/// Looks at all conduits of the workspace. `asks`: at the branches of central as they are now.
pub fn findings(workspace: &Workspace, options: &SyncOptions, asks: bool) -> Vec<Finding> {
    match overview(workspace, options, asks) {
        Ok(all) => all.iter().map(finding).collect(),
        Err(error) => {
            let hint = explain(&error, "NAME");
            vec![Finding::problem(CHECK, hint.message).advise(hint.next)]
        }
    }
}

fn finding(one: &Overview) -> Finding {
    let name = &one.name;
    let told = |words: String| -> Untrusted { format!("{name}: {words}").into() };
    match (one.state, &one.stop, &one.plan) {
        (Confirmed::Enabled, Some(stop), _) => stopped(told(stop.message.raw().to_owned()), stop),
        (Confirmed::Enabled, None, Some(plan)) if !plan.conflicts.is_empty() => {
            let next = format!("`git metis-sync conduit diff {name}` shows them, `conduit resolve` decides.");
            Finding::note(CHECK, told(one.words())).advise(next)
        }
        (Confirmed::Enabled, ..) => match one.last.as_ref().filter(|last| is_unfinished(last)) {
            Some(last) if !one.is_in_step() => {
                let how = match last.status {
                    Status::Failed => "left something to do",
                    _ => "was interrupted",
                };
                let words = format!("sync {} {how}; now {}", last.generation, one.words());
                Finding::note(CHECK, told(words)).advise(format!("`git metis-sync conduit sync {name}` goes on."))
            }
            _ => Finding::ok(CHECK, told(one.words())),
        },
        (state, ..) => Finding::note(CHECK, told(format!("{} in this clone", state.words()))).advise(format!(
            "If it is meant: `git metis-sync conduit show {name}` shows it, `git metis-sync conduit enable {name}` confirms it."
        )),
    }
}

fn is_unfinished(last: &Last) -> bool {
    last.status != Status::Verified
}

/// A central that cannot be reached, or what git is in the middle of, is no fault of the conduit.
fn stopped(message: Untrusted, stop: &Stopped) -> Finding {
    let passes = [
        Stop::Unfinished,
        Stop::OtherBranch,
        Stop::Locked,
        Stop::Unreachable,
        Stop::NeverSynced,
    ];
    let finding = match passes.iter().any(|pass| pass.name() == stop.stop) {
        true => Finding::note(CHECK, message),
        false => Finding::problem(CHECK, message),
    };
    finding.advise(stop.next.clone())
}
