//! Others' folders of central into `.metis/<prefix>/`.
//!
//! A folder's marker says which tree it is at. Before the first change it also says which tree it is going to, so that a run
//! that is killed half way is known to have been there: the next one then looks at every file instead of trusting the
//! difference between two trees.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    central::{self, CentralError, store::Store, tree},
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::{
        guard::Lineage,
        hydrate::{self, FolderPlan, Known, Pulled, Write},
        listing::{self, Documents},
    },
    state::cursor::Cursor,
    workspace::{self, DirError, FolderState, FolderWriter, Glance, Marker, OnDisk, Survey},
};

use super::{Context, Warning, fetch::Snapshot};

mod copy;

/// What to do in one folder.
#[derive(Debug, Clone)]
pub struct FolderWork {
    /// The workspace.
    pub prefix: Prefix,
    /// The tree it shall be at.
    pub tree: ObjectId,
    /// The tree that its marker says it is at.
    pub from: Option<ObjectId>,
    /// Files to write and remove.
    pub files: FolderPlan,
}

/// What to do in all folders.
#[derive(Debug, Default)]
pub struct HydratePlan {
    /// What the folders that are not in step looked like.
    pub survey: Survey,
    /// Folders with something to do, be it only in their marker.
    pub work: Vec<FolderWork>,
    /// Folders whose workspace is gone from central, with the documents to remove.
    pub gone: Vec<(Prefix, FolderPlan)>,
    /// Those of them that are moved aside instead: not this central's own history took their workspace away.
    pub aside: BTreeSet<Prefix>,
    /// Every workspace in central but the own one.
    pub listed: BTreeMap<Prefix, ObjectId>,
    /// Folders that are in step already.
    pub in_step: BTreeMap<Prefix, ObjectId>,
    /// Folders that cannot be dealt with.
    pub unfinished: BTreeSet<Prefix>,
    /// What was left out and why.
    pub warnings: Vec<Warning>,
    /// An object of central that could not be read, if any: fetching anew may help.
    pub damaged: Option<ObjectId>,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Hydrated {
    /// Per workspace with changes.
    pub pulled: BTreeMap<Prefix, Pulled>,
    /// Locally edited files kept under these paths.
    pub kept: Vec<String>,
    /// The tree of each folder that is in step now.
    pub folders: BTreeMap<Prefix, ObjectId>,
    /// Folders that are not.
    pub unfinished: BTreeSet<Prefix>,
    /// What deserves a look.
    pub warnings: Vec<Warning>,
    /// An object of central that could not be read, if any: fetching anew may help.
    pub damaged: Option<ObjectId>,
}

/// Looks at the top of `.metis/`, not into the folders that this clone knows to be hydrated.
pub fn glance(ctx: &Context<'_>, cursor: &Cursor) -> Result<Glance, DirError> {
    workspace::glance(ctx.metis.dir(), cursor.folders.keys())
}

/// Whether anything may have to be done: central moved, a folder is unfinished, missing, or not known.
///
/// Files inside the folders are not looked at: what others own costs nothing while central does not change.
pub fn is_due(glance: &Glance, cursor: &Cursor, snapshot: &Snapshot, all: bool) -> bool {
    let emptied = snapshot.head.is_none() && !cursor.folders.is_empty();
    !all || cursor.head != snapshot.head || emptied || !cursor.unfinished.is_empty() || !glance.as_known
}

/// Why no plan could be made at all.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Central's root could not be read.
    #[error(transparent)]
    Central(#[from] CentralError),
    /// `.metis/` could not be read.
    #[error(transparent)]
    Dir(#[from] DirError),
}

/// Decides folder by folder. A folder whose listing cannot be read is left out and named; the others go on.
pub fn plan(
    ctx: &Context<'_>,
    store: &Store,
    cursor: &Cursor,
    snapshot: &Snapshot,
    glance: &Glance,
    only: &BTreeSet<Prefix>,
) -> Result<HydratePlan, PlanError> {
    let root = match snapshot.head {
        Some(head) => listing::root(tree::entries(store, tree::of_commit(store, head)?)?),
        None => listing::Root::default(),
    };
    let mut plan = HydratePlan {
        warnings: root.skipped.into_iter().map(Warning::Skipped).collect(),
        listed: root.workspaces,
        ..HydratePlan::default()
    };
    if let Some(owned) = &ctx.owned {
        plan.listed.remove(owned);
    }
    let wanted = |prefix: &Prefix| only.is_empty() || only.contains(prefix);
    plan.survey = if glance.as_known {
        let (stale, gone) = hydrate::stale(&cursor.folders, &plan.listed, &cursor.unfinished);
        workspace::survey_of(ctx.metis.dir(), stale.into_iter().chain(gone).cloned())?
    } else {
        workspace::survey(ctx.metis.dir(), &plan.listed.keys().cloned().collect())?
    };
    // Asked only where something is to be done: it costs a look through git's whole index.
    let tracked = match plan.survey.folders.is_empty() {
        true => BTreeSet::new(),
        false => ctx.project.tracked_folders(),
    };
    let mut copies = BTreeSet::new();
    let left_out = beyond_limit(&plan.listed, &cursor.folders, only, ctx.limits.workspaces);
    if let Some(first) = left_out.first() {
        plan.warnings.push(Warning::TooManyWorkspaces {
            first: first.clone(),
            left_out: left_out.len(),
            limit: ctx.limits.workspaces,
        });
    }
    let mut room = ctx.limits.entries;
    for (prefix, tree) in plan.listed.clone() {
        if !wanted(&prefix) {
            match cursor.folders.get(&prefix) {
                Some(at) if *at == tree => drop(plan.in_step.insert(prefix, tree)),
                _ => drop(plan.unfinished.insert(prefix)),
            }
            continue;
        }
        if left_out.contains(&prefix) {
            plan.unfinished.insert(prefix);
            continue;
        }
        let Some(state) = plan.survey.folders.get(&prefix) else {
            plan.in_step.insert(prefix, tree);
            continue;
        };
        let work = match tracked.contains(prefix.as_str()) {
            true => Err(tracked_by_git(&prefix).into()),
            false => folder_work(ctx, store, state, &prefix, tree, &mut copies, &mut plan.warnings),
        };
        let fits = work.and_then(|work| match &work {
            Some(FolderWork { files, .. }) if files.write.len() as u64 > room => Err(too_many(files.write.len(), ctx)),
            _ => Ok(work),
        });
        match fits {
            Ok(Some(work)) => {
                room -= work.files.write.len() as u64;
                plan.work.push(work);
            }
            Ok(None) => drop(plan.in_step.insert(prefix, tree)),
            Err(NoWork { reason, damaged }) => {
                plan.warnings.push(Warning::FolderFailed {
                    prefix: prefix.clone(),
                    reason: reason.into(),
                });
                plan.unfinished.insert(prefix);
                plan.damaged = plan.damaged.or(damaged);
            }
        }
    }
    for (prefix, state) in &plan.survey.folders {
        // A folder of the own prefix is nobody's to remove, but for what this clone itself hydrated there before the prefix
        // became its own.
        let is_own = ctx.owned.as_ref() == Some(prefix) && !cursor.folders.contains_key(prefix);
        if !wanted(prefix) || plan.listed.contains_key(prefix) || is_own {
            continue;
        }
        if let FolderState::Marked(marker) = state
            && !tracked.contains(prefix.as_str())
        {
            if snapshot.lineage == Lineage::Rewound || marker.central != ctx.upstream_name {
                plan.aside.insert(prefix.clone());
            }
            let held = read_listing(store, prefix, marker.tree).unwrap_or_default();
            let present = workspace::documents_in(ctx.metis.dir(), prefix).unwrap_or_default();
            let known = Known::Unfinished {
                from: &held,
                to: &held,
                present: &present,
            };
            plan.gone
                .push((prefix.clone(), hydrate::plan(known, &Documents::new())));
        }
    }
    plan.survey.listed.extend(copies);
    Ok(plan)
}

/// The workspaces that get no folder here because central has more than `limit`: those that are here stay, those that were
/// asked for come first.
fn beyond_limit(
    listed: &BTreeMap<Prefix, ObjectId>,
    here: &BTreeMap<Prefix, ObjectId>,
    only: &BTreeSet<Prefix>,
    limit: u64,
) -> BTreeSet<Prefix> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if listed.len() <= limit {
        return BTreeSet::new();
    }
    let mut order: Vec<&Prefix> = listed.keys().collect();
    order.sort_by_key(|prefix| (!only.contains(*prefix), !here.contains_key(*prefix)));
    order.into_iter().skip(limit).cloned().collect()
}

/// Why nothing is copied to where git tracks something, and the way out of it.
pub fn tracked_by_git(prefix: &Prefix) -> String {
    format!(
        "git tracks files in .metis/{prefix}/, so they count as this project's own. If they are copies of that workspace, take \
         them out with `git rm --cached -r .metis/{prefix}`, commit that, and sync again; else move them to another folder"
    )
}

fn too_many(documents: usize, ctx: &Context<'_>) -> NoWork {
    format!(
        "with its {documents} documents this sync would write more than {}; sync again to go on, or raise \
         sync.limits.entries in .metis/.sync/config.toml",
        ctx.limits.entries
    )
    .into()
}

/// Why nothing can be done in a folder.
struct NoWork {
    reason: String,
    damaged: Option<ObjectId>,
}

impl From<String> for NoWork {
    fn from(reason: String) -> Self {
        NoWork { reason, damaged: None }
    }
}

impl From<CentralError> for NoWork {
    fn from(err: CentralError) -> Self {
        NoWork {
            reason: err.to_string(),
            damaged: err.object(),
        }
    }
}

/// `None` if the folder is in step.
fn folder_work(
    ctx: &Context<'_>,
    store: &Store,
    state: &FolderState,
    prefix: &Prefix,
    tree: ObjectId,
    copies: &mut BTreeSet<Prefix>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<FolderWork>, NoWork> {
    if let FolderState::Marked(marker) = state
        && marker.tree == Some(tree)
        && marker.applying.is_none()
        && marker.central == ctx.upstream_name
    {
        return Ok(None);
    }
    let entries = tree::entries(store, tree)?;
    let target = listing::folder(prefix, entries);
    if target.documents.len() as u64 > ctx.limits.entries {
        return Err(format!(
            "it holds {} documents, more than the limit of {}; raise sync.limits.entries in .metis/.sync/config.toml to have them",
            target.documents.len(),
            ctx.limits.entries
        )
        .into());
    }
    warnings.extend(target.skipped.into_iter().map(Warning::Skipped));
    if let Some(letters) = &ctx.config.project_prefix
        && target.documents.keys().any(|code| code.letters() == letters)
    {
        warnings.push(Warning::SharedCodes {
            prefix: prefix.clone(),
            letters: letters.into(),
        });
    }
    let nothing = Documents::new();
    let present = || workspace::documents_in(ctx.metis.dir(), prefix).map_err(|err| err.to_string());
    let (from, files) = match state {
        FolderState::Absent => (None, hydrate::plan(Known::Finished(&nothing), &target.documents)),
        FolderState::Newer => {
            return Err(
                format!(".metis/{prefix}/ was written by a later version of git-metis-sync; use that one").into(),
            );
        }
        FolderState::Reserved => {
            return Err(format!(
                "the Metis tools keep own documents in .metis/{prefix}/, so a workspace of that name cannot be copied there"
            )
            .into());
        }
        FolderState::Unreadable(err) => return Err(err.to_string().into()),
        // Without a marker, but nothing in it is anybody's work: a copy that somebody took out of git, or brought here.
        FolderState::Foreign if is_copy(ctx, prefix, &target.documents) => {
            copies.insert(prefix.clone());
            (None, hydrate::plan(Known::Finished(&nothing), &target.documents))
        }
        FolderState::Foreign => {
            return Err(format!(".metis/{prefix}/ is a folder of your own; move or rename it, then sync again").into());
        }
        FolderState::Adoptable => {
            let known = Known::Unfinished {
                from: &nothing,
                to: &nothing,
                present: &present()?,
            };
            (None, hydrate::plan(known, &target.documents))
        }
        FolderState::Marked(marker) => {
            let held = read_listing(store, prefix, marker.tree);
            let files = match (marker.applying, &held) {
                (None, Some(held)) => {
                    let mut files = hydrate::plan(Known::Finished(held), &target.documents);
                    let edited = edited(ctx, prefix, held).map_err(|err| err.to_string())?;
                    let untouched = edited.into_iter().filter_map(|code| {
                        let blob = *held.get(&code)?;
                        (target.documents.get(&code) == Some(&blob)).then_some(Write {
                            code,
                            blob,
                            ours: vec![blob],
                        })
                    });
                    files.write.extend(untouched);
                    files
                }
                (applying, held) => {
                    let to = read_listing(store, prefix, applying);
                    let known = Known::Unfinished {
                        from: held.as_ref().unwrap_or(&nothing),
                        to: to.as_ref().unwrap_or(&nothing),
                        present: &present()?,
                    };
                    hydrate::plan(known, &target.documents)
                }
            };
            (marker.tree, files)
        }
    };
    Ok(Some(FolderWork {
        prefix: prefix.clone(),
        tree,
        from,
        files,
    }))
}

/// The documents in a folder at `held` that somebody edited since the last sync wrote its marker. Those that are gone are none.
pub fn edited(ctx: &Context<'_>, prefix: &Prefix, held: &Documents) -> Result<Vec<ShortCode>, DirError> {
    let mut out = Vec::new();
    for code in workspace::edited_since_marked(ctx.metis.dir(), prefix)? {
        let Some(blob) = held.get(&code) else { continue };
        let path = format!("{prefix}/{}", code.file_name());
        match ctx.metis.dir().read_file(path, ctx.limits.blob_bytes) {
            Ok((bytes, _)) if central::blob_id(blob.format(), &bytes) != *blob => out.push(code),
            Ok(_) => {}
            // Whoever writes there says what is wrong with it.
            Err(_) => {}
        }
    }
    Ok(out)
}

/// Whether `prefix`'s folder holds nothing but documents as central's `target` has them.
fn is_copy(ctx: &Context<'_>, prefix: &Prefix, target: &Documents) -> bool {
    let Ok(entries) = ctx
        .metis
        .dir()
        .open_dir(prefix.as_str())
        .and_then(|folder| folder.list())
    else {
        return false;
    };
    entries.iter().all(|entry| {
        if workspace::is_ours_in_folder(&entry.name) {
            return true;
        }
        let code = entry.name.to_str().and_then(ShortCode::from_file_name);
        let Some((code, blob)) = code.and_then(|code| target.get_key_value(&code)) else {
            return false;
        };
        let path = format!("{prefix}/{}", code.file_name());
        let read = ctx.metis.dir().read_file(path, ctx.limits.blob_bytes);
        read.is_ok_and(|(bytes, _)| central::blob_id(blob.format(), &bytes) == *blob)
    })
}

/// The documents of a tree, if it is at hand.
pub fn read_listing(store: &Store, prefix: &Prefix, tree: Option<ObjectId>) -> Option<Documents> {
    let tree = tree.filter(|tree| store.contains(*tree))?;
    Some(listing::folder(prefix, tree::entries(store, tree).ok()?).documents)
}

/// What [`apply()`] would do if no file had been touched since, for a dry run.
pub fn foresee(plan: &HydratePlan) -> Hydrated {
    let mut out = Hydrated {
        folders: plan.in_step.clone(),
        unfinished: plan.unfinished.clone(),
        warnings: plan.warnings.clone(),
        damaged: plan.damaged,
        ..Hydrated::default()
    };
    let files = |files: &FolderPlan| Pulled {
        written: files.write.len(),
        removed: files.remove.len(),
    };
    for work in &plan.work {
        out.pulled.insert(work.prefix.clone(), files(&work.files));
        out.folders.insert(work.prefix.clone(), work.tree);
    }
    for (prefix, plan) in &plan.gone {
        out.pulled.insert(prefix.clone(), files(plan));
    }
    out.pulled.retain(|_, pulled| *pulled != Pulled::default());
    out
}

/// Does what the plan says: copies in all folders before any delete. `told` hears of files done and files in all.
pub fn apply(
    ctx: &Context<'_>,
    store: &Store,
    plan: &HydratePlan,
    now: Timestamp,
    told: &mut dyn FnMut(usize, usize),
) -> Result<Hydrated, DirError> {
    let mut out = Hydrated {
        folders: plan.in_step.clone(),
        unfinished: plan.unfinished.clone(),
        warnings: plan.warnings.clone(),
        damaged: plan.damaged,
        ..Hydrated::default()
    };
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let open = |prefix: &Prefix| {
        FolderWriter::open(ctx.metis.dir(), &plan.survey, prefix, ctx.limits.blob_bytes).map_err(|err| err.to_string())
    };

    let mut works = Vec::new();
    let mut folders = Vec::new();
    for work in &plan.work {
        let marked = open(&work.prefix).and_then(|writer| {
            if let Ok(folder) = ctx.metis.dir().open_dir(work.prefix.as_str()) {
                // Left by a run that was killed here; failing to tidy up is no reason to stop.
                let _ = workspace::sweep_temps(&folder, now.into());
            }
            if !work.files.is_empty() {
                writer
                    .mark(&marker(ctx, work.from, Some(work.tree)))
                    .map_err(|err| err.to_string())?;
            }
            Ok(writer)
        });
        match marked {
            Ok(writer) => {
                works.push(work);
                folders.push(copy::Folder {
                    writer,
                    files: &work.files.write,
                });
            }
            Err(reason) => fail(&mut out, &work.prefix, reason),
        }
    }
    let terms = copy::Terms {
        limits: ctx.limits,
        left_out: store.left_out(),
        stamp: &stamp,
        interrupt: &ctx.connect.interrupt,
    };
    let copied = copy::copy(store, &folders, &terms, told);
    let mut deletes = Vec::new();
    for ((work, folder), copied) in works.into_iter().zip(folders).zip(copied) {
        out.pulled.entry(work.prefix.clone()).or_default().written = copied.written;
        out.kept.extend(copied.kept);
        out.warnings.extend(copied.skipped.into_iter().map(Warning::Skipped));
        out.damaged = out.damaged.or(copied.damaged);
        match copied.failed {
            None => deletes.push((work, folder.writer)),
            Some(reason) => fail(&mut out, &work.prefix, reason),
        }
    }
    if deletes.iter().any(|(work, _)| !work.files.write.is_empty()) {
        // What is about to be called done has to survive a power loss.
        ctx.metis.dir().sync_all()?;
    }
    for (work, writer) in deletes {
        let removed = remove(store.format(), &work.files, &writer, &stamp, &mut out).and_then(|()| {
            writer
                .mark(&marker(ctx, Some(work.tree), None))
                .map_err(|err| err.to_string())
        });
        match removed {
            Ok(()) => drop(out.folders.insert(work.prefix.clone(), work.tree)),
            Err(reason) => fail(&mut out, &work.prefix, reason),
        }
    }
    for (prefix, files) in &plan.gone {
        let removed = open(prefix).and_then(|writer| {
            if plan.aside.contains(prefix) {
                let (documents, kept) = writer.set_aside(&stamp).map_err(|err| err.to_string())?;
                let prefix = prefix.clone();
                out.warnings.push(Warning::SetAside {
                    prefix,
                    documents,
                    kept: kept.into(),
                });
            } else {
                remove(store.format(), files, &writer, &stamp, &mut out)?;
            }
            writer.dissolve().map_err(|err| err.to_string())
        });
        match removed {
            Ok(left) if left.is_empty() => {}
            Ok(left) => out.warnings.push(Warning::LeftOver {
                prefix: prefix.clone(),
                names: left.into_iter().map(Into::into).collect(),
            }),
            Err(reason) => fail(&mut out, prefix, reason),
        }
    }
    out.pulled.retain(|_, pulled| *pulled != Pulled::default());
    Ok(out)
}

fn fail(out: &mut Hydrated, prefix: &Prefix, reason: String) {
    out.unfinished.insert(prefix.clone());
    out.warnings.push(Warning::FolderFailed {
        prefix: prefix.clone(),
        reason: reason.into(),
    });
}

fn marker(ctx: &Context<'_>, tree: Option<ObjectId>, applying: Option<ObjectId>) -> Marker {
    Marker {
        central: ctx.upstream_name.clone(),
        tree,
        applying,
    }
}

fn remove(
    format: ObjectFormat,
    files: &FolderPlan,
    writer: &FolderWriter<'_>,
    stamp: &str,
    out: &mut Hydrated,
) -> Result<(), String> {
    for remove in &files.remove {
        let name = remove.code.file_name();
        let hash = |bytes: &[u8]| central::blob_id(format, bytes);
        match writer
            .check(&name, &remove.ours, &hash)
            .map_err(|err| err.to_string())?
        {
            OnDisk::Absent | OnDisk::NotAFile => continue,
            OnDisk::Expected(_) => {}
            OnDisk::LocallyEdited(_) => out.kept.push(writer.keep(&name, stamp).map_err(|err| err.to_string())?),
        }
        writer.remove(&name).map_err(|err| err.to_string())?;
        out.pulled.entry(writer.prefix().clone()).or_default().removed += 1;
    }
    Ok(())
}
