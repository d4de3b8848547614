//! What a config.toml that came with a pull may set. Most keys count at once. Those of [`KEYS`] lead pushes elsewhere, make
//! git wait, or let central take more of this machine than it may by default: a new value of one counts once this clone's
//! user confirmed it. (The central and the owned folder, which need the same word, are what a clone is bound to.)

use std::{collections::BTreeMap, fmt};

use super::{Config, LimitSettings, SyncSettings};
use crate::text::Untrusted;

/// The longest that a hook may make git wait unasked, in seconds.
const HOOK_SECONDS: u64 = 60;
/// The first of [`KEYS`]: as it has a value always, what was confirmed says of it whether anything ever was.
const BRANCH: &str = "sync.branch";

/// A key that needs this clone's word.
pub struct Key {
    /// `section.key`
    pub name: &'static str,
    /// Whether a sync stops at an unconfirmed value. Else it goes on with the confirmed one, or the default.
    pub stops: bool,
    /// The value as text, if it is one that needs the word.
    asked: fn(&SyncSettings) -> Option<String>,
    /// Puts a confirmed value, or the default, in its place.
    put: fn(&mut SyncSettings, Option<&str>),
}

/// A switch that needs the word to be on.
macro_rules! switch {
    ($name:literal, $($field:ident).+) => {
        Key {
            name: $name,
            stops: false,
            asked: |settings| settings.$($field).+.then(|| "true".to_owned()),
            put: |settings, word| settings.$($field).+ = word.is_some(),
        }
    };
}

/// A number that needs the word to be more than `$most`.
macro_rules! number {
    ($name:literal, $($field:ident).+, $most:expr) => {
        Key {
            name: $name,
            stops: false,
            asked: |settings| settings.$($field).+.filter(|value| *value > $most).map(|value| value.to_string()),
            put: |settings, word| settings.$($field).+ = word.and_then(|word| word.parse().ok()),
        }
    };
}

/// All keys that need this clone's word.
pub const KEYS: [Key; 9] = [
    Key {
        name: BRANCH,
        stops: true,
        asked: |settings| Some(settings.branch.clone().unwrap_or_default().raw().to_owned()),
        put: |settings, word| settings.branch = word.filter(|word| !word.is_empty()).map(Into::into),
    },
    switch!("sync.publish_ignored", publish_ignored),
    switch!("sync.hooks.blocking", hooks.blocking),
    number!("sync.hooks.deadline_seconds", hooks.deadline_seconds, HOOK_SECONDS),
    switch!("sync.hooks.notify", hooks.notify),
    number!("sync.limits.blob_bytes", limits.blob_bytes, LimitSettings::BLOB_BYTES),
    number!("sync.limits.entries", limits.entries, LimitSettings::ENTRIES),
    number!("sync.limits.workspaces", limits.workspaces, LimitSettings::WORKSPACES),
    number!(
        "sync.limits.total_bytes",
        limits.total_bytes,
        LimitSettings::TOTAL_BYTES
    ),
];

/// Values by `section.key`, as this clone's user confirmed them.
pub type Confirmed = BTreeMap<String, String>;

/// A value of config.toml that does not count yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfirmed {
    /// `section.key`
    pub key: &'static str,
    /// What counts in its place; `None`: the default.
    pub was: Option<Untrusted>,
    /// What config.toml says; `None`: nothing any more.
    pub is: Option<Untrusted>,
    /// Whether a sync stops.
    pub stops: bool,
}

impl fmt::Display for Unconfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: &Option<Untrusted>| value.as_ref().map_or("its default".to_owned(), Untrusted::to_string);
        write!(
            f,
            "config.toml sets {} to {}, which was not confirmed for this clone",
            self.key,
            word(&self.is)
        )?;
        match self.stops {
            true => write!(f, "; so far it was {}", word(&self.was)),
            false => write!(f, ": {} counts", word(&self.was)),
        }
    }
}

/// The values of `config` that need this clone's word, to be confirmed all at once.
pub fn to_confirm(config: &Config) -> Confirmed {
    let values = config.sync.iter().flat_map(|settings| {
        let value = |key: &Key| Some((key.name.to_owned(), (key.asked)(settings)?));
        KEYS.iter().filter_map(value)
    });
    values.collect()
}

/// Whether anything was ever confirmed. Before that, what config.toml says is taken.
pub fn has_begun(confirmed: &Confirmed) -> bool {
    confirmed.contains_key(BRANCH)
}

