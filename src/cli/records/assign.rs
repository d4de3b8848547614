//! `git metis-sync assign`: whose a document is to do, as was agreed. What somebody works on right now is a claim.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::{list_triples, mention_unknown, put_all, run};
use crate::{
    cli::{Exit, Global, completions::candidates, document},
    names::ShortCode,
    records::kinds,
};

#[derive(Debug, Clone, Args)]
pub struct AssignArgs {
    /// The document; alone, those who have it are listed; without one, all assignments are
    #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    code: Option<ShortCode>,
    /// Who has to do it, by any name that the others know
    #[arg(value_name = "WHO", value_parser = who, add = ArgValueCompleter::new(candidates::assigned))]
    who: Vec<String>,
    /// As what: owner, reviewer, …
    #[arg(long, value_name = "KIND", value_parser = who, default_value = "owner")]
    kind: String,
    /// Take the assignment away
    #[arg(long, requires = "who")]
    rm: bool,
}

fn who(typed: &str) -> Result<String, String> {
    kinds::name(typed.trim_start_matches('@'), "whoever is assigned")
}

/// Assigns a document, or lists assignments.
pub fn assign(global: &Global, args: &AssignArgs) -> Exit {
    run(global, "assign", |workspace| {
        let (Some(code), [_, ..]) = (&args.code, args.who.as_slice()) else {
            let is_meant = |[code, ..]: &[String; 3]| args.code.iter().all(|of| of.as_str() == code);
            let named = ["document", "kind", "who"];
            return list_triples(
                global,
                workspace,
                ["assign", "assignment", "assignments"],
                named,
                is_meant,
            );
        };
        let cell = |who: &String| {
            let cell = kinds::assignment(code.as_str(), &args.kind, who);
            (format!("{code} {} {who}", args.kind), cell)
        };
        let cells: Vec<_> = args.who.iter().map(cell).collect();
        if !args.rm {
            mention_unknown(global, workspace, [code]);
        }
        let word = if args.rm { "Unassigned" } else { "Assigned" };
        put_all(global, workspace, ["assign", word], &cells, !args.rm)
    })
}
