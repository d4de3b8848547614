//! `git metis-sync star`: the documents that somebody wants at hand, on all of that person's devices.

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::{Failure, here, put_all, run};
use crate::{
    cli::{Exit, Global, completions::candidates, document, render},
    names::ShortCode,
    plan::listing::printable,
    records::kinds,
    sync::Workspace,
};

#[derive(Debug, Clone, Args)]
pub struct StarArgs {
    /// The documents; without one, those that you starred are listed
    #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    codes: Vec<ShortCode>,
    /// Take the stars away
    #[arg(long, requires = "codes")]
    rm: bool,
}

/// Stars documents, or lists those that are starred.
pub fn star(global: &Global, args: &StarArgs) -> Exit {
    run(global, "star", |workspace| {
        let user = workspace.project().committer().0;
        if args.codes.is_empty() {
            return list(global, workspace, &user);
        }
        let cell = |code: &ShortCode| (code.to_string(), kinds::star(&user, code.as_str()));
        let cells: Vec<_> = args.codes.iter().map(cell).collect();
        let word = if args.rm { "Not starred any more" } else { "Starred" };
        put_all(global, workspace, ["star", word], &cells, !args.rm)
    })
}

fn list(global: &Global, workspace: &Workspace, user: &str) -> Result<(), Failure> {
    let records = here(workspace)?.map(|records| records.list_of("meta")).transpose()?;
    let starred = records.into_iter().flatten().filter_map(|record| {
        let is_starred = record.field == "star" && record.shown.value == true;
        match <[String; 2]>::try_from(record.key) {
            Ok([whose, code]) if whose == user && is_starred => Some(code),
            _ => None,
        }
    });
    let starred: Vec<String> = starred.collect();
    if global.json {
        render::print_json(&render::document("star", json!({ "starred": starred })));
        return Ok(());
    }
    starred.iter().for_each(|code| say!("{}", printable(code.as_bytes())));
    Ok(())
}
