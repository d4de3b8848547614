//! Central and this workspace compared id by id, down to every file of the hydrated folders.

use serde::Serialize;

use super::status::Obstacle;
use crate::{
    names::{ObjectId, ShortCode},
    plan::{
        compare::{self, Differences},
        dehydrate::Behind,
    },
    stage::verify::{self, FolderCheck},
    sync::{
        SyncErrorKind,
        preview::{self, CentralView, Preview},
    },
    text::Untrusted,
};

/// What a comparison id by id came to.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// Whether nothing differs.
    pub right: bool,
    /// Central's commit that was compared with.
    pub head: Option<ObjectId>,
    /// The own documents against central's owned folder.
    pub own: Own,
    /// The other workspaces.
    pub folders: Vec<FolderCheck>,
    /// What keeps the own documents from being read or pushed.
    pub obstacles: Vec<Obstacle>,
    /// What deserves a look.
    pub warnings: Vec<Untrusted>,
}

/// The own documents, compared.
#[derive(Debug, Serialize)]
pub struct Own {
    /// How many there are.
    pub documents: usize,
    /// `expected` is central's version.
    #[serde(flatten)]
    pub differences: Differences,
    /// Those that central has newer.
    pub behind: Vec<Behind>,
    /// Those that were changed on both sides.
    pub conflicts: Vec<ShortCode>,
    /// Those that cannot be read here, so that a sync leaves central's as they are.
    pub unreadable: Vec<ShortCode>,
}

impl Verified {
    /// Compares what `preview` looked at. `asked`: with central as it is now, which must have answered.
    pub fn of(mut preview: Preview<'_>, asked: bool) -> Result<Self, SyncErrorKind> {
        let view = std::mem::replace(&mut preview.central, CentralView::NotAsked);
        if let (CentralView::Failed(err), true) = (view, asked) {
            return Err(err.into());
        }
        let (Some(snapshot), Some(store)) = (&preview.snapshot, &preview.store) else {
            let stop = preview.stops.pop();
            return Err(stop.unwrap_or_else(|| preview::not_at_hand(preview.cursor.head)));
        };
        let folders = verify::folders(&preview.ctx, store, snapshot, &preview.survey)?;
        let mut differences = Differences::default();
        if preview.ctx.owned.is_some() {
            differences = compare::compare(&preview.held, &preview.own.blobs());
        }
        let missing = differences.missing.iter();
        let unreadable = missing.filter(|code| preview.own.protects(code)).cloned().collect();
        let conflicts = preview.plan.conflicts.iter().map(|conflict| conflict.code.clone());
        let own = Own {
            documents: preview.own.documents.len(),
            differences,
            behind: preview.plan.behind.clone(),
            conflicts: conflicts.collect(),
            unreadable,
        };
        let obstacles = preview.stops.iter();
        let obstacles = obstacles.filter(|stop| !matches!(stop, SyncErrorKind::Diverged { .. }));
        Ok(Verified {
            right: own.differences.is_empty() && folders.iter().all(FolderCheck::is_right),
            head: snapshot.head,
            own,
            folders,
            obstacles: obstacles.map(|stop| Obstacle::of(stop, &preview)).collect(),
            warnings: preview
                .warnings
                .iter()
                .map(|warning| warning.to_string().into())
                .collect(),
        })
    }
}
