//! Defining conduits, and enabling them in this clone.

use serde_json::json;

use super::{
    super::{Exit, Global, render},
    AddArgs, show,
};
use crate::{
    conduit::{self, ConduitError, Definition, definition},
    state::files::StateDir,
    sync::Workspace,
    workspace::ConfigFile,
};

pub fn add(global: &Global, workspace: &Workspace, args: &AddArgs) -> Result<Exit, ConduitError> {
    let metis = workspace.metis().dir();
    if definition::all(metis)?.contains_key(&args.name) {
        return Err(ConduitError::Exists(args.name.clone()));
    }
    let new = Definition {
        mode: args.mode.unwrap_or_else(|| Definition::usual_mode(&args.alpha)),
        on_conflict: args.on_conflict.unwrap_or_default(),
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        exec: args.exec,
        ..Definition::new(args.alpha.clone(), args.beta.clone())
    };
    let file = if args.local {
        ConfigFile::Local
    } else {
        ConfigFile::Shared
    };
    conduit::check(workspace, &args.name, &new, file)?;
    if args.local {
        StateDir::create(workspace.metis().path())?;
    }
    definition::add(metis, file, &args.name, &new)?;
    confirm(workspace, &args.name, Some(new.digest()))?;
    told(
        global,
        &args.name,
        "enabled",
        &format!(
            "{file} has the conduit {} now, and it is enabled in this clone.\nSync it: `git metis-sync conduit sync {}`",
            args.name, args.name
        ),
    );
    Ok(Exit::Ok)
}

fn confirm(workspace: &Workspace, name: &str, digest: Option<String>) -> Result<(), ConduitError> {
    Ok(workspace.guard()?.update(|notes| {
        match digest {
            Some(digest) => notes.conduits.insert(name.to_owned(), digest),
            None => notes.conduits.remove(name),
        };
    })?)
}

fn told(global: &Global, name: &str, state: &str, words: &str) {
    if global.json {
        render::print_json(&render::document("conduit", json!({ "name": name, "state": state })));
    } else if global.talks() {
        for line in words.lines() {
            say!("{line}");
        }
    }
}

pub fn list(global: &Global, workspace: &Workspace) -> Result<Exit, ConduitError> {
    let all = definition::all(workspace.metis().dir())?;
    let guard = workspace.guard()?;
    show::list(global, &all, &guard.notes().conduits);
    Ok(Exit::Ok)
}

fn defined(workspace: &Workspace, name: &str) -> Result<definition::Defined, ConduitError> {
    let all = definition::all(workspace.metis().dir())?;
    all.get(name)
        .cloned()
        .ok_or_else(|| ConduitError::Unknown(name.to_owned()))
}

pub fn show_one(global: &Global, workspace: &Workspace, name: &str) -> Result<Exit, ConduitError> {
    let defined = defined(workspace, name)?;
    let guard = workspace.guard()?;
    show::definition(global, name, &defined, &guard.notes().conduits);
    Ok(Exit::Ok)
}

pub fn remove(global: &Global, workspace: &Workspace, name: &str) -> Result<Exit, ConduitError> {
    let defined = defined(workspace, name)?;
    definition::remove(workspace.metis().dir(), defined.file, name)?;
    confirm(workspace, name, None)?;
    conduit::forget(workspace, name)?;
    told(
        global,
        name,
        "removed",
        &format!(
            "{} has no conduit {name} any more. Its folders are as they were, and what its syncs kept is in .metis/.sync/conduits/{name}/kept.",
            defined.file
        ),
    );
    Ok(Exit::Ok)
}

pub fn enable(global: &Global, workspace: &Workspace, name: &str) -> Result<Exit, ConduitError> {
    let defined = defined(workspace, name)?;
    conduit::check(workspace, name, &defined.definition, defined.file)?;
    confirm(workspace, name, Some(defined.definition.digest()))?;
    let guard = workspace.guard()?;
    show::definition(global, name, &defined, &guard.notes().conduits);
    Ok(Exit::Ok)
}

pub fn disable(global: &Global, workspace: &Workspace, name: &str) -> Result<Exit, ConduitError> {
    defined(workspace, name)?;
    confirm(workspace, name, None)?;
    told(
        global,
        name,
        "disabled",
        &format!("{name} is not synced in this clone any more."),
    );
    Ok(Exit::Ok)
}
