//! `git metis-sync link`: that a document leads to another one, whoever owns them.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::{list_triples, mention_unknown, put_all, run};
use crate::{
    cli::{Exit, Global, completions::candidates, document},
    names::ShortCode,
    records::kinds,
};

#[derive(Debug, Clone, Args)]
pub struct LinkArgs {
    /// The document that leads to another; alone, its links in both directions are listed; without one, all are
    #[arg(value_name = "FROM", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    from: Option<ShortCode>,
    /// The document that it leads to
    #[arg(value_name = "TO", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    to: Option<ShortCode>,
    /// What kind of link: relates, duplicates, follows, …
    #[arg(long, value_name = "KIND", value_parser = kind, default_value = "relates")]
    kind: String,
    /// Take the link away
    #[arg(long, requires = "to")]
    rm: bool,
}

fn kind(typed: &str) -> Result<String, String> {
    kinds::name(typed, "a kind of link")
}

/// Links documents, or lists links.
pub fn link(global: &Global, args: &LinkArgs) -> Exit {
    run(global, "link", |workspace| {
        let (Some(from), Some(to)) = (&args.from, &args.to) else {
            let is_meant = |[from, _, to]: &[String; 3]| {
                let mut of = args.from.iter();
                of.all(|of| [from, to].contains(&&of.to_string()))
            };
            let named = ["from", "kind", "to"];
            return list_triples(global, workspace, ["link", "link", "links"], named, is_meant);
        };
        let cell = kinds::link(from.as_str(), &args.kind, to.as_str());
        let cells = [(format!("{from} {} {to}", args.kind), cell)];
        let word = if args.rm { "Unlinked" } else { "Linked" };
        if !args.rm {
            mention_unknown(global, workspace, [from, to]);
        }
        put_all(global, workspace, ["link", word], &cells, !args.rm)
    })
}
