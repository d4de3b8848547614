//! `git metis-sync tag`: tags on anybody's documents.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::{Failure, here, mention_unknown, put_or_remove, run, show_lines};
use crate::{
    cli::{
        Exit, Global,
        completions::candidates,
        document,
        render::{self, number},
    },
    names::ShortCode,
    plan::listing::printable,
    records::kinds,
    sync::Workspace,
};

#[derive(Debug, Clone, Args)]
pub struct TagArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Put tags on a document, whoever owns it
    Add(DocumentAndTags),
    /// Take tags off a document
    Rm(DocumentAndTags),
    /// List the tags of a document, or all of them with their documents
    List {
        /// The document
        #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
        code: Option<ShortCode>,
    },
}

#[derive(Debug, Clone, Args)]
struct DocumentAndTags {
    /// The document
    #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    code: ShortCode,
    /// The tags, with or without #
    #[arg(value_name = "TAG", required = true, value_parser = kinds::tag_name, add = ArgValueCompleter::new(candidates::tags))]
    tags: Vec<String>,
}

/// Adds, removes or lists.
pub fn tag(global: &Global, args: &TagArgs) -> Exit {
    run(global, "tag", |workspace| match &args.what {
        What::Add(which) => change(global, workspace, which, "added", "Tagged"),
        What::Rm(which) => change(global, workspace, which, "removed", "Untagged"),
        What::List { code } => list(global, workspace, code.as_ref()),
    })
}

fn change(
    global: &Global,
    workspace: &Workspace,
    DocumentAndTags { code, tags }: &DocumentAndTags,
    what: &str,
    word: &str,
) -> Result<(), Failure> {
    let is_added = what == "added";
    let cell = |tag: &String| (tag.clone(), kinds::tag(code.as_str(), tag));
    let cells: Vec<_> = tags.iter().map(cell).collect();
    let (changed, unchanged) = put_or_remove(workspace, &cells, is_added)?;
    if is_added {
        mention_unknown(global, workspace, [code]);
    }
    if global.json {
        let value = json!({ "code": code, what: changed, "unchanged": unchanged });
        render::print_json(&render::document("tag", value));
    } else if global.talks() {
        let named = |tags: &[&String]| tags.iter().map(|tag| format!("#{tag}")).collect::<Vec<_>>().join(" ");
        if !changed.is_empty() {
            say!("{word}: {code} {}", named(&changed));
        }
        if !unchanged.is_empty() {
            let why = if is_added { "has it already" } else { "does not have it" };
            say!("Unchanged: {code} {why}: {}", named(&unchanged));
        }
    }
    Ok(())
}

fn list(global: &Global, workspace: &Workspace, of: Option<&ShortCode>) -> Result<(), Failure> {
    let records = here(workspace)?.map(|records| records.list_of("tag")).transpose()?;
    let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in records.into_iter().flatten() {
        if let [code, tag] = record.key.as_slice()
            && of.is_none_or(|of| of.as_str() == code)
        {
            tags.entry(tag.clone()).or_default().push(code.clone());
        }
    }
    if global.json {
        let tags: Vec<_> = tags
            .iter()
            .map(|(tag, codes)| json!({ "tag": tag, "documents": codes }))
            .collect();
        render::print_json(&render::document("tag", json!({ "tags": tags })));
        return Ok(());
    }
    let line = |(tag, codes): (&String, &Vec<String>)| {
        let tag = printable(tag.as_bytes());
        match of {
            Some(_) => tag,
            None => {
                let codes: Vec<String> = codes.iter().map(|code| printable(code.as_bytes())).collect();
                format!("{tag:<20} {:>5}  {}", number(codes.len()), codes.join(" "))
            }
        }
    };
    show_lines(global, workspace, tags.iter().map(line));
    Ok(())
}
