//! Every stop that the program can make: provoked for real, and ended by doing what the message says, as it is written.
//!
//! A story ends with a sync that goes through. Its remedy is taken from the message, so that a message which does not end the
//! stop fails here; and a kind of stop without a story does not compile.

mod bare;
mod binding;
mod central;
mod conduits;
mod config;
mod connection;
mod database;
mod deciding;
mod files;
mod hooks;
mod person;
mod project;
mod pushing;
mod stopped;
mod versions;
mod warnings;

use metis_sync::sync::stop::Stop;

use crate::support::{workspace::Workspace, world::World};
pub use person::Person;
pub use stopped::Stopped;

/// Makes a test of each story, and of all of them a `match` over the kinds of stop.
macro_rules! stories {
    ($($stop:ident: $module:ident::$story:ident;)*) => {
        $(
            #[test]
            fn $story() {
                $module::$story(Stop::$stop);
            }
        )*

        /// Where the story of a kind of stop is.
        fn story(stop: Stop) -> &'static str {
            match stop {
                $(Stop::$stop => concat!(stringify!($module), "::", stringify!($story)),)*
            }
        }
    };
}

stories! {
    Usage: config::central_is_not_named;
    NoWorkspace: files::there_is_no_workspace;
    NoFolder: files::there_is_no_such_folder;
    ForeignWorkspace: files::the_workspace_is_another_users;
    BareNotNamed: bare::nobody_named_it;
    BareForeign: bare::it_is_another_users;
    BareWithoutConfig: bare::its_branch_says_nothing;
    NoFiles: bare::a_command_for_files;
    LeftOut: files::git_left_the_files_out;
    CommittedConfig: bare::the_source_branch_has_a_broken_configuration;
    Link: files::a_link_is_in_the_place_of_a_file;
    InTheWay: files::a_file_is_in_the_place_of_a_folder;
    Gone: files::the_workspace_goes_away;
    Large: files::a_file_is_too_large;
    Restless: files::a_document_changes_with_every_look;
    Full: files::the_disk_is_full;
    Denied: files::the_disk_is_read_only;
    Disk: files::the_system_cannot;
    ConfigText: config::it_is_no_text;
    ConfigMarkers: config::a_merge_was_left_in_it;
    ConfigSyntax: config::it_is_no_toml;
    ConfigValue: config::a_value_breaks_its_rule;
    UpstreamUrl: config::the_url_is_of_no_known_kind;
    UpstreamInside: config::central_would_be_in_the_project;
    NoUpstream: config::there_is_no_central;
    NoPrefix: config::there_is_no_prefix;
    StateUnusable: binding::the_folder_of_state_is_a_file;
    StateLater: binding::a_later_version_was_here;
    NoStateHome: binding::there_is_no_place_for_state;
    StateTracked: binding::git_tracks_the_state;
    Locked: binding::another_sync_runs;
    UpstreamChanged: binding::another_central;
    PrefixChanged: binding::another_folder;
    Unconfirmed: binding::another_branch;
    Watched: files::somebody_watches_already;
    Stale: versions::the_remote_is_ahead;
    Diverged: versions::both_sides_changed;
    Deletes: versions::most_documents_are_gone;
    Unfinished: versions::git_is_in_the_middle_of_something;
    NoSource: versions::the_source_branch_is_not_here;
    SourceLeftBehind: versions::the_remote_has_lost_the_source_branch;
    NoTree: versions::the_source_branch_has_no_files_here;
    GitStalled: versions::git_does_not_answer;
    OtherProject: project::two_projects_on_one_prefix;
    Renamed: project::the_project_has_another_folder;
    RenamedElsewhere: project::another_clone_renamed;
    Retired: project::another_clone_retired;
    SameName: project::it_has_that_name;
    ReservedName: project::a_name_that_nobody_could_copy;
    TakenName: project::a_name_that_is_taken;
    NotOurs: project::a_folder_of_others;
    NoSuchFolder: project::a_folder_that_is_not_there;
    NotConfigured: project::the_new_name_cannot_be_written;
    NothingOpen: deciding::it_waits_for_no_decision;
    SourceElsewhere: deciding::the_source_branch_is_not_checked_out;
    OneSided: deciding::it_is_there_on_one_side_only;
    NoMerge: deciding::git_cannot_merge_it;
    NeverSynced: central::nothing_to_compare_with;
    NoSuchWorkspace: central::no_such_workspace;
    Since: central::since_no_time_that_is_known;
    Rewound: central::its_history_was_rewritten;
    Rehashed: central::it_has_another_hash;
    BranchRenamed: central::its_branch_was_renamed;
    BranchGone: central::its_branch_is_gone;
    NoBranch: central::its_head_names_no_branch;
    ObjectCache: central::the_cache_cannot_be_used;
    NoCacheHome: central::there_is_no_place_for_the_cache;
    Object: central::an_object_makes_no_sense;
    Receive: central::its_objects_are_not_complete;
    CentralLarge: central::an_object_is_too_large;
    CentralInTheWay: central::a_file_is_where_the_folder_should_be;
    Refused: pushing::a_hook_says_no;
    AnswerLost: pushing::the_answer_is_lost;
    Retries: pushing::others_are_faster;
    OutOfTime: pushing::the_time_is_over;
    Unsupported: pushing::its_server_is_not_up_to_it;
    ConduitDefinition: conduits::a_definition_breaks_a_rule;
    NoConduit: conduits::there_is_none_of_this_name;
    ConduitExists: conduits::there_is_one_of_this_name;
    NotEnabled: conduits::nobody_here_confirmed_it;
    Endpoint: conduits::a_folder_is_missing;
    Unmounted: conduits::a_disk_is_not_mounted;
    Overlap: conduits::two_would_write_one_folder;
    FirstMirror: conduits::a_mirror_begins_with_a_full_target;
    ConduitDeletes: conduits::most_files_are_gone;
    OtherBranch: conduits::another_branch_is_checked_out;
    NoGeneration: conduits::there_is_no_such_generation;
    NotWaiting: conduits::a_path_does_not_wait;
    NoBase: conduits::the_common_version_is_gone;
    ConduitRewound: conduits::the_branch_was_deleted;
    OtherWriter: conduits::a_mirror_writes_the_branch;
    ConduitLimit: conduits::the_branch_has_too_many_files;
    Unauthenticated: connection::the_key_is_not_known_there;
    HostKey: connection::the_host_is_not_known_here;
    Forbidden: connection::it_is_read_only;
    Certificate: connection::nobody_known_signed_its_certificate;
    Unreachable: connection::nobody_listens;
    NoRepository: connection::nothing_is_there;
    Address: connection::git_may_not_go_there;
    NotGit: connection::the_server_greets;
    Talk: connection::the_server_gives_up;
    Interrupted: connection::somebody_interrupts;
    Database: database::a_file_is_in_its_place;
    DatabaseTracked: database::git_tracks_what_is_beside_it;
    DatabaseBusy: database::another_program_has_it;
    DatabaseDisk: database::it_cannot_be_written;
    NotBuilt: database::it_was_never_built;
    NotShown: database::the_document_went_away;
    NoSuchDocument: database::the_document_is_new;
}

#[test]
fn each_stop_has_a_name_and_a_story_of_its_own() {
    for (at, stop) in Stop::ALL.iter().enumerate() {
        for other in &Stop::ALL[..at] {
            assert_ne!(stop.name(), other.name());
            assert_ne!(story(*stop), story(*other));
        }
    }
}

/// A workspace with one document, which has synced.
fn one(world: &World) -> Workspace {
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    api.goes_through();
    api
}

/// A workspace of somebody else beside it.
fn another(world: &World) -> Workspace {
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.goes_through();
    web
}

/// Puts a line into a section of config.toml.
fn set(workspace: &Workspace, section: &str, line: &str) {
    let config = workspace.config();
    let with = config.replace(&format!("[{section}]\n"), &format!("[{section}]\n{line}\n"));
    assert_ne!(with, config, "it has that section");
    workspace.put("config.toml", with);
}

/// Has config.toml say something else.
fn change(workspace: &Workspace, from: &str, to: &str) {
    let config = workspace.config();
    assert!(config.contains(from), "{config}");
    workspace.put("config.toml", config.replace(from, to));
}
