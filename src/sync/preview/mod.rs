//! What a sync would meet and do, found out without doing any of it.
//!
//! No lock is taken and nothing below `.metis/` is written. Central is asked once, unless it should not be, and what it
//! has that is new goes to the object cache, where the next sync finds it: nothing is transferred twice. What would stop
//! a sync does not stop the look; it is gathered in [`Preview::stops`].

mod compare;
mod look;
mod standing;

use super::{
    error::SyncErrorKind,
    options::{Progress, Step, SyncOptions},
    report::{SyncOutcome, SyncReport},
    setup::Workspace,
};
use crate::{
    central::{CentralError, store::Store},
    names::ObjectId,
    plan::{dehydrate::DehydratePlan, listing::Documents},
    stage::{
        Context, Warning,
        fetch::Snapshot,
        hydrate::{self, HydratePlan},
        own::Own,
    },
    state::{cursor::Cursor, files::StateDir, guard::Guard},
    text::Untrusted,
    workspace::Survey,
};
use look::{Here, Look};

/// What is known of central's branch now.
#[derive(Debug)]
pub enum CentralView {
    /// It was not asked.
    NotAsked,
    /// It could not be asked.
    Failed(CentralError),
    /// Its branch, and the commit there.
    Seen {
        /// The branch.
        branch: Untrusted,
        /// Its commit. `None`: central is empty.
        head: Option<ObjectId>,
    },
}

/// See the [module documentation](self).
pub struct Preview<'a> {
    /// What the stages need.
    pub ctx: Context<'a>,
    /// `.metis/.sync/`, if there is one.
    pub state: Option<StateDir>,
    /// What this clone is bound to.
    pub guard: Guard,
    /// What this clone knows of central; empty if it has never synced.
    pub cursor: Cursor,
    /// Whether it has synced before.
    pub synced_before: bool,
    /// What central says now.
    pub central: CentralView,
    /// The commit that everything here is compared with. `None`: its objects are not at hand, and the comparison is
    /// with what the last sync left.
    pub snapshot: Option<Snapshot>,
    /// Central's objects.
    pub store: Option<Store>,
    /// The own documents on disk.
    pub own: Own<'a>,
    /// Those in central's owned folder, or at the last sync.
    pub held: Documents,
    /// What a sync would do with them.
    pub plan: DehydratePlan,
    /// Whether it would push anything at all.
    pub pushes: bool,
    /// Whether that would make the owned folder.
    pub registers: bool,
    /// The folders in `.metis/`.
    pub survey: Survey,
    /// What a sync would do in them. `None` without a [`snapshot`](Self::snapshot).
    pub hydrate: Option<HydratePlan>,
    /// What would stop a sync, each reason for itself.
    pub stops: Vec<SyncErrorKind>,
    /// What deserves a look but stops nothing.
    pub warnings: Vec<Warning>,
}

/// Whether to ask central.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// No network at all: everything is compared with what the last sync saw.
    Nobody,
    /// Central alone.
    Central,
    /// Central, and where something would be pushed the project's own remote, as a sync does.
    Everybody,
}

/// Looks. Fails only where there is nothing to look at: no upstream, no `.metis/` that can be read.
pub fn look<'a>(
    workspace: &'a Workspace,
    options: &SyncOptions,
    ask: Ask,
    progress: &mut dyn Progress,
) -> Result<Preview<'a>, SyncErrorKind> {
    let mut look = Look::begin(workspace, options)?;
    // A central that is not confirmed is not talked to: a sync would not do so either.
    let is_confirmed = !look
        .stops
        .iter()
        .any(|stop| matches!(stop, SyncErrorKind::UpstreamChanged { .. }));
    let ask = if is_confirmed { ask } else { Ask::Nobody };
    let mut central = CentralView::NotAsked;
    let mut here = Here::default();
    if ask != Ask::Nobody {
        match look.asked(progress) {
            Ok((view, followed)) => (central, here) = (view, followed),
            Err(err) if err.is_interruption() => return Err(SyncErrorKind::Interrupted),
            Err(SyncErrorKind::Central(err)) => central = CentralView::Failed(err),
            Err(err) => return Err(err),
        }
    }
    if here.snapshot.is_none() && is_confirmed {
        here = look.remembered();
    }
    progress.step(Step::Dehydrating);
    let _stage = tracing::info_span!("compare").entered();
    look.compare(here, central, ask)
}

/// What a sync would do, in the form of its report. An error is what would stop it.
pub(super) fn report(
    workspace: &Workspace,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
) -> Result<(), SyncErrorKind> {
    report.outcome = SyncOutcome::Planned;
    progress.step(Step::Waiting);
    let preview = look(workspace, options, Ask::Everybody, progress)?;
    report.warnings.clone_from(&preview.warnings);
    let mut stops = preview.stops.into_iter();
    let (Some(snapshot), Some(hydrate)) = (&preview.snapshot, &preview.hydrate) else {
        return Err(match (preview.central, stops.next()) {
            (CentralView::Failed(err), _) => err.into(),
            (_, Some(stop)) => stop,
            (_, None) => not_at_hand(preview.cursor.head),
        });
    };
    report.seen = snapshot.head;
    report.pulled = hydrate::foresee(hydrate);
    report.behind.clone_from(&preview.plan.behind);
    report.diverged.clone_from(&preview.plan.conflicts);
    if let Some(stop) = stops.find(|stop| !matches!(stop, SyncErrorKind::Diverged { .. })) {
        return Err(stop);
    }
    report.pushed = preview.plan.push.keys().cloned().collect();
    report.removed = preview.plan.remove.iter().cloned().collect();
    report.registered = preview.registers;
    if !preview.pushes {
        report.head = snapshot.head;
    }
    super::diverged(report)
}

/// The error of what needs central's objects when they are not here: never fetched, or the cache was emptied.
pub fn not_at_hand(head: Option<ObjectId>) -> SyncErrorKind {
    match head {
        Some(id) => CentralError::Object {
            id,
            reason: "it is not in the object cache; ask central for it by leaving out --offline, or with --fetch"
                .into(),
        }
        .into(),
        None => SyncErrorKind::NeverSynced,
    }
}
