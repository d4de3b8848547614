//! The well-known sentences of ssh, of git's servers and of the hosts in front of them.

use super::failure::FailureKind;

/// Each with a part of the sentence in lower case; the first that is found decides.
const SENTENCES: &[(&str, FailureKind)] = &[
    ("host key verification failed", FailureKind::Unauthenticated),
    ("permission denied (", FailureKind::Unauthenticated),
    ("permission denied, please try again", FailureKind::Unauthenticated),
    ("too many authentication failures", FailureKind::Unauthenticated),
    ("no supported authentication method", FailureKind::Unauthenticated),
    ("passphrase", FailureKind::Unauthenticated),
    // Azure DevOps.
    ("public key authentication failed", FailureKind::Unauthenticated),
    ("could not resolve hostname", FailureKind::Unreachable),
    ("connection refused", FailureKind::Unreachable),
    ("timed out", FailureKind::TimedOut),
    ("no route to host", FailureKind::Unreachable),
    ("network is unreachable", FailureKind::Unreachable),
    ("kex_exchange_identification", FailureKind::Unreachable),
    ("connection closed by", FailureKind::Unreachable),
    ("connection reset by", FailureKind::Unreachable),
    ("does not appear to be a git repository", FailureKind::NoRepository),
    ("not a git repository", FailureKind::NoRepository),
    ("invalid gitfile format", FailureKind::NoRepository),
    ("repository not found", FailureKind::NoRepository),
    ("repository not exported", FailureKind::NoRepository),
    ("no such repository", FailureKind::NoRepository),
    ("could not be found", FailureKind::NoRepository),
    ("cannot find repository", FailureKind::NoRepository),
    ("repository does not exist", FailureKind::NoRepository),
    (
        "repository either does not exist or you do not have access",
        FailureKind::NoRepository,
    ),
    ("project not found", FailureKind::NoRepository),
    // Azure DevOps: "… does not exist or you do not have permissions for the operation you are attempting."
    ("tf401019", FailureKind::NoRepository),
    ("dubious ownership", FailureKind::Forbidden),
    // GitHub, Gitea and Forgejo, Bitbucket, GitLab.
    ("archived", FailureKind::Forbidden),
    ("read-only", FailureKind::Forbidden),
    ("read only", FailureKind::Forbidden),
    ("write access", FailureKind::Forbidden),
    ("account is disabled", FailureKind::Forbidden),
    ("repository is disabled", FailureKind::Forbidden),
    ("has been disabled", FailureKind::Forbidden),
    ("account is suspended", FailureKind::Forbidden),
    ("account has been suspended", FailureKind::Forbidden),
    ("has been blocked", FailureKind::Forbidden),
    ("has been deactivated", FailureKind::Forbidden),
    ("saml sso", FailureKind::Forbidden),
    ("ip allow list", FailureKind::Forbidden),
    ("you are not permitted", FailureKind::Forbidden),
    ("project state does not permit", FailureKind::Forbidden),
    ("you need the git '", FailureKind::Forbidden),
    ("do not have permission", FailureKind::Forbidden),
    ("don't have permission", FailureKind::Forbidden),
    ("do not have sufficient permission", FailureKind::Forbidden),
    ("can't push", FailureKind::Forbidden),
    ("cannot push", FailureKind::Forbidden),
    ("push to create is not enabled", FailureKind::Forbidden),
    ("service not enabled", FailureKind::Forbidden),
    ("access denied", FailureKind::Forbidden),
    ("permission denied", FailureKind::Forbidden),
    ("denied to", FailureKind::Forbidden),
    ("denied by", FailureKind::Forbidden),
    ("not authorized", FailureKind::Forbidden),
    ("not allowed", FailureKind::Forbidden),
];

/// Words that a host says alone. In a longer line they may be a banner's, which warns everybody.
const ALONE: &[&str] = &["unauthorized", "forbidden"];

