//! What the tools take.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct SyncData {
    pub workspaces: Vec<String>,
    pub since: Option<String>,
    pub recheck: bool,
    pub pull_only: bool,
    pub dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    pub question: Question,
    pub code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    Children,
    Blocks,
    Progress,
    Upstream,
    Ready,
    Workspaces,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    pub text: String,
    pub workspaces: Vec<String>,
    pub types: Vec<String>,
    pub phases: Vec<String>,
    pub tags: Vec<String>,
    pub limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    pub code: String,
    #[serde(default)]
    pub offset: usize,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    pub side: Option<DiffSide>,
    pub codes: Vec<String>,
    pub offline: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Offline {
    pub offline: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum DiffSide {
    Local,
    Central,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub limit: Option<usize>,
}
