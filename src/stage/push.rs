//! Making a stored commit central's head, by compare-and-swap.

use crate::{
    central::{CentralError, publish, store::Store},
    names::{ObjectId, Prefix},
    send_pack::{Outcome, PushError, connect::Session},
};

use super::Context;

/// What to push, and what must be there for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPlan {
    /// Central's branch.
    pub branch: String,
    /// The owned folder, which is all that differs.
    pub prefix: Prefix,
    /// The commit that the branch must point to. `None`: there must be no such branch.
    pub expected: Option<ObjectId>,
    /// The commit it shall point to.
    pub commit: ObjectId,
}

/// Pushes. The outcome is settled: see [`crate::send_pack`]. `met` is for those who push until it succeeds.
pub fn apply(
    ctx: &Context<'_>,
    met: &mut Option<Session>,
    store: &Store,
    plan: &PushPlan,
) -> Result<Outcome, PushError<CentralError>> {
    publish::publish(
        met,
        store,
        &ctx.push_to,
        &ctx.connect,
        &plan.branch,
        &plan.prefix,
        plan.expected,
        plan.commit,
    )
}
