//! Claims: who works on a document. Unlike shared records they cannot be merged, so they are not made offline: a claim is a ref in
//! central that is created where there was none, and of several who try, one succeeds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared_records::DeviceId;

use super::{NotWritten, SyncError, SyncErrorKind, SyncOptions, Workspace, cycle::settled, device, setup};
use crate::{
    central::{
        CentralError,
        device_log::{self, AS_BRANCHES, Content, Files, NewLog},
        fetch::{Wanted, fetch_all},
        hidden,
        remote::Remote,
    },
    names::{ObjectFormat, ObjectId, ShortCode},
    records::RecordsError,
    send_pack::connect::{ConnectError, FailureKind},
    stage::{
        Context, fetch,
        push::{self, Beside, Published},
    },
    text::{self, Untrusted, UntrustedName},
};

/// What the full names of claims' refs begin with.
const REFS: &str = "refs/metis/claim/";
/// What those of all refs of ours begin with.
const OURS: &str = "refs/metis/";
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

impl From<NotWritten> for ClaimError {
    fn from(err: NotWritten) -> Self {
        match err {
            NotWritten::Records(err) => err.into(),
            NotWritten::Workspace(kind) => kind.into(),
        }
    }
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
    for is_doubted in [false, true] {
        let (listed, format) = desk.listed(Some(code), is_doubted)?;
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
    let (listed, format) = desk.listed(Some(code), true)?;
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
    let (listed, _) = desk.listed(None, true)?;
    let mut claims: Vec<Claim> = listed.into_values().collect();
    claims.sort_by(|a, b| a.document.raw().cmp(b.document.raw()));
    Ok(claims)
}

/// The codes of the documents that are claimed, by the names of their refs alone.
pub fn claimed(workspace: &Workspace, options: &SyncOptions) -> Result<BTreeSet<String>, ClaimError> {
    let ctx = context(workspace, options)?;
    let (remote, refs) = refs(&ctx, None, false)?;
    remote.close();
    let codes = refs.names.iter().filter_map(|(name, _)| name.raw().strip_prefix(REFS));
    Ok(codes.map(str::to_owned).collect())
}

/// The refs of claims.
struct Refs {
    names: Vec<(UntrustedName, ObjectId)>,
    /// Whether they are hidden from those who fetch.
    are_hidden: bool,
}

/// The refs of claims, of one document or of all, over a connection that stays open for a fetch. A host may hide them from those who
/// fetch. Where none is listed, it is asked as by one who pushes: if it lists logs as branches and no other ref of ours, which shows
/// that it hides those, or if the listing `is_doubted`, unless that is of all claims and has other refs of ours.
fn refs(ctx: &Context<'_>, code: Option<&ShortCode>, is_doubted: bool) -> Result<(Remote, Refs), SyncErrorKind> {
    let prefixes = vec![OURS.to_owned(), AS_BRANCHES.to_owned()];
    let remote = Remote::list_beside(&ctx.upstream, &ctx.connect, ctx.branch.as_deref(), prefixes)?;
    let is_asked_for = |name: &UntrustedName| match (name.raw().strip_prefix(REFS), code) {
        (Some(found), Some(code)) => found == code.as_str(),
        (found, _) => found.is_some(),
    };
    let lists = |start: &str| remote.beside.iter().any(|(name, _)| name.raw().starts_with(start));
    let is_listed = remote.beside.iter().any(|(name, _)| is_asked_for(name));
    let shows_hiding = lists(AS_BRANCHES) && !lists(OURS);
    let is_doubted = is_doubted && (code.is_some() || !lists(OURS));
    let are_hidden = !is_listed && (shows_hiding || is_doubted);
    let mut names = match are_hidden {
        false => remote.beside.clone(),
        true => match hidden::shown_to_pushers(&ctx.push_to, &ctx.connect, REFS) {
            // Nothing speaks against what is listed.
            Err(CentralError::Connect(err)) if !shows_hiding && may_not_push(&err) => Vec::new(),
            shown => shown?,
        },
    };
    names.retain(|(name, _)| is_asked_for(name));
    Ok((remote, Refs { names, are_hidden }))
}

fn may_not_push(err: &ConnectError) -> bool {
    matches!(
        err.kind,
        FailureKind::Unauthenticated | FailureKind::Forbidden | FailureKind::NoRepository
    )
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
        let device = device(workspace)?;
        Ok(Desk { ctx, device })
    }

    /// The claims in central by their commits: of one document, or of all. One that says nothing readable is nobody's.
    fn listed(
        &self,
        code: Option<&ShortCode>,
        is_doubted: bool,
    ) -> Result<(BTreeMap<ObjectId, Claim>, ObjectFormat), SyncErrorKind> {
        let (mut remote, refs) = refs(&self.ctx, code, is_doubted)?;
        let tips: Vec<ObjectId> = refs.names.iter().map(|(_, id)| *id).collect();
        let format = remote.format;
        let mut claims = BTreeMap::new();
        if !tips.is_empty() {
            let mut store = fetch::store(&self.ctx, format, true)?;
            let wanted: Vec<Wanted> = tips.iter().map(|tip| Wanted { tip: *tip, seen: None }).collect();
            match fetch_all(&mut remote, &self.ctx.connect, &mut store, &wanted, &mut |_| {}) {
                // It need not give out what it hides.
                Err(CentralError::Receive(_) | CentralError::Connect(_)) if refs.are_hidden => {}
                fetched => drop(fetched?),
            }
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
