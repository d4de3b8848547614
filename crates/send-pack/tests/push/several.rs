//! Several refs in one push: each has an outcome of its own, whatever becomes of the others.

mod answers;

use std::{convert::Infallible, time::Duration};

use gix_hash::{Kind, ObjectId};
use send_pack::{
    Outcome, PackObject, PushError, PushOptions, RefUpdate,
    connect::{ConnectOptions, Greeting},
};

use super::{
    client::{Draft, Repository, applied, options, push, url},
    interop::empty,
    scripted::OFFERS,
};
use crate::support::{
    servers::{Access, Everywhere, Nginx},
    workspace::Remote,
};
use answers::several;

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
