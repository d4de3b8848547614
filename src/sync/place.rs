//! Where central is: which location config.toml means, and whether that is one to talk to.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

use super::error::SyncErrorKind;
use crate::{
    project::{Project, came_with_a_commit, territory::Territory},
    send_pack::connect::{self, Direction, RemoteUrl, Scheme},
    state::cursor::Cursor,
    workspace::METIS_DIR,
};

/// The URLs to connect to.
pub struct Locations {
    /// Where to fetch from.
    pub fetch: RemoteUrl,
    /// Where to push to.
    pub push: RemoteUrl,
}

/// Where `url` leads: as configured, after `url.*.insteadOf` or `pushInsteadOf`, and checked once more after that. A path must
/// not lead into the project, whose `.metis/` is, or will be, in `folder`.
pub fn locations(url: &str, project: &Project, folder: &Path) -> Result<Locations, SyncErrorKind> {
    let rewritten = |direction| -> Result<RemoteUrl, SyncErrorKind> {
        let url = connect::rewrite(url, project.config(), direction);
        Ok(RemoteUrl::parse(url).map_err(connect::ConnectError::from)?)
    };
    let (fetch, push) = (rewritten(Direction::Fetch)?, rewritten(Direction::Push)?);
    let differs = fetch != push;
    let (base, mut own) = (base(project, folder), None);
    for url in [Some(&fetch), Some(&push).filter(|_| differs)].into_iter().flatten() {
        if url.scheme() != Scheme::File {
            continue;
        }
        let path = url.local_path(&base);
        // Relative to the base still: how one gets there from it is not up to a checkout.
        let path = path.as_deref().map(|path| path.strip_prefix(&base).unwrap_or(path));
        let own = own.get_or_insert_with(|| territories(folder));
        let whose = match path {
            Some(path) if !own.iter().any(|own| own.has(path, &base)) => match came_with_a_commit(&base.join(path)) {
                true => "another checkout",
                false => continue,
            },
            _ => "this project",
        };
        return Err(SyncErrorKind::UpstreamInside {
            url: url.to_string().into(),
            whose,
        });
    }
    Ok(Locations { fetch, push })
}

/// From where a relative path counts: the top of the project's repository, without one from the folder of `.metis/`.
fn base(project: &Project, folder: &Path) -> PathBuf {
    project.dir().unwrap_or_else(|| folder.to_owned())
}

/// Of the project that `.metis/` is in, and of the one that it leads into if it is a link.
fn territories(folder: &Path) -> Vec<Territory> {
    let metis = folder.join(METIS_DIR);
    let is_link = metis.symlink_metadata().is_ok_and(|found| found.is_symlink());
    let real = is_link.then(|| metis.canonicalize().ok()).flatten();
    let elsewhere = real.as_deref().and_then(Path::parent);
    [Some(folder), elsewhere]
        .into_iter()
        .flatten()
        .map(Territory::of)
        .collect()
}

/// All of a configured location but its secrets: two that differ in it are two centrals.
///
/// The user of ssh counts, as each may have a home of their own there. That of http does not: it is where tokens are put,
/// and a path is the same repository for everybody. A relative path is joined to where it counts from, so that the same text
/// in two projects is not taken for the same place.
pub fn identity(configured: &RemoteUrl, project: &Project, folder: &Path) -> String {
    identity_from(configured, &base(project, folder))
}

fn identity_from(configured: &RemoteUrl, base: &Path) -> String {
    let relative = Path::new(OsStr::from_bytes(configured.path()));
    let is_local = configured.scheme() == Scheme::File && relative.is_relative();
    let is_relative = is_local && !configured.path().starts_with(b"~");
    if !is_relative {
        return text(configured.to_bstring().to_vec());
    }
    let mut at = base.canonicalize().unwrap_or_else(|_| base.to_owned());
    let mut parts = relative.components().peekable();
    // Up from a real folder is what it reads; up from anywhere else depends on where links lead.
    while parts
        .next_if(|part| matches!(part, Component::ParentDir | Component::CurDir))
        .is_some_and(|part| {
            if part == Component::ParentDir {
                at.pop();
            }
            true
        })
    {}
    let at = at.join(parts.collect::<PathBuf>());
    text(at.into_os_string().into_encoded_bytes())
}