/// The kind that `said` tells of, and the line that does.
pub(crate) fn kind_of(said: &str) -> Option<(FailureKind, &str)> {
    let is_alone = |line: &&str| ALONE.contains(&line.trim().trim_end_matches('.').to_ascii_lowercase().as_str());
    let alone = || Some((FailureKind::Forbidden, said.lines().find(is_alone)?));
    let known = SENTENCES.iter().find_map(|(sentence, kind)| {
        let line = said.lines().find(|line| line.to_ascii_lowercase().contains(sentence))?;
        Some((*kind, line))
    });
    known.or_else(alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &[(&str, FailureKind)] = &[
        (
            "git@github.com: Permission denied (publickey).",
            FailureKind::Unauthenticated,
        ),
        (
            "No ED25519 host key is known for h.\nHost key verification failed.",
            FailureKind::Unauthenticated,
        ),
        (
            "ssh: Could not resolve hostname x: Name or service not known",
            FailureKind::Unreachable,
        ),
        (
            "ssh: connect to host h port 1: Connection refused",
            FailureKind::Unreachable,
        ),
        (
            "ssh: connect to host h port 1: Connection timed out",
            FailureKind::TimedOut,
        ),
        (
            "fatal: '/r' does not appear to be a git repository",
            FailureKind::NoRepository,
        ),
        ("ERROR: Repository not found.\nfatal: x", FailureKind::NoRepository),
        (
            "access denied or repository not exported: /r",
            FailureKind::NoRepository,
        ),
        ("ERROR: Permission to a/b.git denied to c.", FailureKind::Forbidden),
        (
            "ERROR: This repository was archived so it is read-only.",
            FailureKind::Forbidden,
        ),
        (
            "ERROR: The key you are authenticating with has been marked as read only.",
            FailureKind::Forbidden,
        ),
        (
            "ERROR: The 'o' organization has enabled or enforced SAML SSO.",
            FailureKind::Forbidden,
        ),
        (
            "remote: ERROR: You can't push code to an archived project.",
            FailureKind::Forbidden,
        ),
        (
            "remote: ERROR: This deploy key does not have write access to this project.",
            FailureKind::Forbidden,
        ),
        (
            "remote: ERROR: The project you were looking for could not be found or you don't have permission to view it.",
            FailureKind::NoRepository,
        ),
        ("Forgejo: Mirror Repository o/r is read-only", FailureKind::Forbidden),
        (
            "Gitea: User: 1:ann with Key: 2:k is not authorized to write to o/r.",
            FailureKind::Forbidden,
        ),
        ("Gitea: Cannot find repository: o/r", FailureKind::NoRepository),
        (
            "repository access denied. access via a deployment key is read-only.",
            FailureKind::Forbidden,
        ),
        ("conq: repository does not exist.", FailureKind::NoRepository),
        (
            "remote: TF401027: You need the Git 'GenericContribute' permission to perform this action.",
            FailureKind::Forbidden,
        ),
        (
            "remote: TF401019: The Git repository with name or identifier r does not exist or you do not have \
             permissions for the operation you are attempting.",
            FailureKind::NoRepository,
        ),
        (
            "remote: Public key authentication failed.",
            FailureKind::Unauthenticated,
        ),
        (
            "fatal: prohibited by Gerrit: project state does not permit write",
            FailureKind::Forbidden,
        ),
        ("FATAL: W any r u DENIED by fallthru", FailureKind::Forbidden),
        (
            "fatal: detected dubious ownership in repository at '/r'",
            FailureKind::Forbidden,
        ),
    ];

    #[test]
    fn what_servers_say_is_understood() {
        for (said, kind) in SAID {
            assert_eq!(kind_of(said).map(|(kind, _)| kind), Some(*kind), "{said}");
        }
        assert_eq!(
            kind_of("Unauthorized").map(|(kind, _)| kind),
            Some(FailureKind::Forbidden)
        );
        for banner in [
            "fatal: something new",
            "Unauthorized access is forbidden. Use of this system is not permitted without consent.",
            "X11 forwarding is disabled.",
        ] {
            assert_eq!(kind_of(banner), None, "{banner}");
        }
    }
}
