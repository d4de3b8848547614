//! Warnings that name a way out: it ends them. A warning that has neither a story nor a reason why it needs none does not
//! compile.

use std::fs;

use metis_sync::sync::Warning;

use super::{Person, another, change, one};
use crate::support::{servers::skip, team::Team, workspace::Workspace, world::World};

/// Where a warning's way out is played.
#[allow(dead_code)]
fn story(warning: &Warning) -> &'static str {
    match warning {
        Warning::Damaged { .. } => {
            "a_folder_that_was_emptied, a_copy_in_the_archive, a_merge_that_was_left, everyday::hidden"
        }
        Warning::FolderFailed { .. } => {
            "what_git_tracks, scenarios::errors::one_folder_that_cannot_be_written_stops_no_other"
        }
        Warning::TooManyWorkspaces { .. } => "more_workspaces_than_allowed",
        Warning::Edited { .. } => "an_edited_copy",
        Warning::SharedCodes { .. } => "codes_of_two_projects",
        Warning::Unconfirmed(_) => "a_pulled_setting",
        Warning::UnknownKey(_) => "a_misspelled_key",
        Warning::CacheNotRebuilt(_) => "a_database_that_is_none",
        Warning::ForeignRepository(_) => "another_users_repository",
        Warning::Foreign(_) => "a_code_of_somebody_else",
        Warning::Retired(_) => "a_retired_workspace",
        Warning::LeftOver { .. } => "files::copies::copies_of_a_workspace_that_left_go_with_it",
        Warning::StillInCentral(_) => "files::chosen::excluding_takes_nothing_out_of_central_and_withdrawing_does",
        // It is as somebody asked for.
        Warning::NotPublished(_) => "",
        // It is for others to mend, in central: nothing here is wrong.
        Warning::Skipped(_) | Warning::SkippedMore { .. } => "",
        // They tell what was done.
        Warning::Kept { .. } | Warning::SetAside { .. } | Warning::CentralAdopted | Warning::SourceElsewhere(_) => "",
        // It tells what was before.
        Warning::Died(_) => "service::noted::a_sync_that_was_killed_is_told_of",
        // The next sync does it again, and says no more.
        Warning::StateLost(_) | Warning::StateForeign | Warning::FreshnessUnknown(_) => "",
        // The system's words say what is wrong, and the sync is complete.
        Warning::ConfigNotWritten(_) | Warning::JournalNotWritten(_) | Warning::Unlocked => "",
        Warning::RecordsRefused(_) => "records::hosts::a_host_that_takes_no_records_keeps_no_documents_back",
        // The next sync sends them; what the system or the server says is wrong beside that is theirs to mend.
        Warning::RecordsNotPublished(_) | Warning::RecordsLeft(_) => "",
        // They tell what was done.
        Warning::RecordsSetAside(_) | Warning::RecordsRenamed | Warning::RecordsAsBranch => "",
        // It is for its owner to mend.
        Warning::LogFrozen { .. } => "",
    }
}

/// The warnings of a sync that goes through.
#[track_caller]
fn warnings(person: &dyn Person) -> Vec<String> {
    let finished = person.asks(&["--json", "sync"]);
    assert_eq!(finished.code, Some(0), "{}", finished.transcript());
    let report: serde_json::Value = serde_json::from_slice(&finished.stdout).unwrap();
    let warnings = report["warnings"].as_array().expect("a list").iter();
    warnings
        .map(|warning| warning.as_str().expect("words").to_owned())
        .collect()
}

/// The one warning that has these words.
#[track_caller]
fn warns(person: &dyn Person, words: &str) -> String {
    let all = warnings(person);
    let found = all.iter().find(|warning| warning.contains(words));
    found.unwrap_or_else(|| panic!("{all:?}")).clone()
}

/// What stands between backticks in it, beginning like this.
#[track_caller]
fn command(warning: &str, begins: &str) -> String {
    let mut commands = warning.split('`').skip(1).step_by(2);
    let command = commands.find(|command| command.starts_with(begins));
    command
        .unwrap_or_else(|| panic!("no `{begins} …` in {warning}"))
        .to_owned()
}

