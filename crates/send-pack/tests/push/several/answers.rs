//! Each ref has its own outcome, whatever the answer leaves out.

use std::{io::Write, net::Shutdown};

use gix_hash::{Kind, ObjectId};

use super::{LOG, MAIN, Writer, first, said, two, update, value};
use crate::push::{
    client::{Draft, applied, push},
    interop::empty,
    scripted::{self, FLUSH, OFFERS, Scripted, pkt, report},
};
use crate::support::{
    servers::{Access, Nginx, Sshd},
    workspace::Remote,
};

/// A scripted `git://` server that lists `refs`, takes a push and says `answer`, and lists `later` from then on.
pub(super) fn several(
    refs: &[(&str, ObjectId)],
    offers: &'static str,
    answer: Vec<u8>,
    later: &[(&str, ObjectId)],
) -> Scripted {
    let owned = |refs: &[(&str, ObjectId)]| -> Vec<(String, ObjectId)> {
        refs.iter().map(|(name, id)| ((*name).to_owned(), *id)).collect()
    };
    let (refs, later) = (owned(refs), owned(later));
    Scripted::start(move |number, mut stream| {
        scripted::greeting(&mut stream);
        let shown = if number == 0 { &refs } else { &later };
        let mut list = Vec::new();
        for (place, (name, id)) in shown.iter().enumerate() {
            let offers = if place == 0 {
                format!("\0{offers}")
            } else {
                String::new()
            };
            list.extend(pkt(format!("{id} {name}{offers}\n")));
        }
        if shown.is_empty() {
            list = pkt(format!("{} capabilities^{{}}\0{offers}\n", "0".repeat(40)));
        }
        list.extend(FLUSH);
        let _ = stream.write_all(&list);
        if scripted::command(&mut stream).is_some() {
            let _ = stream.write_all(&answer);
        }
        let _ = stream.shutdown(Shutdown::Both);
    })
}

/// Each ref is looked up by itself, and the answer that there is for one is believed.
#[test]
fn a_report_that_speaks_of_one_ref_only_leaves_the_other_to_the_listing() {
    let (main, log) = (first("a.md"), first("log.jsonl"));
    let rival = first("r.md");
    let partly = [
        ("ok refs/heads/main", "applied"),
        ("ng refs/heads/main hook declined", "refused: Hook"),
    ];
    for (line, answered) in partly {
        for (later, looked_up) in [(Some(log.id), "applied"), (Some(rival.id), "moved"), (None, "unknown")] {
            let later: Vec<_> = later.iter().map(|id| (LOG, *id)).collect();
            let server = several(&[], OFFERS, report(&["unpack ok", line]), &later);
            let drafts = [&main, &log];
            let nobody = Remote {
                url: server.url("git"),
                env: Vec::new(),
            };
            let outcomes = Writer::new(&nobody, &drafts).push(&two(&main, &log));
            assert_eq!(said(&outcomes), [answered, looked_up], "{line}");
        }
    }
}

/// Dies between the refs: one is there, of the other nothing is known.
#[test]
fn an_answer_that_is_lost_is_looked_up_for_each_ref() {
    let (main, log) = (first("a.md"), first("log.jsonl"));
    let whole = report(&["unpack ok", "ok refs/heads/main", "ok refs/log/a"]);
    for answer in [Vec::new(), whole[..whole.len() / 2].to_vec()] {
        let server = several(&[], OFFERS, answer, &[(MAIN, main.id)]);
        let drafts = [&main, &log];
        let nobody = Remote {
            url: server.url("git"),
            env: Vec::new(),
        };
        let outcomes = Writer::new(&nobody, &drafts).push(&two(&main, &log));
        assert_eq!(said(&outcomes), ["applied", "unknown"]);
    }
}

/// The same with a real server, whose exit code says that it goes no further.
#[test]
fn a_git_that_dies_between_two_refs_has_applied_one_and_refused_the_other() {
    let (world, repository) = empty("sha1");
    let (main, log) = (first("a.md"), first("log.jsonl"));
    let dies = "[ \"$1\" = prepared ] || exit 0; ! grep -q refs/log/";
    repository.hook("reference-transaction", dies);
    let drafts = [&main, &log];
    let sshd = Sshd::start(&world);
    for remote in [Some(world.local()), sshd.as_ref().map(Sshd::remote)]
        .into_iter()
        .flatten()
    {
        let outcomes = Writer::new(&remote, &drafts).push(&two(&main, &log));
        assert_eq!(said(&outcomes), ["applied", "refused: GaveUp"], "{}", remote.url);
        assert_eq!(
            (value(&repository, MAIN), value(&repository, LOG)),
            (Some(main.id), None)
        );
        repository.git(&["-c", "core.hooksPath=/dev/null", "update-ref", "-d", MAIN]);
    }
}

/// One history is gone, and its delta with it: the server cannot take the pack, which is no objection to the other ref.
#[test]
fn objects_for_a_ref_that_is_gone_do_not_spoil_the_push_of_another() {
    let (world, repository) = empty("sha1");
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let base = Draft::first(Kind::Sha1, &[("a.md", &b"a line\n".repeat(90))]);
    let rival = base.next(&[("b.md", b"b\n")], &[]);
    applied(push(&world.local(), &base));
    applied(push(&world.local(), &rival));
    let late = base.next(&[("c.md", b"c\n")], &[]);
    let log = first("log.jsonl");
    let mut writer = Writer::new(&nginx.remote(), &[]);
    // What it knows is from before.
    assert_eq!(
        said(&writer.push(&[update(MAIN, Some(base.id), Some(late.id))])),
        ["moved"]
    );
    repository.git(&["update-ref", "-d", MAIN]);
    repository.git(&["-c", "gc.pruneExpire=now", "gc", "-q", "--prune=now"]);
    let next = rival.next(
        &[("a.md", &b"a line\n".repeat(91))],
        &[("a.md", &b"a line\n".repeat(90))],
    );
    let drafts = [&next, &log];
    writer.drafts = &drafts;
    let outcomes = writer.push(&two(&next, &log));
    assert_eq!(said(&outcomes), ["moved", "applied"]);
    assert_eq!(
        (value(&repository, MAIN), value(&repository, LOG)),
        (None, Some(log.id))
    );
    repository.fsck();
}

/// Once something was applied there is no error that could say otherwise.
#[test]
fn what_fails_after_a_ref_was_applied_is_said_of_the_others_alone() {
    let (main, log) = (first("a.md"), first("log.jsonl"));
    let half = report(&["unpack ok", "ok refs/heads/main", "ng refs/log/a failed to update ref"]);
    // The server is gone when the refs are to be listed, or when the one that was locked is to be sent again.
    for (answers, expected) in [(1, "unknown"), (2, "refused: Locked")] {
        let (half, id) = (half.clone(), main.id);
        let server = Scripted::start(move |number, mut stream| {
            if number >= answers {
                return;
            }
            scripted::greeting(&mut stream);
            let tip = (number > 0).then_some(id);
            let _ = stream.write_all(&scripted::advertisement(tip, OFFERS));
            if scripted::command(&mut stream).is_some() {
                let _ = stream.write_all(&half);
            }
            let _ = stream.shutdown(Shutdown::Both);
        });
        let nobody = Remote {
            url: server.url("git"),
            env: Vec::new(),
        };
        let drafts = [&main, &log];
        let outcomes = Writer::new(&nobody, &drafts).push(&two(&main, &log));
        assert_eq!(said(&outcomes), ["applied", expected]);
        assert_eq!(server.connections(), answers + 1);
    }
}
