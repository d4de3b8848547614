//! Own documents into a commit on top of central's head.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context,
    evidence::{EvidenceError, Inquiry},
    fetch::Snapshot,
    own::{self, Own, OwnError, ReadError},
};
use crate::{
    central::{
        CentralError,
        commit::{self, Trailers},
        history::{self, Fate},
        publish,
        store::Store,
        tree,
    },
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{self, DehydratePlan},
        guard::OtherProject,
        listing::{self, Documents},
        newer::{self, Evidence, Relation, Verdict, Witness},
    },
    project::History,
    state::cursor::{At, Base, Cursor},
    workspace::DirError,
};

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Central cannot be read.
    #[error(transparent)]
    Central(#[from] CentralError),
    /// The own documents cannot be read.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// The owned folder is another project's.
    #[error(transparent)]
    OtherProject(#[from] OtherProject),
    /// `HEAD` moved while the files were read: read again.
    #[error("HEAD moved meanwhile")]
    Moved,
}

impl From<EvidenceError> for PlanError {
    fn from(err: EvidenceError) -> Self {
        match err {
            EvidenceError::Central(err) => PlanError::Central(err),
            EvidenceError::OtherProject(err) => PlanError::OtherProject(err),
        }
    }
}

/// What to do with the own documents, and what it rests on.
#[derive(Debug, Default)]
pub struct Decided {
    /// What central holds for this workspace.
    pub central: Documents,
    /// What becomes of each document.
    pub plan: DehydratePlan,
    /// What the commit says of where its documents come from.
    pub trailers: Trailers,
    /// What this clone notes once the plan is carried out.
    pub notes: Notes,
}

/// What a clone notes of the own documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notes {
    /// See [`Cursor::agreed`].
    pub agreed: Option<ObjectId>,
    /// See [`Cursor::base`].
    pub base: BTreeMap<ShortCode, Base>,
    /// See [`Cursor::decided`].
    pub decided: BTreeMap<ShortCode, Option<ObjectId>>,
    /// See [`Cursor::unsettled`].
    pub unsettled: bool,
    /// See [`Cursor::witnesses`].
    pub witnesses: BTreeMap<ShortCode, Witness>,
    /// See [`Cursor::root`].
    pub root: Option<ObjectId>,
}

/// How to decide.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// What is here wins.
    pub force: bool,
    /// The owned folder may be another project's.
    pub adopt_project: bool,
    /// What this clone noted was noted in another folder.
    pub copied: bool,
}

