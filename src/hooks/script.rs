//! The lines of shell in a hook file: what they say, how they get in, and out again byte for byte. All pure.
//!
//! Our lines always come right behind the `#!` line, also when the sync is to come after the user's own lines: those may
//! end in `exit 0`, as git's samples do, so that nothing behind them would ever run. For "after" ours set a trap for the
//! shell's exit.

use super::Event;

const BEGIN: &str = "# >>> git-metis-sync >>>";
const END: &str = "# <<< git-metis-sync <<<";
const INSERTED: &str = "`git metis-sync hooks uninstall` takes these lines out again";
const CREATED: &str = "`git metis-sync hooks uninstall` takes this file away again";
const SHEBANG: &str = "#!/bin/sh\n";

/// Succeeds if git can find the program: by its name (PATH, in which git puts its own folder first) or by an alias. Asking
/// `git metis-sync` itself would have git complain, or guess what else may have been meant.
const IS_INSTALLED: &str = "{ command -v git-metis-sync || git config --get alias.metis-sync; } >/dev/null";

/// When the sync runs, seen from the user's own lines in the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Before them.
    #[default]
    Before,
    /// After them, if they succeed.
    After,
}

/// What a hook file of ours does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// On what.
    pub event: Event,
    /// The workspace's folder relative to where git runs the hook; `None` if that is the workspace.
    pub folder: Option<String>,
}

impl Call {
    /// The command line, without the arguments that git gives to a hook.
    pub fn command(&self) -> String {
        let folder = match &self.folder {
            Some(folder) => format!(" -C {}", quoted(folder)),
            None => String::new(),
        };
        format!("git metis-sync{folder} hooks run {}", self.event)
    }

    /// The same where the program may be missing, which is then no failure. Arguments may follow.
    pub fn careful(&self) -> String {
        format!("! {IS_INSTALLED} || {} --", self.command())
    }

    /// A line for other people's scripts.
    pub fn careful_line(&self) -> String {
        format!("{} \"$@\" </dev/null", self.careful())
    }

    /// The script that is shipped in `hooks/`, for those who put hooks in place by other means.
    pub fn standalone(&self) -> String {
        format!(
            "{SHEBANG}# git-metis-sync: docs/hooks.md\n{IS_INSTALLED} || exit 0\nexec {} -- \"$@\"\n",
            self.command()
        )
    }

    fn block(&self, order: Order, note: &str) -> String {
        // The user's lines may read what git writes to a hook's standard input, so ours must leave it alone.
        let command = self.command();
        let lines = match order {
            Order::Before => format!("    {command} -- \"$@\" </dev/null || exit\n"),
            // Whether the hook fires can be tried without running the user's lines.
            Order::After => format!(
                "    [ -z \"${{METIS_SYNC_PROBE:-}}\" ] || exec {command} -- \"$@\" </dev/null\n    \
                 trap '[ \"$?\" != 0 ] || {} </dev/null || exit \"$?\"' EXIT\n",
                command.replace('\'', r"'\''")
            ),
        };
        format!("{BEGIN} {note}\nif {IS_INSTALLED}; then\n{lines}fi\n{END}\n")
    }
}

/// What a hook file has to do with us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ours {
    /// Nothing.
    No,
    /// It calls us, but not between our marker lines: somebody wrote that by hand.
    ByHand,
    /// Our lines are in it.
    Lines {
        /// The file without them.
        rest: Vec<u8>,
        /// The file was made for them, so it goes with them if nothing else has been written to it since.
        created: bool,
        /// As the lines are.
        order: Order,
    },
}

/// Why a hook file cannot take our lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Unfit {
    #[error("it is no shell script but one for {0}")]
    OtherLanguage(String),
    #[error("it is a compiled program")]
    Program,
    #[error("its first line has a Windows line end, with which no system can run it")]
    WindowsLineEnd,
    #[error(
        "line {line} takes its end away from us (`{text}`), so nothing can run after it; without --after it can run before"
    )]
    NoEnd { line: usize, text: String },
    #[error("the marker lines of git-metis-sync in it are incomplete: take what is between them out by hand")]
    TornMarkers,
}

/// A new file with nothing but our lines in it.
pub fn created(call: &Call) -> Vec<u8> {
    format!("{SHEBANG}{}", call.block(Order::Before, CREATED)).into_bytes()
}

/// `file`, which has no lines of ours, with them.
pub fn inserted(file: &[u8], call: &Call, order: Order) -> Result<Vec<u8>, Unfit> {
    let at = insertion_point(file)?;
    if order == Order::After {
        check_end(file)?;
    }
    let mut block = call.block(order, INSERTED);
    if at > 0 && file[at - 1] != b'\n' {
        // The `#!` line is all there is and it has no end. It gets one, and ours goes without: so it can be told again.
        block.insert(0, '\n');
        block.pop();
    }
    Ok([&file[..at], block.as_bytes(), &file[at..]].concat())
}

