//! The tools that answer from metis.db, with its age.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    arguments::{Query, Question, Read, Search},
    call::{Call, MAX_DOCUMENTS, NOTE, code, prefixes, value},
    failure::Failure,
};
use crate::{
    cache::{Cache, Filter, QueryError, Sought},
    state::guard::Guard,
    sync::{self, SyncErrorKind, Workspace},
    view::AsOf,
    workspace::read_document,
};

/// Characters of a text that a model can take.
const MAX_TEXT: usize = 40_000;

impl Call<'_> {
    /// The guard of a workspace that has files, as metis.db is one of them.
    fn guarded(&self, workspace: &Workspace) -> Result<Guard, Failure> {
        let early = |kind: SyncErrorKind| Failure::of_kind(&kind, "");
        workspace.needs_folder(self.tool).map_err(early)?;
        workspace.guard().map_err(|err| early(err.into()))
    }

    /// Answers from metis.db, with its age.
    fn answer(&self, ask: impl FnOnce(&Workspace, &Cache) -> Result<Value, QueryError>) -> Result<Value, Failure> {
        let workspace = self.workspace()?;
        let guard = self.guarded(&workspace)?;
        let cache = sync::open_cache(&workspace, &guard)?;
        let mut answer = ask(&workspace, &cache)?;
        answer["as_of"] = value(AsOf::of(&workspace, Timestamp::now()));
        Ok(answer)
    }

    pub(super) fn query(&self) -> Result<Value, Failure> {
        let asked: Query = self.arguments()?;
        if let Question::Workspaces = asked.question {
            return self.answer(|_, cache| Ok(json!({ "answer": cache.workspaces()? })));
        }
        if let Question::Ready = asked.question {
            return self.ready();
        }
        let Some(typed) = asked.code else {
            return Err(Failure::usage("query: this question needs a code".into()));
        };
        let code = code(&typed)?;
        self.answer(|_, cache| {
            Ok(match asked.question {
                Question::Children => {
                    let mut children = cache.children(&code)?;
                    let total = children.len();
                    children.truncate(MAX_DOCUMENTS);
                    json!({ "total": total, "answer": children })
                }
                Question::Blocks => {
                    let mut answer = cache.blocks(&code)?;
                    let total = json!({ "blocks": answer.blocks.len(), "blocked_by": answer.blocked_by.len() });
                    answer.blocks.truncate(MAX_DOCUMENTS);
                    answer.blocked_by.truncate(MAX_DOCUMENTS);
                    json!({ "total": total, "answer": answer })
                }
                Question::Progress => json!({ "answer": cache.progress(&code)? }),
                Question::Upstream | Question::Ready | Question::Workspaces => {
                    json!({ "answer": cache.upstream(&code)? })
                }
            })
        })
    }

    pub(super) fn search(&self) -> Result<Value, Failure> {
        let asked: Search = self.arguments()?;
        let workspace = self.workspace()?;
        let filter = Filter {
            workspaces: prefixes(&asked.workspaces)?,
            kinds: asked.types,
            phases: asked.phases,
            tags: asked.tags,
            ..Filter::default()
        };
        let limit = asked.limit.unwrap_or(20).min(MAX_DOCUMENTS);
        let sought = Sought::parse(&asked.text);
        let guard = self.guarded(&workspace)?;
        let hits = sync::search(&workspace, &guard, sought.as_ref(), &filter, limit)?;
        let as_of = AsOf::of(&workspace, Timestamp::now());
        Ok(json!({ "total": hits.total, "documents": hits.documents, "note": NOTE, "as_of": as_of }))
    }

    pub(super) fn read(&self) -> Result<Value, Failure> {
        let asked: Read = self.arguments()?;
        let code = code(&asked.code)?;
        let mut bytes = None;
        let mut answer = self.answer(|workspace, cache| {
            let document = cache.document(&code)?;
            bytes = Some(read_document(workspace.metis().dir(), document.path.raw()));
            Ok(json!({ "document": document, "note": NOTE }))
        })?;
        let bytes = match bytes {
            Some(Ok(bytes)) => bytes,
            Some(Err(err)) => return Err(Failure::of_kind(&SyncErrorKind::Dir(err), "")),
            None => Vec::new(),
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut rest = text.chars().skip(asked.offset);
        answer["text"] = rest.by_ref().take(MAX_TEXT).collect::<String>().into();
        if rest.next().is_some() {
            answer["next_offset"] = (asked.offset + MAX_TEXT).into();
        }
        Ok(answer)
    }
}
