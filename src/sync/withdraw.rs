//! Taking own documents out of central that are not published any more. Excluding them leaves central as it is, so that no
//! pattern, whoever wrote it, takes plans away; this is the command that does.

use std::collections::BTreeSet;

use super::{
    Clock, Session, SyncError, SyncErrorKind, SyncOptions, SyncReport, Workspace,
    options::Progress,
    preview::{self, Ask},
};
use crate::names::ShortCode;

/// Why documents are not taken out.
#[derive(Debug, thiserror::Error)]
pub enum NotWithdrawn {
    /// It is not excluded.
    #[error("{0} is published, so the next sync would bring it back")]
    Published(ShortCode),
    /// It is not here.
    #[error("{0} is not among the documents here that are excluded")]
    NotExcluded(ShortCode),
    /// There is nothing to take out.
    #[error("central does not have {0}")]
    Absent(ShortCode),
    /// A sync, or a look at what it would do, stopped.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl From<SyncErrorKind> for NotWithdrawn {
    fn from(kind: SyncErrorKind) -> Self {
        NotWithdrawn::Sync(kind.into())
    }
}

/// Notes that a person decided that what central has of `codes` goes. The sync after that takes them out.
///
/// # Errors
///
/// Before anything is changed where one of them is published, since the next sync would bring it back.
pub fn decide_to_withdraw(
    workspace: &Workspace,
    options: &SyncOptions,
    codes: &BTreeSet<ShortCode>,
    progress: &mut dyn Progress,
) -> Result<(), NotWithdrawn> {
    let preview = preview::look(workspace, options, Ask::Central, progress)?;
    let mut held = Vec::new();
    for code in codes {
        if !preview.own.excluded.contains_key(code) {
            return Err(match preview.own.documents.contains_key(code) {
                true => NotWithdrawn::Published(code.clone()),
                false => NotWithdrawn::NotExcluded(code.clone()),
            });
        }
        let Some(blob) = preview.held.get(code) else {
            return Err(NotWithdrawn::Absent(code.clone()));
        };
        held.push((code.clone(), *blob));
    }
    let (mut nothing, mut report) = ((), SyncReport::default());
    let mut session = Session::new(workspace, options, &mut nothing, &mut report, Clock::start())?;
    let Some(mut cursor) = session.notebook.last.clone() else {
        return Err(SyncErrorKind::NeverSynced.into());
    };
    for (code, blob) in held {
        cursor.decide(code, Some(blob));
    }
    let stored = session.notebook.store(&session.ctx, &cursor);
    Ok(stored.map_err(SyncErrorKind::from)?)
}
