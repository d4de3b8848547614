use std::time::{Duration, UNIX_EPOCH};

use super::*;

fn stat(mtime_ns: i64) -> Stat {
    Stat::of_a_file(mtime_ns, mtime_ns)
}

fn id(byte: u8) -> ObjectId {
    ObjectId::from_bytes(&[byte; 20]).unwrap()
}

fn cache(files: usize) -> StatCache {
    let mut cache = StatCache::begun_at(UNIX_EPOCH + Duration::from_secs(100));
    for i in 0..files {
        let code = (i % 3 > 0).then(|| format!("API-T-{i:04}").parse().unwrap());
        let entry = CacheEntry::new(&stat(-5 + i as i64), id(i as u8), code);
        cache.insert(format!("odd \\ na\nme/ünï-{i}.md"), entry);
    }
    cache
}

#[test]
fn what_is_saved_is_loaded() {
    for files in [0, 1, 300] {
        let cache = cache(files);
        assert_eq!(StatCache::from_bytes(&cache.to_bytes()), cache);
    }
}

#[test]
fn a_damaged_cache_is_an_empty_one() {
    let bytes = cache(3).to_bytes();
    for end in 0..bytes.len() {
        assert!(StatCache::from_bytes(&bytes[..end]).is_empty(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let loaded = StatCache::from_bytes(&bytes);
        assert!(
            loaded.is_empty() || loaded.entries == cache(3).entries,
            "changed at {at}"
        );
    }
    assert!(StatCache::from_bytes(b"{\"version\": 9}").is_empty());
}

#[test]
fn only_what_is_surely_unchanged_is_answered_for() {
    let second = 1_000_000_000;
    let mut cache = StatCache::begun_at(UNIX_EPOCH + Duration::from_secs(100));
    for (path, mtime) in [("old", 97 * second), ("racy", 99 * second), ("future", 200 * second)] {
        cache.insert(path.into(), CacheEntry::new(&stat(mtime), id(1), None));
    }
    cache.insert("known".into(), CacheEntry::reminder("A-T-0001".parse().unwrap(), id(1)));

    assert!(cache.unchanged("old", &stat(97 * second), 20).is_some());
    assert!(
        cache.unchanged("old", &stat(97 * second), 32).is_none(),
        "another object format"
    );
    assert!(cache.unchanged("old", &stat(97 * second + 1), 20).is_none());
    let smaller = Stat {
        len: 4,
        ..stat(97 * second)
    };
    assert!(cache.unchanged("old", &smaller, 20).is_none());
    let replaced = Stat {
        inode: 8,
        ..stat(97 * second)
    };
    assert!(cache.unchanged("old", &replaced, 20).is_none());
    assert!(cache.unchanged("racy", &stat(99 * second), 20).is_none());
    assert!(cache.unchanged("future", &stat(200 * second), 20).is_none());
    assert!(cache.unchanged("known", &stat(i64::MAX), 20).is_none());

    let mut later = StatCache::begun_at(UNIX_EPOCH + Duration::from_secs(150));
    later.entries = cache.entries.clone();
    assert!(later.same_entries(&cache));
    assert_eq!(later.settled_since(&cache), 1, "the racy one");
}
