//! Searching the documents of all workspaces.

use super::{Workspace, open_cache};
use crate::{
    cache::{Document, Filter, Hits, QueryError, Sought},
    stage::rebuild_cache,
    state::guard::Guard,
    workspace,
};

/// The documents that have all that is `sought` and fit the `filter`, no more than `limit`, with the places that fit as the files
/// have them. Without anything sought nothing is found.
pub fn search(
    workspace: &Workspace,
    guard: &Guard,
    sought: Option<&Sought>,
    filter: &Filter,
    limit: usize,
) -> Result<Hits, QueryError> {
    let cache = open_cache(workspace, guard)?;
    for prefix in &filter.workspaces {
        cache.has_workspace(prefix)?;
    }
    let Some(sought) = sought else {
        return Ok(Hits::default());
    };
    let body = |document: &Document| {
        let bytes = workspace::read_document(workspace.metis().dir(), document.path.raw()).ok()?;
        Some(rebuild_cache::body(&bytes))
    };
    cache.search(sought, filter, limit, &body)
}
