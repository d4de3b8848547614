//! What a listing of refs says: the branch that is central's, the others, and those beside it.

use gix::bstr::{BString, ByteSlice};
use gix::protocol::handshake::Ref;

use crate::{
    central::{device_log, from_gix},
    names::ObjectId,
    text::UntrustedName,
};

/// The branch that a central without branches, whose `HEAD` cannot be learnt, gets.
const DEFAULT_BRANCH: &str = "main";
pub(super) const BRANCHES: &str = "refs/heads/";
/// Branches that are the shared side of a conduit, and never have the documents: a host that takes the first branch that is pushed
/// for `HEAD` may have taken one of them.
pub const CONDUITS: &str = "conduits/";
/// What their full names begin with.
pub const CONDUIT_REFS: &str = "refs/heads/conduits/";

/// The refs that tell what there is to know of `branch`, or of the one that central's `HEAD` names, and those beside it.
pub(super) fn asked_for(branch: Option<&str>, prefixes: &[String]) -> Vec<BString> {
    let mut asked: Vec<BString> = match branch {
        Some(branch) => vec![format!("{BRANCHES}{branch}").into()],
        None => vec!["HEAD".into(), format!("{BRANCHES}{DEFAULT_BRANCH}").into()],
    };
    asked.extend(prefixes.iter().map(|prefix| prefix.as_str().into()));
    asked
}

/// The refs whose names begin with one of `prefixes`. A name that is not UTF-8 is none of ours.
pub(in crate::central) fn beginning_with(refs: &[Ref], prefixes: &[String]) -> Vec<(UntrustedName, ObjectId)> {
    let named = refs.iter().filter_map(|r| {
        let (name, target, _) = r.unpack();
        let name = name.to_str().ok()?;
        let is_asked_for = prefixes.iter().any(|prefix| name.starts_with(prefix));
        is_asked_for.then_some((name.into(), from_gix(target?)))
    });
    named.collect()
}

/// Whether a branch is none of those that never have the documents.
fn may_have_documents(branch: &str) -> bool {
    !branch.starts_with(CONDUITS) && !branch.starts_with(device_log::BRANCHES)
}

/// All branches by name, the one that `HEAD` names first. A name that is not UTF-8 cannot be configured.
pub(super) fn branches(refs: &[Ref]) -> Vec<(UntrustedName, ObjectId)> {
    let named = default_branch(refs);
    let mut branches: Vec<(UntrustedName, ObjectId)> = refs
        .iter()
        .filter_map(|r| {
            let (name, target, _) = r.unpack();
            let name = name.to_str().ok()?.strip_prefix(BRANCHES)?;
            may_have_documents(name).then_some((name.into(), from_gix(target?)))
        })
        .collect();
    branches.sort_by_key(|(name, _)| (name.raw() != named.as_str(), name.clone()));
    branches
}

/// What `HEAD` points to, be it unborn or not. A `HEAD` that names a branch nobody created gives way to an existing
/// default branch: that is where everybody else is.
pub(super) fn default_branch(refs: &[Ref]) -> String {
    let head = refs.iter().find_map(|r| match r {
        Ref::Symbolic {
            full_ref_name, target, ..
        } if full_ref_name == "HEAD" => Some((target, true)),
        Ref::Unborn { full_ref_name, target } if full_ref_name == "HEAD" => Some((target, false)),
        _ => None,
    });
    let default_exists = value_of(refs, &format!("refs/heads/{DEFAULT_BRANCH}")).is_some();
    match head {
        Some((target, exists)) if exists || !default_exists => std::str::from_utf8(target)
            .ok()
            .and_then(|name| name.strip_prefix(BRANCHES))
            .filter(|name| may_have_documents(name))
            .unwrap_or(DEFAULT_BRANCH)
            .to_owned(),
        _ => DEFAULT_BRANCH.to_owned(),
    }
}

pub(super) fn value_of(refs: &[Ref], name: &str) -> Option<ObjectId> {
    refs.iter().find_map(|r| match r {
        Ref::Direct { full_ref_name, object }
        | Ref::Peeled {
            full_ref_name, object, ..
        }
        | Ref::Symbolic {
            full_ref_name, object, ..
        } if full_ref_name == name => Some(from_gix(object)),
        // A server need not list the branch that `HEAD` stands for when only `HEAD` matches the asked-for prefix.
        Ref::Symbolic {
            full_ref_name,
            target,
            object,
            ..
        } if full_ref_name == "HEAD" && target == name => Some(from_gix(object)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(name: &str) -> Ref {
        Ref::Direct {
            full_ref_name: name.into(),
            object: gix::ObjectId::Sha1([1; 20]),
        }
    }

    fn head(target: &str, exists: bool) -> Ref {
        if exists {
            Ref::Symbolic {
                full_ref_name: "HEAD".into(),
                target: target.into(),
                tag: None,
                object: gix::ObjectId::Sha1([2; 20]),
            }
        } else {
            Ref::Unborn {
                full_ref_name: "HEAD".into(),
                target: target.into(),
            }
        }
    }

    #[test]
    fn the_branch_is_centrals_head_else_main() {
        for (refs, branch) in [
            (vec![], "main"),
            (vec![head("refs/heads/trunk", true)], "trunk"),
            (vec![head("refs/heads/trunk", false)], "trunk"),
            (
                vec![head("refs/heads/master", false), direct("refs/heads/main")],
                "main",
            ),
            (vec![head("refs/heads/trunk", true), direct("refs/heads/main")], "trunk"),
            (vec![direct("HEAD"), direct("refs/heads/main")], "main"),
            (vec![head("refs/elsewhere", true)], "main"),
            (vec![head("refs/heads/conduits/skills", true)], "main"),
            (vec![head("refs/heads/metis/log/aaaaaaaaaaaaaaaa", true)], "main"),
        ] {
            assert_eq!(default_branch(&refs), branch, "{refs:?}");
        }
    }

    #[test]
    fn branches_are_listed_by_name_after_the_one_that_head_names() {
        let refs = [
            head("refs/heads/trunk", true),
            direct("refs/heads/a"),
            direct("refs/heads/conduits/skills"),
            direct("refs/tags/t"),
            direct("refs/heads/trunk"),
        ];
        let names: Vec<UntrustedName> = branches(&refs).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["trunk", "a"]);
    }

    #[test]
    fn refs_beside_the_branch_are_those_that_were_asked_for() {
        let refs = [
            direct("refs/heads/main"),
            direct("refs/log/a"),
            direct("refs/logs"),
            direct("refs/log/b"),
        ];
        let prefixes = ["refs/log/".to_owned(), "refs/claim/".to_owned()];
        let names: Vec<UntrustedName> = beginning_with(&refs, &prefixes)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["refs/log/a", "refs/log/b"]);
        assert!(beginning_with(&refs, &[]).is_empty());
    }

    #[test]
    fn the_head_is_found_through_the_symbolic_ref_as_well() {
        assert!(value_of(&[head("refs/heads/trunk", true)], "refs/heads/trunk").is_some());
        assert!(value_of(&[head("refs/heads/trunk", false)], "refs/heads/trunk").is_none());
        assert!(value_of(&[direct("refs/heads/main2")], "refs/heads/main").is_none());
    }
}
