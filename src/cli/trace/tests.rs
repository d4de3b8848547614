use super::*;

#[test]
fn the_variable_is_read_as_git_reads_its_own() {
    let target = |value: &str| Target::of(value.into());
    for off in ["", "0", "false"] {
        assert_eq!(target(off), None, "{off}");
    }
    for stderr in ["1", "2", "true"] {
        assert_eq!(target(stderr), Some(Target::Stderr), "{stderr}");
    }
    for (path, form) in [
        ("/tmp/trace", Form::Text),
        ("trace.txt", Form::Text),
        ("trace.json", Form::Json),
        ("/tmp/trace.jsonl", Form::Json),
    ] {
        let path = PathBuf::from(path);
        assert_eq!(target(path.to_str().unwrap()), Some(Target::File { path, form }));
    }
}
