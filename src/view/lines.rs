//! Texts compared line by line, for no longer than a command has patience for. Texts are anybody's: two that were made to
//! have nothing in common could take minutes to compare to the last line, and central can have thousands of them.

use std::time::{Duration, Instant};

use similar::{DiffOp, TextDiff};

/// The most that is spent on two texts.
const FOR_TWO: Duration = Duration::from_secs(2);
/// The most that is spent by one command.
const FOR_ALL: Duration = Duration::from_secs(10);

/// What a command may still spend on comparing texts. When it is over, texts are compared roughly.
#[derive(Debug)]
pub struct Patience {
    left: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { left: FOR_ALL }
    }
}

impl Patience {
    /// Compares two texts by their lines. Those end where git ends them: a carriage return alone ends none.
    pub fn compare<'old, 'new>(&mut self, old: &'old str, new: &'new str) -> TextDiff<'old, 'new, str> {
        let old: Vec<&'old str> = old.split_inclusive('\n').collect();
        let new: Vec<&'new str> = new.split_inclusive('\n').collect();
        let begun = Instant::now();
        let mut compare = TextDiff::configure();
        compare.newline_terminated(true).timeout(self.left.min(FOR_TWO));
        let diff = compare.diff_slices(&old, &new);
        self.left = self.left.saturating_sub(begun.elapsed());
        diff
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.left.is_zero()
    }
}

/// Each line of the newest text, with the version it came in. `texts` has the newest first; one that is gone is empty.
pub fn attributed<'a>(texts: &'a [String], patience: &mut Patience) -> Vec<(usize, &'a str)> {
    let mut lines: Vec<(usize, &str)> = Vec::new();
    let mut before = "";
    for (version, text) in texts.iter().enumerate().rev() {
        let diff = patience.compare(before, text);
        let came: Vec<&str> = text.lines().collect();
        let mut now = Vec::with_capacity(came.len());
        for op in diff.ops() {
            match *op {
                DiffOp::Equal { old_index, len, .. } => now.extend_from_slice(&lines[old_index..old_index + len]),
                _ => now.extend(came[op.new_range()].iter().map(|line| (version, *line))),
            }
        }
        lines = now;
        before = text;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(texts: &[String]) -> Vec<(usize, &str)> {
        attributed(texts, &mut Patience::default())
    }

    #[test]
    fn each_line_has_the_version_that_it_came_in() {
        let texts = ["a\nB\nc\nd\n", "a\nb\nc\n", "", "a\nold\n"].map(String::from);
        assert_eq!(said(&texts), [(1, "a"), (0, "B"), (1, "c"), (0, "d")]);
        let texts = ["a\nb", "a\n"].map(String::from);
        assert_eq!(said(&texts), [(1, "a"), (0, "b")]);
        assert_eq!(said(&[]), []);
    }

    #[test]
    fn a_carriage_return_alone_ends_no_line() {
        let texts = ["a\rb\nc\r\n\rd", "a\rb\n"].map(String::from);
        assert_eq!(said(&texts), [(1, "a\rb"), (0, "c"), (0, "\rd")]);
    }

    /// Without a limit these take hours.
    #[test]
    fn what_would_take_for_ever_is_compared_roughly() {
        let text = |from: usize| -> String {
            (from..from + 200_000)
                .map(|n| format!("{}\n", n * n % 99_991))
                .collect()
        };
        let texts = [text(0), text(77_777), text(3_333)];
        let mut patience = Patience {
            left: Duration::from_millis(50),
        };
        let lines = attributed(&texts, &mut patience);
        assert!(patience.is_over());
        assert!(lines.iter().map(|(_, line)| *line).eq(texts[0].lines()));
    }
}
