//! What SECURITY.md says of dependencies, where `cargo deny` is not installed too.

use super::{root, text};

/// Another TLS, or a git in C.
const REFUSED: [&str; 4] = ["openssl-sys", "native-tls", "libgit2-sys", "aws-lc-sys"];

#[test]
fn each_one_is_pinned_and_comes_from_the_registry() {
    let lock: toml::Table = text(&root().join("Cargo.lock")).parse().expect("it is TOML");
    let packages = lock["package"].as_array().expect("a list");
    let value = |package: &toml::Value, key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let (others, ours): (Vec<_>, Vec<_>) = packages.iter().partition(|package| package.get("source").is_some());
    assert!(others.len() > 100, "{}", others.len());
    for package in others {
        let name = value(package, "name").expect("each has one");
        let source = value(package, "source");
        assert_eq!(
            source.as_deref(),
            Some("registry+https://github.com/rust-lang/crates.io-index"),
            "{name}"
        );
        assert_eq!(value(package, "checksum").map(|sum| sum.len()), Some(64), "{name}");
        assert!(!REFUSED.contains(&name.as_str()), "{name}");
    }
    let mut ours: Vec<String> = ours.iter().filter_map(|package| value(package, "name")).collect();
    ours.sort();
    assert_eq!(
        ours,
        ["manual", "metis-sync", "send-pack", "shared-records", "test-world"],
        "nothing is vendored"
    );
    let deny = text(&root().join("deny.toml"));
    for rule in ["unknown-registry = \"deny\"", "unknown-git = \"deny\""] {
        assert!(deny.contains(rule), "{rule}");
    }
    let script = text(&root().join("scripts/test"));
    assert!(script.contains("check bans licenses sources") && script.contains("check advisories"));
}
