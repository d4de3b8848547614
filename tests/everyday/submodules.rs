//! A project that has this one as a submodule.

use crate::support::team::{NEWEST, Team};

/// A project that has this one as a submodule, at an older commit.
#[test]
fn a_submodule_pinned_to_an_old_commit() {
    let team = Team::new();
    team.moves_on();
    let product = team.person("product");
    product.git(&format!("init -q {}", product.dir.display()));
    product.git(&format!("submodule --quiet add file://{} api", team.origin.display()));
    let api = product.elsewhere(product.dir.join("api"));
    api.git("checkout -q v1.0");
    product.commit("pin");
    for _ in 0..2 {
        api.syncs();
        assert_eq!(team.plans(), NEWEST);
    }
    team.edits_get_through(&team.ann);
}

/// The same where nobody has a branch of the project: what `git clone --recurse-submodules` makes.
#[test]
fn a_submodule_without_branches() {
    let team = Team::new();
    let product = team.person("product");
    product.git(&format!("init -q {}", product.dir.display()));
    product.git(&format!("submodule --quiet add file://{} api", team.origin.display()));
    product.commit("pin");
    team.moves_on();
    let copy = product.elsewhere(product.dir.with_extension("copy"));
    let (from, to) = (product.dir.display(), copy.dir.display());
    product.git(&format!("clone -q --recurse-submodules file://{from} {to}"));
    let api = copy.elsewhere(copy.dir.join("api"));
    api.syncs();
    assert_eq!(team.plans(), NEWEST);
    team.edits_get_through(&team.ann);
}
