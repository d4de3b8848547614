//! Several refs in one push: each has an outcome of its own, whatever becomes of the others.

use std::{convert::Infallible, io::Write, net::Shutdown, time::Duration};

use gix_hash::{Kind, ObjectId};
use send_pack::{
    Outcome, PackObject, PushError, PushOptions, RefUpdate,
    connect::{ConnectOptions, Greeting},
};

use super::{
    client::{Draft, Repository, applied, options, push, url},
    interop::empty,
    scripted::{self, FLUSH, OFFERS, Scripted, pkt, report},
};
use crate::support::{
    servers::{Access, Everywhere, Nginx, Sshd},
    workspace::Remote,
};

const MAIN: &str = "refs/heads/main";
const LOG: &str = "refs/log/a";

type Outcomes = Result<Vec<Outcome>, PushError<Infallible>>;

fn update(name: &str, expected: Option<ObjectId>, new: Option<ObjectId>) -> RefUpdate {
    RefUpdate {
        name: name.into(),
        expected,
        new,
    }
}

/// `main` and a log, both from nothing.
fn two(main: &Draft, log: &Draft) -> [RefUpdate; 2] {
    [
        update(MAIN, main.parent, Some(main.id)),
        update(LOG, log.parent, Some(log.id)),
    ]
}

/// Somebody who pushes several refs, with the objects of the drafts that are their new values.
struct Writer<'a> {
    at: String,
    options: ConnectOptions,
    push: PushOptions,
    drafts: &'a [&'a Draft],
    met: Option<Greeting>,
}

impl<'a> Writer<'a> {
    fn new(remote: &Remote, drafts: &'a [&'a Draft]) -> Self {
        let mut options = options(remote);
        options.deadlines.settle = Duration::from_millis(300);
        Writer {
            at: remote.url.clone(),
            options,
            push: PushOptions::new("test/1.0"),
            drafts,
            met: None,
        }
    }

    fn push(&mut self, updates: &[RefUpdate]) -> Outcomes {
        let objects = |sent: &[&RefUpdate]| {
            let is_sent = |draft: &&&Draft| sent.iter().any(|update| update.new == Some(draft.id));
            let drafts = self.drafts.iter().filter(is_sent);
            let objects: Vec<PackObject> = drafts.flat_map(|draft| draft.objects.clone()).collect();
            Ok(objects.into_iter().map(Ok))
        };
        let at = url(&self.at);
        send_pack::push_all(&mut self.met, &at, &self.options, &self.push, updates, objects)
    }
}

/// The outcomes in short, to compare.
#[track_caller]
fn said(outcomes: &Outcomes) -> Vec<String> {
    let short = |outcome: &Outcome| match outcome {
        Outcome::Applied => "applied".into(),
        Outcome::Moved { .. } => "moved".into(),
        Outcome::Refused(refusal) => format!("refused: {:?}", refusal.kind),
        Outcome::Unknown { .. } => "unknown".into(),
    };
    match outcomes {
        Ok(outcomes) => outcomes.iter().map(short).collect(),
        Err(err) => panic!("{err:?}"),
    }
}

fn value(repository: &Repository, name: &str) -> Option<ObjectId> {
    let value = repository.git(&["for-each-ref", "--format=%(objectname)", name]);
    (!value.trim().is_empty()).then(|| value.trim().parse().expect("git's format"))
}

fn first(name: &str) -> Draft {
    Draft::first(Kind::Sha1, &[(name, b"one\n")])
}

/// Created, changed and deleted together, over everything that git serves.
#[test]
fn refs_are_created_changed_and_deleted_in_one_push_on_every_transport() {
    let (world, repository) = empty("sha1");
    let everywhere = Everywhere::start(&world, Access::Open);
    let remotes = everywhere.remotes();
    let mut main = first("a.md");
    applied(push(&world.local(), &main));
    for remote in remotes {
        let old = main.id;
        let log = Draft::first(Kind::Sha1, &[("log.jsonl", remote.url.as_bytes())]);
        main = main.next(&[("a.md", remote.url.as_bytes())], &[]);
        repository.git(&["update-ref", "refs/old/ref", &old.to_string()]);
        let updates = [
            update(LOG, None, Some(log.id)),
            update(MAIN, Some(old), Some(main.id)),
            update("refs/old/ref", Some(old), None),
        ];
        let drafts = [&log, &main];
        let outcomes = Writer::new(&remote, &drafts).push(&updates);
        assert_eq!(said(&outcomes), ["applied"; 3], "{}", remote.url);
        assert_eq!(value(&repository, LOG), Some(log.id));
        assert_eq!(value(&repository, MAIN), Some(main.id));
        assert_eq!(value(&repository, "refs/old/ref"), None);
        repository.fsck();
        let again = Writer::new(&remote, &[]).push(&updates);
        assert_eq!(said(&again), ["applied"; 3], "all is as it was wanted");
        repository.git(&["update-ref", "-d", LOG]);
    }
}