/// Decides what to push.
pub fn plan(
    ctx: &Context<'_>,
    store: &Store,
    cursor: &Cursor,
    snapshot: &Snapshot,
    own: &mut Own,
    how: How,
) -> Result<Decided, PlanError> {
    let Some(prefix) = &ctx.owned else {
        return Ok(Decided::default());
    };
    let central = owned_documents(store, snapshot.head, prefix)?;
    if central.is_empty() && cursor.base.values().any(|base| base.blob.is_some()) {
        still_named(ctx, store, cursor, snapshot, prefix)?;
    }
    let mut history = own::open_history(ctx, snapshot.format);
    let mut edited = BTreeSet::new();
    if let Some(history) = &mut history {
        let still;
        (edited, still) = own::settle(ctx, cursor, own, history)?;
        if !still {
            return Err(PlanError::Moved);
        }
    }
    let gathered = Inquiry {
        ctx,
        store,
        cursor,
        snapshot,
        own,
        edited: &edited,
        central: &central,
        history: history.as_mut(),
        copied: how.copied,
        adopt_project: how.adopt_project,
    }
    .gather()?;
    let verdicts: Vec<_> = gathered
        .documents
        .iter()
        .map(|(code, (versions, evidence))| {
            let verdict = match evidence {
                Some(evidence) => newer::decide(versions, evidence),
                // No evidence is gathered for these two.
                None if versions.here == versions.central => Verdict::InStep,
                None => Verdict::Push,
            };
            (code.clone(), *versions, verdict)
        })
        .collect();
    let is_new = |code: &ShortCode| !central.contains_key(code);
    let new = verdicts.iter().filter(|(code, versions, verdict)| {
        versions.here.is_some() && is_new(code) && !matches!(verdict, Verdict::InStep)
    });
    let owners = match new.count() {
        0 => BTreeMap::new(),
        _ => owners(ctx, store, snapshot.head, prefix)?,
    };
    let mut plan = dehydrate::plan(verdicts, &owners, how.force);
    for behind in &mut plan.behind {
        behind.pull = gathered.pullable.contains(&behind.code);
    }
    let mut trailers = Trailers::default();
    let mut root = cursor.root;
    let is_asked = !plan.changes_nothing() || !plan.foreign.is_empty();
    if let (Some(at), Some(history), true) = (own.commit(), &mut history, is_asked) {
        if root.is_none() || central.is_empty() {
            root = identity(ctx, store, snapshot, prefix, &central, history, at, how)?;
        }
        trailers.commit = Some(at);
        trailers.root = root.map(|root| (root, path_in_project(ctx)));
        let touched = plan.push.keys().chain(&plan.remove);
        trailers.uncommitted = touched.filter(|code| edited.contains(*code)).cloned().collect();
    }
    for conflict in &mut plan.conflicts {
        if let Some((_, Some(Evidence::Origin(origin)))) = gathered.documents.get(&conflict.code) {
            conflict.base = match origin.relation {
                Relation::Apart => origin.at_base,
                Relation::Descends => origin.at_origin,
            };
        }
    }
    let is_open = |code: &ShortCode| {
        !plan.push.contains_key(code) && !plan.remove.contains(code) && !plan.in_step.contains_key(code)
    };
    let decided = cursor.decided.iter().filter(|(code, _)| is_open(code));
    let notes = Notes {
        decided: decided.map(|(code, over)| (code.clone(), *over)).collect(),
        root,
        unsettled: !(plan.behind.is_empty() && plan.conflicts.is_empty() && plan.foreign.is_empty()),
        witnesses: gathered.witnesses,
        ..notes(cursor, own, &plan, &edited, &gathered.had)
    };
    Ok(Decided {
        central,
        plan,
        trailers,
        notes,
    })
}

/// Where `.metis/` lies in the project, as a commit's trailer says it.
pub fn path_in_project(ctx: &Context<'_>) -> String {
    let path = ctx.project.metis_path();
    let path: String = path.chars().filter(|c| !c.is_control()).collect();
    if path.is_empty() { ".".into() } else { path }
}

/// Stops where another clone of this workspace has renamed or retired the folder that this one has written.
fn still_named(
    ctx: &Context<'_>,
    store: &Store,
    cursor: &Cursor,
    snapshot: &Snapshot,
    prefix: &Prefix,
) -> Result<(), PlanError> {
    let between = [snapshot.head, cursor.compared];
    match history::fate(&ctx.upstream, &ctx.connect, &snapshot.branch, store, between, prefix)? {
        None => Ok(()),
        Some(Fate::Retired) => Err(PlanError::OtherProject(OtherProject::Retired(prefix.clone()))),
        Some(Fate::Renamed(new)) => Err(PlanError::OtherProject(OtherProject::RenamedElsewhere {
            old: prefix.clone(),
            new,
        })),
    }
}

