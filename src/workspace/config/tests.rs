//! What config.toml may say.

use super::{rules::is_branch_name, *};

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text.as_bytes())
}

#[test]
fn everything_a_config_can_say() {
    let commit = "ab".repeat(20);
    let config = parse(&format!(
        r#"
        [project]
        prefix = "API"
        [flight_levels]
        strategies_enabled = false
        [workspace]
        prefix = "api"
        team = "platform"
        [sync]
        upstream_url = "git@host:org/central.git"
        last_synced_commit = "{commit}"
        branch = "team/plans"
        max_retries = 0
        record = "local"
        deadline_seconds = 90
        later = "unknown keys are fine"
        [sync.hooks]
        blocking = true
        deadline_seconds = 5
        [sync.limits]
        blob_bytes = 1_000
        entries = 2
        workspaces = 4
        total_bytes = 3
        "#
    ))
    .unwrap();
    let sync = config.sync.unwrap();
    assert_eq!(config.project_prefix.as_deref(), Some("API"));
    assert_eq!(config.workspace.unwrap().as_str(), "api");
    assert_eq!(config.team.as_deref(), Some("platform"));
    assert_eq!(sync.upstream_url, "git@host:org/central.git");
    assert_eq!(sync.last_synced_commit.unwrap().to_string(), commit);
    assert_eq!(sync.branch, Some("team/plans".into()));
    assert_eq!(
        (sync.max_retries, sync.record, sync.deadline_seconds),
        (Some(0), Record::Local, Some(90))
    );
    assert_eq!((sync.hooks.blocking, sync.hooks.deadline_seconds), (true, Some(5)));
    assert_eq!(
        (sync.limits.blob_bytes, sync.limits.entries, sync.limits.total_bytes),
        (Some(1000), Some(2), Some(3))
    );
    assert_eq!(sync.limits.workspaces, Some(4));
}

#[test]
fn nothing_is_required() {
    for empty in ["", "\u{feff}", "# nothing\r\n", "[sync]\n", "[project]\n[workspace]\n"] {
        let config = parse(empty).unwrap();
        assert_eq!(config.sync, None, "{empty:?}");
    }
    let config = parse("\u{feff}sync.upstream_url = 'x'\r\nworkspace = { prefix = 'ab' }\r\n").unwrap();
    assert_eq!(config.sync.unwrap().upstream_url, "x");
    assert_eq!(config.workspace.unwrap().as_str(), "ab");
}

#[test]
fn a_broken_rule_is_named_with_file_and_key() {
    for (text, key) in [
        ("project.prefix = 'api'", "project.prefix"),
        ("project.prefix = 'A'", "project.prefix"),
        ("workspace.prefix = 'Api'", "workspace.prefix"),
        ("workspace.prefix = '../x'", "workspace.prefix"),
        ("workspace.team = \"a\\u0007\"", "workspace.team"),
        ("sync = 3", "sync"),
        ("[[sync]]", "sync"),
        ("sync.upstream_url = 3", "sync.upstream_url"),
        ("sync.upstream_url = ''", "sync.upstream_url"),
        ("sync.upstream_url = '--upload-pack=x'", "sync.upstream_url"),
        ("sync.upstream_url = \"a\\nb\"", "sync.upstream_url"),
        ("sync.last_synced_commit = 'abc'", "sync.last_synced_commit"),
        ("sync.max_retries = -1", "sync.max_retries"),
        ("sync.max_retries = 5000000000", "sync.max_retries"),
        ("sync.record = 'both'", "sync.record"),
        ("sync.exclude = 'drafts/'", "sync.exclude"),
        ("sync.exclude = [1]", "sync.exclude"),
        ("sync.exclude = [\"a\\nb\"]", "sync.exclude"),
        ("sync.publish_ignored = 1", "sync.publish_ignored"),
        ("sync.deadline_seconds = 0", "sync.deadline_seconds"),
        ("sync.hooks = true", "sync.hooks"),
        ("sync.hooks.blocking = 'yes'", "sync.hooks.blocking"),
        ("sync.limits.entries = 1.5", "sync.limits.entries"),
        ("sync.max_retries = 1001", "sync.max_retries"),
        ("sync.deadline_seconds = 86401", "sync.deadline_seconds"),
        (
            "sync.hooks.deadline_seconds = 9223372036854775807",
            "sync.hooks.deadline_seconds",
        ),
        ("sync.limits.blob_bytes = 9223372036854775807", "sync.limits.blob_bytes"),
        ("sync.limits.entries = 9223372036854775807", "sync.limits.entries"),
        ("sync.limits.workspaces = 0", "sync.limits.workspaces"),
        (
            "sync.limits.total_bytes = 9223372036854775807",
            "sync.limits.total_bytes",
        ),
    ] {
        let message = parse(text).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!(".metis/config.toml: {key} must be ")),
            "{text}: {message}"
        );
    }
}

