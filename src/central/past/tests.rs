use super::*;

fn id(n: u8) -> ObjectId {
    format!("{n:02x}").repeat(20).parse().unwrap()
}

fn step(n: u8, prefix: &str, blob: Option<u8>) -> Step {
    Step {
        commit: id(n),
        time: Timestamp::from_second(i64::from(n) * 100).unwrap(),
        prefix: prefix.parse().unwrap(),
        blob: blob.map(id),
    }
}

#[test]
fn what_each_commit_did() {
    let steps = [
        step(9, "api", Some(2)),
        step(8, "api", None),
        step(7, "api", Some(3)),
        step(6, "api", Some(3)),
        step(5, "old", Some(3)),
        step(4, "old", Some(1)),
        step(3, "old", Some(1)),
    ];
    use Change::*;
    let all = [(0, Added), (1, Removed), (3, Moved), (4, Changed)];
    assert_eq!(changes(&steps, true), [&all[..], &[(6, Added)]].concat());
    assert_eq!(changes(&steps, false), [&all[..], &[(6, Earlier)]].concat());
    assert_eq!(changes(&[step(1, "api", None)], true), []);
}

#[test]
fn a_moment_and_a_commit() {
    let past = Past {
        steps: vec![step(9, "api", Some(2)), step(8, "api", None)],
        versions: vec![Version {
            commit: id(8),
            time: Timestamp::UNIX_EPOCH,
            author: UntrustedName::default(),
            change: Change::Removed,
            workspace: "api".parse().unwrap(),
            blob: None,
            project_commit: Some(id(0xaa)),
        }],
        ..Past::default()
    };
    let at = |seconds| {
        past.at(Timestamp::from_second(seconds).unwrap())
            .map(|step| step.commit)
    };
    assert_eq!((at(899), at(900), at(799)), (Some(id(8)), Some(id(9)), None));
    let commit = |digits| past.at_commit(digits).map(|step| step.commit);
    assert_eq!(
        (commit("0909"), commit("aaaa"), commit("bb")),
        (Some(id(9)), Some(id(8)), None)
    );
}
