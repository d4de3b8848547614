//! Claims: who works on a document. Unlike shared records they cannot be merged, so they are not made offline: a claim is a ref in
//! central that is created where there was none, and of several who try, one succeeds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared_records::DeviceId;

use super::{SyncError, SyncErrorKind, SyncOptions, Workspace, cycle::settled, made_records, setup};
use crate::{
    central::{
        device_log::{self, Content, Files, NewLog},
        fetch::{Wanted, fetch_all},
        remote::Remote,
    },
    names::{ObjectFormat, ObjectId, ShortCode},
    records::RecordsError,
    stage::{
        Context, fetch,
        push::{self, Beside, Published},
    },
    text::{self, Untrusted},
};

/// What the full names of claims' refs begin with.
const REFS: &str = "refs/metis/claim/";
/// The file in the tree of such a ref.
const FILE: &str = "claim.json";

/// Who works on a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The format.
    pub schema: u32,
    /// The document.
    pub document: Untrusted,
    /// The device that it is claimed by.
    pub device: Untrusted,
    /// Who works there.
    pub user: Untrusted,
    /// The workspace there.
    #[serde(default)]
    pub prefix: Untrusted,
    /// Since when, RFC 3339.
    pub since: Untrusted,
}

/// What came of a claim, or of taking one back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is done.
    Done,
    /// It was so before.
    Already,
    /// Somebody else has it.
    Held(Box<Claim>),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// See the sync's own errors.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// This clone has no name to claim anything under.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

impl From<SyncErrorKind> for ClaimError {
    fn from(kind: SyncErrorKind) -> Self {
        ClaimError::Sync(kind.into())
    }
}

/// Claims a document for this clone.
pub fn claim(workspace: &Workspace, options: &SyncOptions, code: &ShortCode) -> Result<Claimed, ClaimError> {
    let desk = Desk::open(workspace, options)?;
    // Once more where somebody was faster: then there is a holder to be named, unless that one has let go meanwhile.
    for _ in 0..2 {
        let (listed, format) = desk.listed(Some(code))?;
        if let Some((_, held)) = listed.into_iter().next() {
            return Ok(match held.device.raw() == desk.device.as_str() {
                true => Claimed::Already,
                false => Claimed::Held(Box::new(held)),
            });
        }
        let claim = desk.made(code, format);
        if desk.push(code, None, Some(&claim), format)? {
            return Ok(Claimed::Done);
        }
    }
    Err(SyncErrorKind::RetriesExhausted { retries: 1 }.into())
}

/// Takes a claim back: this clone's own, or with `anybodys` whoever's it is.
pub fn release(
    workspace: &Workspace,
    options: &SyncOptions,
    code: &ShortCode,
    anybodys: bool,
) -> Result<Claimed, ClaimError> {
    let desk = Desk::open(workspace, options)?;
    let (listed, format) = desk.listed(Some(code))?;
    match listed.into_iter().next() {
        None => Ok(Claimed::Already),
        Some((_, held)) if held.device.raw() != desk.device.as_str() && !anybodys => Ok(Claimed::Held(Box::new(held))),
        Some((id, _)) => match desk.push(code, Some(id), None, format)? {
            true => Ok(Claimed::Done),
            false => Err(SyncErrorKind::RetriesExhausted { retries: 0 }.into()),
        },
    }
}

/// All claims.
pub fn claims(workspace: &Workspace, options: &SyncOptions) -> Result<Vec<Claim>, ClaimError> {
    let desk = Desk::open(workspace, options)?;
    let (listed, _) = desk.listed(None)?;
    let mut claims: Vec<Claim> = listed.into_values().collect();
    claims.sort_by(|a, b| a.document.raw().cmp(b.document.raw()));
    Ok(claims)
}

/// The codes of the documents that are claimed, by the names of their refs alone.
pub fn claimed(workspace: &Workspace, options: &SyncOptions) -> Result<BTreeSet<String>, ClaimError> {
    let ctx = context(workspace, options)?;
    let remote = Remote::list_beside(&ctx.upstream, &ctx.connect, ctx.branch.as_deref(), vec![REFS.into()]);
    let remote = remote.map_err(SyncErrorKind::from)?;
    let codes = remote
        .beside
        .iter()
        .filter_map(|(name, _)| name.raw().strip_prefix(REFS));
    let codes = codes.map(str::to_owned).collect();
    remote.close();
    Ok(codes)
}