#[test]
fn nothing_is_sent_for_a_ref_that_has_moved_and_the_others_are_applied() {
    let (world, repository) = empty("sha1");
    let base = first("a.md");
    let rival = base.next(&[("r.md", b"r\n")], &[]);
    applied(push(&world.local(), &base));
    applied(push(&world.local(), &rival));
    let (late, log) = (base.next(&[("b.md", b"b\n")], &[]), first("log.jsonl"));
    let drafts = [&late, &log];
    let outcomes = Writer::new(&world.local(), &drafts).push(&two(&late, &log));
    assert_eq!(said(&outcomes), ["moved", "applied"]);
    assert!(matches!(&outcomes.unwrap()[0], Outcome::Moved { actual } if *actual == Some(rival.id)));
    assert_eq!(value(&repository, LOG), Some(log.id));
    let listed = repository.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    assert!(!listed.contains(&late.id.to_string()), "its objects stayed here");
}

/// A race for one ref at the server's own lock.
#[test]
fn a_ref_that_moves_under_the_servers_hands_does_not_hold_up_the_others() {
    let (world, repository) = empty("sha1");
    let base = first("a.md");
    let rival = base.next(&[("r.md", b"r\n")], &[]);
    applied(push(&world.local(), &base));
    applied(push(&world.local(), &rival));
    let nginx = Nginx::start(&world, Access::Open);
    for remote in [Some(world.local()), nginx.as_ref().map(Nginx::remote)]
        .into_iter()
        .flatten()
    {
        repository.reset(base.id);
        let body = format!("unset GIT_QUARANTINE_PATH; git update-ref {MAIN} {}", rival.id);
        repository.hook("pre-receive", &body);
        let (late, log) = (base.next(&[("b.md", b"b\n")], &[]), first("log.jsonl"));
        let drafts = [&late, &log];
        let mut writer = Writer::new(&remote, &drafts);
        let outcomes = writer.push(&two(&late, &log));
        assert_eq!(said(&outcomes), ["moved", "applied"], "{}", remote.url);
        assert_eq!(value(&repository, LOG), Some(log.id));
        assert_eq!(writer.met.is_some(), remote.url.starts_with("http"));
        repository.unhook("pre-receive");
        // The next attempt, which is one request over http.
        let next = rival.next(&[("b.md", b"b\n")], &[]);
        let drafts = [&next];
        writer.drafts = &drafts;
        let outcomes = writer.push(&[update(MAIN, Some(rival.id), Some(next.id))]);
        assert_eq!(said(&outcomes), ["applied"]);
        repository.git(&["update-ref", "-d", LOG]);
    }
    repository.fsck();
}

#[test]
fn a_hook_refuses_one_ref_or_all_of_them() {
    let (world, repository) = empty("sha1");
    let (main, log) = (first("a.md"), first("log.jsonl"));
    let drafts = [&main, &log];
    let mut writer = Writer::new(&world.local(), &drafts);
    repository.hook("pre-receive", "echo 'nothing from you' >&2; exit 1");
    let outcomes = writer.push(&two(&main, &log));
    assert_eq!(said(&outcomes), ["refused: Hook"; 2]);
    for outcome in outcomes.unwrap() {
        assert!(matches!(outcome, Outcome::Refused(refusal) if refusal.server_text == "nothing from you"));
    }
    repository.unhook("pre-receive");
    repository.hook("update", "case $1 in refs/log/*) exit 1 ;; esac");
    assert_eq!(said(&writer.push(&two(&main, &log))), ["applied", "refused: Hook"]);
    assert_eq!(
        (value(&repository, MAIN), value(&repository, LOG)),
        (Some(main.id), None)
    );
}

