//! Our lines in hook files, and calls in the scripts of others.

use std::os::unix::ffi::OsStrExt;

use super::*;

fn call() -> Call {
    Call {
        event: Event::PrePush,
        folder: None,
    }
}

fn in_folder(folder: &str) -> Call {
    Call {
        folder: Some(folder.into()),
        ..call()
    }
}

fn lines_of(file: &[u8]) -> Lines {
    match find(file, &call()).unwrap() {
        Ours::Lines(lines) => lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_put_in_comes_out_byte_for_byte() {
    for file in [
        "#!/bin/sh\necho mine\nexit 0\n",
        "#!/bin/bash -e\n\n\nno line end at the end",
        "#! /usr/bin/env -S bash -u\n",
        "#!/bin/sh",
        "echo no first line",
        "",
        "\n\n",
        "#!/bin/zsh\n\u{feff}\0binary in the middle\r\n\r\n",
    ] {
        for order in [Order::Before, Order::After] {
            let with = inserted(file.as_bytes(), &call(), order).unwrap();
            let expected = Lines {
                rest: file.as_bytes().to_vec(),
                created: false,
                order,
                targets: vec![call().target()],
            };
            assert_eq!(lines_of(&with), expected, "{file:?}");
            assert_eq!(expected.without(&call()), Ok(Some(file.as_bytes().to_vec())));
            let first = |bytes: &[u8]| bytes.split(|b| *b == b'\n').next().map(<[u8]>::to_vec);
            if file.starts_with("#!") {
                assert_eq!(first(&with), first(file.as_bytes()), "the interpreter stays");
            }
        }
    }
}

#[test]
fn a_file_made_for_us_goes_with_us_unless_it_got_lines_of_the_users() {
    let mut file = created(&call());
    let created = |file: &[u8]| {
        let lines = lines_of(file);
        (lines.created, String::from_utf8(lines.rest).unwrap())
    };
    assert_eq!(created(&file), (true, "#!/bin/sh\n".into()));
    file.extend_from_slice(b"make test\n");
    assert_eq!(created(&file), (false, "#!/bin/sh\nmake test\n".into()));
}

#[test]
fn other_languages_are_left_alone() {
    for (file, unfit) in [
        ("#!/usr/bin/env python3\n", Unfit::OtherLanguage("python3".into())),
        ("#!/usr/bin/env -S node --x\n", Unfit::OtherLanguage("node".into())),
        ("#!/usr/bin/fish\n", Unfit::OtherLanguage("fish".into())),
        ("#!\n", Unfit::OtherLanguage(String::new())),
        ("\x7fELF\0\0", Unfit::Program),
        ("#!/bin/sh\r\necho\r\n", Unfit::WindowsLineEnd),
    ] {
        assert_eq!(
            inserted(file.as_bytes(), &call(), Order::Before),
            Err(unfit),
            "{file:?}"
        );
    }
}

#[test]
fn after_needs_an_end_to_run_after() {
    for line in [
        "exec make test",
        "  [ -t 1 ] && exec \"$0.real\" \"$@\"",
        "trap 'rm -f x' EXIT",
        "trap cleanup INT 0",
    ] {
        let file = format!("#!/bin/sh\n{line}\n");
        let refused = inserted(file.as_bytes(), &call(), Order::After).unwrap_err();
        assert!(matches!(refused, Unfit::NoEnd { line: 2, .. }), "{line}");
        assert!(inserted(file.as_bytes(), &call(), Order::Before).is_ok());
    }
    for line in [
        "exec 2>&1",
        "exec >log",
        "exec <&-",
        "exit 0",
        "# exec x",
        "trap '' INT",
        "executable=1",
    ] {
        assert!(inserted(line.as_bytes(), &call(), Order::After).is_ok(), "{line}");
    }
}

#[test]
fn torn_markers_are_not_guessed_at() {
    let file = String::from_utf8(created(&call())).unwrap();
    for torn in [
        file.replace(END, "# gone"),
        file.replace(BEGIN, "# gone"),
        file.repeat(2),
        format!("{BEGIN}\n{file}"),
    ] {
        assert_eq!(find(torn.as_bytes(), &call()), Err(Unfit::TornMarkers), "{torn}");
    }
}

#[test]
fn a_call_by_hand_is_recognised() {
    let by_hand = |text: &str| find(text.as_bytes(), &call()).unwrap() == Ours::ByHand;
    assert!(by_hand(
        "#!/usr/bin/env python3\nrun('git metis-sync hooks run pre-push')\n"
    ));
    assert!(by_hand(&call().standalone()));
    assert!(!by_hand("#!/bin/sh\n# git metis-sync hooks run pre-push\n"));
    assert!(!by_hand("git metis-sync hooks run post-merge\n"));
}

#[test]
fn a_call_by_hand_is_one_workspaces() {
    let line = b"git metis-sync -C plans/api hooks run pre-push\n";
    assert!(calls_us(line, &in_folder("plans/api")));
    assert!(!calls_us(line, &in_folder("plans/web")) && !calls_us(line, &call()));
    let by_cd = b"(cd plans/api && git metis-sync hooks run pre-push)";
    assert!(calls_us(by_cd, &in_folder("plans/api")));
    assert!(!calls_us(b"git metis-sync hooks run pre-push", &in_folder("plans/api")));
}

/// A shell reads each of them back as what it was, and none of them looks like an option.
#[test]
fn a_folder_is_one_word() {
    let folders: [&[u8]; 16] = [
        b"the team's plans",
        b"plain",
        b"-d",
        b"--help",
        b"$(touch x)",
        b"`x`\"y\"",
        b"a\nb",
        b"\n",
        b"end\n",
        b"\xff\xfe",
        "\u{202e}abc".as_bytes(),
        b"100%\n",
        b"{0} {push_files}",
        b"back\\slash\\n\\101\x01",
        b"# <<< git-metis-sync <<<\n",
        b"'",
    ];
    for folder in folders {
        let call = Call {
            folder: Some(std::ffi::OsStr::from_bytes(folder).into()),
            ..call()
        };
        let file = created(&call);
        assert_eq!(lines_of(&file).targets, [call.target()], "{call:?}");
        for shell in ["sh", "bash"] {
            let mut said = std::process::Command::new(shell);
            said.arg("-c")
                .arg(format!("printf %s{}", call.target().0.replacen(" -C", "", 1)));
            let said = said.output().unwrap().stdout;
            let said = said.strip_suffix(b"/.").unwrap_or(&said).to_vec();
            assert_eq!(said, [b"./", folder].concat(), "{:?}", call.target());
        }
    }
}

#[test]
fn several_workspaces_share_the_lines() {
    let (top, api, web) = (call(), in_folder("api"), in_folder("it's web"));
    for file in ["#!/bin/sh\nmake\n", "#!/bin/sh"] {
        for order in [Order::Before, Order::After] {
            let one = inserted(file.as_bytes(), &api, order).unwrap();
            let two = lines_of(&one).with(&web, order).unwrap();
            let three = lines_of(&two).with(&top, order).unwrap();
            assert_eq!(lines_of(&three).with(&api, order).unwrap(), three, "twice is once");
            for call in [&top, &api, &web] {
                assert!(lines_of(&three).has(call), "{call:?}");
            }
            assert!(!lines_of(&two).has(&top));
            assert_eq!(lines_of(&three).without(&top), Ok(Some(two.clone())));
            assert_eq!(lines_of(&two).without(&web), Ok(Some(one.clone())));
            assert_eq!(lines_of(&one).without(&api), Ok(Some(file.into())));
        }
    }
    let made = lines_of(&created(&api)).with(&web, Order::After).unwrap();
    assert_eq!(lines_of(&made).without(&web), Ok(Some(created(&api))));
    assert_eq!(lines_of(&created(&api)).without(&api), Ok(None));
}

/// Each had one workspace's call, the folder without `./`.
#[test]
fn lines_of_the_first_version_are_taken_over() {
    let file =
        |lines: &str| format!("#!/bin/sh\n{BEGIN} {INSERTED}\nif {IS_INSTALLED}; then\n{lines}fi\n{END}\nmake\n");
    let command = r"git metis-sync -C 'it'\''s web' hooks run pre-push";
    let before = file(&format!("    {command} -- \"$@\" </dev/null || exit\n"));
    let after = file(&format!(
        "    [ -z \"${{METIS_SYNC_PROBE:-}}\" ] || exec {command} -- \"$@\" </dev/null\n    \
         trap '[ \"$?\" != 0 ] || {} -- \"$@\" </dev/null || exit \"$?\"' EXIT\n",
        command.replace('\'', r"'\''")
    ));
    let web = in_folder("it's web");
    for (file, order) in [(before, Order::Before), (after, Order::After)] {
        let old = lines_of(file.as_bytes());
        assert_eq!((old.targets.as_slice(), old.order), (&[web.target()][..], order));
        let with = old.with(&in_folder("-d"), order).unwrap();
        assert_eq!(lines_of(&with).targets, [web.target(), in_folder("-d").target()]);
        assert_eq!(old.without(&web), Ok(Some(b"#!/bin/sh\nmake\n".to_vec())));
    }
}

#[test]
fn the_shipped_scripts_say_the_same() {
    for (event, shipped) in [
        (Event::PrePush, include_str!("../../../hooks/pre-push")),
        (Event::PostMerge, include_str!("../../../hooks/post-merge")),
        (Event::PostRewrite, include_str!("../../../hooks/post-rewrite")),
        (Event::PostCommit, include_str!("../../../hooks/post-commit")),
    ] {
        assert_eq!(Call { event, folder: None }.standalone(), shipped);
    }
}
