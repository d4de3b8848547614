//! Finding a document for the commands that show one.

use std::str::FromStr;

use crate::{
    cache::{Cache, Document, QueryError},
    names::ShortCode,
    state::guard::Guard,
    sync::{
        self, SyncErrorKind, Workspace,
        stop::{self, Hint, Stop},
    },
    workspace::DOCUMENT_LIMIT,
};

use super::{Exit, Global, render};

/// A code as it is typed: small letters will do.
pub fn code(typed: &str) -> Result<ShortCode, String> {
    typed.to_uppercase().parse().map_err(|err| format!("{err}"))
}

/// `CODE`, or `CODE@` and a commit or a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub code: ShortCode,
    pub when: Option<String>,
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let (before, when) = match typed.split_once('@') {
            Some((before, when)) => (before, Some(when.trim().to_owned())),
            None => (typed, None),
        };
        if when.as_deref() == Some("") {
            return Err("a commit or a time has to follow the @".into());
        }
        Ok(Asked {
            code: code(before)?,
            when,
        })
    }
}

/// Answers from metis.db, or says why not.
pub fn asked(
    global: &Global,
    command: &str,
    answer: impl FnOnce(&Workspace, &Cache) -> Result<(), QueryError>,
) -> Exit {
    asked_of(global, command, |workspace, guard| {
        answer(workspace, &sync::open_cache(workspace, guard)?).map(|()| Exit::Ok)
    })
}

/// The same for what opens it by itself, and says how it ended.
pub fn asked_of(
    global: &Global,
    command: &str,
    answer: impl FnOnce(&Workspace, &Guard) -> Result<Exit, QueryError>,
) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, command, &kind, ""),
    };
    let guard = workspace.needs_folder(command).and_then(|()| Ok(workspace.guard()?));
    let guard = match guard {
        Ok(guard) => guard,
        Err(kind) => return render::explained(global, command, &kind, ""),
    };
    match answer(&workspace, &guard) {
        Ok(exit) => exit,
        Err(err) => unanswered(global, command, &err),
    }
}

/// Says why there is no answer.
pub fn unanswered(global: &Global, command: &str, err: &QueryError) -> Exit {
    let hint = stop::of_query(err);
    render::failure(global, command, "query", &hint, None);
    hint.exit
}

/// Says what is wrong, and what to do about it.
pub fn stopped(global: &Global, command: &str, kind: &str, message: String, next: String) -> Exit {
    let hint = Hint {
        stop: Stop::NotShown,
        message: message.into(),
        server_text: String::new(),
        state: String::new(),
        next: next.into(),
        exit: Stop::NotShown.exit(),
    };
    render::failure(global, command, kind, &hint, None);
    hint.exit
}

/// What metis.db says of a document.
pub fn find(workspace: &Workspace, code: &ShortCode) -> Result<Result<Document, QueryError>, SyncErrorKind> {
    let guard = workspace.guard()?;
    Ok(sync::open_cache(workspace, &guard).and_then(|cache| cache.document(code)))
}

/// A document's bytes as they are on disk, or what is wrong and what to do.
pub fn read(workspace: &Workspace, document: &Document) -> Result<Vec<u8>, [String; 2]> {
    match workspace.metis().dir().read_file(document.path.raw(), DOCUMENT_LIMIT) {
        Ok((bytes, _)) => Ok(bytes),
        Err(err) if err.is_gone() => Err([
            format!(".metis/{} is gone since metis.db was built", document.path.brief()),
            "`git metis-sync rebuild-cache` looks again.".into(),
        ]),
        Err(err) => {
            let hint = stop::explain(&SyncErrorKind::Dir(err), "");
            Err([hint.message.to_string(), hint.next.to_string()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_and_a_moment() {
        let asked = |typed: &str| typed.parse::<Asked>().map(|asked| (asked.code.to_string(), asked.when));
        assert_eq!(asked("api-t-0001"), Ok(("API-T-0001".into(), None)));
        assert_eq!(asked("API-T-0001@1a2b"), Ok(("API-T-0001".into(), Some("1a2b".into()))));
        assert_eq!(
            asked("API-T-0001@2 weeks ago").unwrap().1.as_deref(),
            Some("2 weeks ago")
        );
        for wrong in ["", "api", "API-T-0001@", "@1a2b", "API-T-0001@ "] {
            assert!(asked(wrong).is_err(), "{wrong:?}");
        }
    }
}
