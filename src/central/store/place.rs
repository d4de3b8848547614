//! Which folder of the user's cache directory is a central's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    super::{CentralError, ObjectFormat},
    in_use::InUse,
    private,
};

/// Gives the store of the central that the first of `keys` names the folder that belongs to it, where it has one that an earlier
/// version made: that named folders by a part of a hash that two centrals can be made to share, and at first by what is shown of
/// a location, which the second key is. All that a store holds is named by its content, so that nothing is wrong where another
/// central used it as well.
pub fn rename(cache: &Path, keys: [&str; 2], format: ObjectFormat) {
    let [name, former @ ..] = names(keys, format);
    let place = folder(cache, &name);
    for former in former.map(|name| folder(cache, &name)) {
        if !former.is_dir() {
            continue;
        }
        if !place.is_dir() {
            // What cannot be moved is fetched again.
            let _ = fs::rename(former, &place);
        } else if InUse::of(&former.join("objects").join("pack")).alone().is_some() {
            // An earlier version, used beside this one, made it again. All it has can be fetched.
            let _ = fs::remove_dir_all(former);
        }
    }
}

fn hash(kind: gix::hash::Kind, key: &str) -> String {
    gix::objs::compute_hash(kind, gix::objs::Kind::Blob, key.as_bytes())
        .expect("hashing a URL cannot fail")
        .to_hex()
        .to_string()
}

/// A name for the central that `key` names, whatever the hash of its objects.
pub(super) fn id(key: &str) -> String {
    hash(gix::hash::Kind::Sha256, key)
}

/// The names of the folder of one central, the one that counts first.
pub(super) fn names([key, shown]: [&str; 2], format: ObjectFormat) -> [String; 3] {
    let suffix = match format {
        ObjectFormat::Sha1 => "",
        ObjectFormat::Sha256 => "-sha256",
    };
    let short = |key: &str| format!("{}{suffix}", &hash(gix::hash::Kind::Sha1, key)[..16]);
    [format!("{}{suffix}", id(key)), short(key), short(shown)]
}

/// The folder of this name below the user's cache directory.
pub(super) fn folder(cache: &Path, name: &str) -> PathBuf {
    private::top(cache).join(name)
}

/// The folder of one central.
pub(super) fn place(cache: &Path, key: &str, format: ObjectFormat) -> PathBuf {
    let [name, ..] = names([key; 2], format);
    folder(cache, &name)
}

/// The user's cache directory: `$XDG_CACHE_HOME`, else `~/.cache`, also where only the system knows that home. No folder that
/// others have too does instead.
pub fn user_cache_dir() -> Result<PathBuf, CentralError> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    std::env::var_os("XDG_CACHE_HOME")
        .and_then(|path| absolute(path.into()))
        .or_else(|| Some(absolute(std::env::home_dir()?)?.join(".cache")))
        .ok_or(CentralError::NoHome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_gets_the_name_of_its_central_once() {
        let format = ObjectFormat::Sha1;
        let (alice, mallory, shown) = ("alice@h:r", "mallory@h:r", "h:r");
        let [name, short, shown_short] = names([alice, shown], format);
        assert_eq!((name.len(), short.len()), (64, 16));
        for former in [short, shown_short] {
            let cache = tempfile::tempdir().unwrap();
            let cache = cache.path();
            let former = folder(cache, &former);
            private::make_dirs(&former.join("objects/pack")).unwrap();
            fs::write(former.join("shallow"), "noted\n").unwrap();
            for _ in 0..2 {
                rename(cache, [alice, shown], format);
                let noted = fs::read(place(cache, alice, format).join("shallow")).unwrap();
                assert_eq!(noted, b"noted\n");
                assert!(!former.exists());
            }
            rename(cache, [mallory, shown], format);
            assert!(!place(cache, mallory, format).exists(), "it is taken");
            // An earlier version, used in turn with this one, leaves nothing behind for ever.
            private::make_dirs(&former.join("objects/pack")).unwrap();
            let other = InUse::of(&former.join("objects/pack"));
            rename(cache, [alice, shown], format);
            assert!(former.exists(), "somebody uses it");
            drop(other);
            rename(cache, [alice, shown], format);
            assert!(!former.exists());
        }
    }
}
