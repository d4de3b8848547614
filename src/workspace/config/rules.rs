//! The rules for values of config.toml.

/// The longest that a deadline may be: a day. Every number has an upper bound, so that no sum of them overflows.
pub const MAX_SECONDS: u64 = 24 * 60 * 60;
/// The most retries that may be asked for.
pub const MAX_RETRIES: u32 = 1000;
/// The most files or folders that a limit may allow.
pub(super) const MAX_COUNT: u64 = 10_000_000;
pub(super) const COUNT_RULE: &str = "a whole number from 1 to 10000000";

pub(super) const URL_RULE: &str =
    "a git URL or path: not empty, not beginning with '-', without spaces at its ends or control characters";
pub(super) const BRANCH_RULE: &str = "a git branch name without refs/heads/, such as \"main\"";

pub(super) fn is_project_prefix(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
}

pub(super) fn is_label(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 64 && !text.contains(char::is_control)
}

pub(super) fn is_plain_url(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 4096
        && text.trim() == text
        && !text.starts_with('-')
        && !text.contains(char::is_control)
}

/// A branch as the command line names it.
pub fn branch_name(text: &str) -> Result<String, String> {
    match is_branch_name(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("it must be {BRANCH_RULE}")),
    }
}

/// git's rules for a branch name (`git check-ref-format --branch`), and a little stricter.
pub(super) fn is_branch_name(text: &str) -> bool {
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    !text.is_empty()
        && text.len() <= 200
        && !text.starts_with('-')
        && !text.starts_with("refs/")
        && text != "@"
        && text != "HEAD"
        && !text.contains("..")
        && !text.contains("@{")
        && !text.contains(forbidden)
        && !text.ends_with('.')
        && text
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}
