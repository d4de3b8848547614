//! Which row of the table an error belongs to, and what it fills in there. No arm is for "all others": an error that is added
//! gets a row, or does not compile.

use std::io::{self, ErrorKind};

use super::{Row, Stop};
use crate::{
    cache::{CacheError, QueryError},
    central::CentralError,
    fs::DirError,
    plan::{folder::Refusal, guard::OtherProject},
    send_pack::connect::{ConnectError, FailureKind},
    stage::own::OwnError,
    state::files::StateError,
    sync::{NoFolder, NotResolved, SyncErrorKind},
    text::{Untrusted, shell_word, shown},
    workspace::{ConfigError, MetisDirError},
};

/// The row of an error of a sync.
pub fn row(kind: &SyncErrorKind) -> Row {
    use SyncErrorKind as Kind;
    if kind.is_interruption() {
        return Stop::Interrupted.into();
    }
    match kind {
        Kind::MetisDir(err) => metis_dir(err),
        Kind::Dir(err) => dir(err).into(),
        Kind::NoFolder(err) => no_folder(err),
        Kind::CommittedConfig { branch, .. } => Row::from(Stop::CommittedConfig).with("branch", branch),
        Kind::Config(err) => config(err).into(),
        Kind::UpstreamUrl(_) => Stop::UpstreamUrl.into(),
        Kind::UpstreamInside { .. } => Stop::UpstreamInside.into(),
        Kind::NoUpstream => Stop::NoUpstream.into(),
        Kind::NoPrefix => Stop::NoPrefix.into(),
        Kind::State(err) => state(err).into(),
        Kind::Locked { .. } => Stop::Locked.into(),
        Kind::Watched { .. } => Stop::Watched.into(),
        Kind::UpstreamChanged { .. } => Stop::UpstreamChanged.into(),
        Kind::PrefixChanged { configured, remembered } => Row::from(Stop::PrefixChanged)
            .with("old", remembered)
            .with("new", configured),
        Kind::Unconfirmed(unconfirmed) => Row::from(Stop::Unconfirmed).with("key", unconfirmed.key),
        Kind::StateTracked { .. } => Stop::StateTracked.into(),
        Kind::Rewound { .. } => Stop::Rewound.into(),
        Kind::Rehashed => Stop::Rehashed.into(),
        Kind::BranchGone { has_it, others, .. } => match has_it.first() {
            Some(_) => branch(Stop::BranchRenamed, has_it),
            None => branch(Stop::BranchGone, others),
        },
        Kind::NoBranch { others, .. } => branch(Stop::NoBranch, others),
        Kind::Stale { .. } => Stop::Stale.into(),
        Kind::Diverged { .. } => Stop::Diverged.into(),
        Kind::Own(err) => own(err),
        Kind::OtherProject(err) => other_project(err),
        Kind::Folder(refusal) => folder(refusal),
        Kind::NotConfigured { new, .. } => Row::from(Stop::NotConfigured).with("new", new),
        Kind::NotResolved(err) => not_resolved(err),
        Kind::TooManyDeletes(_) => Stop::Deletes.into(),
        Kind::RetriesExhausted { .. } => Stop::Retries.into(),
        Kind::OutOfTime { .. } => Stop::OutOfTime.into(),
        Kind::Cache(err) => database(err).into(),
        Kind::Central(err) => central(err),
        Kind::Refused(_) => Stop::Refused.into(),
        Kind::AnswerLost { .. } => Stop::AnswerLost.into(),
        Kind::Restless { .. } => Stop::Restless.into(),
        Kind::Unsupported(_) => Stop::Unsupported.into(),
        Kind::Interrupted => Stop::Interrupted.into(),
        Kind::NeverSynced => Stop::NeverSynced.into(),
        Kind::NotInHistory(_) => Stop::NoSuchDocument.into(),
        Kind::Since(_) => Stop::Since.into(),
        Kind::NoSuchWorkspace(_) => Stop::NoSuchWorkspace.into(),
    }
}

/// The row of a question without an answer.
pub fn question(err: &QueryError) -> Stop {
    match err {
        QueryError::Missing { .. } | QueryError::NotBuilt { .. } => Stop::NotBuilt,
        QueryError::UnknownCode { .. } => Stop::NoSuchDocument,
        QueryError::UnknownWorkspace { .. } => Stop::NoSuchWorkspace,
        QueryError::Busy { .. } => Stop::DatabaseBusy,
        QueryError::Sqlite { .. } => Stop::DatabaseDisk,
        QueryError::Place(err) => database(err),
    }
}

