//! What is this clone's own: its state, its object store, its documents, metis.db.

use std::{collections::BTreeSet, time::SystemTime};

use crate::{
    cache::{self, Health},
    fs::{self, TEMP_PREFIX},
    names::Prefix,
    plan::listing::printable,
    stage::verify,
    state::{cursor::Cursor, files::StateDir, journal, lock},
    sync::{
        Warning,
        doctor::{Finding, Repair},
        preview::Preview,
    },
    text::first_of,
    workspace::{Damaged, FolderState, KEPT_DIR, METIS_DIR, StatCache, frontmatter, linked_files, read_document},
};

/// Documents that are named, of those that something is to be said of.
const NAMED: usize = 5;

pub(super) fn state(preview: &Preview<'_>) -> Vec<Finding> {
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
            let holder = holder.map_or_else(|| "it does not say who".into(), |holder| holder.to_string());
            Finding::note("lock", format!("a sync is running here: {holder}"))
        }
    });
    out
}

pub(super) fn store(preview: &Preview<'_>) -> Option<Finding> {
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

pub(super) fn leftovers(preview: &Preview<'_>) -> Finding {
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
pub(in crate::sync::doctor) fn hydrated_folders<'a>(
    cursor: &'a Cursor,
    preview: &'a Preview<'_>,
) -> BTreeSet<&'a Prefix> {
    let marked = preview
        .survey
        .folders
        .iter()
        .filter(|(_, state)| matches!(state, FolderState::Marked(_)));
    marked.map(|(prefix, _)| prefix).chain(cursor.folders.keys()).collect()
}

pub(super) fn database(preview: &Preview<'_>) -> Finding {
    match cache::health(preview.ctx.metis.path(), &|file| preview.guard.mark(file)) {
        Ok(Health::Sound) => Finding::ok("metis.db", "our tables in metis.db are sound"),
        Ok(Health::Missing) => Finding::note("metis.db", "there is no metis.db yet").mend(Repair::RebuildCache),
        Ok(Health::NotBuilt) => Finding::note(
            "metis.db",
            "metis.db has no tables that this clone made with this version",
        )
        .mend(Repair::RebuildCache),
        Ok(Health::Damaged(words)) => {
            Finding::problem("metis.db", format!("our tables in metis.db are damaged: {words}"))
                .mend(Repair::RebuildCache)
        }
        Err(err @ cache::CacheError::Busy { .. }) => Finding::note("metis.db", err.to_string()),
        Err(err) => Finding::problem("metis.db", err.to_string()),
    }
}

pub(super) fn documents(preview: &Preview<'_>) -> Finding {
    if preview.own.is_unknown() {
        return Finding::note("documents", "own documents were not read");
    }
    let damaged: Vec<_> = preview.own.damaged().collect();
    if damaged.is_empty() {
        let said = match preview.own.documents.len() {
            1 => "1 own document is readable".to_owned(),
            count => format!("{count} own documents are readable"),
        };
        return Finding::ok("documents", said);
    }
    let reason = |damaged: &&Damaged| format!("{} ({})", printable(damaged.path.raw().as_bytes()), damaged.reason);
    let reasons: Vec<String> = damaged.iter().map(reason).collect();
    Finding::problem(
        "documents",
        format!(
            "{} own files cannot be taken as documents: {}",
            damaged.len(),
            first_of(&reasons, NAMED, "; ")
        ),
    )
    .advise("Mend them by hand; until then central's copies stay as they are.")
}

/// Own documents that link to files here, which the copies of them elsewhere will not have beside them.
pub(super) fn links(preview: &Preview<'_>) -> Option<Finding> {
    let metis = &preview.ctx.metis;
    if !metis.has_folder() {
        return None;
    }
    let here = |file: &String| {
        metis
            .project()
            .join(file)
            .symlink_metadata()
            .is_ok_and(|meta| meta.is_file())
    };
    let leading_to_files = preview.own.documents.iter().filter_map(|(code, document)| {
        let bytes = read_document(metis.dir(), document.path.raw()).ok()?;
        let path = format!("{METIS_DIR}/{}", document.path.raw());
        let files = linked_files(&path, &String::from_utf8_lossy(frontmatter::body(&bytes)));
        let files: Vec<String> = files
            .iter()
            .filter(|file| here(file))
            .map(|file| printable(file.as_bytes()))
            .collect();
        (!files.is_empty()).then(|| format!("{code} ({})", files.join(", ")))
    });
    let found: Vec<String> = leading_to_files.collect();
    let documents = match found.len() {
        0 => return None,
        1 => "1 own document links".to_owned(),
        count => format!("{count} own documents link"),
    };
    let said = format!(
        "{documents} to files that others will not have: {}",
        first_of(&found, NAMED, "; ")
    );
    let advice =
        "A conduit takes a folder of such files to others: `git metis-sync conduit add NAME FOLDER central:NAME`.";
    Some(Finding::note("links", said).advise(advice))
}
