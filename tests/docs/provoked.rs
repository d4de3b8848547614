//! Every message of the troubleshooting tables is provoked by a test.
//!
//! The stories in `tests/stops` look their message up in the table; here the table is looked up the other way round.

use std::fs;

use super::{root, text};

/// Messages and the tests that provoke them.
const PROVOKED: [(&str, &str); 148] = [
    ("no .metis folder in …", "stops::there_is_no_workspace"),
    (
        "… is a bare repository, and such a one counts only where it is named",
        "stops::nobody_named_it",
    ),
    ("the bare repository … is another user's", "stops::it_is_another_users"),
    (
        "the branch … of the bare repository … has no .metis/config.toml",
        "stops::its_branch_says_nothing",
    ),
    ("git left … out of this work tree", "stops::git_left_the_files_out"),
    (
        "… works on files in .metis/, and there are none here",
        "stops::a_command_for_files",
    ),
    (
        "in the branch …: …",
        "stops::the_source_branch_has_a_broken_configuration",
    ),
    ("which central repository?", "stops::central_is_not_named"),
    ("cannot look for .metis from …", "stops::there_is_no_such_folder"),
    (
        "… is, or lies behind, a symbolic link",
        "stops::a_link_is_in_the_place_of_a_file",
    ),
    ("… does not exist", "stops::the_workspace_goes_away"),
    ("… has more than the … bytes allowed", "stops::a_file_is_too_large"),
    ("cannot … …: …", "stops::the_disk_is_full"),
    ("… is not UTF-8 text", "stops::it_is_no_text"),
    ("…, line …, column …: …", "stops::it_is_no_toml"),
    (
        "… has merge conflict markers in line …",
        "stops::a_merge_was_left_in_it",
    ),
    (".metis/config.toml: … must be …", "stops::a_value_breaks_its_rule"),
    (
        "config.toml names a central repository but no [workspace] prefix",
        "stops::there_is_no_prefix",
    ),
    (
        ".metis/config.toml: sync.upstream_url is not accepted: …",
        "stops::the_url_is_of_no_known_kind",
    ),
    (
        "… leads into …, and what comes with a checkout",
        "stops::central_would_be_in_the_project",
    ),
    ("config.toml names no central repository", "stops::there_is_no_central"),
    ("this clone has never synced", "stops::nothing_to_compare_with"),
    (
        "… is neither a commit of central nor a time",
        "stops::since_no_time_that_is_known",
    ),
    (
        "… names no commit of central that this clone knows, or more than one",
        "stops::since_no_time_that_is_known",
    ),
    (
        "the log of syncs goes back to … only",
        "stops::since_no_time_that_is_known",
    ),
    ("central has no workspace …", "stops::no_such_workspace"),
    ("…: sync.conduits.…: …", "stops::a_definition_breaks_a_rule"),
    ("there is no conduit …", "stops::there_is_none_of_this_name"),
    ("there is a conduit … already", "stops::there_is_one_of_this_name"),
    (
        "the conduit … is not enabled in this clone",
        "conduits::surface::each_clone_confirms_a_definition_once",
    ),
    (
        "the conduit … was changed since it was enabled in this clone",
        "stops::nobody_here_confirmed_it",
    ),
    ("… of the conduit, …", "stops::a_folder_is_missing"),
    (
        "… has no room for the … bytes that would come there",
        "conduits::disks::a_disk_has_no_room_for_what_comes",
    ),
    (
        "… was on a disk of its own at the last sync",
        "stops::a_disk_is_not_mounted",
    ),
    (
        "… are the same folder, or one lies in the other",
        "conduits::safety::folders_that_get_in_each_others_way_are_refused",
    ),
    (
        "the conduits … and … write the same …",
        "stops::two_would_write_one_folder",
    ),
    (
        "the conduits … lead in a circle",
        "conduits::safety::conduits_that_lead_in_a_circle_are_refused",
    ),
    (
        "… is empty, and it was not at the last sync",
        "stops::most_files_are_gone",
    ),
    (
        "the sync would delete … of the … files in …",
        "conduits::safety::most_of_a_side_deleted_or_overwritten_stops",
    ),
    (
        "the sync would overwrite … of the … files in …",
        "conduits::safety::most_of_a_side_deleted_or_overwritten_stops",
    ),
    (
        "the first sync of this mirror would replace or delete …",
        "stops::a_mirror_begins_with_a_full_target",
    ),
    (
        "the project's source is the branch …",
        "stops::another_branch_is_checked_out",
    ),
    (
        "the conduit … has no generation …",
        "stops::there_is_no_such_generation",
    ),
    ("… does not wait for a decision", "stops::a_path_does_not_wait"),
    (
        "the version of … that both sides had in common is nowhere any more",
        "stops::the_common_version_is_gone",
    ),
    ("… in central is gone", "stops::the_branch_was_deleted"),
    (
        "… in central was rewound, or made anew",
        "conduits::central::state::a_branch_that_was_rewound_or_is_gone_stops_until_it_is_adopted",
    ),
    (
        "… in central is not this conduit's to write",
        "stops::a_mirror_writes_the_branch",
    ),
    (
        "the branch in central has more … than sync.limits.…",
        "stops::the_branch_has_too_many_files",
    ),
    ("cannot authenticate to …", "stops::the_key_is_not_known_there"),
    ("cannot reach …", "stops::nobody_listens"),
    ("there is no repository at …", "stops::nothing_is_there"),
    ("… does not speak git's protocol", "stops::the_server_greets"),
    ("… does not allow it", "stops::it_is_read_only"),
    ("central refused the push: …", "stops::a_hook_says_no"),
    ("sync failed after … retries", "stops::others_are_faster"),
    ("the sync did not finish within …", "stops::the_time_is_over"),
    (
        "… keeps changing while it is read",
        "stops::a_document_changes_with_every_look",
    ),
    ("conflict: changed here and in central: …", "stops::both_sides_changed"),
    ("Behind: … is newer in central", "stops::what_is_behind"),
    (
        "Behind: … stays in central as it is there",
        "everyday::undone::a_published_edit_goes_back_and_stays_there",
    ),
    (
        "nothing can be taken back",
        "everyday::undone::nothing_that_somebody_went_on_from",
    ),
    (
        "… is not finished in this project",
        "stops::git_is_in_the_middle_of_something",
    ),
    (
        "[sync] source names the branch …",
        "stops::the_source_branch_is_not_here",
    ),
    (
        "… in central belongs to another project",
        "stops::two_projects_on_one_prefix",
    ),
    (
        "this project is in central as …",
        "stops::the_project_has_another_folder",
    ),
    (
        "another clone of this workspace renamed …",
        "stops::another_clone_renamed",
    ),
    (
        "another clone of this workspace retired it",
        "stops::another_clone_retired",
    ),
    ("central has a folder … already", "stops::a_name_that_is_taken"),
    (
        "the workspace's folder has the name … already",
        "stops::it_has_that_name",
    ),
    (
        "… cannot be a workspace's folder",
        "stops::a_name_that_nobody_could_copy",
    ),
    ("central has no folder …", "stops::a_folder_that_is_not_there"),
    ("… could not be merged: …", "stops::git_cannot_merge_it"),
    (
        "the documents of commit … of the project cannot be read",
        "stops::the_source_branch_has_no_files_here",
    ),
    (
        "git did not say in time what branches this project has",
        "stops::git_does_not_answer",
    ),
    ("… waits for no decision", "stops::it_waits_for_no_decision"),
    (
        "…, which is not checked out here, so its files cannot be written",
        "stops::the_source_branch_is_not_checked_out",
    ),
    (
        "… is there on one side only, so there is nothing to merge",
        "stops::it_is_there_on_one_side_only",
    ),
    (
        "central has … in the place of …, but config.toml could not be changed",
        "stops::the_new_name_cannot_be_written",
    ),
    ("… in central is another workspace's", "stops::a_folder_of_others"),
    (
        "central's documents were made from commit …",
        "stops::a_rewritten_project",
    ),
    (
        "… has commits that are not pulled yet and that change planning documents",
        "stops::the_remote_is_ahead",
    ),
    (
        "… documents that central holds for this workspace would be removed",
        "stops::most_documents_are_gone",
    ),
    ("central's branch … is gone", "stops::its_branch_is_gone"),
    (
        "central has no branch …, and its HEAD names none",
        "stops::its_head_names_no_branch",
    ),
    ("central was made anew", "stops::it_has_another_hash"),
    (
        "central was rewound or force-pushed",
        "stops::its_history_was_rewritten",
    ),
    (
        "config.toml names the central repository …, this clone has synced with … so far",
        "stops::another_central",
    ),
    (
        "config.toml names … as this workspace's folder in central, this clone has written … so far",
        "stops::another_folder",
    ),
    (
        "git tracks …: .metis/.sync/ is for what this clone alone knows",
        "stops::git_tracks_the_state",
    ),
    (
        "… has nothing that this clone made with this version of git-metis-sync",
        "cache::query::what_is_missing_is_said",
    ),
    (
        "git tracks …, which is never opened",
        "stops::git_tracks_what_is_beside_it",
    ),
    (
        "… is not a folder, and one is needed there",
        "stops::a_file_is_in_the_place_of_a_folder",
    ),
    (
        "… is not a folder but a symlink or a file",
        "stops::the_folder_of_state_is_a_file",
    ),
    ("… is damaged (…)", "stops::the_binding_is_damaged"),
    (
        "… was written by another version of git-metis-sync",
        "stops::a_later_version_was_here",
    ),
    ("this user has no home directory", "stops::there_is_no_place_for_state"),
    (
        "… belongs to another user (…), so it is not used",
        "stops::another_users_state",
    ),
    (
        "it belongs to another user",
        "torture::checkout::owners::another_users_store",
    ),
    (
        "… is another user's, or lies where other users may put things",
        "stops::the_workspace_is_another_users",
    ),
    (
        "config.toml sets … to …, which was not confirmed for this clone",
        "stops::another_branch",
    ),
    ("another watcher has this workspace", "stops::somebody_watches_already"),
    (
        "another sync is running here",
        "torture::together::who_waits_in_vain_names_the_holder",
    ),
    ("the object cache … could not be …", "stops::the_cache_cannot_be_used"),
    (
        "object … of central could not be read: …",
        "stops::an_object_makes_no_sense",
    ),
    (
        "the objects that central sent could not be stored: …",
        "stops::its_objects_are_not_complete",
    ),
    (
        "central holds a folder or commit object of more than",
        "stops::an_object_is_too_large",
    ),
    (
        "central has … where the folder … should be",
        "stops::a_file_is_where_the_folder_should_be",
    ),
    (
        "central has a folder where the document … should be",
        "stops::a_file_is_where_the_folder_should_be",
    ),
    ("talking to … failed", "stops::the_server_gives_up"),
    (
        "… is not allowed by protocol.allow or GIT_ALLOW_PROTOCOL",
        "stops::git_may_not_go_there",
    ),
    ("there is no …metis.db", "stops::it_was_never_built"),
    (
        "…, and stays as it is until you move it away",
        "stops::a_file_is_in_its_place",
    ),
    ("… is in use by another process", "stops::another_program_has_it"),
    ("no workspace has a document …", "stops::the_document_is_new"),
    (
        "the server does not offer what a safe push needs: …",
        "stops::its_server_is_not_up_to_it",
    ),
    ("… is gone since metis.db was built", "stops::the_document_went_away"),
    (
        "central's history has no document …",
        "seeing::past::what_became_of_a_document",
    ),
    ("interrupted", "stops::somebody_interrupts"),
    (
        "the connection broke before central answered",
        "stops::the_answer_is_lost",
    ),
    (
        "standard output cannot be written",
        "scenarios::hosts::a_full_standard_output_is_no_success",
    ),
    (
        "…; central's copy of it stays as it is",
        "stops::a_folder_that_was_emptied",
    ),
    (
        "it is an archived copy of a document of …/, so it is not pushed",
        "stops::a_copy_in_the_archive",
    ),
    (
        "central still has …, which this workspace does not publish any more",
        "files::chosen::excluding_takes_nothing_out_of_central_and_withdrawing_does",
    ),
    (
        "not published, because of …",
        "files::chosen::what_patterns_exclude_is_not_published",
    ),
    ("… is not a known key and sets nothing", "stops::a_misspelled_key"),
    ("skipped … in central", "torture::hostile::names_that_are_no_documents"),
    (
        "… could not be hydrated: …",
        "scenarios::errors::one_folder_that_cannot_be_written_stops_no_other",
    ),
    (
        "… had been edited here; your version is kept as …",
        "files::copies::copies_are_not_for_writing_and_an_edit_of_one_is_seen",
    ),
    (
        "… edited here, in a copy, from where nothing is pushed: …",
        "stops::an_edited_copy",
    ),
    (
        "… is not in this central; its … documents here were moved to …",
        "files::copies::copies_of_a_workspace_that_a_new_central_lacks_are_moved_aside",
    ),
    (
        "git tracks files in …, so they count as this project's own",
        "stops::what_git_tracks",
    ),
    (
        "central has more than … other workspaces",
        "stops::more_workspaces_than_allowed",
    ),
    (
        "… was retired from central, so nothing is pushed from here",
        "stops::a_retired_workspace",
    ),
    (
        "… has documents whose codes begin with …, as this project's do",
        "stops::codes_of_two_projects",
    ),
    (
        "an earlier run here was ended before it was done: …",
        "service::noted::a_sync_that_was_killed_is_told_of",
    ),
    (
        "records were left as they are: …",
        "records::copies::a_damaged_database_keeps_no_documents_back",
    ),
    (
        "records written here are not in central yet: …",
        "records::hosts::a_push_that_fails_keeps_records_here",
    ),
    (
        "… so this clone's records go to a branch below metis/log/ from now on",
        "records::hosts::a_host_without_other_refs_gets_a_branch",
    ),
    (
        "central does not take records: …",
        "records::hosts::a_host_that_takes_no_records_keeps_no_documents_back",
    ),
    (
        "… so shared records, such as tags and notes, go to branches below metis/log/",
        "records::beginning::init_sees_where_a_host_takes_records",
    ),
    (
        "central does not take shared records, such as tags and notes: …",
        "records::beginning::init_sees_where_a_host_takes_records",
    ),
    (
        "whether central takes shared records, such as tags and notes, could not be seen: …",
        "records::beginning::no_branch_is_tried_in_an_empty_central",
    ),
    (
        "the records of device … count up to the last good one: …",
        "records::logs::a_log_that_breaks_a_rule_counts_up_to_there_and_the_others_go_on",
    ),
    (
        "another copy of this folder writes records too",
        "records::copies::a_restored_backup_takes_a_new_name",
    ),
    (
        "holds records that this clone did not write",
        "records::copies::records_of_another_clone_tell_nothing",
    ),
    ("metis.db could not be rebuilt", "stops::a_database_that_is_none"),
    (
        "no trace is written to …",
        "seeing::trace::a_trace_that_cannot_be_written_stops_nothing",
    ),
];

/// All of the project's tests, as text.
fn sources() -> String {
    let mut found = String::new();
    let mut folders = vec![root().join("tests"), root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|ext| ext == "rs") => found += &text(&path),
                _ => {}
            }
        }
    }
    found
}

#[test]
fn every_message_is_provoked() {
    let document = text(&root().join("docs/troubleshooting.md"));
    let rows = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let rows: Vec<&str> = rows.collect();
    let listed: Vec<&str> = PROVOKED.iter().map(|(message, _)| *message).collect();
    assert_eq!(rows, listed);
    let sources = sources();
    for (message, test) in PROVOKED {
        let name = test.rsplit("::").next().expect("a name");
        assert!(
            sources.contains(&format!("fn {name}(")),
            "{message:?}: there is no test {test}"
        );
    }
}