#[track_caller]
fn has_none(person: &dyn Person) {
    assert_eq!(warnings(person), Vec::<String>::new());
}

#[test]
fn a_folder_that_was_emptied() {
    let team = Team::new();
    for number in 1..=3 {
        team.ann.remove(number);
    }
    let warning = warns(&team.ann, "its folder is there and empty");
    assert!(warning.contains("remove the folder as well"), "{warning}");
    team.ann.types("rmdir .metis/backlog");
    assert_eq!(team.ann.asks(&["sync", "--allow-deletes"]).code, Some(0));
    has_none(&team.ann);
    assert_eq!(team.plans(), "");
}

#[test]
fn a_copy_in_the_archive() {
    let team = Team::new();
    let (copy, archived) = ("web/WEB-T-0001.md", "archived/web/WEB-T-0001.md");
    let archive = format!("cd .metis && mkdir -p archived/web && mv {copy} {archived}");
    team.ann.types(&archive);
    let warning = warns(&team.ann, "it is an archived copy");
    let fix = command(&warning, "git metis-sync doctor");
    fs::remove_file(team.ann.metis().join(archived)).unwrap();
    team.ann.types(&fix);
    assert!(team.ann.metis().join(copy).exists());
    has_none(&team.ann);
}

#[test]
fn a_merge_that_was_left() {
    let team = Team::new();
    team.ann.write(1, "<<<<<<< HEAD\nmine\n=======\ntheirs\n>>>>>>> side");
    warns(&team.ann, "it has conflict markers in it");
    team.ann.write(1, "both");
    has_none(&team.ann);
    assert_eq!(team.plans(), "1=both 2=v1 3=v1");
}

#[test]
fn what_git_tracks() {
    let team = Team::new();
    team.ann.git("add --force .metis/web");
    team.ann.git("commit -q -m copies");
    team.web.write(1, "v2");
    team.web.syncs();
    let warning = warns(&team.ann, "git tracks files in .metis/web/");
    team.ann.types(&command(&warning, "git rm"));
    team.ann.git("commit -q -m without");
    has_none(&team.ann);
    assert!(
        fs::read_to_string(team.ann.metis().join("web/WEB-T-0001.md"))
            .unwrap()
            .contains("v2")
    );
}

#[test]
fn more_workspaces_than_allowed() {
    let world = World::new();
    another(&world);
    let ops = world.workspace("ops");
    ops.write("OPS-T-0001", "Theirs.");
    ops.goes_through();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let limit = |n: u32| api.put(".sync/config.toml", format!("[sync.limits]\nworkspaces = {n}\n"));
    limit(1);
    let warning = warns(&api, "1 were left out");
    assert!(
        warning.contains("raise sync.limits.workspaces in .metis/.sync/config.toml"),
        "{warning}"
    );
    limit(2);
    has_none(&api);
    assert_eq!((api.hydrated("web").len(), api.hydrated("ops").len()), (1, 1));
}

#[test]
fn an_edited_copy() {
    let world = World::new();
    let web = another(&world);
    let api = one(&world);
    api.put("web/WEB-T-0001.md", "Mine.");
    let status = api.types("git metis-sync status");
    assert!(status.contains("edited here, in a copy"), "{status}");
    api.types(&command(&status.replace('\n', " "), "git metis-sync doctor"));
    assert_eq!(api.hydrated("web"), web.documents());
    let status = api.types("git metis-sync status");
    assert!(!status.contains("edited here"), "{status}");
}

#[test]
fn codes_of_two_projects() {
    let world = World::new();
    let other = world.workspace("other");
    other.write("API-T-0009", "Theirs.");
    other.goes_through();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    warns(&api, "one of the two projects should choose another project.prefix");
    let said = api.asks(&["doctor"]).transcript();
    assert!(said.contains("should choose another project.prefix"), "{said}");
    change(&api, "prefix = \"API\"", "prefix = \"MINE\"");
    let said = api.asks(&["doctor"]).transcript();
    assert!(!said.contains("should choose another project.prefix"), "{said}");
    api.goes_through();
}

