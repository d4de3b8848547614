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