/// Finds out whether the owned folder is this project's, and the commit that this project is known by. `None`: the
/// project's oldest commits are not to be had.
#[allow(clippy::too_many_arguments)]
fn identity(
    ctx: &Context<'_>,
    store: &Store,
    snapshot: &Snapshot,
    prefix: &Prefix,
    central: &Documents,
    history: &mut History<'_>,
    at: ObjectId,
    how: How,
) -> Result<Option<ObjectId>, PlanError> {
    let Some(roots) = history.roots(at) else {
        return Ok(None);
    };
    let first = roots.first().copied();
    let Some(head) = snapshot.head else { return Ok(first) };
    let only = (!central.is_empty()).then_some(prefix);
    let owners = history::owners(&ctx.upstream, &ctx.connect, &snapshot.branch, store, head, only)?;
    let path = path_in_project(ctx);
    let is_ours = |(root, at): &(ObjectId, String)| roots.contains(root) && *at == path;
    if let Some(owner) = owners.get(prefix).filter(|_| !central.is_empty()) {
        if !is_ours(&owner.root) && !how.adopt_project {
            return Err(PlanError::OtherProject(OtherProject::Folder {
                prefix: prefix.clone(),
                root: owner.root.0,
                path: owner.root.1.clone(),
            }));
        }
        return Ok(roots.contains(&owner.root.0).then_some(owner.root.0).or(first));
    }
    // A first push: the project may be in central under another name.
    for owner in owners.values() {
        let still_there = || owned_documents(store, Some(head), &owner.prefix).is_ok_and(|held| !held.is_empty());
        let is_another = owner.prefix != *prefix && !ctx.former.contains(&owner.prefix);
        if is_another && is_ours(&owner.root) && still_there() {
            return Err(PlanError::OtherProject(OtherProject::Renamed {
                old: owner.prefix.clone(),
                new: prefix.clone(),
            }));
        }
    }
    Ok(first)
}

/// The workspaces that hold a document, of all but those that are or were this one.
fn owners(
    ctx: &Context<'_>,
    store: &Store,
    head: Option<ObjectId>,
    owned: &Prefix,
) -> Result<BTreeMap<ShortCode, Prefix>, CentralError> {
    let mut owners = BTreeMap::new();
    let Some(head) = head else { return Ok(owners) };
    let root = listing::root(tree::entries(store, tree::of_commit(store, head)?)?);
    for (prefix, folder) in root.workspaces {
        if prefix != *owned && !ctx.former.contains(&prefix) {
            let documents = listing::folder(&prefix, tree::entries(store, folder)?).documents;
            owners.extend(documents.into_keys().map(|code| (code, prefix.clone())));
        }
    }
    Ok(owners)
}

/// What to note once `plan` is carried out.
fn notes(cursor: &Cursor, own: &Own, plan: &DehydratePlan, edited: &BTreeSet<ShortCode>, had: &Documents) -> Notes {
    let commit = own.commit();
    let agreed = commit.or(cursor.agreed);
    let mut base = BTreeMap::new();
    let path = |code: &ShortCode| {
        let here = own.documents.get(code).map(|document| document.path.clone());
        let noted = || cursor.base.get(code).map(|base| base.path.clone());
        here.or_else(noted).unwrap_or_else(|| code.file_name())
    };
    let at = |code: &ShortCode| match commit.is_some() && !edited.contains(code) {
        true => At::Common,
        false => At::Unknown(()),
    };
    for (code, blob) in &plan.in_step {
        let noted = cursor.base.get(code);
        let same = noted.filter(|noted| noted.blob == *blob);
        if blob.is_none() {
            // A removal of this clone's, which may yet be taken back.
            base.extend(same.map(|same| (code.clone(), cursor.carried(same, agreed))));
            continue;
        }
        let mut entry = match same {
            Some(same) => cursor.carried(same, agreed),
            None => Base {
                blob: *blob,
                path: String::new(),
                at: At::Unknown(()),
                mine: false,
                from: None,
                uncommitted: false,
            },
        };
        entry.path = path(code);
        if at(code) == At::Common {
            entry.at = At::Common;
        }
        base.insert(code.clone(), entry);
    }
    let pushed = plan.push.iter().map(|(code, blob)| (code, Some(*blob)));
    for (code, blob) in pushed.chain(plan.remove.iter().map(|code| (code, None))) {
        let uncommitted = edited.contains(code);
        let entry = Base {
            blob,
            path: path(code),
            at: at(code),
            mine: true,
            from: commit.filter(|_| uncommitted),
            uncommitted,
        };
        base.insert(code.clone(), entry);
    }
    for (code, noted) in &cursor.base {
        base.entry(code.clone())
            .or_insert_with(|| cursor.carried(noted, agreed));
    }
    // What is behind or diverged once is so the next time, without asking central's history again.
    let waiting = plan.behind.iter().map(|behind| &behind.code);
    for code in waiting.chain(plan.conflicts.iter().map(|conflict| &conflict.code)) {
        if let Some(version) = had.get(code) {
            base.entry(code.clone()).or_insert_with(|| Base {
                blob: Some(*version),
                path: path(code),
                at: At::Unknown(()),
                mine: false,
                from: None,
                uncommitted: false,
            });
        }
    }
    // Both have given it up.
    base.retain(|code, entry| entry.blob.is_none() || !plan.in_step.get(code).is_some_and(Option::is_none));
    Notes {
        agreed,
        base,
        ..Notes::default()
    }
}

