use super::*;
use crate::workspace::CONFIG_FILE;

const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "2222222222222222222222222222222222222222";

fn recorded(text: &str) -> String {
    let edits = [Edit::LastSyncedCommit(NEW.parse().unwrap())];
    let edited = with_edits(text.as_bytes(), &edits).unwrap().expect("a change");
    assert_eq!(
        with_edits(&edited, &edits).unwrap(),
        None,
        "the second time nothing changes"
    );
    String::from_utf8(edited).unwrap()
}

#[test]
fn a_value_is_replaced_and_every_other_byte_stays() {
    for text in [
        "[sync]\nlast_synced_commit = \"OLD\"\n",
        "\u{feff}# top\r\n[sync]   # s\r\nupstream_url='x'\r\n  last_synced_commit=\"OLD\"   # why\r\n\r\n[z]\r\nq = [ 1,\r\n 2 ]",
        "sync.last_synced_commit = \"OLD\"",
        "sync = { upstream_url = \"x\", last_synced_commit = \"OLD\" } # inline\n",
        "[\"sync\"]\n\"last_synced_commit\" = \"OLD\"\nlast = 1",
    ] {
        assert_eq!(
            recorded(&text.replace("OLD", OLD)),
            text.replace("OLD", NEW),
            "{text:?}"
        );
    }
    let literal = format!("[sync]\nlast_synced_commit = '''{OLD}'''\n");
    assert_eq!(recorded(&literal), format!("[sync]\nlast_synced_commit = \"{NEW}\"\n"));
}

#[test]
fn a_new_key_goes_where_its_section_is() {
    let key = format!("last_synced_commit = \"{NEW}\"");
    for (before, after) in [
        ("", "[sync]\nKEY\n"),
        ("a = 1", "a = 1\n\n[sync]\nKEY\n"),
        ("a = 1\r\n", "a = 1\r\n\r\n[sync]\r\nKEY\r\n"),
        ("[sync]", "[sync]\nKEY\n"),
        ("[sync]\r\n[z]\r\n", "[sync]\r\nKEY\r\n[z]\r\n"),
        (
            "[sync] # s\na = '''\n]''' # c\n\n# about z\n[z]\n",
            "[sync] # s\na = '''\n]''' # c\nKEY\n\n# about z\n[z]\n",
        ),
        (
            "[sync]\nhooks.blocking = true\n[sync.limits]\nentries = 1",
            "[sync]\nhooks.blocking = true\nKEY\n[sync.limits]\nentries = 1",
        ),
        (
            "[sync.limits]\nentries = 1\n",
            "[sync.limits]\nentries = 1\n\n[sync]\nKEY\n",
        ),
        ("sync.branch = 'x'\nz = 1\n", "sync.branch = 'x'\nsync.KEY\nz = 1\n"),
        ("sync.hooks.blocking = true", "sync.hooks.blocking = true\nsync.KEY\n"),
        ("sync = {}\n", "sync = { KEY }\n"),
        ("sync = { branch = 'x' }\n", "sync = { KEY, branch = 'x' }\n"),
    ] {
        assert_eq!(recorded(before), after.replace("KEY", &key), "{before:?}");
    }
}

#[test]
fn init_sets_several_keys_and_any_text_comes_back_as_it_was() {
    let url = "C:\\odd \"path\" 'x' ü";
    let edits = [
        Edit::Upstream(url.into()),
        Edit::WorkspacePrefix("api".parse().unwrap()),
        Edit::Team("it's \"us\"".into()),
        Edit::Branch("plans".into()),
    ];
    let edited = with_edits(b"[project]\nprefix = \"API\"\n", &edits).unwrap().unwrap();
    let config = Config::parse(&edited).unwrap();
    let sync = config.sync.unwrap();
    assert_eq!(
        (sync.upstream_url.raw(), sync.branch.as_ref().map(|branch| branch.raw())),
        (url, Some("plans"))
    );
    assert_eq!(
        (config.workspace.unwrap().as_str(), config.team.as_deref()),
        ("api", Some("it's \"us\""))
    );
    assert!(edited.starts_with(b"[project]\nprefix = \"API\"\n\n[sync]\n"));
}

#[test]
fn nothing_unreadable_is_ever_written() {
    let edit = |text: &str, edit| with_edits(text.as_bytes(), &[edit]);
    assert!(edit("", Edit::Upstream(String::new())).is_err());
    assert!(edit("", Edit::Branch("-x".into())).is_err());
    assert!(edit("sync = 3", Edit::Branch("x".into())).is_err());
    assert!(edit("[[sync]]", Edit::Branch("x".into())).is_err());
    assert!(edit("[sync]\nbranch.x = 1", Edit::Branch("x".into())).is_err());
    assert!(edit("not toml", Edit::Branch("x".into())).is_err());
}

#[test]
fn the_file_is_written_only_for_a_change_and_never_through_a_link() {
    let temp = tempfile::tempdir().unwrap();
    let metis = Dir::open_root(temp.path()).unwrap();
    let edits = [Edit::Branch("plans".into())];
    let edit_config = |edits: &[Edit]| edit_config(&metis, ConfigFile::Shared, edits);
    assert!(edit_config(&edits).unwrap());
    let written = metis.lstat(CONFIG_FILE).unwrap();
    assert!(!edit_config(&edits).unwrap());
    assert_eq!(metis.lstat(CONFIG_FILE).unwrap(), written);

    metis.rename(CONFIG_FILE, "elsewhere.toml").unwrap();
    std::os::unix::fs::symlink("elsewhere.toml", temp.path().join(CONFIG_FILE)).unwrap();
    let refused = edit_config(&[Edit::Branch("other".into())]);
    assert!(matches!(refused, Err(ConfigError::File(DirError::Symlink { .. }))));
    assert!(matches!(
        Config::load(&metis),
        Err(ConfigError::File(DirError::Symlink { .. }))
    ));
}

#[test]
fn this_clones_own_file_is_made_and_edited_like_the_shared_one() {
    let temp = tempfile::tempdir().unwrap();
    let metis = Dir::open_root(temp.path()).unwrap();
    std::fs::write(temp.path().join(CONFIG_FILE), "sync.upstream_url = 'x'\n").unwrap();
    std::fs::create_dir(temp.path().join(".sync")).unwrap();
    let record = |id: &str| {
        edit_config(
            &metis,
            ConfigFile::Local,
            &[Edit::LastSyncedCommit(id.parse().unwrap())],
        )
    };
    assert!(record(OLD).unwrap());
    assert!(record(NEW).unwrap() && !record(NEW).unwrap());
    let text = std::fs::read_to_string(temp.path().join(".sync/config.toml")).unwrap();
    assert!(text.starts_with("# Read on top of ") && text.contains(NEW), "{text}");
    let config = Config::load(&metis).unwrap();
    assert!(config.recorded_locally);
    assert_eq!(config.sync.unwrap().last_synced_commit, Some(NEW.parse().unwrap()));
    let shared = std::fs::read_to_string(temp.path().join(CONFIG_FILE)).unwrap();
    assert_eq!(shared, "sync.upstream_url = 'x'\n");
}