/// What is ours in `file`, the hook file of `event`.
pub fn find(file: &[u8], event: Event) -> Result<Ours, Unfit> {
    let mut begin = None;
    let mut found = None;
    for (start, end) in lines(file) {
        let line = &file[start..end];
        if line.starts_with(BEGIN.as_bytes()) {
            if begin.is_some() || found.is_some() {
                return Err(Unfit::TornMarkers);
            }
            begin = Some(start);
        } else if line.starts_with(END.as_bytes()) {
            found = Some((begin.take().ok_or(Unfit::TornMarkers)?, end));
        }
    }
    if begin.is_some() {
        return Err(Unfit::TornMarkers);
    }
    let Some((start, end)) = found else {
        return Ok(if calls_us(file, event) { Ours::ByHand } else { Ours::No });
    };
    let block = &file[start..end];
    let added_line_end = !block.ends_with(b"\n") && start > 0;
    let rest = [&file[..start - usize::from(added_line_end)], &file[end..]].concat();
    Ok(Ours::Lines {
        created: contains(block, CREATED) && rest == SHEBANG.as_bytes(),
        order: if contains(block, "trap ") {
            Order::After
        } else {
            Order::Before
        },
        rest,
    })
}

/// Whether `text`, a script or another program's configuration, calls us on `event`.
pub fn calls_us(text: &[u8], event: Event) -> bool {
    String::from_utf8_lossy(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .any(|line| line.contains("metis-sync") && line.contains(&format!("hooks run {event}")))
}

/// One word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@%+=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Behind the `#!` line of a shell script. Without such a line git has `sh` run it.
fn insertion_point(file: &[u8]) -> Result<usize, Unfit> {
    if !file.starts_with(b"#!") {
        return match file.iter().take(8000).any(|byte| *byte == 0) {
            true => Err(Unfit::Program),
            false => Ok(0),
        };
    }
    let end = lines(file).next().map_or(file.len(), |(_, end)| end);
    let line = String::from_utf8_lossy(&file[2..end]);
    let line = line.trim_end_matches('\n');
    if line.ends_with('\r') {
        return Err(Unfit::WindowsLineEnd);
    }
    let mut words = line
        .split_whitespace()
        .map(|word| word.rsplit('/').next().unwrap_or(word));
    let mut name = words.next().unwrap_or_default();
    if name == "env" || name == "busybox" {
        name = words
            .find(|word| !word.starts_with('-') && !word.contains('='))
            .unwrap_or_default();
    }
    match name {
        "sh" | "bash" | "dash" | "ash" | "ksh" | "ksh93" | "mksh" | "zsh" | "yash" => Ok(end),
        other => Err(Unfit::OtherLanguage(
            other.chars().filter(|c| !c.is_control()).take(40).collect(),
        )),
    }
}

/// A trap for the exit is lost when the script sets one of its own or becomes another program.
fn check_end(file: &[u8]) -> Result<(), Unfit> {
    let text = String::from_utf8_lossy(file);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let mut words = line
            .split(|c: char| c.is_whitespace() || ";|&(){}'\"".contains(c))
            .filter(|word| !word.is_empty())
            .peekable();
        while let Some(word) = words.next() {
            let only_redirects = |next: &&str| next.starts_with(|c: char| "<>".contains(c) || c.is_ascii_digit());
            let takes_the_end = match word {
                "exec" => words.peek().is_some_and(|next| !only_redirects(next)),
                "trap" => words.clone().any(|word| matches!(word, "EXIT" | "0")),
                _ => false,
            };
            if takes_the_end {
                return Err(Unfit::NoEnd {
                    line: number + 1,
                    text: line.chars().filter(|c| !c.is_control()).take(60).collect(),
                });
            }
        }
    }
    Ok(())
}

/// Where each line begins and ends, its line end included.
fn lines(file: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    file.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        let begin = start;
        start += line.len();
        (begin, start)
    })
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        Call {
            event: Event::PrePush,
            folder: None,
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
                let expected = Ours::Lines {
                    rest: file.as_bytes().to_vec(),
                    created: false,
                    order,
                };
                assert_eq!(find(&with, Event::PrePush).unwrap(), expected, "{file:?}");
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
        let created = |file: &[u8]| match find(file, Event::PrePush).unwrap() {
            Ours::Lines { created, rest, .. } => (created, String::from_utf8(rest).unwrap()),
            other => panic!("{other:?}"),
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
            assert_eq!(find(torn.as_bytes(), Event::PrePush), Err(Unfit::TornMarkers), "{torn}");
        }
    }

    #[test]
    fn a_call_by_hand_is_recognised() {
        let by_hand = |text: &str| find(text.as_bytes(), Event::PrePush).unwrap() == Ours::ByHand;
        assert!(by_hand(
            "#!/usr/bin/env python3\nrun('git metis-sync hooks run pre-push')\n"
        ));
        assert!(by_hand(&call().standalone()));
        assert!(!by_hand("#!/bin/sh\n# git metis-sync hooks run pre-push\n"));
        assert!(!by_hand("git metis-sync hooks run post-merge\n"));
    }

    #[test]
    fn a_folder_is_one_word() {
        let call = Call {
            folder: Some("the team's plans".into()),
            ..call()
        };
        assert_eq!(
            call.command(),
            r"git metis-sync -C 'the team'\''s plans' hooks run pre-push"
        );
    }

    #[test]
    fn the_shipped_scripts_say_the_same() {
        for (event, shipped) in [
            (Event::PrePush, include_str!("../../hooks/pre-push")),
            (Event::PostMerge, include_str!("../../hooks/post-merge")),
            (Event::PostRewrite, include_str!("../../hooks/post-rewrite")),
            (Event::PostCommit, include_str!("../../hooks/post-commit")),
        ] {
            assert_eq!(Call { event, folder: None }.standalone(), shipped);
        }
    }
}
