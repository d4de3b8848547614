//! The checks. None changes anything but the object cache, and that as a fetch does.

mod copies;
mod own;
mod surroundings;

use super::Finding;
use crate::sync::preview::Preview;

pub(super) use self::own::hydrated_folders;

/// Looks at everything around a workspace that has an upstream.
pub fn examine(preview: &Preview<'_>) -> Vec<Finding> {
    let mut out = surroundings::programs(&preview.ctx);
    out.extend(surroundings::config(preview));
    out.extend(copies::shared_letters(preview));
    out.extend(surroundings::central(preview));
    out.extend(own::state(preview));
    out.extend(own::store(preview));
    if preview.ctx.metis.has_folder() {
        out.extend(copies::hydrated(preview));
        out.extend(copies::ignored(preview));
        out.push(own::leftovers(preview));
        out.push(own::database(preview));
    } else {
        let here = "own documents are read from a branch, and there is no folder for others' and for metis.db";
        out.push(Finding::note("hydrated", here));
    }
    out.push(own::documents(preview));
    out.extend(own::links(preview));
    out.extend(surroundings::stopped(preview));
    out
}
