//! Finding out what is here, and what central has.

use std::time::Instant;

use super::CentralView;
use crate::{
    stage::{
        Context, Warning,
        fetch::{self, Snapshot},
    },
    state::{
        cursor::{self, Cursor},
        files::StateDir,
        guard::Guard,
        lock,
    },
    sync::{
        error::SyncErrorKind,
        follow::{Follow, Followed, Known},
        notebook,
        options::{Progress, Step, SyncOptions},
        setup::{self, Workspace},
    },
};

/// What is here of central.
#[derive(Default)]
pub(super) struct Here {
    /// `None`: its objects are not at hand, or not all.
    pub snapshot: Option<Snapshot>,
    pub known: Option<Known>,
}

/// What is known before central is.
pub(super) struct Look<'w, 'a> {
    pub options: &'w SyncOptions,
    pub ctx: Context<'a>,
    pub state: Option<StateDir>,
    pub guard: Guard,
    pub last: Option<Cursor>,
    pub pushes: bool,
    pub stops: Vec<SyncErrorKind>,
    pub warnings: Vec<Warning>,
}

impl<'a> Look<'_, 'a> {
    pub fn begin<'w>(workspace: &'a Workspace, options: &'w SyncOptions) -> Result<Look<'w, 'a>, SyncErrorKind> {
        let mut stops = Vec::new();
        let mut warnings = workspace.warnings();
        let has_prefix = workspace.config().workspace.is_some();
        if workspace.config().sync.is_some() && !has_prefix && !options.pull_only {
            stops.push(SyncErrorKind::NoPrefix);
        }
        let pull_only = SyncOptions {
            pull_only: true,
            ..options.clone()
        };
        let ctx = setup::context(workspace, &pull_only, Instant::now())?;
        let state = StateDir::open(workspace.metis().path())?;
        let guard = workspace.guard()?;
        let last = match &state {
            Some(state) => notebook::load_cursor(state, &guard, &mut warnings)?,
            None => None,
        };
        // A sync would wait for that one.
        if let Some(holder) = state.as_ref().and_then(lock::held).filter(|_| !options.dry_run) {
            stops.push(SyncErrorKind::Locked {
                holder: holder.map_or("it does not say which".into(), |holder| holder.to_string().into()),
            });
        }
        stops.extend(workspace.check_state().err());
        stops.extend(workspace.check_binding(&guard, last.as_ref(), &ctx));
        if options.dry_run && !stops.is_empty() {
            return Err(stops.remove(0));
        }
        Ok(Look {
            pushes: has_prefix && !options.pull_only && workspace.retired().is_none(),
            options,
            ctx,
            state,
            guard,
            last,
            stops,
            warnings,
        })
    }

    /// Central as it is now, its objects at hand unless it went where this clone would not follow.
    pub fn asked(&mut self, progress: &mut dyn Progress) -> Result<(CentralView, Here), SyncErrorKind> {
        let _stage = tracing::info_span!("fetch").entered();
        progress.step(Step::Listing);
        let mut asked = self.ask(false, progress);
        if asked.as_ref().is_err_and(SyncErrorKind::is_damaged_store) {
            asked = self.ask(true, progress);
        }
        asked
    }

    /// `anew`: with nothing of what was fetched before.
    fn ask(&mut self, anew: bool, progress: &mut dyn Progress) -> Result<(CentralView, Here), SyncErrorKind> {
        let ctx = &self.ctx;
        let mut remote = fetch::list(ctx)?;
        let view = CentralView::Seen {
            branch: (&remote.branch).into(),
            head: remote.head,
        };
        let follow = Follow {
            ctx,
            seen: self.last.as_ref().and_then(|cursor| cursor.head),
            adopt: self.options.adopt_central,
        };
        let followed = follow
            .cursor(&remote, self.last.clone(), || {
                let state = self.state.as_ref();
                state.map_or_else(Vec::new, |state| cursor::first_pushes(state, &self.guard))
            })
            .and_then(|(cursor, is_another)| {
                let mut store = fetch::store(ctx, remote.format, self.options.dry_run)?;
                if anew {
                    store.reset()?;
                }
                let mut followed = follow.fetch(&mut remote, Known { cursor, store }, &[], progress)?;
                followed.adopted |= is_another;
                Ok(followed)
            });
        remote.close();
        match followed {
            Ok(followed) => {
                if followed.adopted {
                    self.warnings.push(Warning::CentralAdopted);
                }
                let Followed { snapshot, known, .. } = followed;
                let here = Here {
                    snapshot: Some(snapshot),
                    known: Some(known),
                };
                Ok((view, here))
            }
            Err(
                stop @ (SyncErrorKind::Rewound { .. }
                | SyncErrorKind::BranchGone { .. }
                | SyncErrorKind::NoBranch { .. }),
            ) => {
                self.stops.push(stop);
                Ok((view, Here::default()))
            }
            Err(err) => Err(err),
        }
    }

    /// Central as the last sync saw it, if its objects are still here.
    pub fn remembered(&self) -> Here {
        let known = self.last.clone().and_then(|cursor| {
            let store = fetch::store(&self.ctx, cursor.format, self.options.dry_run).ok()?;
            Some(Known { cursor, store })
        });
        let snapshot = known.as_ref().and_then(|Known { cursor, store }| {
            let at_hand = cursor.head.is_none_or(|head| store.contains(head));
            at_hand.then(|| Snapshot::new(cursor.branch.clone(), cursor.format, cursor.head))
        });
        Here { snapshot, known }
    }
}
