use std::process::Command;

use super::*;

#[test]
fn a_program_with_anything_in_its_name_is_one_word() {
    let text = Manager::Systemd
        .text(Path::new("/opt/50% of $it/git-metis-sync"))
        .unwrap();
    assert!(
        text.contains("\nExecStart=\"/opt/50%% of $it/git-metis-sync\" watch --all\n"),
        "{text}"
    );
    let text = Manager::Launchd.text(Path::new("/opt/a & <b>/git-metis-sync")).unwrap();
    assert!(
        text.contains("<array><string>/opt/a &amp; &lt;b&gt;/git-metis-sync</string><string>watch</string>"),
        "{text}"
    );
    assert_eq!(text.matches("<dict>").count(), text.matches("</dict>").count());
}

#[test]
fn a_program_whose_path_would_say_something_else_is_not_written_down() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let end = "/opt/a\nExecStartPre=/bin/evil\n/git-metis-sync";
    for manager in [Manager::Systemd, Manager::Launchd] {
        for path in [end, "/opt/\u{1b}[2J/x", "/opt/\u{202e}/x"] {
            assert_eq!(manager.text(Path::new(path)), None, "{path:?}");
        }
        assert_eq!(manager.text(Path::new(OsStr::from_bytes(b"/opt/\xff/x"))), None);
    }
    for path in ["/opt/\"a\"/x", "/opt/it's/x", "/opt/a\\x/y"] {
        assert_eq!(Manager::Systemd.text(Path::new(path)), None, "{path}");
        assert!(Manager::Launchd.text(Path::new(path)).is_some(), "{path}");
    }
}

#[test]
fn what_is_run_to_begin_and_to_end() {
    let place = Path::new("/home/ann/unit");
    let systemd = typed(&Manager::Systemd.start(place));
    assert_eq!(
        systemd,
        format!("systemctl --user daemon-reload && systemctl --user enable {NAME} && systemctl --user restart {NAME}")
    );
    let domain = domain();
    assert_eq!(
        typed(&Manager::Launchd.start(place)),
        format!("launchctl bootout {domain}/{LABEL} && launchctl bootstrap {domain} /home/ann/unit")
    );
    let step = |program: &str, may_fail| Step {
        may_fail,
        ..Step::new(&[program])
    };
    let run = |steps: &[Step]| run(steps, &Arc::default());
    run(&[step("false", true), step("true", false)]).unwrap();
    let stopped = run(&[step("false", false), step("no such program", false)]).unwrap_err();
    assert_eq!(stopped.command, "false");
    assert!(
        !run(&[step("no such program", false)])
            .unwrap_err()
            .said
            .raw()
            .is_empty()
    );
}

/// systemd's own word on the unit, where it is installed.
#[test]
fn systemd_accepts_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(NAME);
    let odd = folder.path().join("50% of $it");
    fs::create_dir(&odd).unwrap();
    let program = odd.join("sh");
    std::os::unix::fs::symlink("/bin/sh", &program).unwrap();
    write(&place, &Manager::Systemd.text(&program).unwrap()).unwrap();
    let verify = Command::new("systemd-analyze")
        .args(["--user", "verify"])
        .arg(&place)
        .env("XDG_RUNTIME_DIR", folder.path())
        .output();
    let Ok(verified) = verify else {
        eprintln!("skipped: systemd-analyze is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    let about_it: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(NAME) && !line.contains("man "))
        .collect();
    assert_eq!(about_it, Vec::<&str>::new(), "{said}");
    assert!(remove(&place).unwrap());
    assert!(!remove(&place).unwrap());
}

/// Another program's reading of the property list, where there is Python.
#[test]
fn the_agent_is_a_property_list() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("agent.plist");
    let text = Manager::Launchd.text(Path::new("/opt/a & <b>/git-metis-sync"));
    write(&place, &text.unwrap()).unwrap();
    let script = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let Ok(read) = Command::new("python3").args(["-c", script]).arg(&place).output() else {
        eprintln!("skipped: python3 is not installed");
        return;
    };
    let agent: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(agent["Label"], LABEL);
    assert_eq!(
        agent["ProgramArguments"],
        serde_json::json!(["/opt/a & <b>/git-metis-sync", "watch", "--all"])
    );
    assert_eq!(agent["KeepAlive"]["SuccessfulExit"], false);
}
