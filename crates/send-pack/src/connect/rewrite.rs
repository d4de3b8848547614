//! `url.<base>.insteadOf` and `url.<base>.pushInsteadOf`.

use bstr::{BStr, BString, ByteSlice};

/// What is to be done at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Objects are to be sent there.
    Push,
    /// Objects are to be got from there.
    Fetch,
}

/// `url` as git would use it: the longest matching prefix is replaced by its base.
///
/// For a push `pushInsteadOf` decides if any of its prefixes match, and `insteadOf` is not applied on top of it, as in
/// git. The result has not been checked: give it to [`RemoteUrl::parse()`](super::RemoteUrl::parse).
pub fn rewrite(url: impl AsRef<[u8]>, config: &gix_config::File, direction: Direction) -> BString {
    let url = url.as_ref().as_bstr();
    let pushed = match direction {
        Direction::Push => replaced(url, config, "pushInsteadOf"),
        Direction::Fetch => None,
    };
    pushed
        .or_else(|| replaced(url, config, "insteadOf"))
        .unwrap_or_else(|| url.to_owned())
}

fn replaced(url: &BStr, config: &gix_config::File, key: &str) -> Option<BString> {
    let mut best: Option<(usize, BString)> = None;
    for section in config.sections_by_name("url")? {
        let Some(base) = section.header().subsection_name() else {
            continue;
        };
        for prefix in section.body().values(key) {
            let longer = best.as_ref().is_none_or(|(length, _)| prefix.len() > *length);
            if longer && url.starts_with(&prefix) {
                let rewritten = [base.as_bytes(), &url[prefix.len()..]].concat();
                best = Some((prefix.len(), rewritten.into()));
            }
        }
    }
    best.map(|(_, url)| url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_a_push_prefers_its_own() {
        let config: gix_config::File = r#"
            [url "https://long.org/"]
                insteadOf = gh:team/
            [url "https://short.org/"]
                insteadOf = gh:
                insteadOf = other:
            [url "ssh://git@push.org/"]
                pushInsteadOf = gh:
        "#
        .parse()
        .expect("valid");
        let fetch = |url| rewrite(url, &config, Direction::Fetch).to_string();
        let push = |url| rewrite(url, &config, Direction::Push).to_string();
        assert_eq!(fetch("gh:team/r"), "https://long.org/r");
        assert_eq!(fetch("gh:x"), "https://short.org/x");
        assert_eq!(push("gh:team/r"), "ssh://git@push.org/team/r");
        assert_eq!(push("other:r"), "https://short.org/r");
        assert_eq!(fetch("/plain"), "/plain");
    }
}
