//! Central, as `init` sees it: what it has, and whether it takes shared records.

use std::sync::{Arc, atomic::AtomicBool};

use super::{
    InitArgs,
    here::{Here, Named},
    stopped::Stopped,
};
use crate::{
    cli::{Global, progress::Bar, render, sync::prompt},
    send_pack::connect::FailureKind,
    sync::{self, Probed, SyncOptions, Taken},
};

/// More workspaces of central than this are summed up.
const MAX_NAMED: usize = 8;

/// Asks central what it has.
pub fn probe(
    global: &Global,
    args: &InitArgs,
    here: &Here,
    named: &Named,
    interrupt: Arc<AtomicBool>,
) -> Result<Probed, Stopped> {
    let options = SyncOptions {
        prompt: prompt(global),
        interrupt,
        ..SyncOptions::default()
    };
    let branch = here.config.sync.as_ref().and_then(|sync| sync.branch.as_ref());
    let branch = args.branch.as_deref().or(branch.map(|branch| branch.raw()));
    let mut bar = Bar::new(global);
    let probed = sync::probe(&named.url, branch, &here.project, &here.folder, &options, &mut bar);
    bar.clear();
    probed.map_err(|err| {
        let nowhere = err
            .connection()
            .is_some_and(|err| err.kind == FailureKind::NoRepository);
        let stopped = Stopped::Kind(err, named.shown.clone());
        match nowhere && named.url.starts_with('.') {
            true => {
                let from = here.project.dir().unwrap_or_else(|| here.folder.clone());
                Stopped::Counted(Box::new((stopped, from)))
            }
            false => stopped,
        }
    })
}

/// What it has, in words.
pub fn described(probed: &Probed, shown: &str) -> String {
    let branch = &probed.branch;
    match &probed.workspaces {
        _ if probed.head.is_none() && probed.has_others => format!("{shown} has no branch {branch} so far."),
        _ if probed.head.is_none() => format!("{shown} is empty so far (branch {branch})."),
        None => format!("{shown} (branch {branch})."),
        Some(there) if there.is_empty() => format!("{shown} has no workspaces so far (branch {branch})."),
        Some(there) => {
            let mut names: Vec<String> = there
                .iter()
                .take(MAX_NAMED)
                .map(|(prefix, n)| format!("{prefix}/ ({})", render::count(*n)))
                .collect();
            if there.len() > MAX_NAMED {
                names.push(format!("{} more", there.len() - MAX_NAMED));
            }
            format!("{shown} (branch {branch}) has {}.", names.join(", "))
        }
    }
}

/// Whether central takes shared records, which only a push shows where there are none. `None`: nothing may be written.
/// Whatever fails with it keeps nothing back.
pub fn takes_records(
    args: &InitArgs,
    here: &Here,
    named: &Named,
    probed: &Probed,
    interrupt: Arc<AtomicBool>,
) -> Option<Taken> {
    if args.dry_run || probed.logs.is_some() {
        return probed.logs.clone();
    }
    let options = SyncOptions {
        interrupt,
        ..SyncOptions::default()
    };
    Some(sync::try_logs(
        &named.url,
        probed,
        &here.project,
        &here.folder,
        &options,
    ))
}

/// The same in one word, for programs.
pub fn word(taken: &Taken) -> &'static str {
    match taken {
        Taken::Refs => "refs",
        Taken::Branches => "branches",
        Taken::Nowhere(_) => "refused",
        Taken::Untold(_) => "unknown",
    }
}

/// What somebody should know of a central that does not take every ref.
pub fn tell_of_records(taken: &Taken) {
    match taken {
        Taken::Refs => {}
        Taken::Branches => say!(
            "Note: central takes no refs/metis/, so shared records, such as tags and notes, go to branches below metis/log/."
        ),
        Taken::Nowhere(reason) => say!(
            "Note: central does not take shared records, such as tags and notes: {reason}\n  Documents are synced all the same. \
             Ask its administrator to allow pushes to refs/metis/ or to branches below metis/log/."
        ),
        Taken::Untold(reason) => say!(
            "Note: whether central takes shared records, such as tags and notes, could not be seen: {reason}\n  The first one shows it."
        ),
    }
}
