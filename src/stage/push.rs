//! Making a stored commit central's head, by compare-and-swap.

use crate::{
    central::{
        CentralError, device_log, publish,
        store::{Store, bell},
        tree::Root,
    },
    send_pack::{
        Outcome, PushError,
        connect::{Greeting, Scheme},
    },
};

use super::Context;

pub use crate::central::publish::{Beside, Published, PushPlan};

/// Pushes. The outcome is settled: see [`crate::send_pack`]. `met` is for those who push until it succeeds; `before` is what
/// lies at central's top until then.
pub fn apply(
    ctx: &Context<'_>,
    met: &mut Option<Greeting>,
    store: &Store,
    plan: &PushPlan,
    before: &Root,
) -> Result<Outcome, PushError<CentralError>> {
    let documents = Some((plan, before));
    let published = with_beside(ctx, met, store, documents, None)?;
    Ok(published.documents.expect("an outcome for the branch"))
}

/// The same with a ref beside the branch, or that alone, in one push. Watchers on this machine hear of what a listing shows.
pub fn with_beside(
    ctx: &Context<'_>,
    met: &mut Option<Greeting>,
    store: &Store,
    documents: Option<(&PushPlan, &Root)>,
    beside: Option<&Beside<'_>>,
) -> Result<Published, PushError<CentralError>> {
    let published = publish::publish(met, store, &ctx.push_to, &ctx.connect, documents, beside)?;
    let is_log = beside.is_some_and(|beside| device_log::is_log(&beside.name));
    let is_news = |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Applied));
    let is_elsewhere = ctx.upstream.scheme() != Scheme::File;
    if is_elsewhere && (is_news(&published.documents) || is_log && is_news(&published.beside)) {
        bell::ring(&ctx.cache_dir, &ctx.upstream_id);
    }
    Ok(published)
}
