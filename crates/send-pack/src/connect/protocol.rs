//! `protocol.allow`, `protocol.<name>.allow`, `GIT_ALLOW_PROTOCOL`: the transports that the user lets git use.

use std::ffi::OsString;

use super::url::Scheme;

/// Which transports may be used; all of ours, unless something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protocols {
    /// Goes before everything else if it is set.
    listed: Option<Vec<String>>,
    /// The last value of `protocol.<name>.allow`, by name.
    named: Vec<(String, Policy)>,
    otherwise: Option<Policy>,
    /// Whether the location came from the user: a program sets `GIT_PROTOCOL_FROM_USER=0` where it did not.
    from_user: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Always,
    User,
    Never,
}

impl Default for Protocols {
    fn default() -> Self {
        Protocols {
            listed: None,
            named: Vec::new(),
            otherwise: None,
            from_user: true,
        }
    }
}

impl Protocols {
    pub(crate) fn read(config: &gix_config::File, env: &dyn Fn(&str) -> Option<OsString>) -> Protocols {
        let text = |name: &str| env(name).map(|value| value.to_string_lossy().into_owned());
        let mut protocols = Protocols {
            listed: text("GIT_ALLOW_PROTOCOL").map(|list| list.split(':').map(str::to_owned).collect()),
            from_user: text("GIT_PROTOCOL_FROM_USER").is_none_or(|value| !is_false(&value)),
            ..Protocols::default()
        };
        for section in config.sections_by_name("protocol").into_iter().flatten() {
            let Some(value) = section.body().value("allow") else {
                continue;
            };
            // What is misspelt forbids: whoever wrote it meant to restrict something.
            let policy = match value.to_ascii_lowercase().as_slice() {
                b"always" => Policy::Always,
                b"user" => Policy::User,
                _ => Policy::Never,
            };
            match section.header().subsection_name() {
                Some(name) => protocols.named.push((name.to_string(), policy)),
                None => protocols.otherwise = Some(policy),
            }
        }
        protocols
    }

    pub(crate) fn allow(&self, scheme: Scheme) -> bool {
        let name = scheme.as_str();
        if let Some(listed) = &self.listed {
            return listed.iter().any(|listed| listed == name);
        }
        let named = self.named.iter().rev().find(|(known, _)| known == name);
        let default = match scheme {
            Scheme::File => Policy::User,
            _ => Policy::Always,
        };
        match named.map(|(_, policy)| *policy).or(self.otherwise).unwrap_or(default) {
            Policy::Always => true,
            Policy::User => self.from_user,
            Policy::Never => false,
        }
    }
}

fn is_false(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(config: &str, env: &'static [(&'static str, &'static str)]) -> Vec<&'static str> {
        let lookup = |name: &str| {
            let found = env.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let protocols = Protocols::read(&config.parse().expect("valid"), &lookup);
        let all = [Scheme::File, Scheme::Git, Scheme::Ssh, Scheme::Http, Scheme::Https];
        let allowed = all.into_iter().filter(|scheme| protocols.allow(*scheme));
        allowed.map(Scheme::as_str).collect()
    }

    #[test]
    fn what_the_user_forbids_is_forbidden() {
        assert_eq!(allowed("", &[]), ["file", "git", "ssh", "http", "https"]);
        let never =
            "[protocol]\nallow = never\n[protocol \"https\"]\nallow = Always\n[protocol \"file\"]\nallow = user";
        assert_eq!(allowed(never, &[]), ["file", "https"]);
        assert_eq!(allowed(never, &[("GIT_PROTOCOL_FROM_USER", "0")]), ["https"]);
        assert_eq!(allowed(never, &[("GIT_ALLOW_PROTOCOL", "git:ssh")]), ["git", "ssh"]);
        assert_eq!(allowed("", &[("GIT_PROTOCOL_FROM_USER", "0")]).first(), Some(&"git"));
        assert_eq!(
            allowed("[protocol \"git\"]\nallow = nevr", &[]),
            ["file", "ssh", "http", "https"]
        );
    }
}
