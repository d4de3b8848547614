//! `git metis-sync record`: records as they are.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared_records::{
    Cell, DeviceId,
    model::{self, Need},
    shown::Record,
};

use super::{Failure, here, run, show_lines, write};
use crate::{
    cli::{Exit, Global, render, words},
    names::ShortCode,
    plan::listing::printable,
    records::{Logged, Records, Status},
    sync::{self, Workspace},
    text,
};

#[derive(Debug, Clone, Args)]
pub struct RecordArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// List all shared records, the same on every clone that has synced the same
    List {
        /// Only of this model: tag, tagdef, note, …
        #[arg(value_name = "MODEL")]
        model: Option<String>,
    },
    /// Show one record
    Get(CellArgs),
    /// Write one record
    Set {
        #[command(flatten)]
        cell: CellArgs,
        /// Its value: true, false, a number, or text
        #[arg(
            long,
            value_name = "VALUE",
            required_unless_present = "remove",
            conflicts_with = "remove"
        )]
        value: Option<String>,
        /// Take it away
        #[arg(long)]
        remove: bool,
    },
    /// List what was written, newest first
    Log {
        /// The last N
        #[arg(short = 'n', long = "max-count", value_name = "N", default_value_t = 20)]
        count: usize,
    },
    /// Show what is not in central yet, and whose records are known
    Status,
}

#[derive(Debug, Clone, Args)]
struct CellArgs {
    /// Which kind of record
    #[arg(value_name = "MODEL")]
    model: String,
    /// Which one, as a document and a tag
    #[arg(value_name = "KEY", required = true)]
    key: Vec<String>,
    /// Which property of it; without: that it is there
    #[arg(long, value_name = "FIELD", default_value = "")]
    field: String,
}

impl CellArgs {
    fn cell(&self) -> Cell {
        let key: Vec<&str> = self.key.iter().map(String::as_str).collect();
        Cell::new(&self.model, &key, &self.field)
    }
}

/// Shows or writes records.
pub fn record(global: &Global, args: &RecordArgs) -> Exit {
    run(global, "record", |workspace| match &args.what {
        What::List { model } => list(global, workspace, model.as_deref()),
        What::Get(which) => get(global, workspace, &which.cell()),
        What::Set { cell, value, .. } => set(global, workspace, &cell.cell(), value.as_deref()),
        What::Log { count } => log(global, workspace, *count),
        What::Status => status(global, workspace),
    })
}

fn list(global: &Global, workspace: &Workspace, model: Option<&str>) -> Result<(), Failure> {
    let listed = here(workspace)?.map(|records| match model {
        Some(model) => records.list_of(model),
        None => records.list(),
    });
    let records = listed.transpose()?.unwrap_or_default();
    if global.json {
        render::print_json(&render::document("record", json!({ "records": records })));
        return Ok(());
    }
    let lines = records.iter().flat_map(|record| {
        let shown = &record.shown;
        let first = format!("{}  {}", place(&record.model, &record.key, &record.field), shown.value);
        let others = shown
            .others
            .iter()
            .map(|other| format!("    at the same time: {other}"));
        std::iter::once(first).chain(others)
    });
    show_lines(global, workspace, lines);
    Ok(())
}

/// `tag API-T-0001 urgent`, `tagdef urgent .colour`
fn place(model: &str, key: &[String], field: &str) -> String {
    let key: Vec<String> = key.iter().map(|part| printable(part.as_bytes())).collect();
    let field = if field.is_empty() {
        String::new()
    } else {
        format!(" .{field}")
    };
    format!("{model} {}{field}", key.join(" "))
}

fn get(global: &Global, workspace: &Workspace, cell: &Cell) -> Result<(), Failure> {
    let shown = here(workspace)?.map(|records| records.get(cell)).transpose()?.flatten();
    let Some(shown) = shown else {
        return Err(Failure::Absent(
            format!("there is no record {}", place(&cell.model, &cell.key, &cell.field)),
            "`git metis-sync record list` shows those that are known here.",
        ));
    };
    if global.json {
        let value = json!({
            "model": cell.model, "key": cell.key, "field": cell.field, "value": shown.value, "others": shown.others,
        });
        render::print_json(&render::document("record", value));
    } else {
        say!("{}", shown.value);
    }
    Ok(())
}

/// `None`: it is taken away.
fn set(global: &Global, workspace: &Workspace, cell: &Cell, typed: Option<&str>) -> Result<(), Failure> {
    let value = typed.map(|typed| match serde_json::from_str(typed) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => typed.into(),
    });
    let written = write(workspace, |tx| match value {
        Some(value) => tx.put(cell, value),
        None => tx.remove(cell),
    })?;
    if global.json {
        let value = json!({ "written": written.is_some() });
        render::print_json(&render::document("record", value));
    } else if global.talks() {
        let word = if written.is_some() { "Written" } else { "Unchanged" };
        say!("{word}: {}", place(&cell.model, &cell.key, &cell.field));
    }
    Ok(())
}

