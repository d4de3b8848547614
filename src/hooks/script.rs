//! The lines of shell in a hook file: what they say, how they get in, and out again byte for byte. All pure.
//!
//! Our lines always come right behind the `#!` line, also when the sync is to come after the user's own lines: those may
//! end in `exit 0`, as git's samples do, so that nothing behind them would ever run. For "after" ours set a trap for the
//! shell's exit.
//!
//! All workspaces of a repository share the lines: one call for each, and each call names its workspace's folder.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::Event;
use crate::plan::listing::is_hidden;

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
    pub folder: Option<PathBuf>,
}

impl Call {
    /// The command line, without the arguments that git gives to a hook.
    pub fn command(&self) -> String {
        command(self.event, &self.target())
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

    /// Which workspace is meant, as the lines say it.
    pub fn target(&self) -> Target {
        Target(match &self.folder {
            None => String::new(),
            // In front of a name that begins with `-`, which would pass for an option.
            Some(folder) => format!(" -C {}", word(Path::new(".").join(folder).as_os_str().as_bytes())),
        })
    }

    /// Whether a line that somebody wrote by hand calls for this workspace.
    fn is_called_by(&self, line: &str) -> bool {
        if !line.contains("metis-sync") || !line.contains(&format!("hooks run {}", self.event)) {
            return false;
        }
        let Some(folder) = &self.folder else {
            return !line.contains(" -C ");
        };
        // However often it was quoted on its way into somebody's configuration.
        let bare = |text: &str| text.replace(['\'', '"', '\\'], "");
        let line = bare(line);
        [bare(&self.target().0[" -C ".len()..]), bare(&folder.to_string_lossy())]
            .iter()
            .any(|name| has_word(&line, name))
    }
}

/// Whether `line` has `name` as a path of its own, not as a part of another one.
fn has_word(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        (before.ends_with(char::is_whitespace) || before.ends_with(" ./"))
            && after
                .chars()
                .next()
                .is_none_or(|c| c.is_whitespace() || "/;&|)".contains(c))
    })
}

/// Which workspace a line means, in the line's own words: nothing, or ` -C ` and a word for a shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(String);

impl Target {
    /// Taken from a line. The first version wrote the bare folder, which gets `./` in front.
    fn read(words: &str) -> Self {
        Target(match words.strip_prefix(" -C ") {
            Some(word) if word.starts_with(|c: char| c.is_ascii_alphanumeric() || "-_@%+=:,".contains(c)) => {
                format!(" -C ./{word}")
            }
            Some(word) if word.starts_with('\'') && !word.starts_with("'./") => format!(" -C './{}", &word[1..]),
            _ => words.to_owned(),
        })
    }
}

fn command(event: Event, target: &Target) -> String {
    format!("git metis-sync{} hooks run {event}", target.0)
}

/// Our lines, with a call for each of the workspaces.
///
/// The user's lines may read what git writes to a hook's standard input, so ours put it back. Every call is made, whatever came of
/// the one before: one workspace's trouble is not another one's.
fn block(event: Event, targets: &[Target], order: Order, note: &str) -> String {
    let mut lines = String::new();
    let mut put = |line: &str| {
        lines.push_str("    ");
        lines.push_str(line);
        lines.push('\n');
    };
    let reads = event.can_block();
    if reads {
        put("metis_sync_input=$([ -t 0 ] || cat)");
    }
    put("metis_sync() {");
    put("    metis_sync_failed=0");
    for target in targets {
        let command = command(event, target);
        put(&match reads {
            true => format!(
                "    printf '%s\\n' \"$metis_sync_input\" 2>/dev/null | {command} -- \"$@\" || metis_sync_failed=$?"
            ),
            false => format!("    {command} -- \"$@\" </dev/null || metis_sync_failed=$?"),
        });
    }
    put("    return \"$metis_sync_failed\"");
    put("}");
    match order {
        Order::Before => put("metis_sync \"$@\" || exit"),
        Order::After => {
            // Whether the hook fires can be tried without running the user's lines.
            put("[ -z \"${METIS_SYNC_PROBE:-}\" ] || { metis_sync \"$@\"; exit; }");
            put("trap '[ \"$?\" != 0 ] || metis_sync \"$@\" || exit \"$?\"' EXIT");
        }
    }
    if reads {
        lines.push_str(
            "    [ -z \"$metis_sync_input\" ] || exec <<METIS_SYNC_INPUT\n$metis_sync_input\nMETIS_SYNC_INPUT\n",
        );
    }
    format!("{BEGIN} {note}\nif {IS_INSTALLED}; then\n{lines}fi\n{END}\n")
}

/// What a hook file has to do with us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ours {
    /// Nothing.
    No,
    /// It calls us for the workspace in question, but not between our marker lines: somebody wrote that by hand.
    ByHand,
    /// Our lines are in it, of whichever workspaces.
    Lines(Lines),
}

/// Our lines in a hook file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// The file without them.
    pub rest: Vec<u8>,
    /// The file was made for them, so it goes with them if nothing else has been written to it since.
    pub created: bool,
    /// As the lines are.
    pub order: Order,
    /// The workspaces that they call for.
    pub targets: Vec<Target>,
}

