//! `git metis-sync conduit diff`: what a sync would change, or a past one changed, as unified diffs.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::super::{Exit, Global, colour::Paint, diff::coloured, output, pager, render};
use crate::{
    conduit::{self, ConduitError, Difference, Order},
    sync::Workspace,
    view::{
        diff::{self, Line, SHOWN_BYTES},
        lines::Patience,
    },
};

pub fn diff(
    global: &Global,
    workspace: &Workspace,
    name: &str,
    number: Option<u64>,
    order: &Order<'_>,
) -> Result<Exit, ConduitError> {
    let differences = match number {
        Some(number) => conduit::past(workspace, name, number, order, SHOWN_BYTES)?,
        None => conduit::planned(workspace, name, order, SHOWN_BYTES)?,
    };
    if global.json {
        let mut patience = Patience::default();
        let told: Vec<Value> = differences.iter().map(|one| value(one, &mut patience)).collect();
        render::print_json(&render::document(
            "conduit",
            json!({ "name": name, "differences": told }),
        ));
    } else if global.talks() {
        pager::start(global, workspace.project());
        let _ = print(global, &differences);
    }
    Ok(Exit::Ok)
}

fn lines(difference: &Difference, patience: &mut Patience) -> Vec<Line> {
    let version = |version: &conduit::Version| diff::Version {
        id: version.id,
        bytes: version.bytes.clone(),
    };
    let [old, new] = [&difference.old, &difference.new].map(|one| one.as_ref().map(version));
    diff::lines(&difference.path.to_string(), old.as_ref(), new.as_ref(), patience)
}

fn print(global: &Global, differences: &[Difference]) -> io::Result<()> {
    let paint = Paint::stdout(global);
    let mut out = io::BufWriter::new(output::stdout());
    let mut patience = Patience::default();
    for difference in differences {
        let path = difference.path.to_string();
        let head = match (difference.side, difference.conflict) {
            (Some(side), _) => format!("# in {}: {path}", side.name()),
            (None, Some(kind)) => format!("# waits: {path} ({}); a/ is alpha's, b/ is beta's", kind.words()),
            (None, None) => continue,
        };
        writeln!(out, "{}", paint.yellow(&head))?;
        for line in lines(difference, &mut patience) {
            writeln!(out, "{}", coloured(paint, &line))?;
        }
    }
    out.flush()
}

fn value(difference: &Difference, patience: &mut Patience) -> Value {
    let shown: String = lines(difference, patience)
        .iter()
        .map(|line| format!("{}\n", line.text))
        .collect();
    json!({
        "side": difference.side,
        "path": difference.path,
        "conflict": difference.conflict,
        "old": difference.old.as_ref().map(|version| version.id),
        "new": difference.new.as_ref().map(|version| version.id),
        "diff": shown,
    })
}
