//! `git metis-sync collection`: documents of any workspaces, in an order that everybody may change.

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use super::{Failure, here, mention_unknown, put_all, run, short, show_lines, write};
use crate::{
    cli::{Exit, Global, completions::candidates, document, render},
    names::ShortCode,
    plan::listing::printable,
    records::{Collection, Spot, kinds, random_id},
    sync::Workspace,
};

#[derive(Debug, Clone, Args)]
pub struct CollectionArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Begin a collection
    New {
        /// What it is called
        #[arg(value_name = "TITLE", value_parser = title)]
        title: String,
    },
    /// Put documents into a collection, at its end unless it is said where
    Add(Placed),
    /// Move documents to another place in a collection
    Move(Placed),
    /// Take documents out of a collection; without one, take the collection away
    Rm {
        #[command(flatten)]
        which: Which,
        /// The documents
        #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
        codes: Vec<ShortCode>,
    },
    /// Show the documents of a collection in their order; without one, list all collections
    Show {
        /// The collection: its title, or how its id begins
        #[arg(value_name = "TITLE|ID", add = ArgValueCompleter::new(candidates::collections))]
        collection: Option<String>,
    },
}

#[derive(Debug, Clone, Args)]
struct Which {
    /// The collection: its title, or how its id begins
    #[arg(value_name = "TITLE|ID", add = ArgValueCompleter::new(candidates::collections))]
    collection: String,
}

#[derive(Debug, Clone, Args)]
struct Placed {
    #[command(flatten)]
    which: Which,
    /// The documents
    #[arg(value_name = "CODE", required = true, value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    codes: Vec<ShortCode>,
    #[command(flatten)]
    spot: SpotArgs,
}

#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
struct SpotArgs {
    /// Before this document
    #[arg(long, value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    before: Option<ShortCode>,
    /// Behind this document
    #[arg(long, value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    after: Option<ShortCode>,
    /// Before all others
    #[arg(long)]
    first: bool,
}

impl SpotArgs {
    fn spot(&self) -> Spot {
        match (&self.before, &self.after) {
            (Some(code), _) => Spot::Before(code.to_string()),
            (None, Some(code)) => Spot::After(code.to_string()),
            (None, None) if self.first => Spot::First,
            (None, None) => Spot::Last,
        }
    }
}

fn title(typed: &str) -> Result<String, String> {
    kinds::name(typed, "a collection")
}

/// Begins, changes or shows collections.
pub fn collection(global: &Global, args: &CollectionArgs) -> Exit {
    run(global, "collection", |workspace| match &args.what {
        What::New { title } => new(global, workspace, title),
        What::Add(placed) => place(global, workspace, placed, true),
        What::Move(placed) => place(global, workspace, placed, false),
        What::Rm { which, codes } => rm(global, workspace, which, codes),
        What::Show { collection: None } => list(global, workspace),
        What::Show {
            collection: Some(typed),
        } => show(global, workspace, typed),
    })
}

fn all(workspace: &Workspace) -> Result<Vec<Collection>, Failure> {
    let found = here(workspace)?.map(|records| records.collections()).transpose()?;
    Ok(found.unwrap_or_default())
}

/// Those that are typed: the one with this id, else by their titles, whatever their letters' case, and how their ids begin. Somebody
/// may give a collection another one's id for a title, which must not lead there instead.
fn named<'c>(all: &'c [Collection], typed: &str) -> Vec<&'c Collection> {
    if let Some(one) = all.iter().find(|one| one.id == typed) {
        return vec![one];
    }
    let lower = typed.to_lowercase();
    let is_named = |one: &&Collection| one.title.to_lowercase() == lower || one.id.starts_with(typed);
    all.iter().filter(is_named).collect()
}

/// The collection that is typed.
fn find(workspace: &Workspace, typed: &str) -> Result<Collection, Failure> {
    let all = all(workspace)?;
    let found = named(&all, typed);
    let typed = printable(typed.as_bytes());
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Failure::Absent(
            format!("there is no collection {typed}"),
            "`git metis-sync collection show` lists those that are known here, `collection new` begins one.",
        )),
        _ => Err(Failure::Absent(
            format!("several collections are called {typed}"),
            "Name it by how its id begins, which `git metis-sync collection show` lists.",
        )),
    }
}

fn new(global: &Global, workspace: &Workspace, title: &str) -> Result<(), Failure> {
    let id = random_id();
    write(workspace, |tx| tx.put(&kinds::collection(&id, "title"), title.into()))?;
    if global.json {
        let value = json!({ "added": id, "title": title });
        render::print_json(&render::document("collection", value));
    } else if global.talks() {
        say!("Begun: {title} ({})", short(&id));
    }
    Ok(())
}