#[test]
fn a_pulled_setting() {
    let world = World::new();
    let api = one(&world);
    super::set(&api, "sync", "hooks.deadline_seconds = 600");
    let warning = warns(&api, "which was not confirmed for this clone");
    api.types(&command(&warning, "git metis-sync trust"));
    has_none(&api);
}

#[test]
fn a_misspelled_key() {
    let world = World::new();
    let api = one(&world);
    super::set(&api, "sync", "max_retires = 3");
    let warning = warns(&api, "max_retires");
    assert!(warning.contains("max_retries"), "{warning}");
    change(&api, "max_retires = 3", "max_retries = 3");
    has_none(&api);
}

#[test]
fn a_database_that_is_none() {
    let world = World::new();
    let api = one(&world);
    api.put(
        "metis.db",
        "Somebody's file, which is no database at all.\n".repeat(100),
    );
    api.edit("API-T-0001", "More.");
    let warning = warns(&api, "metis.db could not be rebuilt");
    assert!(warning.contains("until you move it away"), "{warning}");
    fs::rename(api.metis().join("metis.db"), api.dir.join("aside")).unwrap();
    api.types(&command(&warning, "git metis-sync rebuild-cache"));
    has_none(&api);
}

#[test]
fn another_users_repository() {
    if !rustix::process::geteuid().is_root() {
        skip("only root can make another user's files");
        return;
    }
    let team = Team::new();
    team.ann.types("chown -R 65534 .git");
    let warning = warns(&team.ann, "belongs to another user");
    let (_, command) = warning.split_once("to trust it: ").expect("it says how");
    team.ann.types(command);
    has_none(&team.ann);
}

#[test]
fn a_code_of_somebody_else() {
    let world = World::new();
    another(&world);
    let api = one(&world);
    let mine = |code: &str| crate::support::document::document(code, "Mine", "Mine.");
    api.put("backlog/mine.md", mine("WEB-T-0001"));
    let warning = warns(&api, "WEB-T-0001 is a document of web/");
    assert!(warning.contains("give yours another short_code"), "{warning}");
    api.put("backlog/mine.md", mine("API-T-0002"));
    has_none(&api);
    assert_eq!(world.central.folder("api").len(), 2);
}

#[test]
fn a_retired_workspace() {
    let world = World::new();
    let api: Workspace = one(&world);
    api.types("git metis-sync workspace retire api --yes");
    let warning = warns(&api, "api/ was retired from central");
    api.types(&command(&warning, "git metis-sync init"));
    has_none(&api);
    assert_eq!(world.central.folder("api"), api.documents());
}

/// A document that is behind says what brings it here: a pull, or a decision.
#[test]
fn what_is_behind() {
    let team = Team::new();
    team.ann.publishes(1, "v2");
    let said = team.bob.syncs();
    team.bob.types(&command(
        said.lines().find(|line| line.starts_with("Behind: ")).expect("it is"),
        "git pull",
    ));
    let said = team.bob.syncs();
    assert!(!said.contains("Behind"), "{said}");

    team.ann.write(9, "only there");
    team.ann.syncs();
    let said = team.bob.syncs();
    let line = said.lines().find(|line| line.starts_with("Behind: ")).expect("it is");
    let listed = team.bob.types(&command(line, "git metis-sync resolve"));
    assert!(listed.contains("API-T-0009"), "{listed}");
    team.bob
        .types(&format!("{} --take central", command(line, "git metis-sync resolve")));
    let said = team.bob.syncs();
    assert!(!said.contains("Behind"), "{said}");
    let text = fs::read_to_string(team.bob.metis().join("API-T-0009.md")).unwrap();
    assert!(text.contains("only there"), "{text}");
}
