//! The story of `interop` with servers that are not git's own, or that have something in between. Run by
//! `scripts/test --servers`.

use gix_hash::Kind;

use super::{
    client::Repository,
    interop::{Lacks, empty, interoperates},
};
use crate::support::servers::{Dulwich, Gitolite, JGit, Lighttpd};

#[test]
#[ignore = "scripts/test --servers"]
fn dulwich_interoperates() {
    let (world, repository) = empty("sha1");
    let Some(dulwich) = Dulwich::start(&world) else { return };
    let lacks = Lacks {
        hooks: true,
        ..Lacks::default()
    };
    interoperates(&dulwich.remote(), &repository, Kind::Sha1, lacks);
}

#[test]
#[ignore = "scripts/test --servers"]
fn jgit_interoperates() {
    let (world, repository) = empty("sha1");
    let Some(jgit) = JGit::start(&world) else { return };
    let lacks = Lacks {
        hooks: true,
        ..Lacks::default()
    };
    interoperates(&jgit.remote(), &repository, Kind::Sha1, lacks);
}

#[test]
#[ignore = "scripts/test --servers"]
fn gitolite_interoperates() {
    let (world, _) = empty("sha1");
    let Some(gitolite) = Gitolite::start(&world) else {
        return;
    };
    let repository = Repository {
        dir: gitolite.repository.clone(),
    };
    repository.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    interoperates(&gitolite.remote(), &repository, Kind::Sha1, Lacks::default());
}

#[test]
#[ignore = "scripts/test --servers"]
fn lighttpd_interoperates() {
    let (world, repository) = empty("sha1");
    let Some(lighttpd) = Lighttpd::start(&world) else {
        return;
    };
    interoperates(&lighttpd.remote(), &repository, Kind::Sha1, Lacks::default());
}
