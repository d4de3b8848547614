//! The checks. None changes anything but the object cache, and that as a fetch does.

use std::{collections::BTreeSet, process::Command, time::SystemTime};

use super::{Finding, Repair};
use crate::{
    cache::{self, Health},
    central::store::Store,
    fs::{self, TEMP_PREFIX},
    names::{ObjectId, Prefix},
    plan::listing::{escaped, printable},
    send_pack::connect::{self, FailureKind, Scheme},
    stage::{
        Context,
        verify::{self, FolderCheck},
    },
    state::{cursor::Cursor, files::StateDir, journal, lock},
    sync::{
        SyncErrorKind, Warning,
        preview::{CentralView, Preview},
    },
    workspace::{self, FolderState, KEPT_DIR, StatCache},
};

/// Documents that are named, of those that are damaged.
const NAMED: usize = 5;

/// Looks at everything around a workspace that has an upstream.
pub fn examine(preview: &Preview<'_>) -> Vec<Finding> {
    let mut out = programs(&preview.ctx);
    out.extend(config(preview));
    out.extend(shared_letters(preview));
    out.extend(central(preview));
    out.extend(state(preview));
    out.extend(store(preview));
    if preview.ctx.metis.has_folder() {
        out.extend(hydrated(preview));
        out.extend(ignored(preview));
        out.push(leftovers(preview));
        out.push(database(preview));
    } else {
        let here = "own documents are read from a branch, and there is no folder for others' and for metis.db";
        out.push(Finding::note("hydrated", here));
    }
    out.push(documents(preview));
    out
}

fn programs(ctx: &Context<'_>) -> Vec<Finding> {
    let scheme = ctx.upstream.scheme();
    let git = connect::git().arg("--version").output();
    let git = match git {
        Ok(output) if output.status.success() => Finding::ok(
            "git",
            printable(String::from_utf8_lossy(&output.stdout).trim().as_bytes()),
        ),
        _ if scheme == Scheme::File => {
            Finding::problem("git", "git is not found, and a central at a local path is served by it")
                .advise("Install git, or put it in PATH.")
        }
        _ => Finding::note("git", "git is not found; only its credential helpers would be needed"),
    };
    let mut out = vec![git];
    if scheme == Scheme::Ssh {
        out.push(match Command::new("ssh").arg("-V").output() {
            Ok(_) => Finding::ok("ssh", "ssh is found"),
            Err(_) if std::env::var_os("GIT_SSH_COMMAND").is_some() || std::env::var_os("GIT_SSH").is_some() => {
                Finding::ok("ssh", "another program is set up for ssh")
            }
            Err(_) => Finding::problem("ssh", "ssh is not found").advise("Install an ssh client, or put it in PATH."),
        });
    }
    out
}

fn config(preview: &Preview<'_>) -> Vec<Finding> {
    let mut out = vec![Finding::ok(
        "config",
        format!("config.toml is readable; central is {}", preview.ctx.upstream_shown),
    )];
    let unknown = preview.ctx.config.unknown_keys.iter();
    out.extend(unknown.map(|key| Finding::note("config", key.to_string())));
    for stop in &preview.stops {
        match stop {
            SyncErrorKind::NoPrefix => out.push(
                Finding::problem("prefix", stop.to_string())
                    .advise("Choose one with `git metis-sync init --prefix NAME`."),
            ),
            SyncErrorKind::UpstreamChanged { .. } => out.push(
                Finding::problem("upstream", stop.to_string()).advise(
                    "If the change is meant, confirm it with `git metis-sync init --upstream URL`; if it came with a pull, ask who made it.",
                ),
            ),
            SyncErrorKind::PrefixChanged { remembered, configured } => out.push(
                Finding::problem("prefix", stop.to_string()).advise(format!(
                    "Put `prefix = \"{remembered}\"` back under [workspace] in config.toml, or `git metis-sync workspace rename \
                     {remembered} {configured}`."
                )),
            ),
            SyncErrorKind::StateTracked { .. } => out.push(
                Finding::problem("state", stop.to_string())
                    .advise("Take them out: `git rm -r -f .metis/.sync`, then commit."),
            ),
            _ => {}
        }
    }
    if let Some(prefix) = &preview.ctx.owned {
        out.push(match workspace::is_reserved(prefix) {
            false => Finding::ok("prefix", format!("this workspace owns {prefix}/")),
            true => Finding::problem(
                "prefix",
                format!(
                    "this workspace owns {prefix}/, where the Metis tools keep own documents: no other one can copy it"
                ),
            )
            .advise("Choose another with `git metis-sync init --prefix NAME`."),
        });
    }
    out
}

