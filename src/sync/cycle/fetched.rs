//! Central's objects are here, and the others' folders are brought to them.

use std::collections::HashSet;

use super::{Known, Published};
use crate::{
    central::CentralError,
    plan::guard::Lineage,
    stage::{
        Warning,
        fetch::{self, Snapshot},
        hydrate,
    },
    state::cursor::Cursor,
    sync::{
        error::SyncErrorKind,
        follow::{Follow, Followed},
        options::Step,
        records,
        session::Session,
    },
    workspace::{self, FolderState, FolderWriter, Glance},
};

/// Central as it is now, its objects at hand.
pub struct Fetched {
    /// What there is.
    pub snapshot: Snapshot,
    /// What is here of it.
    pub(in crate::sync) known: Known,
    /// What the top of `.metis/` looked like, where nothing had to be hydrated.
    pub(super) glance: Option<Glance>,
}

impl Fetched {
    fn new(snapshot: Snapshot, known: Known) -> Self {
        Fetched {
            snapshot,
            known,
            glance: None,
        }
    }

    /// Lists central's branch and brings its objects here. `known`: what an earlier cycle has left.
    pub fn list(session: &mut Session<'_>, known: Option<Known>) -> Result<Self, SyncErrorKind> {
        let _stage = tracing::info_span!("fetch").entered();
        session.step(Step::Listing);
        let mut own = None;
        let met = session.learnt.met.take();
        let mut remote = fetch::list_with_logs(&session.ctx, met, || own = session.survey_early(known.as_ref()))?;
        let (seen, adopt) = (session.learnt.seen, session.options.adopt_central);
        let mut is_another = false;
        let known = match known {
            Some(known) => known,
            None => {
                let ctx = &session.ctx;
                let follow = Follow { ctx, seen, adopt };
                let cursor;
                (cursor, is_another) = follow.cursor(&remote, session.notebook.last.clone(), || {
                    session.notebook.first_pushes()
                })?;
                if is_another {
                    session.warn(Warning::CentralAdopted);
                }
                let store = session.open_store(remote.format)?;
                Known { cursor, store }
            }
        };
        let beside = records::listed(session, &remote);
        let again = (!beside.is_empty()).then(|| known.cursor.clone());
        let (ctx, progress) = session.progress();
        let mut followed = Follow { ctx, seen, adopt }.fetch(&mut remote, known, &beside, progress);
        if let (Err(SyncErrorKind::Central(err)), Some(cursor)) = (&followed, again)
            && records::may_be_a_log(err)
        {
            // Somebody's log keeps nobody's documents back.
            let why = records::Why::from(err);
            let store = session.open_store(remote.format)?;
            remote = fetch::list(&session.ctx)?;
            let (ctx, progress) = session.progress();
            let alone = Follow { ctx, seen, adopt }.fetch(&mut remote, Known { cursor, store }, &[], progress);
            followed = alone.map(|mut followed| {
                records::sift(session, &mut followed.known.store, why);
                followed
            });
        }
        session.learnt.fetch_failed = followed.is_err();
        session.learnt.met = followed.is_ok().then(|| remote.met()).flatten();
        remote.close();
        let Followed {
            snapshot,
            known,
            adopted,
        } = followed?;
        if adopted {
            session.warn(Warning::CentralAdopted);
        }
        session.learnt.seen = snapshot.head;
        // What it was compared with is what still counts.
        session.own = own.filter(|_| !is_another && !adopted);
        Ok(Fetched::new(snapshot, known))
    }

    /// Takes up what another process fetched.
    pub fn resume(session: &mut Session<'_>, snapshot: Snapshot) -> Result<Self, SyncErrorKind> {
        let _stage = tracing::info_span!("fetch").entered();
        let name = session.ctx.upstream_name.clone();
        let last = session.notebook.last.clone();
        let mut cursor = last.unwrap_or_else(|| Cursor::new(name, snapshot.branch.clone(), snapshot.format));
        let mut store = session.open_store(snapshot.format)?;
        fetch::ensure(&session.ctx, &mut store, &snapshot)?;
        if snapshot.lineage == Lineage::Rewound && cursor.head != snapshot.head {
            cursor.compare_anew();
        }
        let known = Known { cursor, store };
        Ok(Fetched::new(snapshot, known))
    }

    /// Sees to it that the objects are here although nothing new had to be fetched.
    pub(in crate::sync) fn ensure(&mut self, session: &Session<'_>) -> Result<(), SyncErrorKind> {
        Ok(fetch::ensure(&session.ctx, &mut self.known.store, &self.snapshot)?)
    }