/// The central that this clone is bound to.
fn context<'a>(workspace: &'a Workspace, options: &SyncOptions) -> Result<Context<'a>, ClaimError> {
    let guard = workspace.guard().map_err(SyncErrorKind::from)?;
    workspace.check_state()?;
    let ctx = setup::context(workspace, options, Instant::now())?;
    match workspace.check_binding(&guard, None, &ctx).into_iter().next() {
        Some(stop) => Err(stop.into()),
        None => Ok(ctx),
    }
}

/// Where claims are made.
struct Desk<'a> {
    ctx: Context<'a>,
    device: DeviceId,
}

impl<'a> Desk<'a> {
    fn open(workspace: &'a Workspace, options: &SyncOptions) -> Result<Self, ClaimError> {
        let ctx = context(workspace, options)?;
        let mut guard = workspace.guard().map_err(SyncErrorKind::from)?;
        Ok(Desk {
            device: made_records(workspace, &mut guard)?.device(),
            ctx,
        })
    }

    /// The claims in central by their commits: of one document, or of all. One that says nothing readable is nobody's.
    fn listed(&self, code: Option<&ShortCode>) -> Result<(BTreeMap<ObjectId, Claim>, ObjectFormat), SyncErrorKind> {
        let Context {
            upstream,
            connect,
            branch,
            ..
        } = &self.ctx;
        let name = format!("{REFS}{}", code.map_or("", ShortCode::as_str));
        let mut remote = Remote::list_beside(upstream, connect, branch.as_deref(), vec![name.clone()])?;
        let refs = remote
            .beside
            .iter()
            .filter(|(found, _)| code.is_none() || found.raw() == name);
        let tips: Vec<ObjectId> = refs.map(|(_, id)| *id).collect();
        let format = remote.format;
        let mut claims = BTreeMap::new();
        if !tips.is_empty() {
            let mut store = fetch::store(&self.ctx, format, true)?;
            let wanted: Vec<Wanted> = tips.iter().map(|tip| Wanted { tip: *tip, seen: None }).collect();
            fetch_all(&mut remote, connect, &mut store, &wanted, &mut |_| {})?;
            for tip in tips {
                let text = Files::of(&store, tip).and_then(|files| files.read(FILE));
                let claim = text.ok().and_then(|text| serde_json::from_slice(&text).ok());
                claims.insert(tip, claim.unwrap_or_else(unreadable));
            }
        }
        remote.close();
        Ok((claims, format))
    }

    fn made(&self, code: &ShortCode, format: ObjectFormat) -> NewLog {
        let author = self.ctx.project.committer();
        let now = Timestamp::now();
        let claim = Claim {
            schema: 1,
            document: code.as_str().into(),
            device: self.device.as_str().into(),
            user: author.0.as_str().into(),
            prefix: self.ctx.owned.as_ref().map_or("", |prefix| prefix.as_str()).into(),
            since: now.to_string().into(),
        };
        let text = format!("{}\n", text::json(&claim).unwrap_or_default());
        let files = BTreeMap::from([(FILE.to_owned(), Content::New(&text))]);
        device_log::make(format, None, &format!("claim: {code}"), &files, &author, now)
    }

    /// Makes or takes away the ref of a claim. `false`: it was not what was expected.
    fn push(
        &self,
        code: &ShortCode,
        expected: Option<ObjectId>,
        claim: Option<&NewLog>,
        format: ObjectFormat,
    ) -> Result<bool, SyncErrorKind> {
        let beside = Beside {
            name: format!("{REFS}{code}"),
            expected,
            new: claim.map(|claim| claim.commit),
            objects: claim.map_or(&[], |claim| &claim.objects),
        };
        let store = fetch::store(&self.ctx, format, true)?;
        let pushed = push::with_beside(&self.ctx, &mut None, &store, None, Some(&beside));
        settled(pushed.map(|Published { beside, .. }| beside.expect("an outcome for the ref")))
    }
}

/// A claim of nobody who can be told.
fn unreadable() -> Claim {
    let unknown = || Untrusted::from("somebody");
    Claim {
        schema: 1,
        document: unknown(),
        device: unknown(),
        user: unknown(),
        prefix: Untrusted::from(""),
        since: Untrusted::from(""),
    }
}