fn log(global: &Global, workspace: &Workspace, count: usize) -> Result<(), Failure> {
    let logged = here(workspace)?
        .map(|records| records.log(count))
        .transpose()?
        .unwrap_or_default();
    let time = |stamp: shared_records::Stamp| {
        let millis = i64::try_from(stamp.millis()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(millis)
            .map(|time| time.to_string())
            .unwrap_or_default()
    };
    if global.json {
        let entries: Vec<Value> = logged
            .iter()
            .map(|logged| {
                let entry = &logged.entry;
                json!({
                    "device": logged.device, "user": logged.user, "seq": entry.seq, "time": time(entry.stamp),
                    "model": entry.cell.model, "key": entry.cell.key, "field": entry.cell.field,
                    "value": entry.value, "live": logged.is_live,
                })
            })
            .collect();
        render::print_json(&render::document("record", json!({ "entries": entries })));
        return Ok(());
    }
    let line = |logged: &Logged| {
        let entry = &logged.entry;
        let cell = &entry.cell;
        let what = match &entry.value {
            Some(value) => text::json(value).unwrap_or_default(),
            None => "(removed)".into(),
        };
        let who = match logged.user.as_str() {
            "" => logged.device.to_string(),
            user => printable(user.as_bytes()),
        };
        let place = place(&cell.model, &cell.key, &cell.field);
        format!("{}  {who}  {place}  {what}", words::time(&time(entry.stamp)))
    };
    show_lines(global, workspace, logged.iter().map(line));
    Ok(())
}

/// How many records wait for a document that no workspace known here has, or for a record that has not come yet.
fn waiting(workspace: &Workspace, records: &Records) -> Result<usize, Failure> {
    let Ok(guard) = workspace.guard() else { return Ok(0) };
    let Ok(cache) = sync::open_unmarked(workspace, &guard) else {
        return Ok(0);
    };
    let records = records.list()?;
    let is_begun = |record: &&Record| matches!(record.field.as_str(), "document" | "title");
    let begun = records.iter().filter(is_begun);
    let begun: BTreeSet<(&str, Option<&String>)> = begun.map(|it| (it.model.as_str(), it.key.first())).collect();
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    let mut is_known = |code: String| {
        let look = |code: &String| code.parse().is_ok_and(|code: ShortCode| cache.document(&code).is_ok());
        *known.entry(code).or_insert_with_key(look)
    };
    let needs = records.iter().filter_map(|record| {
        let key: Vec<&str> = record.key.iter().map(String::as_str).collect();
        model::need(&Cell::new(&record.model, &key, &record.field), &record.shown.value)
    });
    let waits = needs.filter(|need| match need {
        Need::Document(code) => !is_known(code.clone()),
        Need::Record(model, id) => !begun.contains(&(*model, Some(id))),
    });
    Ok(waits.count())
}

fn status(global: &Global, workspace: &Workspace) -> Result<(), Failure> {
    let records = here(workspace)?;
    let status = records.as_ref().map(Records::status).transpose()?;
    let waiting = records.as_ref().map_or(Ok(0), |records| waiting(workspace, records))?;
    let has = records
        .as_ref()
        .map(|records| sync::delivered(workspace, records))
        .unwrap_or_default();
    if global.json {
        let mut value = match &status {
            Some(status) => serde_json::to_value(status).unwrap_or_default(),
            None => json!({ "device": null, "written": 0, "unpublished": 0, "refused": false, "devices": [] }),
        };
        value["waiting"] = waiting.into();
        for (place, device) in status.iter().flat_map(|status| status.devices.iter().enumerate()) {
            value["devices"][place]["has"] = has.get(&device.device).copied().into();
        }
        render::print_json(&render::document("record", value));
        return Ok(());
    }
    match status {
        None => say!("There are no records here."),
        Some(status) => text_status(&status, &has, waiting),
    }
    Ok(())
}

fn text_status(status: &Status, has: &BTreeMap<DeviceId, u64>, waiting: usize) {
    say!("This clone writes records as {}.", status.device);
    match (status.unpublished, status.refused) {
        (0, _) => say!("All {} of its own are in central.", status.written),
        (n, false) => say!(
            "{n} of {} of its own are not in central yet; the next sync sends them.",
            status.written
        ),
        (n, true) => say!(
            "{n} of {} of its own are here alone: central does not take records.",
            status.written
        ),
    }
    let sent = status.written - status.unpublished;
    if sent > 0 && !status.devices.is_empty() {
        let all = has.values().filter(|count| **count >= sent).count();
        say!(
            "{all} of {} other devices have said that they have all that was sent.",
            status.devices.len()
        );
    }
    if waiting > 0 {
        say!("{waiting} are about documents or records that are not known here, and show when those come.");
    }
    for device in &status.devices {
        let who = format!("{} {}", device.user.brief(), device.prefix.brief());
        say!("  {}  {} entries  {}", device.device, device.entries, who.trim());
        if let Some(fault) = &device.fault {
            say!("    counts no further: {fault}");
        }
        if device.ahead > 0 {
            say!("    its clock was ahead: what it wrote then wins against what others wrote at the same time");
        }
    }
}
