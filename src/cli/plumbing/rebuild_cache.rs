//! The last stage of a pipe, which needs nothing of the ones before.

use std::io::{self, IsTerminal};

use clap::Args;

use super::{
    record::{NoRecord, Record, Source},
    without_record,
};
use crate::{
    cli::{Exit, Global, output, render, sync::fail_early},
    plan::listing::printable,
    sync::{self, Workspace},
};

#[derive(Debug, Clone, Args)]
pub struct RebuildCacheArgs {}

/// `git metis-sync rebuild-cache`
pub fn rebuild_cache(global: &Global, _args: &RebuildCacheArgs) -> Exit {
    // A record that is piped in is only waited for: what the cache says comes from the files.
    if !io::stdin().is_terminal() {
        let source = Source {
            head: None,
            branch: String::new(),
        };
        if let Err(problem @ NoRecord::Earlier(..)) = Record::read(&source) {
            return without_record("rebuild-cache", problem);
        }
    }
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return fail_early(global, "rebuild-cache", kind),
    };
    match sync::rebuild_cache(&workspace) {
        Ok(rebuilt) => {
            let skipped = rebuilt.skipped.iter().map(|skipped| {
                let path = skipped.path.as_deref().unwrap_or("(all)");
                format!("{}: {}", printable(path.as_bytes()), skipped.reason)
            });
            render::warnings(global, &skipped.collect::<Vec<_>>());
            let value = serde_json::to_value(&rebuilt).unwrap_or_default();
            if global.json || !output::is_terminal() {
                render::print_json(&render::document("rebuild-cache", value));
            } else if !global.quiet {
                say!(
                    "metis.db has {} documents; {} were read anew.",
                    rebuilt.documents,
                    rebuilt.read
                );
            }
            Exit::Ok
        }
        Err(kind) => fail_early(global, "rebuild-cache", kind),
    }
}