fn central(preview: &Preview<'_>) -> Vec<Finding> {
    let ctx = &preview.ctx;
    let http = matches!(ctx.upstream.scheme(), Scheme::Http | Scheme::Https);
    let helper = ctx.project.has_credential_helper();
    let mut out = Vec::new();
    match &preview.central {
        CentralView::NotAsked => out.push(Finding::note("central", "central was not asked")),
        CentralView::Seen { branch, head } => {
            let what = match head {
                Some(_) => "answers",
                None => "answers; it is empty so far",
            };
            out.push(Finding::ok(
                "central",
                format!("central {what} (branch {})", printable(branch.as_bytes())),
            ));
        }
        CentralView::Failed(err) => {
            let refused = matches!(err, crate::central::CentralError::Connect(err)
                if err.kind == FailureKind::Unauthenticated);
            out.push(
                Finding::problem("central", format!("central cannot be used: {err}")).advise(
                    if refused && http && !helper {
                        "Set up a credential helper for git (`git config --global credential.helper …`)."
                    } else if refused {
                        "Check SSH keys or the credential helper."
                    } else {
                        "Check the address in config.toml and the network."
                    },
                ),
            );
        }
    }
    for stop in &preview.stops {
        let advice = match stop {
            SyncErrorKind::Rewound { .. } => {
                "Find out who rewrote central. To go on with its new history, sync with --adopt-central."
            }
            SyncErrorKind::BranchGone { .. } | SyncErrorKind::NoBranch { .. } => {
                "Set [sync] branch in config.toml to the one to sync with, and confirm it with `git metis-sync trust sync.branch`."
            }
            _ => continue,
        };
        out.push(Finding::problem("central", stop.to_string()).advise(advice));
    }
    if http {
        out.push(if helper {
            Finding::ok("credentials", "git has a credential helper")
        } else {
            Finding::note(
                "credentials",
                "git has no credential helper; fine as long as central needs no password",
            )
        });
    }
    out
}

fn state(preview: &Preview<'_>) -> Vec<Finding> {
    let Some(state) = &preview.state else {
        return vec![Finding::note("state", "this clone has never synced")];
    };
    let mut out = Vec::new();
    for warning in &preview.warnings {
        if *warning == Warning::StateForeign {
            out.push(
                Finding::problem("state", warning.to_string())
                    .advise("The next `git metis-sync` writes one of its own."),
            );
        }
        if let Warning::StateLost(reason) = warning {
            out.push(
                Finding::problem(
                    "state",
                    format!("what this clone knew of earlier syncs cannot be read: {reason}"),
                )
                .advise("The next `git metis-sync` compares everything anew and writes it again."),
            );
        }
    }
    let stat_cache = state.read(crate::state::STAT_CACHE);
    match stat_cache {
        Ok(Some(bytes)) if StatCache::from_bytes(&bytes) == StatCache::default() => out.push(
            Finding::problem("state", "the stat cache is damaged, so every sync reads every document")
                .mend(Repair::DropStatCache),
        ),
        Ok(_) => {}
        Err(err) => out.push(
            Finding::problem("state", format!("the stat cache cannot be read: {err}")).mend(Repair::DropStatCache),
        ),
    }
    match journal::read_last(state, usize::MAX) {
        Ok(journal) if journal.unreadable > 0 => out.push(Finding::note(
            "state",
            format!("{} lines of the journal cannot be read", journal.unreadable),
        )),
        Ok(_) => {}
        Err(err) => out.push(Finding::problem("state", format!("the journal cannot be read: {err}"))),
    }
    if out.is_empty() {
        out.push(Finding::ok("state", "this clone's notes are readable"));
    }
    out.push(match lock::held(state) {
        None => Finding::ok("lock", "nobody is syncing here"),
        Some(holder) => {
            let holder = holder.map_or_else(|| "it does not say who".into(), |holder| escaped(&holder.to_string()));
            Finding::note("lock", format!("a sync is running here: {holder}"))
        }
    });
    out
}

fn store(preview: &Preview<'_>) -> Option<Finding> {
    let store = preview.store.as_ref()?;
    let head = preview.cursor.head;
    if head.is_some_and(|head| !store.contains(head)) {
        return Some(Finding::note(
            "objects",
            "the object cache does not have the last synced commit; the next sync receives what it needs",
        ));
    }
    Some(match verify::objects(store, head, preview.ctx.limits.blob_bytes) {
        Ok(1) => Finding::ok("objects", "1 object in the cache is what it should be"),
        Ok(count) => Finding::ok(
            "objects",
            format!("{count} objects in the cache are what they should be"),
        ),
        Err(err) => Finding::problem("objects", format!("the object cache is damaged: {err}")).mend(Repair::ResetStore),
    })
}

