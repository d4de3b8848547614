//! The lines of shell in a hook file: what they say, how they get in, and out again byte for byte. All pure.
//!
//! Our lines always come right behind the `#!` line, also when the sync is to come after the user's own lines: those may
//! end in `exit 0`, as git's samples do, so that nothing behind them would ever run. For "after" ours set a trap for the
//! shell's exit.
//!
//! All workspaces of a repository share the lines: one call for each, and each call names its workspace's folder.

mod call;
mod fit;
#[cfg(test)]
mod tests;

use self::{
    call::{IS_INSTALLED, SHEBANG, command},
    fit::{check_end, insertion_point},
};
use super::Event;

pub use self::{
    call::{Call, Target, calls_us},
    fit::Unfit,
};

const BEGIN: &str = "# >>> git-metis-sync >>>";
const END: &str = "# <<< git-metis-sync <<<";
const INSERTED: &str = "`git metis-sync hooks uninstall` takes these lines out again";
const CREATED: &str = "`git metis-sync hooks uninstall` takes this file away again";
/// When the sync runs, seen from the user's own lines in the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Before them.
    #[default]
    Before,
    /// After them, if they succeed.
    After,
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