/// The central that this clone is bound to, as `noted` in its guard, if that is another one than the `id` and `shown` name.
///
/// Before there were guards, only what may be shown was remembered, in the cursor. That is the same for two users of one ssh
/// server, and such a clone cannot know which one it was; stopping it for that would stop every clone there is. Its first
/// sync notes the identity, and from then on it counts. A cursor that came with a pull is none: see
/// [`cursor::load()`](crate::state::cursor::load).
pub fn bound_elsewhere<'a>(
    noted: Option<&'a str>,
    cursor: Option<&'a Cursor>,
    [id, shown]: [&str; 2],
) -> Option<&'a str> {
    match (noted, cursor) {
        (Some(noted), _) => Some(noted).filter(|noted| *noted != id),
        (None, Some(cursor)) => Some(cursor.upstream.as_str()).filter(|remembered| *remembered != shown),
        (None, None) => None,
    }
}

/// Text that differs where the bytes do.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|err| err.as_bytes().escape_ascii().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::ObjectFormat;

    fn id(url: &str, base: &str) -> String {
        identity_from(&RemoteUrl::parse(url).expect("valid"), Path::new(base))
    }

    #[test]
    fn everything_but_the_secret_counts() {
        let long = format!("https://h/{}", "a".repeat(2000));
        for (one, other) in [
            ("alice@h:central.git", "mallory@h:central.git"),
            ("alice@h:central.git", "h:central.git"),
            ("ssh://alice@h/r", "ssh://alice@h:23/r"),
            ("https://h/r", "http://h/r"),
            (&format!("{long}/a"), &format!("{long}/b")),
        ] {
            assert_ne!(id(one, "/"), id(other, "/"));
        }
        for (one, other) in [
            ("https://token@h/r", "https://h/r"),
            ("https://u:one@h/r", "https://u:two@h/r"),
            ("ssh://git:one@h/r", "ssh://git:two@h/r"),
        ] {
            let (one, other) = (id(one, "/"), id(other, "/"));
            assert!(one == other && !one.contains("one"), "{one} {other}");
        }
    }

    #[test]
    fn a_relative_path_counts_from_where_it_is_relative_to() {
        let temp = tempfile::tempdir().expect("a temp folder");
        let root = temp.path().canonicalize().expect("just made");
        for name in ["a/p", "b/p"] {
            std::fs::create_dir_all(root.join(name)).expect("writable");
        }
        let from = |project: &str, url: &str| id(url, root.join(project).to_str().expect("UTF-8"));
        let in_a = root.join("a/central.git").display().to_string();
        assert_eq!(from("a/p", "../central.git"), in_a);
        assert_eq!(from("a/p", "./.././central.git"), in_a);
        assert_ne!(from("b/p", "../central.git"), in_a);
        assert_eq!(from("a/p", "x/../y"), root.join("a/p/x/../y").display().to_string());
        assert_eq!(from("a/p", "/srv/c"), "/srv/c");
    }

    #[test]
    fn what_is_noted_in_full_has_to_be_the_same_in_full() {
        let cursor = |shown: &str| Cursor::new(shown.into(), "main".into(), ObjectFormat::Sha1);
        let (same, other) = (cursor("h:r"), cursor("h:other"));
        for (noted, cursor, elsewhere) in [
            (None, None, None),
            (Some("mallory@h:r"), Some(&same), None),
            (Some("mallory@h:r"), None, None),
            (Some("alice@h:r"), Some(&same), Some("alice@h:r")),
            (Some("h:r"), Some(&same), Some("h:r")),
            (None, Some(&same), None),
            (None, Some(&other), Some("h:other")),
        ] {
            assert_eq!(bound_elsewhere(noted, cursor, ["mallory@h:r", "h:r"]), elsewhere);
        }
    }
}