/// Each folder against the tree that the last sync brought it to, whatever central has by now.
fn hydrated(preview: &Preview<'_>) -> Vec<Finding> {
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
            out.push(Finding::problem("hydrated", escaped(&warning.to_string())));
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
        Some(reason) => finding.advise(format!("{}; move it away.", escaped(reason))),
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
fn shared_letters(preview: &Preview<'_>) -> Option<Finding> {
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
fn ignored(preview: &Preview<'_>) -> Vec<Finding> {
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

fn leftovers(preview: &Preview<'_>) -> Finding {
    let metis = preview.ctx.metis.dir();
    let now = SystemTime::now();
    let mut count = fs::leftover_temps(metis, now).map_or(0, |names| names.len());
    for prefix in hydrated_folders(&preview.cursor, preview) {
        if let Ok(folder) = metis.open_dir(prefix.as_str()) {
            count += fs::leftover_temps(&folder, now).map_or(0, |names| names.len());
        }
    }
    let of_state = |state: &StateDir| lock::held(state).is_none();
    if preview.state.as_ref().is_some_and(of_state) {
        let names = |folder: &str| metis.open_dir(folder).and_then(|dir| dir.list()).unwrap_or_default();
        let state = names(crate::state::files::FOLDER);
        count += state
            .iter()
            .filter(|entry| fs::is_temp(&entry.name) || entry.name.to_string_lossy().contains(".tmp-"))
            .count();
        let build = format!("{}.sync-build-", cache::FILE_NAME);
        let top = metis.list().unwrap_or_default();
        count += top
            .iter()
            .filter(|entry| entry.name.to_string_lossy().starts_with(&build))
            .count();
    }
    match count {
        0 => match metis.open_dir(KEPT_DIR) {
            Ok(_) => Finding::note(
                "leftovers",
                format!(".metis/{KEPT_DIR}/ has copies of files that you had edited"),
            )
            .advise("Look at them, and remove what you don't need."),
            Err(_) => Finding::ok("leftovers", "no temporary files are left over"),
        },
        1 => Finding::problem("leftovers", format!("1 temporary file ({TEMP_PREFIX}…) is left over"))
            .mend(Repair::SweepLeftovers),
        n => Finding::problem("leftovers", format!("{n} temporary files are left over")).mend(Repair::SweepLeftovers),
    }
}

/// Folders of other workspaces, as far as this clone knows of them.
pub(super) fn hydrated_folders<'a>(cursor: &'a Cursor, preview: &'a Preview<'_>) -> BTreeSet<&'a Prefix> {
    let marked = preview
        .survey
        .folders
        .iter()
        .filter(|(_, state)| matches!(state, FolderState::Marked(_)));
    marked.map(|(prefix, _)| prefix).chain(cursor.folders.keys()).collect()
}

fn database(preview: &Preview<'_>) -> Finding {
    match cache::health(preview.ctx.metis.path(), &|file| preview.guard.mark(file)) {
        Ok(Health::Sound) => Finding::ok("metis.db", "our tables in metis.db are sound"),
        Ok(Health::Missing) => Finding::note("metis.db", "there is no metis.db yet").mend(Repair::RebuildCache),
        Ok(Health::NotBuilt) => Finding::note(
            "metis.db",
            "metis.db has no tables that this clone made with this version",
        )
        .mend(Repair::RebuildCache),
        Ok(Health::Damaged(words)) => Finding::problem(
            "metis.db",
            format!("our tables in metis.db are damaged: {}", escaped(&words)),
        )
        .mend(Repair::RebuildCache),
        Err(err @ cache::CacheError::Busy { .. }) => Finding::note("metis.db", err.to_string()),
        Err(err) => Finding::problem("metis.db", err.to_string()),
    }
}

fn documents(preview: &Preview<'_>) -> Finding {
    let damaged: Vec<_> = preview.own.damaged().collect();
    if damaged.is_empty() {
        let said = match preview.own.documents.len() {
            1 => "1 own document is readable".to_owned(),
            count => format!("{count} own documents are readable"),
        };
        return Finding::ok("documents", said);
    }
    let named: Vec<String> = damaged
        .iter()
        .take(NAMED)
        .map(|damaged| {
            format!(
                "{} ({})",
                printable(damaged.path.as_bytes()),
                escaped(&damaged.reason.to_string())
            )
        })
        .collect();
    let more = damaged.len() - named.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Finding::problem(
        "documents",
        format!(
            "{} own files cannot be taken as documents: {}{more}",
            damaged.len(),
            named.join("; ")
        ),
    )
    .advise("Mend them by hand; until then central's copies stay as they are.")
}
