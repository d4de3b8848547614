//! `.metis/.pending/`, where the Metis tools of a clone put what waits for the source branch. A branch that somebody else
//! made can have a folder of that name too, and it takes no more than a look at it to have its files.

use std::{fs, os::unix::fs::symlink, process::Command};

use crate::support::{
    process::run,
    team::{Checkout, Team, exits},
};

const PENDING: &str = ".metis/.pending";

/// Bob's branch `pr` with what `plant` makes, checked out by Ann.
fn checked_out(plant: impl Fn(&Checkout)) -> Team {
    let team = Team::new();
    let bob = &team.bob;
    bob.git("checkout -q -b pr");
    plant(bob);
    bob.git(&format!("add --force {PENDING}"));
    bob.git("commit -q -m docs");
    bob.git("push -q origin pr");
    team.ann.git("fetch -q");
    team.ann.git("checkout -q pr");
    team
}

fn pending(number: u32) -> String {
    format!("{PENDING}/backlog/API-T-{number:04}.md")
}

#[test]
fn what_came_with_a_branch_is_not_published() {
    let team = checked_out(|bob| {
        let waiting = |number| bob.path(number).replacen(".metis", PENDING, 1);
        bob.put(waiting(1), bob.document(1, "forged"));
        bob.put(waiting(7), bob.document(7, "forged"));
        bob.put(waiting(2) + ".deleted", "");
        bob.put(format!("{PENDING}/{}x.md", "a/".repeat(80)), bob.document(8, "deep"));
        symlink("..", bob.dir.join(PENDING).join("link")).expect("temp folder has links");
    });
    for command in [&["sync", "--dry-run"][..], &["sync"]] {
        let said = exits(&team.ann.run(command), 0);
        assert!(said.contains(".pending/backlog/API-T-0001.md: git tracks it"), "{said}");
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    }
    // What this clone's tools write there still is.
    let own = team.ann.path(3).replacen(".metis", PENDING, 1);
    team.ann.put(own, team.ann.document(3, "planned"));
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=planned");
}

#[test]
fn a_link_or_a_submodule_in_its_place_is_not_followed() {
    for is_link in [true, false] {
        let team = checked_out(|bob| {
            if is_link {
                let outside = bob.dir.join("plans");
                bob.put("plans/backlog/API-T-0001.md", bob.document(1, "forged"));
                assert!(outside.is_dir());
                bob.git("add plans");
                symlink("../plans", bob.dir.join(PENDING)).expect("temp folder has links");
            } else {
                bob.git(&format!("init -q {PENDING}"));
                bob.put(pending(1), bob.document(1, "forged"));
                bob.git(&format!("-C {PENDING} add ."));
                bob.git(&format!("-C {PENDING} commit -q -m plans"));
            }
        });
        if !is_link {
            // As `git submodule update` leaves it.
            team.ann.put(pending(1), team.ann.document(1, "forged"));
        }
        let said = team.ann.syncs();
        assert!(said.contains(".pending: git tracks it"), "{said}");
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    }
}

/// One file that cannot be read keeps its document as central has it, and no other.
#[test]
fn what_cannot_be_read_keeps_central_as_it_is() {
    let team = Team::new();
    team.ann.git("checkout -q -b feature");
    team.ann.put(pending(1), vec![b'x'; (16 << 20) + 1]);
    team.ann.put(pending(2), team.ann.document(2, "planned"));
    let mut pipe = Command::new("mkfifo");
    pipe.arg(team.ann.dir.join(pending(3)));
    run(pipe).success();
    let said = team.ann.syncs();
    assert!(
        said.contains(".pending/backlog/API-T-0001.md: it is over the limit"),
        "{said}"
    );
    assert_eq!(team.plans(), "1=v1 2=planned 3=v1");
    fs::remove_dir_all(team.ann.dir.join(PENDING)).expect("ours");
    symlink("../../..", team.ann.dir.join(PENDING)).expect("temp folder has links");
    team.ann.sync_exits(1);
    assert_eq!(team.plans(), "1=v1 2=planned 3=v1");
}
