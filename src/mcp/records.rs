//! The tools about what anybody may write: tags, notes, and the queue of tasks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{Call, MAX_DOCUMENTS, code, value},
    failure::Failure,
};
use crate::{
    cache::Filter,
    hooks::publish,
    names::ShortCode,
    records::{RecordsError, Tx, kinds},
    service::{self, NotTaken},
    stage::Warning,
    sync::{self, ClaimError, Claimed, NotWritten, Progress, SyncOptions, Workspace},
    view::AsOf,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    code: String,
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    code: String,
    text: String,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Claim {
    code: Option<String>,
    release: bool,
}

impl Call<'_> {
    /// Puts tags on a document, and takes others off.
    pub(super) fn tag(&self) -> Result<Value, Failure> {
        let asked: Tag = self.arguments()?;
        let code = code(&asked.code)?;
        let named = |typed: &[String]| -> Result<Vec<String>, Failure> {
            let names = typed.iter().map(|tag| kinds::tag_name(tag));
            names.collect::<Result<_, _>>().map_err(Failure::usage)
        };
        let (add, remove) = (named(&asked.add)?, named(&asked.remove)?);
        let (changed, warnings) = self.write(|tx| {
            let mut changed: BTreeSet<&String> = BTreeSet::new();
            for tag in &add {
                let cell = kinds::tag(code.as_str(), tag);
                changed.extend(tx.put(&cell, true.into())?.map(|_| tag));
            }
            for tag in &remove {
                let cell = kinds::tag(code.as_str(), tag);
                changed.extend(tx.remove(&cell)?.map(|_| tag));
            }
            Ok(changed)
        })?;
        Ok(json!({ "code": code, "changed": changed, "warnings": warnings }))
    }

    /// Writes a note on a document.
    pub(super) fn note(&self) -> Result<Value, Failure> {
        let asked: Note = self.arguments()?;
        let code = code(&asked.code)?;
        let author = self.workspace()?.project().committer().0;
        let (id, warnings) = self.write(|tx| kinds::add_note(tx, code.as_str(), &author, &asked.text, None))?;
        Ok(json!({ "code": code, "id": id, "warnings": warnings }))
    }

    /// Writes in one transaction. Returns what there is to warn of as well.
    fn write<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>) -> Result<(T, Vec<String>), Failure> {
        let workspace = self.workspace()?;
        let mut warnings = Vec::new();
        let told = |warning: Warning| warnings.push(warning.to_string());
        let written = sync::write_records(&workspace, told, work).map_err(|err| not_written(&err))?;
        if !self.start.pull_only {
            publish::start(&workspace);
        }
        Ok((written, warnings))
    }

    /// The tasks that can be begun and that nobody has.
    pub(super) fn ready(&self) -> Result<Value, Failure> {
        let workspace = self.folder_of("query")?;
        let claimed = sync::claimed(&workspace, &self.options());
        let none = BTreeSet::new();
        let open = service::ready(&workspace, &Filter::default(), claimed.as_ref().unwrap_or(&none));
        let mut open = open.map_err(|err| not_taken(&workspace, err))?;
        let total = open.len();
        open.truncate(MAX_DOCUMENTS);
        let as_of = AsOf::of(&workspace, Timestamp::now());
        Ok(json!({ "total": total, "answer": open, "claims_known": claimed.is_ok(), "as_of": as_of }))
    }

    /// Claims a document or the next task, or lets go of one.
    pub(super) fn claim(&self, progress: &mut dyn Progress) -> Result<Value, Failure> {
        let asked: Claim = self.arguments()?;
        if self.start.pull_only {
            return Err(Failure::usage("claim: this server never pushes (--pull-only)".into()));
        }
        let workspace = self.folder_of("claim")?;
        let options = self.options();
        let failed = |err| not_claimed(&workspace, &err);
        let code: Option<ShortCode> = asked.code.as_deref().map(code).transpose()?;
        let (code, done) = match (code, asked.release) {
            (Some(code), true) => {
                let done = sync::release(&workspace, &options, &code, false);
                (code, done.map_err(failed)?)
            }
            (Some(code), false) => {
                let done = sync::claim(&workspace, &options, &code);
                (code, done.map_err(failed)?)
            }
            (None, true) => return Err(Failure::usage("claim: a release needs a code".into())),
            (None, false) => {
                let taken = service::take_next(&workspace, &self.request(), &Filter::default(), progress);
                let taken = taken.map_err(|err| not_taken(&workspace, err))?;
                let outcome = if taken.is_some() { "done" } else { "none" };
                return Ok(json!({ "outcome": outcome, "document": taken }));
            }
        };
        Ok(match done {
            Claimed::Done => json!({ "code": code, "outcome": "done" }),
            Claimed::Already => json!({ "code": code, "outcome": "already" }),
            Claimed::Held(holder) => json!({ "code": code, "outcome": "held", "holder": value(holder) }),
        })
    }

    fn folder_of(&self, tool: &str) -> Result<Workspace, Failure> {
        let workspace = self.workspace()?;
        let has_folder = workspace.needs_folder(tool);
        has_folder.map_err(|kind| Failure::of_kind(&kind, ""))?;
        Ok(workspace)
    }

    fn options(&self) -> SyncOptions {
        let request = self.request();
        SyncOptions {
            deadline: request.deadline,
            trigger: request.trigger,
            interrupt: request.interrupt,
            prompt: request.prompt,
            ..SyncOptions::default()
        }
    }
}

fn not_written(err: &NotWritten) -> Failure {
    match err {
        NotWritten::Workspace(kind) => Failure::of_kind(kind, ""),
        NotWritten::Records(err) => Failure::of_records(err),
    }
}

fn not_claimed(workspace: &Workspace, err: &ClaimError) -> Failure {
    match err {
        ClaimError::Sync(err) => Failure::of_sync(workspace, err),
        ClaimError::Records(err) => Failure::of_records(err),
    }
}

fn not_taken(workspace: &Workspace, err: NotTaken) -> Failure {
    match err {
        NotTaken::Claim(err) => not_claimed(workspace, &err),
        NotTaken::Query(err) => err.into(),
    }
}
