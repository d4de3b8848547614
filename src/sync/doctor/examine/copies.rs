//! The copies of other workspaces' documents.

use std::collections::BTreeSet;

use crate::{
    central::store::Store,
    names::{ObjectId, Prefix},
    stage::verify::{self, FolderCheck},
    sync::{
        Warning,
        doctor::{Finding, Repair},
        preview::Preview,
    },
    workspace::{self, FolderState},
};

/// Each folder against the tree that the last sync brought it to, whatever central has by now.
pub(super) fn hydrated(preview: &Preview<'_>) -> Vec<Finding> {
    let Preview {
        ctx, cursor, survey, ..
    } = preview;
    let mut out = Vec::new();
    let mut right = 0;
    let prefixes: BTreeSet<&Prefix> = survey.folders.keys().chain(cursor.folders.keys()).collect();
    for prefix in prefixes.into_iter().filter(|prefix| ctx.owned.as_ref() != Some(prefix)) {
        let known = cursor.folders.get(prefix).copied();
        match survey.folders.get(prefix) {
            Some(FolderState::Marked(marker)) if marker.applying.is_some() => out.push(
                Finding::note("hydrated", format!("{prefix}/: a sync was cut short in it"))
                    .advise("The next `git metis-sync` finishes it."),
            ),
            // The cursor before the marker: a folder that somebody brought back from elsewhere has its old marker with it.
            Some(FolderState::Marked(marker)) => match content(preview, prefix, known.or(marker.tree)) {
                Some((check, _)) if check.is_right() => right += 1,
                Some((check, tree)) => out.push(differs(&check, tree)),
                None => out.push(cannot_compare(prefix)),
            },
            None | Some(FolderState::Absent) if known.is_some() => match content(preview, prefix, known) {
                Some((_, tree)) => out.push(Finding::problem("hydrated", format!("{prefix}/ is gone here")).mend(
                    Repair::RestoreFolder {
                        prefix: prefix.clone(),
                        tree,
                    },
                )),
                None => out.push(cannot_compare(prefix)),
            },
            Some(FolderState::Adoptable) if known.is_some() => match content(preview, prefix, known) {
                Some((check, tree)) => out.push(without_marker(&check, tree, true)),
                None => out.push(cannot_compare(prefix)),
            },
            Some(FolderState::Foreign) if known.is_some() => match content(preview, prefix, known) {
                Some((check, tree)) => out.push(without_marker(&check, tree, false)),
                None => out.push(cannot_compare(prefix)),
            },
            Some(FolderState::Newer) => out.push(
                Finding::problem(
                    "hydrated",
                    format!("{prefix}/ was written by a later version of git-metis-sync"),
                )
                .advise("Use that version."),
            ),
            Some(FolderState::Unreadable(err)) => {
                out.push(Finding::problem("hydrated", format!("{prefix}/ cannot be read: {err}")));
            }
            _ => {}
        }
    }
    for warning in &preview.warnings {
        if let Warning::FolderFailed { prefix, .. } = warning
            && !cursor.folders.contains_key(prefix)
        {
            out.push(Finding::problem("hydrated", warning.to_string()));
        }
    }
    if out.is_empty() {
        let said = match right {
            0 => "there are no other workspaces here".to_owned(),
            1 => "the folder of another workspace is right, file by file".to_owned(),
            right => format!("{right} folders of other workspaces are right, file by file"),
        };
        out.push(Finding::ok("hydrated", said));
    }
    out
}

/// The folder compared with `tree`, if that is known and at hand.
fn content(preview: &Preview<'_>, prefix: &Prefix, tree: Option<ObjectId>) -> Option<(FolderCheck, ObjectId)> {
    let store: &Store = preview.store.as_ref()?;
    let tree = tree.filter(|tree| store.contains(*tree))?;
    let check = verify::folder(&preview.ctx, store, prefix, Some(tree), &preview.survey).ok()?;
    Some((check, tree))
}