impl Lines {
    /// Whether they call for the workspace of `call`.
    pub fn has(&self, call: &Call) -> bool {
        self.targets.contains(&call.target())
    }

    /// The other workspaces' targets.
    fn others(&self, call: &Call) -> Vec<Target> {
        let others = self.targets.iter().filter(|target| **target != call.target());
        others.cloned().collect()
    }

    /// The file with a call for `call`'s workspace too.
    pub fn with(&self, call: &Call, order: Order) -> Result<Vec<u8>, Unfit> {
        let mut targets = self.others(call);
        targets.push(call.target());
        targets.sort();
        self.rewritten(call.event, &targets, order)
    }

    /// The file without the call for `call`'s workspace; `None` if nothing of the file is left.
    pub fn without(&self, call: &Call) -> Result<Option<Vec<u8>>, Unfit> {
        match self.others(call).as_slice() {
            [] if self.created => Ok(None),
            [] => Ok(Some(self.rest.clone())),
            others => self.rewritten(call.event, others, self.order).map(Some),
        }
    }

    fn rewritten(&self, event: Event, targets: &[Target], order: Order) -> Result<Vec<u8>, Unfit> {
        match self.created {
            // Nothing of the user's in it, so there is neither before nor after.
            true => Ok(made(event, targets)),
            false => put_in(&self.rest, event, targets, order),
        }
    }
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
    made(call.event, &[call.target()])
}

fn made(event: Event, targets: &[Target]) -> Vec<u8> {
    format!("{SHEBANG}{}", block(event, targets, Order::Before, CREATED)).into_bytes()
}

/// `file`, which has no lines of ours, with them.
pub fn inserted(file: &[u8], call: &Call, order: Order) -> Result<Vec<u8>, Unfit> {
    put_in(file, call.event, &[call.target()], order)
}

fn put_in(file: &[u8], event: Event, targets: &[Target], order: Order) -> Result<Vec<u8>, Unfit> {
    let at = insertion_point(file)?;
    if order == Order::After {
        check_end(file)?;
    }
    let mut block = block(event, targets, order, INSERTED);
    if at > 0 && file[at - 1] != b'\n' {
        // The `#!` line is all there is and it has no end. It gets one, and ours goes without: so it can be told again.
        block.insert(0, '\n');
        block.pop();
    }
    Ok([&file[..at], block.as_bytes(), &file[at..]].concat())
}

/// What is ours in `file`, the hook file of `call`'s event.
pub fn find(file: &[u8], call: &Call) -> Result<Ours, Unfit> {
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
        return Ok(if calls_us(file, call) { Ours::ByHand } else { Ours::No });
    };
    let block = &file[start..end];
    let added_line_end = !block.ends_with(b"\n") && start > 0;
    let rest = [&file[..start - usize::from(added_line_end)], &file[end..]].concat();
    Ok(Ours::Lines(Lines {
        created: contains(block, CREATED) && rest == SHEBANG.as_bytes(),
        order: if contains(block, "trap ") {
            Order::After
        } else {
            Order::Before
        },
        targets: targets(block, call.event),
        rest,
    }))
}

/// The workspaces that our lines call for, in their own words.
fn targets(block: &[u8], event: Event) -> Vec<Target> {
    let text = String::from_utf8_lossy(block);
    let mut targets: Vec<Target> = text
        .lines()
        // The first version repeated its call there, quoted once more.
        .filter(|line| !line.trim_start().starts_with("trap "))
        .filter_map(|line| {
            let (_, call) = line.split_once("git metis-sync")?;
            let (target, _) = call.rsplit_once(&format!(" hooks run {event} "))?;
            Some(Target::read(target))
        })
        .collect();
    targets.sort();
    targets.dedup();
    targets
}

/// Whether `text`, a script or another program's configuration, makes `call`.
pub fn calls_us(text: &[u8], call: &Call) -> bool {
    String::from_utf8_lossy(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .any(|line| call.is_called_by(line))
}

/// One word for a POSIX shell, on one line and in plain characters whatever `path` consists of: a line end would tear the marker
/// lines apart, and lefthook takes what is in braces for its own.
fn word(path: &[u8]) -> String {
    match std::str::from_utf8(path) {
        Ok(text) if !text.chars().any(|c| is_hidden(c) || "{}".contains(c)) => crate::text::shell_word(text),
        _ => {
            let mut format = String::new();
            for byte in path {
                match byte {
                    b'%' => format.push_str("%%"),
                    b'/' | b'.' | b'-' | b'_' | b' ' => format.push(char::from(*byte)),
                    _ if byte.is_ascii_alphanumeric() => format.push(char::from(*byte)),
                    _ => format.push_str(&format!("\\{byte:03o}")),
                }
            }
            // The shell takes line ends off the end of what a command says.
            format!("\"$(printf '{format}/.')\"")
        }
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
            (Event::PrePush, include_str!("../../hooks/pre-push")),
            (Event::PostMerge, include_str!("../../hooks/post-merge")),
            (Event::PostRewrite, include_str!("../../hooks/post-rewrite")),
            (Event::PostCommit, include_str!("../../hooks/post-commit")),
        ] {
            assert_eq!(Call { event, folder: None }.standalone(), shipped);
        }
    }
}