/// Puts what counts into `config` where it says something else that is not `confirmed`, and returns that. What this clone's
/// own file says needs no word.
pub fn hold_back(config: &mut Config, confirmed: &Confirmed) -> Vec<Unconfirmed> {
    let mut out = Vec::new();
    let Some(settings) = config.sync.as_mut().filter(|_| has_begun(confirmed)) else {
        return out;
    };
    let foreign = KEYS.iter().filter(|key| !config.local_keys.contains(key.name));
    for key in foreign {
        let Some(asked) = (key.asked)(settings) else { continue };
        let counts = confirmed.get(key.name);
        if counts == Some(&asked) {
            continue;
        }
        let shown = |value: &String| Some(value.into()).filter(|_| !value.is_empty());
        out.push(Unconfirmed {
            key: key.name,
            was: counts.and_then(shown),
            is: shown(&asked),
            stops: key.stops,
        });
        if !key.stops {
            (key.put)(settings, counts.map(String::as_str));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(keys: &str) -> Config {
        Config::parse(format!("sync.upstream_url = 'x'\n{keys}").as_bytes()).unwrap()
    }

    /// For each key: a value that counts at once and one that does not.
    const VALUES: [(&str, Option<&str>, &str); 9] = [
        ("sync.branch", None, "'other'"),
        ("sync.publish_ignored", Some("false"), "true"),
        ("sync.hooks.blocking", Some("false"), "true"),
        ("sync.hooks.deadline_seconds", Some("60"), "61"),
        ("sync.hooks.notify", Some("false"), "true"),
        ("sync.limits.blob_bytes", Some("1"), "16777217"),
        ("sync.limits.entries", Some("1"), "1000001"),
        ("sync.limits.workspaces", Some("1"), "5001"),
        ("sync.limits.total_bytes", Some("1"), "8589934593"),
    ];

    #[test]
    fn each_key_counts_once_it_is_confirmed() {
        assert_eq!(VALUES.map(|(key, ..)| key), KEYS.map(|key| key.name));
        let begun = to_confirm(&config(""));
        for (key, harmless, asking) in VALUES {
            if let Some(value) = harmless {
                let text = format!("{key} = {value}");
                let mut harmless = config(&text);
                assert_eq!(hold_back(&mut harmless, &begun), [], "{text}");
                assert_eq!(harmless, config(&text));
            }
            let pulled = config(&format!("{key} = {asking}"));
            let mut held = pulled.clone();
            let unconfirmed = hold_back(&mut held, &begun);
            assert_eq!(unconfirmed.len(), 1, "{key}");
            assert_eq!((unconfirmed[0].key, &unconfirmed[0].was), (key, &None));
            assert_eq!(
                unconfirmed[0].is.as_ref().map(Untrusted::raw),
                Some(asking.trim_matches('\''))
            );
            match unconfirmed[0].stops {
                true => assert_eq!(held, pulled),
                false => assert_eq!(to_confirm(&held), begun, "the default counts for {key}"),
            }
            let mut confirmed = pulled.clone();
            assert_eq!(hold_back(&mut confirmed, &to_confirm(&pulled)), []);
            assert_eq!(confirmed, pulled);
        }
    }

    #[test]
    fn another_value_than_the_confirmed_one_leaves_that() {
        let confirmed = to_confirm(&config("sync.limits.workspaces = 6000\nsync.branch = 'plans'"));
        let mut pulled = config("sync.limits.workspaces = 7000");
        let unconfirmed = hold_back(&mut pulled, &confirmed);
        let told: Vec<_> = unconfirmed
            .iter()
            .map(|u| {
                (
                    u.key,
                    u.was.as_ref().map(Untrusted::raw),
                    u.is.as_ref().map(Untrusted::raw),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("sync.branch", Some("plans"), None),
                ("sync.limits.workspaces", Some("6000"), Some("7000"))
            ]
        );
        assert_eq!(pulled.sync.unwrap().limits.workspaces, Some(6000));
    }

    #[test]
    fn nothing_is_held_back_before_the_first_sync_or_where_this_clone_said_it_itself() {
        let shared = b"sync.upstream_url = 'x'\n";
        let local = b"sync.hooks.blocking = true\nsync.branch = 'mine'";
        let mut own = Config::layered(shared, local).unwrap();
        assert_eq!(hold_back(&mut own, &to_confirm(&config(""))), []);
        assert!(own.sync.unwrap().hooks.blocking);
        let mut new = config("sync.hooks.blocking = true");
        assert_eq!(hold_back(&mut new, &Confirmed::new()), []);
        assert!(new.sync.unwrap().hooks.blocking);
    }
}
