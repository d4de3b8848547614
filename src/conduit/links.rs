//! Symbolic links that a conduit keeps: relative ones that lead nowhere out of its folder.

use super::rules::is_private;

/// No system follows longer ones.
pub const LONGEST: usize = 4_095;

/// Whether a link at `path` with this text may be kept: wherever the folder is, it leads to something in there. What is on its way may
/// be another such link, so the way up comes first or not at all.
pub fn stays_inside(path: &str, text: &str) -> bool {
    if text.is_empty() || text.len() > LONGEST || text.contains('\0') {
        return false;
    }
    let mut names = text.split('/').filter(|name| *name != ".").peekable();
    let mut up = 0;
    while names.next_if_eq(&"..").is_some() {
        up += 1;
    }
    up <= path.matches('/').count() && names.all(|name| !matches!(name, "" | "..") && !is_private(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_in_the_folder_is_kept() {
        for (path, text, stays) in [
            ("a", "b", true),
            ("a", "./b/c", true),
            ("d/a", "../b", true),
            ("d/e/a", "../../b", true),
            ("d/a", "..", true),
            ("a", "../b", false),
            ("d/a", "../../b", false),
            ("d/e/a", "./../../../b", false),
            ("a", "/etc/passwd", false),
            ("d/a", "b/../../../c", false),
            ("d/a", "b/../c", false),
            ("a", "b/", false),
            ("a", "b//c", false),
            ("a", "", false),
            ("a", "b\0c", false),
            ("a", ".git/config", false),
            ("a", ".GIT", false),
        ] {
            assert_eq!(stays_inside(path, text), stays, "{path} -> {text:?}");
        }
        assert!(!stays_inside("a", &"x".repeat(LONGEST + 1)));
    }
}
