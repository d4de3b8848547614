//! Own documents into a commit on top of central's head.

mod identity;
mod notes;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context,
    evidence::{EvidenceError, Gathered, Inquiry, is_held_back},
    fetch::Snapshot,
    own::{self, Own, OwnError, ReadError},
};
use crate::{
    central::{
        CentralError,
        commit::{self, Trailers},
        publish,
        store::Store,
        tree::{self, surgery},
    },
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{self, DehydratePlan},
        guard::OtherProject,
        listing::{self, Documents},
        newer::{self, Evidence, Relation, Verdict, Versions, Why},
    },
    project::History,
    state::cursor::{Cursor, Notes},
};

pub use identity::path_in_project;
use notes::notes;

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

/// The owned folder in central and the own documents, to be compared.
#[derive(Clone, Copy)]
pub struct Comparison<'c, 'a> {
    /// What every stage needs.
    pub ctx: &'c Context<'a>,
    /// Central's objects.
    pub store: &'c Store,
    /// What this clone knows.
    pub cursor: &'c Cursor,
    /// Central's state.
    pub snapshot: &'c Snapshot,
    /// The owned folder.
    pub prefix: &'c Prefix,
    /// How to decide.
    pub how: How,
}

impl<'a> Comparison<'_, 'a> {
    /// Decides what to push.
    pub fn decide(&self, own: &mut Own<'a>) -> Result<Decided, PlanError> {
        let central = self.snapshot.root(self.store)?.documents(self.store, self.prefix)?;
        let noted = self.cursor.base.iter().filter(|(_, base)| base.blob.is_some());
        let mut noted = noted.map(|(code, _)| code).peekable();
        if noted.peek().is_some() && noted.all(|code| !central.contains_key(code)) {
            self.still_named()?;
        }
        let mut history = own.take_history(self.ctx);
        let decided = self.decide_by(central, own, history.as_mut());
        own.keep_history(history);
        decided
    }

    fn decide_by(
        &self,
        central: Documents,
        own: &mut Own<'a>,
        mut history: Option<&mut History<'a>>,
    ) -> Result<Decided, PlanError> {
        let mut edited = BTreeSet::new();
        if let Some(history) = history.as_deref_mut() {
            let still;
            (edited, still) = own::settle(self.ctx, self.cursor, own, history)?;
            if !still {
                return Err(PlanError::Moved);
            }
        }
        let gathered = Inquiry {
            ctx: self.ctx,
            store: self.store,
            cursor: self.cursor,
            snapshot: self.snapshot,
            own,
            edited: &edited,
            central: &central,
            history: history.as_deref_mut(),
            copied: self.how.copied,
            adopt_project: self.how.adopt_project,
        }
        .gather()?;
        own::unless_stalled(self.ctx)?;
        let verdicts = verdicts(&gathered, self.cursor);
        let is_new = |(code, versions, verdict): &&(ShortCode, Versions, Verdict)| {
            versions.here.is_some() && !central.contains_key(code) && !matches!(verdict, Verdict::InStep)
        };
        let owners = match verdicts.iter().filter(is_new).count() {
            0 => BTreeMap::new(),
            _ => self.owners()?,
        };
        let mut plan = dehydrate::plan(verdicts, &owners, self.how.force);
        complete(&mut plan, &gathered);
        let mut trailers = Trailers::default();
        let mut root = self.cursor.root;
        let is_asked = !plan.changes_nothing() || !plan.foreign.is_empty();
        if let (Some(at), Some(history), true) = (own.commit(), history.as_deref_mut(), is_asked) {
            if root.is_none() || central.is_empty() {
                root = self.identity(&central, history, at)?;
            }
            trailers.commit = Some(at);
            trailers.root = root.map(|root| (root, path_in_project(self.ctx)));
            let touched = plan.push.keys().chain(&plan.remove);
            trailers.uncommitted = touched.filter(|code| edited.contains(*code)).cloned().collect();
        }
        let is_open = |code: &ShortCode| {
            !plan.push.contains_key(code) && !plan.remove.contains(code) && !plan.in_step.contains_key(code)
        };
        let decided = self.cursor.decided.iter().filter(|(code, _)| is_open(code));
        let held_back = self.cursor.held_back.iter().filter(|(code, version)| {
            let here = own.documents.get(*code).map(|document| document.blob);
            is_open(code) && here == **version
        });
        let held_back = held_back.map(|(code, version)| (code.clone(), *version)).collect();
        let commit = own.commit();
        let mut goes_back_to = |origin| match (commit, history.as_deref_mut()) {
            (Some(commit), Some(history)) => matches!(history.relation(commit, origin), Ok((Relation::Descends, _))),
            _ => true,
        };
        let waiting = gathered.witnesses.iter().filter(|(code, _)| is_open(code));
        let notes = Notes {
            decided: decided.map(|(code, over)| (code.clone(), *over)).collect(),
            held_back,
            root,
            unsettled: !(plan.behind.is_empty() && plan.conflicts.is_empty() && plan.foreign.is_empty()),
            witnesses: waiting.map(|(code, witness)| (code.clone(), witness.clone())).collect(),
            ..notes(self.cursor, own, &plan, &edited, &gathered, &mut goes_back_to)
        };
        Ok(Decided {
            central,
            plan,
            trailers,
            notes,
        })
    }

    /// The workspaces that hold a document, of all but those that are or were this one.
    fn owners(&self) -> Result<BTreeMap<ShortCode, Prefix>, CentralError> {
        let mut owners = BTreeMap::new();
        let root = listing::root(self.snapshot.root(self.store)?.entries());
        for (prefix, folder) in root.workspaces {
            if prefix != *self.prefix && !self.ctx.former.contains(&prefix) {
                let documents = listing::folder(&prefix, tree::entries(self.store, folder)?).documents;
                owners.extend(documents.into_keys().map(|code| (code, prefix.clone())));
            }
        }
        Ok(owners)
    }
}