    /// Brings the others' folders to the snapshot.
    pub fn hydrate(&mut self, session: &mut Session<'_>) -> Result<(), SyncErrorKind> {
        if !session.ctx.metis.has_folder() {
            return Ok(());
        }
        let _stage = tracing::info_span!("hydrate").entered();
        self.hide_from_git(session);
        let Fetched { snapshot, known, .. } = self;
        let Known { cursor, store } = known;
        let scope = session.options.scope();
        let glance = hydrate::glance(&session.ctx, cursor)?;
        if !hydrate::is_due(&session.ctx, &glance, cursor, snapshot, scope) {
            self.glance = Some(glance);
            return Ok(());
        }
        fetch::ensure(&session.ctx, store, snapshot)?;
        let plan = hydrate::plan(&session.ctx, store, cursor, snapshot, &glance, scope)?;
        if let Some(prefix) = scope.only.iter().find(|prefix| !plan.listed.contains_key(*prefix)) {
            return Err(SyncErrorKind::NoSuchWorkspace(prefix.clone()));
        }
        let started = session.clock.started;
        let (ctx, progress) = session.progress();
        let mut done = hydrate::apply(ctx, store, &plan, started, &mut |done, total| {
            progress.step(Step::Hydrating { done, total })
        })?;
        let report = &mut *session.report;
        for (prefix, pulled) in &done.pulled {
            let sum = report.pulled.entry(prefix.clone()).or_default();
            sum.written += pulled.written;
            sum.removed += pulled.removed;
        }
        let changed = plan.work.iter().filter(|work| done.pulled.contains_key(&work.prefix));
        report
            .trail
            .brought
            .extend(changed.flat_map(|work| work.files.codes()).cloned());
        report.kept.append(&mut done.kept);
        if let Some(id) = store.suspicion().object().filter(|_| session.may_renew()) {
            let reason = "some folders could not be hydrated without it".into();
            return Err(CentralError::Object { id, reason }.into());
        }
        cursor.hydrated(done.folders, done.unfinished, done.left_out);
        // By what they say and all at once: there may be as many as central has entries.
        let report = &mut *session.report;
        let mut said: HashSet<String> = report.warnings.iter().map(Warning::to_string).collect();
        let new = done
            .warnings
            .into_iter()
            .filter(|warning| said.insert(warning.to_string()));
        report.warnings.extend(new);
        session.check_interrupt()
    }

    /// Sees to it that git passes over what a sync writes, on every branch, without a change to a tracked file. What cannot
    /// be written leaves files that git shows as new: no reason to stop.
    fn hide_from_git(&mut self, session: &Session<'_>) {
        let ctx = &session.ctx;
        if let Some((common_dir, below)) = ctx.project.place() {
            let _ = workspace::exclude_own_files(common_dir, &below);
        }
        if self.known.cursor.folders_ignored {
            return;
        }
        let metis = ctx.metis.dir();
        if let Ok(survey) = workspace::survey(metis, &Default::default()) {
            for (prefix, state) in &survey.folders {
                if matches!(state, FolderState::Marked(_)) {
                    // Opening it is enough.
                    let _ = FolderWriter::open(metis, &survey, prefix, ctx.limits.blob_bytes);
                }
            }
        }
        self.known.cursor.folders_ignore_themselves();
    }

    /// Takes up the others' records that came with the documents.
    pub fn take_up_records(&self, session: &mut Session<'_>) {
        records::take_up(session, &self.known.store);
    }

    /// Publishes own records where there are no documents to push.
    pub(super) fn publish_records(&mut self, session: &mut Session<'_>) {
        if let Some(log) = records::draft(session, &mut self.known.store) {
            records::push_alone(session, &self.known.store, &log);
        }
    }

    /// The end of a cycle that only pulls.
    pub(super) fn leave(self, session: &mut Session<'_>) -> Published {
        let Fetched { snapshot, known, .. } = self;
        let Known { mut cursor, .. } = known;
        session.report.head = snapshot.head;
        cursor.dealt_with(&snapshot.branch, snapshot.head);
        Published { cursor, scan: None }
    }

    /// The same, written down, where nothing is pushed by this process.
    pub fn note(self, session: &mut Session<'_>) -> Result<(), SyncErrorKind> {
        let mut published = self.leave(session);
        Ok(session.notebook.write_cursor(&session.ctx, &mut published.cursor)?)
    }
}
