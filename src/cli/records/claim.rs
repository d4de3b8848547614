//! `git metis-sync claim` and `release`: who works on a document.

use std::sync::{Arc, atomic::AtomicBool};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::{
    cli::{
        Exit, Global,
        completions::candidates,
        document,
        filter::FilterArgs,
        progress::Bar,
        render::{self, time},
        sync::{fail, options, prompt},
    },
    names::ShortCode,
    service::{NotTaken, SyncRequest, take_next},
    sync::{Claim, ClaimError, Claimed, Workspace, claim as claim_it, claims, release as release_it},
};

#[derive(Debug, Clone, Args)]
#[command(mut_group("FilterArgs", |filter| filter.requires("next")))]
pub struct ClaimArgs {
    /// The document; without one, all claims are listed
    #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    code: Option<ShortCode>,
    /// Take the next task that is ready and that nobody has, of those that fit
    #[arg(long, conflicts_with = "code")]
    next: bool,
    #[command(flatten)]
    which: FilterArgs,
}

#[derive(Debug, Clone, Args)]
pub struct ReleaseArgs {
    /// The document
    #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    code: ShortCode,
    /// Also a claim of somebody else, who is not coming back
    #[arg(long)]
    anybodys: bool,
}

/// Claims a document, or lists all claims. Exit code 3: somebody else has it; 1: there is no task to take.
pub fn claim(global: &Global, args: &ClaimArgs, interrupt: Arc<AtomicBool>) -> Exit {
    if args.next {
        return next(global, args, interrupt);
    }
    let options = options(global, interrupt, "claim");
    in_workspace(global, "claim", |workspace| {
        let Some(code) = &args.code else {
            list(global, &claims(workspace, &options)?);
            return Ok(Exit::Ok);
        };
        let done = claim_it(workspace, &options, code)?;
        Ok(told(global, "claim", code, &done, ["Claimed", "It is yours already"]))
    })
}

fn next(global: &Global, args: &ClaimArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let request = SyncRequest {
        prompt: prompt(global),
        trigger: "claim".into(),
        interrupt,
        ..SyncRequest::default()
    };
    in_workspace(global, "claim", |workspace| {
        workspace.needs_folder("claim --next")?;
        let mut bar = Bar::new(global);
        let taken = take_next(workspace, &request, &args.which.filter(true), &mut bar);
        bar.clear();
        let taken = match taken {
            Ok(taken) => taken,
            Err(NotTaken::Claim(err)) => return Err(err),
            Err(NotTaken::Query(err)) => return Ok(document::unanswered(global, "claim", &err)),
        };
        if global.json {
            let outcome = if taken.is_some() { "done" } else { "none" };
            let value = json!({ "outcome": outcome, "document": taken });
            render::print_json(&render::document("claim", value));
        } else if let Some(document) = &taken {
            say!("Claimed: {} {}", document.code.brief(), document.title.brief());
        } else if global.talks() {
            mention!("There is no task that can be begun and that nobody has.");
        }
        Ok(if taken.is_some() { Exit::Ok } else { Exit::Error })
    })
}

/// Takes a claim back. Exit code 3: it is somebody else's.
pub fn release(global: &Global, args: &ReleaseArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let options = options(global, interrupt, "release");
    in_workspace(global, "release", |workspace| {
        let done = release_it(workspace, &options, &args.code, args.anybodys)?;
        Ok(told(
            global,
            "release",
            &args.code,
            &done,
            ["Released", "Nobody had claimed it"],
        ))
    })
}

fn in_workspace(global: &Global, command: &str, work: impl FnOnce(&Workspace) -> Result<Exit, ClaimError>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, command, &kind, ""),
    };
    work(&workspace).unwrap_or_else(|err| not_claimed(global, command, &workspace, &err))
}

/// Says why there is no answer about claims.
pub fn not_claimed(global: &Global, command: &str, workspace: &Workspace, err: &ClaimError) -> Exit {
    match err {
        ClaimError::Sync(err) => fail(global, command, workspace, err),
        ClaimError::Records(err) => document::stopped(global, command, "records", err.to_string(), err.next().into()),
    }
}

fn told(global: &Global, command: &str, code: &ShortCode, done: &Claimed, words: [&str; 2]) -> Exit {
    let (outcome, holder) = match done {
        Claimed::Done => ("done", None),
        Claimed::Already => ("already", None),
        Claimed::Held(claim) => ("held", Some(claim)),
    };
    if global.json {
        let value = json!({ "code": code, "outcome": outcome, "holder": holder });
        render::print_json(&render::document(command, value));
    }
    match done {
        Claimed::Held(claim) => {
            mention!("error: {code} is claimed by {}\n  Nothing was changed.", who(claim));
            return Exit::Stopped;
        }
        _ if global.json || !global.talks() => {}
        Claimed::Done => say!("{}: {code}", words[0]),
        Claimed::Already => say!("{}: {code}", words[1]),
    }
    Exit::Ok
}

/// `Ann in api since 2026-02-26 12:00:00`
fn who(claim: &Claim) -> String {
    let place = match claim.prefix.raw() {
        "" => String::new(),
        _ => format!(" in {}", claim.prefix.brief()),
    };
    let since = match claim.since.raw() {
        "" => String::new(),
        since => format!(" since {}", time(since)),
    };
    format!("{}{place}{since}", claim.user.brief())
}

fn list(global: &Global, claims: &[Claim]) {
    if global.json {
        render::print_json(&render::document("claim", json!({ "claims": claims })));
        return;
    }
    for claim in claims {
        say!("{}  {}", claim.document, who(claim));
    }
}
