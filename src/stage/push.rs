//! Making a stored commit central's head, by compare-and-swap.

use crate::{
    central::{CentralError, publish, store::Store},
    send_pack::{Outcome, PushError, connect::Greeting},
};

use super::Context;

pub use crate::central::publish::PushPlan;

/// Pushes. The outcome is settled: see [`crate::send_pack`]. `met` is for those who push until it succeeds.
pub fn apply(
    ctx: &Context<'_>,
    met: &mut Option<Greeting>,
    store: &Store,
    plan: &PushPlan,
) -> Result<Outcome, PushError<CentralError>> {
    publish::publish(met, store, &ctx.push_to, &ctx.connect, plan)
}
