//! What `status` says first: the workspace, its last syncs, and where central is.

use std::io::{self, Write};

use super::Text;
use crate::{
    cli::render::{ago, count, reason, short, time},
    plan::standing::Standing,
    view::Status,
};

impl Text<'_> {
    pub(super) fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        self.workspace(out)?;
        self.last_sync(out)?;
        self.last_failure(out)?;
        self.central(out)
    }

    fn workspace(&self, out: &mut dyn Write) -> io::Result<()> {
        let status = self.status;
        let branch = status.branch.as_ref().map(|branch| format!(" (branch {branch})"));
        let name = match &status.workspace {
            Some(prefix) => format!("Workspace {}", self.paint.bold(&format!("{prefix}/"))),
            None => "Workspace without a prefix".to_owned(),
        };
        let documents = match status.is_read {
            true => count(status.documents),
            false => "documents not read".into(),
        };
        writeln!(
            out,
            "{name}, {documents}, syncs with {}{}",
            status.upstream,
            branch.unwrap_or_default()
        )?;
        if let Some(branch) = &status.read_from {
            writeln!(
                out,
                "The documents are those of the branch {branch}, whose files are not checked out here."
            )?;
        }
        Ok(())
    }

    fn last_sync(&self, out: &mut dyn Write) -> io::Result<()> {
        let status = self.status;
        match &status.last_sync {
            Some(sync) => writeln!(
                out,
                "Last sync that changed something: {} ({}, by `{}`){}",
                when(sync.seconds_ago),
                time(sync.started.raw()),
                sync.trigger,
                idle(status)
            ),
            None if status.state == Standing::NeverSynced => writeln!(out, "Never synced here."),
            None => Ok(()),
        }
    }

    fn last_failure(&self, out: &mut dyn Write) -> io::Result<()> {
        let told = if let Some(failure) = &self.status.background {
            format!("The{}", failure.to_string().trim_start_matches("the"))
        } else if let Some(failure) = &self.status.last_failure {
            let error = failure.error.as_ref();
            let error = error.map_or("it did not say why".into(), |error| reason(error.raw()));
            format!("The last attempt failed {}: {error}", when(failure.seconds_ago))
        } else {
            return Ok(());
        };
        writeln!(out, "{}", self.paint.yellow(&told))
    }

    fn central(&self, out: &mut dyn Write) -> io::Result<()> {
        let status = self.status;
        let central = &status.central;
        match (&central.error, central.asked) {
            (Some(error), _) => writeln!(
                out,
                "{}",
                self.paint
                    .yellow(&format!("Central: {error}; compared with the last sync"))
            ),
            (None, false) => writeln!(out, "Central: not asked; compared with the last sync"),
            (None, true) => match (central.head, central.moved) {
                (None, _) => writeln!(out, "Central: empty"),
                (Some(head), Some(true)) if status.head.is_some() => {
                    writeln!(out, "Central: moved since the last sync, now at {}", short(head))
                }
                (Some(head), _) => writeln!(out, "Central: at {}", short(head)),
            },
        }
    }
}

fn when(seconds_ago: Option<i64>) -> String {
    seconds_ago.map_or_else(|| "some time ago".into(), ago)
}

/// When a sync last found nothing to change, if that came after the last change.
fn idle(status: &Status) -> String {
    let last = status.last_completed.as_ref().filter(|last| last.noted.idle > 0);
    let told = last.map(|last| {
        let ago = ago(i64::try_from(last.seconds_ago).unwrap_or(i64::MAX));
        format!("; central looked at {ago} (by `{}`)", last.noted.trigger.brief())
    });
    told.unwrap_or_default()
}
