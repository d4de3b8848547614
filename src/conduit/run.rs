//! The work of one generation, with its record.

use super::{
    ConduitError, Generation, Order, Status,
    apply::{Applied, Publish, Work, apply},
    record::Records,
};

/// Does the work, and keeps the record true meanwhile.
pub fn run(
    work: &Work<'_>,
    order: &Order<'_>,
    publish: &mut Publish<'_>,
    records: &Records<'_>,
    generation: &mut Generation,
) -> Result<Applied, ConduitError> {
    let applied = apply(work, &order.told, publish, &mut |so_far| {
        generation.status = Status::Deleting;
        generation.copied = so_far.copied;
        // Should that fail, what is done is written down at the end.
        let _ = records.write(generation);
    })?;
    generation.status = if applied.interrupted {
        Status::Interrupted
    } else {
        Status::Verifying
    };
    generation.copied = applied.copied;
    generation.deleted = applied.deleted;
    generation.failed.clone_from(&applied.failed);
    records.write(generation)?;
    Ok(applied)
}