/// The lock of one ref stays: that one is tried until time is over, and the other one is pushed once.
#[test]
fn only_the_ref_that_is_locked_is_tried_again() {
    let (world, repository) = empty("sha1");
    let (main, log) = (first("a.md"), first("log.jsonl"));
    let lock = repository.dir.join("refs/heads/main.lock");
    std::fs::write(&lock, "").expect("writable");
    let seen = repository.dir.join("seen");
    repository.hook("pre-receive", &format!("cut -d' ' -f3 >> {}", seen.display()));
    let drafts = [&main, &log];
    let outcomes = Writer::new(&world.local(), &drafts).push(&two(&main, &log));
    assert_eq!(said(&outcomes), ["refused: Locked", "applied"]);
    let seen = std::fs::read_to_string(seen).expect("the hook ran");
    assert!(seen.lines().filter(|name| *name == MAIN).count() > 1, "{seen}");
    assert_eq!(seen.lines().filter(|name| *name == LOG).count(), 1, "{seen}");
}

#[test]
fn an_atomic_push_changes_all_refs_or_none() {
    let (world, repository) = empty("sha1");
    let (main, log) = (first("a.md"), first("log.jsonl"));
    let drafts = [&main, &log];
    let mut writer = Writer::new(&world.local(), &drafts);
    writer.push.atomic = true;
    repository.hook("update", "case $1 in refs/log/*) exit 1 ;; esac");
    assert_eq!(
        said(&writer.push(&two(&main, &log))),
        ["refused: HeldBack", "refused: Hook"]
    );
    assert_eq!(value(&repository, MAIN), None);
    repository.unhook("update");
    // One of them has moved already: nothing is sent.
    let elsewhere = update(LOG, Some(main.id), Some(log.id));
    repository.git(&[
        "update-ref",
        LOG,
        repository.git(&["hash-object", "-w", "-t", "tree", "/dev/null"]).trim(),
    ]);
    let outcomes = writer.push(&[two(&main, &log)[0].clone(), elsewhere]);
    assert_eq!(said(&outcomes), ["refused: HeldBack", "moved"]);
    assert_eq!(value(&repository, MAIN), None);
    repository.git(&["update-ref", "-d", LOG]);
    assert_eq!(said(&writer.push(&two(&main, &log))), ["applied"; 2]);
    let server = several(&[], OFFERS, Vec::new(), &[]);
    writer.at = server.url("git");
    let refused = writer.push(&two(&main, &log));
    assert!(matches!(refused, Err(PushError::Unsupported("atomic"))), "{refused:?}");
}

#[test]
fn what_no_server_could_do_right_is_not_asked_for() {
    let log = first("log.jsonl");
    let drafts = [&log];
    let nowhere = Remote {
        url: "git://127.0.0.1:1/r".into(),
        env: Vec::new(),
    };
    let mut writer = Writer::new(&nowhere, &drafts);
    let twice = writer.push(&[update(LOG, None, Some(log.id)), update(LOG, None, None)]);
    assert!(matches!(twice, Err(PushError::RefTwice(name)) if name == LOG));
    assert!(writer.push(&[]).expect("nothing to do").is_empty());
    let server = several(&[(MAIN, log.id)], "report-status agent=x", Vec::new(), &[]);
    writer.at = server.url("git");
    let refused = writer.push(&[update(LOG, None, Some(log.id)), update(MAIN, Some(log.id), None)]);
    assert!(
        matches!(refused, Err(PushError::Unsupported("delete-refs"))),
        "{refused:?}"
    );
}

/// A scripted `git://` server that lists `refs`, takes a push and says `answer`, and lists `later` from then on.
fn several(refs: &[(&str, ObjectId)], offers: &'static str, answer: Vec<u8>, later: &[(&str, ObjectId)]) -> Scripted {
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

/// Credentials are demanded of the push as a whole.
#[test]
fn a_server_that_wants_credentials_gets_them_for_all_refs() {
    let (world, repository) = empty("sha1");
    let Some(nginx) = Nginx::start(&world, Access::PasswordToWrite) else {
        return;
    };
    let (main, log) = (first("a.md"), first("log.jsonl"));
    let drafts = [&main, &log];
    let userinfo = format!("{}:{}@", Nginx::USER, Nginx::PASSWORD.replace(' ', "%20"));
    let remote = nginx.remote();
    let mut writer = Writer::new(&remote, &drafts);
    writer.at = remote.url.replace("://", &format!("://{userinfo}"));
    assert_eq!(said(&writer.push(&two(&main, &log))), ["applied"; 2]);
    repository.fsck();
}