/// The first of `names`, as config.toml would have it.
fn branch(stop: Stop, names: &[Untrusted]) -> Row {
    let name = names.first().map_or("", Untrusted::raw);
    Row::from(stop).with("branch", toml_edit::Value::from(name))
}

fn metis_dir(err: &MetisDirError) -> Row {
    match err {
        MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. } => Stop::NoWorkspace.into(),
        MetisDirError::Foreign { path } => {
            let folder = shown(path.parent().unwrap_or(path)).to_string();
            Row::from(Stop::ForeignWorkspace).with("folder", shell_word(&folder))
        }
        MetisDirError::Start { .. } => Stop::NoFolder.into(),
        MetisDirError::Unreadable(err) => dir(err).into(),
    }
}

fn no_folder(err: &NoFolder) -> Row {
    let repository = |stop, path| Row::from(stop).with("repository", shell_word(&shown(path).to_string()));
    match err {
        NoFolder::NotNamed { path } => repository(Stop::BareNotNamed, path),
        NoFolder::Foreign { path } => repository(Stop::BareForeign, path),
        NoFolder::NoConfig { .. } => Stop::BareWithoutConfig.into(),
        NoFolder::LeftOut { path, .. } => Row::from(Stop::LeftOut).with("path", shell_word(path)),
        NoFolder::NoFiles { branch, .. } => Row::from(Stop::NoFiles).with("branch", shell_word(branch)),
    }
}

/// The row of a file or folder that cannot be used.
pub fn dir(err: &DirError) -> Stop {
    match err {
        DirError::Symlink { .. } => Stop::Link,
        DirError::Escapes { .. }
        | DirError::NotADirectory { .. }
        | DirError::NotAFile { .. }
        | DirError::NotEmpty { .. }
        | DirError::Exists { .. } => Stop::InTheWay,
        DirError::Missing { .. } => Stop::Gone,
        DirError::TooLarge { .. } => Stop::Large,
        DirError::Unstable { .. } => Stop::Restless,
        DirError::Io { source, .. } => system(source),
    }
}

/// What the operating system says.
fn system(err: &io::Error) -> Stop {
    match err.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Stop::Full,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Stop::Denied,
        ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => Stop::InTheWay,
        _ => Stop::Disk,
    }
}

fn config(err: &ConfigError) -> Stop {
    match err {
        ConfigError::File(err) => dir(err),
        ConfigError::NotOurs { .. } => Stop::StateUnusable,
        ConfigError::NotUtf8 { .. } => Stop::ConfigText,
        ConfigError::Markers { .. } => Stop::ConfigMarkers,
        ConfigError::Syntax { .. } => Stop::ConfigSyntax,
        ConfigError::Invalid { .. } | ConfigError::CannotEdit { .. } => Stop::ConfigValue,
    }
}

/// The row of what this clone knows.
pub fn state(err: &StateError) -> Stop {
    match err {
        StateError::NotAFolder { .. } | StateError::NotOurs { .. } | StateError::Corrupt { .. } => Stop::StateUnusable,
        StateError::NoHome => Stop::NoStateHome,
        StateError::OtherSchema { .. } => Stop::StateLater,
        StateError::Io { source, .. } => system(source),
    }
}

fn own(err: &OwnError) -> Row {
    match err {
        OwnError::Dir(err) => dir(err).into(),
        OwnError::Unfinished(what) => Row::from(Stop::Unfinished).with("commands", ends(what)),
        OwnError::NoBranch(branch) => {
            let refspec = format!("+refs/heads/{branch}:refs/remotes/origin/{branch}");
            Row::from(Stop::NoSource).with("refspec", shell_word(&refspec))
        }
        OwnError::LeftBehind { branch, remote } => Row::from(Stop::SourceLeftBehind)
            .with("branch", shell_word(branch.raw()))
            .with("remote", shell_word(remote.raw())),
        OwnError::NoTree(_) => Stop::NoTree.into(),
        OwnError::Stalled => Stop::GitStalled.into(),
    }
}