/// Puts documents in, or with `!adds` moves those that are in.
fn place(global: &Global, workspace: &Workspace, placed: &Placed, adds: bool) -> Result<(), Failure> {
    let mut collection = find(workspace, &placed.which.collection)?;
    let mut spot = placed.spot.spot();
    let is_in = |collection: &Collection, code: &str| collection.items.iter().any(|item| item.document == code);
    let anchor = match &spot {
        Spot::Before(code) | Spot::After(code) => Some(code.clone()),
        Spot::First | Spot::Last => None,
    };
    let moved = placed.codes.iter().map(ShortCode::to_string).filter(|_| !adds);
    if let Some(absent) = moved.chain(anchor).find(|code| !is_in(&collection, code)) {
        return Err(Failure::Absent(
            format!(
                "{absent} is not in the collection {}",
                printable(collection.title.as_bytes())
            ),
            "`git metis-sync collection show` says what is, `collection add` puts it in.",
        ));
    }
    write(workspace, |tx| {
        for code in &placed.codes {
            tx.put_in(&mut collection, code.as_str(), &spot, fastrand::u64(..))?;
            spot = Spot::After(code.to_string());
        }
        Ok(())
    })?;
    if adds {
        mention_unknown(global, workspace, &placed.codes);
    }
    if global.json {
        render::print_json(&render::document(
            "collection",
            json!({ "collection": value(&collection) }),
        ));
    } else if global.talks() {
        let codes: Vec<&str> = placed.codes.iter().map(ShortCode::as_str).collect();
        let word = if adds { "Added" } else { "Moved" };
        say!(
            "{word}: {} in {}",
            codes.join(" "),
            printable(collection.title.as_bytes())
        );
    }
    Ok(())
}

fn rm(global: &Global, workspace: &Workspace, which: &Which, codes: &[ShortCode]) -> Result<(), Failure> {
    let collection = find(workspace, &which.collection)?;
    if codes.is_empty() {
        write(workspace, |tx| {
            tx.put(&kinds::collection(&collection.id, "gone"), true.into())
        })?;
        if global.json {
            let value = json!({ "removed": collection.id });
            render::print_json(&render::document("collection", value));
        } else if global.talks() {
            say!("Removed: {}", printable(collection.title.as_bytes()));
        }
        return Ok(());
    }
    let cell = |code: &ShortCode| (code.to_string(), kinds::item(&collection.id, code.as_str(), ""));
    let cells: Vec<_> = codes.iter().map(cell).collect();
    put_all(global, workspace, ["collection", "Taken out"], &cells, false)
}

fn value(collection: &Collection) -> Value {
    let items: Vec<&str> = collection.items.iter().map(|item| item.document.as_str()).collect();
    json!({ "id": collection.id, "title": collection.title, "documents": items })
}

fn show(global: &Global, workspace: &Workspace, typed: &str) -> Result<(), Failure> {
    let collection = find(workspace, typed)?;
    if global.json {
        render::print_json(&render::document(
            "collection",
            json!({ "collection": value(&collection) }),
        ));
        return Ok(());
    }
    let items = collection.items.iter();
    show_lines(global, workspace, items.map(|item| printable(item.document.as_bytes())));
    Ok(())
}

fn list(global: &Global, workspace: &Workspace) -> Result<(), Failure> {
    let all = all(workspace)?;
    if global.json {
        let all: Vec<Value> = all.iter().map(value).collect();
        render::print_json(&render::document("collection", json!({ "collections": all })));
        return Ok(());
    }
    let line = |collection: &Collection| {
        let (id, items) = (short(&collection.id), collection.items.len());
        format!("{id}  {items:>5}  {}", printable(collection.title.as_bytes()))
    };
    show_lines(global, workspace, all.iter().map(line));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_is_another_collections_id_leads_nowhere_else() {
        let collection = |id: &str, title: &str| Collection {
            id: id.into(),
            title: title.into(),
            items: Vec::new(),
        };
        let all = [
            collection("4f2a00", "Release"),
            collection("77aa00", "4F2A"),
            collection("88bb00", "4f2a00"),
            collection("99cc00", "Next"),
        ];
        let ids = |typed: &str| named(&all, typed).iter().map(|one| one.id.as_str()).collect::<Vec<_>>();
        assert_eq!(ids("next"), ["99cc00"]);
        assert_eq!(ids("7"), ["77aa00"]);
        assert_eq!(ids("4f2a"), ["4f2a00", "77aa00"], "a person has to say which");
        assert_eq!(ids("4f2a0"), ["4f2a00"]);
        assert_eq!(ids("4f2a00"), ["4f2a00"]);
    }
}