fn verdicts(gathered: &Gathered, cursor: &Cursor) -> Vec<(ShortCode, Versions, Verdict)> {
    let verdict = |code: &ShortCode, versions: &Versions, evidence: &Option<Evidence>| match evidence {
        Some(evidence) => newer::decide(versions, evidence),
        // No evidence is gathered for these: both have the same, or a person said which one counts.
        None if versions.here == versions.central => Verdict::InStep,
        None if is_held_back(cursor, code, versions) => Verdict::Behind(Why::TakenBack),
        None => Verdict::Push,
    };
    let documents = gathered.documents.iter();
    documents
        .map(|(code, (versions, evidence))| (code.clone(), *versions, verdict(code, versions, evidence)))
        .collect()
}

/// Adds to the plan what the evidence tells beside the verdicts.
fn complete(plan: &mut DehydratePlan, gathered: &Gathered) {
    for behind in &mut plan.behind {
        behind.pull = gathered.pullable.contains(&behind.code);
    }
    for conflict in &mut plan.conflicts {
        if let Some((_, Some(Evidence::Origin(origin)))) = gathered.documents.get(&conflict.code) {
            conflict.base = match origin.relation {
                Relation::Apart => origin.at_base,
                Relation::Descends => origin.at_origin,
            };
        }
    }
}

/// After central's history was rewritten: a version that was in central and is not any more is no longer a common one, unless
/// it is what is here: then nothing was done to the document here, and whatever central has now is not older.
pub fn forget_lost_versions(
    store: &Store,
    cursor: &mut Cursor,
    snapshot: &Snapshot,
    owned: &Prefix,
    here: &Documents,
) -> Result<(), CentralError> {
    cursor.forget_lost_versions(&snapshot.root(store)?.documents(store, owned)?, here);
    Ok(())
}

/// Stores the commit that the plan asks for and returns its id. `decided` must change something.
///
/// Every blob is read once more, and must still be the one that was planned.
pub fn apply<'a>(
    ctx: &Context<'a>,
    store: &mut Store,
    snapshot: &Snapshot,
    prefix: &Prefix,
    decided: &Decided,
    own: &Own<'a>,
    now: jiff::Timestamp,
) -> Result<ObjectId, ReadError> {
    let plan = &decided.plan;
    let trees = surgery::with_owned(store, snapshot.root(store)?, prefix, &plan.push, &plan.remove)?;
    let commit = commit::new(
        trees.root.id,
        snapshot.head,
        &format!("sync: {prefix}"),
        &ctx.project.committer(),
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
    let reader = own.reader(ctx);
    publish::store_commit(store, &commit, &trees, &blobs, |id| reader.read(documents[&id]))?;
    Ok(commit.id)
}
