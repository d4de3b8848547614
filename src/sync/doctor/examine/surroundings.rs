//! What a sync needs around it: programs, a configuration, central.

use std::io;

use crate::{
    plan::listing::printable,
    send_pack::connect::{self, FailureKind, Scheme},
    stage::{Context, own::OwnError},
    sync::{
        SyncErrorKind,
        doctor::Finding,
        preview::{CentralView, Preview},
        stop,
    },
    workspace,
};

pub(super) fn programs(ctx: &Context<'_>) -> Vec<Finding> {
    let scheme = ctx.upstream.scheme();
    let git = connect::git().arg("--version").answer();
    let git = match git {
        Ok(output) if output.status.success() => Finding::ok(
            "git",
            printable(String::from_utf8_lossy(&output.stdout).trim().as_bytes()),
        ),
        _ if scheme == Scheme::File => {
            Finding::problem("git", "git is not found, and a central at a local path is served by it")
                .advise("Install git, or put it in PATH.")
        }
        _ => Finding::note("git", "git is not found; only its credential helpers would be needed"),
    };
    let mut out = vec![git];
    if scheme == Scheme::Ssh {
        out.push(match connect::ask("ssh").arg("-V").answer() {
            Ok(_) => Finding::ok("ssh", "ssh is found"),
            Err(_) if std::env::var_os("GIT_SSH_COMMAND").is_some() || std::env::var_os("GIT_SSH").is_some() => {
                Finding::ok("ssh", "another program is set up for ssh")
            }
            Err(err) if err.kind() == io::ErrorKind::TimedOut => Finding::problem("ssh", err.to_string())
                .advise("See what the ssh in PATH is, and what it waits for: `command -v ssh`, `ssh -V`."),
            Err(_) => Finding::problem("ssh", "ssh is not found").advise("Install an ssh client, or put it in PATH."),
        });
    }
    out
}

pub(super) fn config(preview: &Preview<'_>) -> Vec<Finding> {
    let mut out = vec![Finding::ok(
        "config",
        format!("config.toml is readable; central is {}", preview.ctx.upstream_shown),
    )];
    let unknown = preview.ctx.config.unknown_keys.iter();
    out.extend(unknown.map(|key| Finding::note("config", key.to_string())));
    for stop in &preview.stops {
        match stop {
            SyncErrorKind::NoPrefix => out.push(
                Finding::problem("prefix", stop.to_string())
                    .advise("Choose one with `git metis-sync init --prefix NAME`."),
            ),
            SyncErrorKind::UpstreamChanged { .. } => out.push(
                Finding::problem("upstream", stop.to_string()).advise(
                    "If the change is meant, confirm it with `git metis-sync init --upstream URL`; if it came with a pull, ask who made it.",
                ),
            ),
            SyncErrorKind::PrefixChanged { remembered, configured } => out.push(
                Finding::problem("prefix", stop.to_string()).advise(format!(
                    "Put `prefix = \"{remembered}\"` back under [workspace] in config.toml, or `git metis-sync workspace rename \
                     {remembered} {configured}`."
                )),
            ),
            SyncErrorKind::StateTracked { .. } => out.push(
                Finding::problem("state", stop.to_string())
                    .advise("Take them out: `git rm -r -f .metis/.sync`, then commit."),
            ),
            _ => {}
        }
    }
    if let Some(prefix) = &preview.ctx.owned {
        out.push(match workspace::is_reserved(prefix) {
            false => Finding::ok("prefix", format!("this workspace owns {prefix}/")),
            true => Finding::problem(
                "prefix",
                format!(
                    "this workspace owns {prefix}/, where the Metis tools keep own documents: no other one can copy it"
                ),
            )
            .advise("Choose another with `git metis-sync init --prefix NAME`."),
        });
    }
    out
}

pub(super) fn central(preview: &Preview<'_>) -> Vec<Finding> {
    let ctx = &preview.ctx;
    let http = matches!(ctx.upstream.scheme(), Scheme::Http | Scheme::Https);
    let helper = ctx.project.has_credential_helper();
    let mut out = Vec::new();
    match &preview.central {
        CentralView::NotAsked => out.push(Finding::note("central", "central was not asked")),
        CentralView::Seen { branch, head } => {
            let what = match head {
                Some(_) => "answers",
                None => "answers; it is empty so far",
            };
            out.push(Finding::ok("central", format!("central {what} (branch {})", branch)));
        }
        CentralView::Failed(err) => {
            let refused = matches!(err, crate::central::CentralError::Connect(err)
                if err.kind == FailureKind::Unauthenticated);
            out.push(
                Finding::problem("central", format!("central cannot be used: {err}")).advise(
                    if refused && http && !helper {
                        "Set up a credential helper for git (`git config --global credential.helper …`)."
                    } else if refused {
                        "Check SSH keys or the credential helper."
                    } else {
                        "Check the address in config.toml and the network."
                    },
                ),
            );
        }
    }
    for stop in &preview.stops {
        let advice = match stop {
            SyncErrorKind::Rewound { .. } => {
                "Find out who rewrote central. To go on with its new history, sync with --adopt-central."
            }
            SyncErrorKind::BranchGone { .. } | SyncErrorKind::NoBranch { .. } => {
                "Set [sync] branch in config.toml to the one to sync with, and confirm it with `git metis-sync trust sync.branch`."
            }
            _ => continue,
        };
        out.push(Finding::problem("central", stop.to_string()).advise(advice));
    }
    if http {
        out.push(if helper {
            Finding::ok("credentials", "git has a credential helper")
        } else {
            Finding::note(
                "credentials",
                "git has no credential helper; fine as long as central needs no password",
            )
        });
    }
    out
}

/// What would stop a sync, beside what the other checks tell of.
pub(super) fn stopped(preview: &Preview<'_>) -> Vec<Finding> {
    let find = |stop: &SyncErrorKind| {
        let hint = stop::explain(stop, &preview.ctx.upstream_shown);
        let find = match stop {
            SyncErrorKind::NoPrefix
            | SyncErrorKind::UpstreamChanged { .. }
            | SyncErrorKind::PrefixChanged { .. }
            | SyncErrorKind::StateTracked { .. }
            | SyncErrorKind::Locked { .. } => return None,
            SyncErrorKind::Diverged { .. } | SyncErrorKind::Own(OwnError::Unfinished(_)) => Finding::note,
            _ => Finding::problem,
        };
        Some(find("sync", hint.message).advise(hint.next))
    };
    preview.stops.iter().filter_map(find).collect()
}
