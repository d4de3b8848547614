//! What a push is about to bring to the project's source branch, from what git writes to a `pre-push` hook's standard input: a
//! line `<local ref> <local id> <remote ref> <remote id>` for each ref.

use std::io::Read;

use crate::names::ObjectId;

/// A push of more refs than fit in here is one of a mirror.
const MAX_INPUT: u64 = 64 << 20;

/// All of what a hook gets, as text. git's ref names may be any bytes, but those that are not UTF-8 are no branch of ours.
pub fn read(input: impl Read) -> String {
    let mut bytes = Vec::new();
    // What could be read counts: a ref that is missing is not published, and the next hook makes up for it.
    let _ = input.take(MAX_INPUT).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The commit that the remote's ref of this name is going to be at; `None` if the push leaves it alone or deletes it.
pub fn commit(input: &str, name: &str) -> Option<ObjectId> {
    input.lines().find_map(|line| {
        // A local "ref" is whatever the user typed, as in `HEAD~2 `, but never with a line end.
        let mut words = line.rsplit(' ');
        let (_old, remote, new) = (words.next()?, words.next()?, words.next()?);
        let new: ObjectId = (remote == name).then(|| new.parse().ok())??;
        (!new.to_string().bytes().all(|digit| digit == b'0')).then_some(new)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_push_brings() {
        let (new, old, none) = ("1".repeat(40), "2".repeat(40), "0".repeat(40));
        let line = |local: &str, id: &str, remote: &str| format!("{local} {id} {remote} {old}\n");
        let main = line("refs/heads/main", &new, "refs/heads/main");
        let commit = |input: &str, branch: &str| commit(input, &format!("refs/heads/{branch}"));
        assert_eq!(commit(&main, "main"), new.parse().ok());
        assert_eq!(commit(&main, "mai"), None);
        assert_eq!(
            commit(&line("refs/heads/x y", &new, "refs/heads/main"), "main"),
            new.parse().ok()
        );
        let several = line("refs/heads/topic", &old, "refs/heads/topic") + &main;
        assert_eq!(commit(&several, "main"), new.parse().ok());
        assert_eq!(
            commit(&line("refs/heads/main", &new, "refs/heads/review"), "main"),
            None
        );
        assert_eq!(commit(&line("refs/tags/main", &new, "refs/tags/main"), "main"), None);
        assert_eq!(commit(&line("(delete)", &none, "refs/heads/main"), "main"), None);
        for odd in ["", "\n", "main", " refs/heads/main ", "a b refs/heads/main c", "\0"] {
            assert_eq!(commit(odd, "main"), None, "{odd:?}");
        }
        assert_eq!(read(&b"a \xff\n"[..]), "a \u{fffd}\n");
    }
}