/// The commands that end what git is in the middle of.
pub fn ends(what: &str) -> &'static str {
    match what {
        "a rebase" => "`git rebase --continue` or `git rebase --abort`",
        "a merge" => "`git merge --continue` or `git merge --abort`",
        "a revert" => "`git revert --continue` or `git revert --abort`",
        "a bisect" => "`git bisect reset`",
        _ => "`git cherry-pick --continue` or `git cherry-pick --abort`",
    }
}

fn other_project(err: &OtherProject) -> Row {
    match err {
        OtherProject::Folder { .. } | OtherProject::Unrelated(_) => Stop::OtherProject.into(),
        OtherProject::Renamed { old, new } => Row::from(Stop::Renamed).with("old", old).with("new", new),
        OtherProject::RenamedElsewhere { old, new } => {
            Row::from(Stop::RenamedElsewhere).with("old", old).with("new", new)
        }
        OtherProject::Retired(prefix) => Row::from(Stop::Retired).with("prefix", prefix),
    }
}

fn folder(refusal: &Refusal) -> Row {
    let stop = match refusal {
        Refusal::Taken(_) => Stop::TakenName,
        Refusal::NotOurs(_) => Stop::NotOurs,
        Refusal::Absent(_) => Stop::NoSuchFolder,
        Refusal::Reserved(_) => Stop::ReservedName,
        Refusal::Same(_) => Stop::SameName,
        Refusal::Elsewhere(branch) => {
            return Row::from(Stop::SourceElsewhere).with("branch", shell_word(&branch.to_string()));
        }
    };
    stop.into()
}

fn not_resolved(err: &NotResolved) -> Row {
    match err {
        NotResolved::NothingOpen(_) => Stop::NothingOpen.into(),
        NotResolved::Elsewhere(branch) => {
            Row::from(Stop::SourceElsewhere).with("branch", shell_word(&branch.to_string()))
        }
        NotResolved::OneSided(code) => Row::from(Stop::OneSided).with("code", code),
        NotResolved::Large(_) => Stop::CentralLarge.into(),
        NotResolved::NoMerge { code, .. } => Row::from(Stop::NoMerge).with("code", code),
    }
}

fn database(err: &CacheError) -> Stop {
    match err {
        CacheError::NotAFile { .. } | CacheError::Unreadable { .. } | CacheError::NameTaken { .. } => Stop::Database,
        CacheError::Tracked { .. } => Stop::DatabaseTracked,
        CacheError::Busy { .. } => Stop::DatabaseBusy,
        CacheError::Io { .. } | CacheError::Sqlite { .. } => Stop::DatabaseDisk,
    }
}

fn central(err: &CentralError) -> Row {
    match err {
        CentralError::Connect(err) => connection(err),
        CentralError::Cache { .. } => Stop::ObjectCache.into(),
        CentralError::NoHome => Stop::NoCacheHome.into(),
        CentralError::Object { .. } => Stop::Object.into(),
        CentralError::Receive(_) => Stop::Receive.into(),
        CentralError::TooLarge => Stop::CentralLarge.into(),
        CentralError::NotAFolder { .. } | CentralError::NotADocument(_) => Stop::CentralInTheWay.into(),
    }
}

fn connection(err: &ConnectError) -> Row {
    match err.kind {
        FailureKind::Unauthenticated if err.message.contains("Host key verification failed") => Stop::HostKey.into(),
        FailureKind::Unauthenticated => Row::from(Stop::Unauthenticated).with("detail", detail(err)),
        FailureKind::Forbidden => Stop::Forbidden.into(),
        FailureKind::Unreachable if err.message.contains("certificate") => Stop::Certificate.into(),
        FailureKind::Unreachable | FailureKind::TimedOut => Stop::Unreachable.into(),
        FailureKind::NoRepository => Stop::NoRepository.into(),
        FailureKind::Interrupted => Stop::Interrupted.into(),
        FailureKind::Refused => Stop::Address.into(),
        FailureKind::NotGit => Stop::NotGit.into(),
        _ => Stop::Talk.into(),
    }
}

/// What came back where the server does not let us in. ssh's own words are shown besides; http has only a status.
fn detail(err: &ConnectError) -> String {
    let detail = err
        .message
        .strip_prefix("cannot authenticate to ")
        .and_then(|rest| rest.split_once(": "));
    match detail.map(|(_, detail)| detail.trim_end_matches('.')) {
        Some(detail) if !err.server_text.contains(detail.trim()) => format!("What came back: {detail}. "),
        _ => String::new(),
    }
}