fn differs(check: &FolderCheck, tree: ObjectId) -> Finding {
    let differences = &check.differences;
    let mut parts = Vec::new();
    for (n, words) in [
        (differences.differing.len(), "edited"),
        (differences.missing.len(), "missing"),
        (differences.extra.len(), "extra"),
        (check.unreadable.len(), "unreadable"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {words}"));
        }
    }
    if parts.is_empty() {
        parts.push("its marker says that it is at another tree".into());
    }
    let finding = Finding::problem("hydrated", format!("{}/: {}", check.prefix, parts.join(", ")));
    match check.unreadable.first() {
        // What cannot be read cannot be kept, so it is not replaced either.
        Some(reason) => finding.advise(format!("{reason}; move it away.")),
        None => finding.mend(Repair::RestoreFolder {
            prefix: check.prefix.clone(),
            tree,
        }),
    }
}

fn without_marker(check: &FolderCheck, tree: ObjectId, listed: bool) -> Finding {
    let prefix = check.prefix.clone();
    let message = format!("{prefix}/ has lost its marker");
    if check.has_right_content() {
        return Finding::problem("hydrated", format!("{message}; its content is right"))
            .mend(Repair::RewriteMarker { prefix, tree });
    }
    if listed && check.unreadable.is_empty() {
        return Finding::problem("hydrated", format!("{message} and its content differs"))
            .mend(Repair::RestoreFolder { prefix, tree });
    }
    Finding::problem(
        "hydrated",
        format!("{message}, and its content differs: it counts as a folder of your own"),
    )
    .advise(format!("Look at .metis/{prefix}/, move it away, then sync."))
}

fn cannot_compare(prefix: &Prefix) -> Finding {
    Finding::note(
        "hydrated",
        format!("{prefix}/ cannot be compared: its tree is not in the object cache"),
    )
    .advise("Without --offline, or after the next sync, it may be.")
}

/// Whether another workspace here has codes like this project's.
pub(super) fn shared_letters(preview: &Preview<'_>) -> Option<Finding> {
    let letters = preview.ctx.config.project_prefix.as_deref()?;
    let shares = |prefix: &&Prefix| {
        let there = workspace::documents_in(preview.ctx.metis.dir(), prefix).unwrap_or_default();
        there.iter().any(|code| code.letters() == letters)
    };
    let marked = preview
        .survey
        .folders
        .iter()
        .filter(|(_, state)| matches!(state, FolderState::Marked(_)));
    let prefix = marked.map(|(prefix, _)| prefix).find(shares)?.clone();
    let warning = Warning::SharedCodes {
        prefix,
        letters: letters.into(),
    };
    Some(Finding::note("prefix", warning.to_string()))
}

/// What git is told to pass over, and copies that it tracks nevertheless.
pub(super) fn ignored(preview: &Preview<'_>) -> Vec<Finding> {
    let ctx = &preview.ctx;
    let tracked = ctx.project.tracked_folders();
    let is_copy = |prefix: &&Prefix| {
        let here = matches!(preview.survey.folders.get(prefix), Some(FolderState::Marked(_)));
        let listed = preview
            .hydrate
            .as_ref()
            .is_some_and(|plan| plan.listed.contains_key(prefix));
        (here || listed || preview.cursor.folders.contains_key(prefix)) && ctx.owned.as_ref() != Some(prefix)
    };
    let names: Vec<Prefix> = tracked.iter().filter_map(|folder| folder.parse().ok()).collect();
    let mut out: Vec<Finding> = names
        .iter()
        .filter(is_copy)
        .map(|prefix| {
            Finding::problem(
                "gitignore",
                format!("git tracks files in .metis/{prefix}/, where copies of another workspace belong"),
            )
            .advise(format!(
                "If they are copies: `git rm --cached -r .metis/{prefix}`, commit that, and sync. Else move them to another folder."
            ))
        })
        .collect();
    if workspace::lists_folders(ctx.metis.dir()) {
        out.push(
            Finding::note(
                "gitignore",
                ".metis/.gitignore lists hydrated folders, which ignore themselves: the lines are not needed",
            )
            .mend(Repair::UnlistFolders),
        );
    }
    if out.is_empty() {
        out.push(Finding::ok("gitignore", "git ignores the copies of other workspaces"));
    }
    out
}