fn owned_documents(store: &Store, head: Option<ObjectId>, prefix: &Prefix) -> Result<Documents, CentralError> {
    let root = head.map(|head| tree::of_commit(store, head)).transpose()?;
    Ok(match tree::owned(store, root, prefix)? {
        Some(folder) => listing::folder(prefix, tree::entries(store, folder)?).documents,
        None => Documents::new(),
    })
}

/// Whether central has the owned folder, be it without documents.
pub fn exists(store: &Store, snapshot: &Snapshot, prefix: &Prefix) -> Result<bool, CentralError> {
    let root = snapshot.head.map(|head| tree::of_commit(store, head)).transpose()?;
    Ok(tree::owned(store, root, prefix)?.is_some())
}

/// After central's history was rewritten: a version that was in central and is not any more is no longer a common one, unless
/// it is what is here: then nothing was done to the document here, and whatever central has now is not older.
pub fn forget_lost_versions(
    store: &Store,
    cursor: &mut Cursor,
    head: Option<ObjectId>,
    owned: Option<&Prefix>,
    here: &Documents,
) -> Result<(), CentralError> {
    if let Some(prefix) = owned {
        let central = owned_documents(store, head, prefix)?;
        if central.is_empty() {
            // A central made anew: this workspace is registered there like any other.
            cursor.base.clear();
        }
        cursor
            .base
            .retain(|code, base| central.get(code) == base.blob.as_ref() || here.get(code) == base.blob.as_ref());
        cursor.witnesses.clear();
    }
    Ok(())
}

/// Why no commit was made.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A document is not what it was when the plan was made. Plan again.
    #[error("{path} changed meanwhile")]
    Changed {
        /// Relative to `.metis/`.
        path: String,
    },
    /// A document could not be read.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// The objects could not be made or stored.
    #[error(transparent)]
    Central(#[from] CentralError),
}

impl From<ReadError> for ApplyError {
    fn from(err: ReadError) -> Self {
        match err {
            ReadError::Changed { path } => ApplyError::Changed { path },
            ReadError::Dir(err) => ApplyError::Dir(err),
            ReadError::Project(err) => ApplyError::Central(err),
        }
    }
}

/// Stores the commit that the plan asks for and returns its id. `decided` must change something.
///
/// Every blob is read once more, and must still be the one that was planned.
pub fn apply(
    ctx: &Context<'_>,
    store: &mut Store,
    snapshot: &Snapshot,
    decided: &Decided,
    own: &Own,
    author: &(String, String),
    now: jiff::Timestamp,
) -> Result<ObjectId, ApplyError> {
    let Some(prefix) = &ctx.owned else {
        unreachable!("a workspace without a prefix has no plan to apply")
    };
    let plan = &decided.plan;
    let root = snapshot.head.map(|head| tree::of_commit(store, head)).transpose()?;
    let trees = tree::with_owned(store, root, prefix, &plan.push, &plan.remove)?;
    let commit = commit::new(
        trees.root.id,
        snapshot.head,
        prefix,
        author,
        now,
        &decided.trailers,
        snapshot.format,
    );
    let documents: BTreeMap<ObjectId, &own::OwnDocument> = plan
        .push
        .iter()
        .filter_map(|(code, blob)| Some((*blob, own.documents.get(code)?)))
        .collect();
    let blobs: Vec<ObjectId> = documents.keys().copied().collect();
    let history = own::open_history(ctx, snapshot.format);
    publish::store_commit(store, &commit, &trees, &blobs, |id| {
        own::read(ctx, history.as_ref(), documents[&id]).map_err(ApplyError::from)
    })?;
    Ok(commit.id)
}