#[test]
fn what_this_clone_alone_wants_comes_on_top() {
    let shared = b"sync.upstream_url = 'x'\nsync.max_retries = 1\n[sync.hooks]\ndeadline_seconds = 5\n";
    let config = Config::layered(shared, b"[sync]\nmax_retries = 2\nhooks.blocking = true\n").unwrap();
    assert!(!config.recorded_locally);
    let sync = config.sync.unwrap();
    assert_eq!((sync.upstream_url.raw(), sync.max_retries), ("x", Some(2)));
    assert_eq!((sync.hooks.blocking, sync.hooks.deadline_seconds), (true, Some(5)));

    let commit = "ab".repeat(20);
    let local = format!("sync.last_synced_commit = '{commit}'");
    assert!(Config::layered(shared, local.as_bytes()).unwrap().recorded_locally);
    for (local, message) in [
        (
            "sync.max_retries = -1",
            ".metis/.sync/config.toml: sync.max_retries must be ",
        ),
        ("sync = 3", ".metis/.sync/config.toml: sync must be "),
        ("[sync", ".metis/.sync/config.toml, line 1"),
    ] {
        let said = Config::layered(shared, local.as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with(message), "{said}");
    }
    let said = Config::layered(b"sync = 3", b"sync.max_retries = 2")
        .unwrap_err()
        .to_string();
    assert!(said.starts_with(".metis/config.toml: sync must be "), "{said}");
}

#[test]
fn branch_names_are_those_git_accepts() {
    for good in ["main", "team/plans", "v1.0", "ünïcode"] {
        assert!(is_branch_name(good), "{good}");
    }
    for bad in [
        "",
        "-x",
        "a..b",
        "a b",
        "a\u{7f}",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.",
        "a.lock",
        "a.lock/b",
        "@",
        "a@{1}",
        "HEAD",
        "refs/heads/main",
    ] {
        assert!(!is_branch_name(bad), "{bad:?}");
    }
}

#[test]
fn a_syntax_error_is_placed_and_quotes_no_secret() {
    let err =
        parse("[project]\r\nprefix = \"A\"\r\n[sync]\r\nupstream_url = \"https://me:hunter2@h/x\r\n").unwrap_err();
    assert!(matches!(err, ConfigError::Syntax { line: 4, .. }), "{err:?}");
    assert!(!format!("{err} {err:?}").contains("hunter2"));
    let merged = parse("[sync]\n<<<<<<< HEAD\nbranch = 'a'\n=======\nbranch = 'b'\n>>>>>>> other\n");
    assert!(
        matches!(merged, Err(ConfigError::Markers { line: 2, .. })),
        "{merged:?}"
    );
    let config = parse("[sync]\nupstream_url = \"https://me:hunter2@h/x\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(matches!(Config::parse(b"a = '\xff'"), Err(ConfigError::NotUtf8 { .. })));
}
