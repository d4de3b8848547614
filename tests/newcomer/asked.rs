//! `init` on a terminal, with somebody who types.

use std::fs;

use crate::support::{
    process::{Finished, run},
    terminal::{at_terminal, plain},
    workspace::Workspace,
    world::World,
};

/// A folder that is no workspace yet.
fn newcomer(world: &World) -> Workspace {
    let workspace = world.workspace("shop");
    fs::remove_dir_all(workspace.metis()).unwrap();
    workspace
}

fn init(workspace: &Workspace, args: &[&str], typed: &str) -> Option<(Finished, String)> {
    let mut command = workspace.metis_sync(&["init"]);
    command.args(args).env("TERM", "xterm").env("GIT_TERMINAL_PROMPT", "1");
    let finished = at_terminal(workspace, &command, typed)?;
    let text = plain(&finished);
    Some((finished, text))
}

/// Central is asked before the person is; a name that will not do is explained, one that is taken is not taken by
/// accident; what is written is said before it is.
#[test]
fn what_is_missing() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Theirs.");
    api.sync().report();
    let (shop, url) = (newcomer(&world), world.central.url());
    let answers = format!("{url}\nShop_One\napi\nno\nshop\nShoppers\n");
    let Some((finished, text)) = init(&shop, &[], &answers) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{text}");
    let file = shop.metis().join("config.toml");
    let mut rest = text.as_str();
    for part in [
        "Central's URL or path: ",
        &format!("Central answers: {url} (branch main) has api/ (1 document).\n"),
        "This workspace's own folder in central [project]: ",
        "\"Shop_One\" is not valid: 2 to 20 characters",
        "; how about shop-one?\n",
        "Central has api/ already, with 1 document. Is that this project's? [y/N]: ",
        "This workspace's own folder in central [project]: ",
        "Team label (optional): ",
        &format!("Writing {}, a new file:\n", file.display()),
        &format!("  sync.upstream_url = \"{url}\"\n"),
        "  workspace.prefix = \"shop\"\n  workspace.team = \"Shoppers\"\n",
        &format!("Workspace shop/ is connected to {url} (branch main).\n"),
        "Nothing has been sent yet; `git metis-sync --dry-run` shows what the first sync would do.\n",
    ] {
        rest = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("no {part:?} in its place:\n{text}"))
            .1;
    }
    assert_eq!(
        shop.config(),
        format!(
            "[project]\nprefix = \"SHOP\"\n\n[flight_levels]\nstrategies_enabled = false\ninitiatives_enabled = true\n\n[sync]\nupstream_url = \"{url}\"\n\n[workspace]\nprefix = \"shop\"\nteam = \"Shoppers\"\n"
        )
    );
    // What init looked at is at hand: the first sync receives nothing again.
    world.wire();
    assert_eq!(shop.sync().report().pulled.len(), 1);
    assert_eq!(world.wire().wants(), 0);

    // The second time nothing is missing, so nothing is asked.
    let before = shop.snapshot();
    let Some((finished, text)) = init(&shop, &[], "") else {
        return;
    };
    assert!(
        finished.code == Some(0) && text.contains("config.toml says all that already.\n"),
        "{text}"
    );
    assert!(shop.snapshot().since(&before).is_empty());
}

#[test]
fn nothing_is_written_if_central_does_not_answer_or_nobody_does() {
    let world = World::new();
    let shop = newcomer(&world);
    let url = world.central.url();
    for (args, typed, said) in [
        (
            &["--upstream", "../nothing.git"][..],
            "shop\n",
            "error: there is no repository at ../nothing.git\n",
        ),
        (
            &["--upstream", &url],
            "\u{4}",
            "error: a folder name for this workspace is needed\n",
        ),
        (&[], "\u{4}", "error: which central repository?\n"),
        (
            &["--upstream", &url, "--prefix", "shop", "--dry-run"],
            "",
            "Would write ",
        ),
    ] {
        let Some((_, text)) = init(&shop, args, typed) else {
            return;
        };
        assert!(text.contains(said), "{text}");
        assert!(
            !text.contains("own folder in central") || !args.contains(&"../nothing.git"),
            "asked in vain: {text}"
        );
        assert!(!shop.metis().exists(), "{text}");
    }
}

/// Off a terminal nothing is asked: flags, or an error that names the flag.
#[test]
fn flags_will_do() {
    let world = World::new();
    let shop = newcomer(&world);
    let url = world.central.url();
    let refused = shop.run(&["init"]);
    assert!(
        refused.code == Some(2) && refused.stderr.contains("--upstream URL"),
        "{}",
        refused.transcript()
    );
    let refused = shop.run(&["init", "--upstream", &url]);
    assert!(
        refused.code == Some(2) && refused.stderr.contains("--prefix NAME"),
        "{}",
        refused.transcript()
    );
    assert!(!shop.metis().exists());
    shop.run(&["init", "--upstream", &url, "--prefix", "shop", "--team", "Shoppers"])
        .success();
    assert!(shop.config().contains("team = \"Shoppers\""));

    // A folder that somebody else has is named, as nobody can be asked.
    let api = world.workspace("api");
    api.write("API-T-0001", "Theirs.");
    api.sync().report();
    let other = newcomer(&world);
    let said = other.run(&["init", "--upstream", &url, "--prefix", "api"]).success();
    assert!(
        said.contains("Note: central has a folder api/ already, with 1 document."),
        "{said}"
    );
}

/// What a sync makes beside the documents never comes into the project's own commits, with `init` and without.
#[test]
fn git_sees_the_documents_and_nothing_else() {
    let world = World::new();
    for by_hand in [false, true] {
        let shop = match by_hand {
            true => world.workspace("hand"),
            false => newcomer(&world),
        };
        let git = |args: &[&str]| {
            let mut git = shop.program("git");
            git.args(args);
            run(git).success()
        };
        git(&["init", "--quiet", "."]);
        match by_hand {
            true => fs::remove_file(shop.metis().join(".gitignore")).unwrap(),
            false => {
                let said = shop
                    .run(&["init", "--upstream", &world.central.url(), "--prefix", "shop"])
                    .success();
                assert!(said.contains("Writing .metis/.gitignore"), "{said}");
            }
        }
        let code = if by_hand { "HAND-T-0001" } else { "SHOP-T-0001" };
        shop.write_at(
            format!("{code}.md"),
            code,
            crate::support::document::document(code, "Mine", "Text."),
        );
        shop.sync().report();
        assert_eq!(
            git(&["status", "--porcelain", "--untracked-files=all"]),
            // Where nobody ran `init`, git's own list has what is to be ignored.
            format!(
                "{}?? .metis/{code}.md\n?? .metis/config.toml\n",
                if by_hand { "" } else { "?? .metis/.gitignore\n" }
            )
        );
    }
    // Who has a line of their own for the database keeps the file as it is.
    let api = world.workspace("api");
    let before = fs::read(api.metis().join(".gitignore")).unwrap();
    let said = api.run(&["init", "--team", "API"]).success();
    assert!(!said.contains(".gitignore"), "{said}");
    assert_eq!(fs::read(api.metis().join(".gitignore")).unwrap(), before);
}

/// A repository below another project's workspace gets one of its own.
#[test]
fn a_workspace_around_the_repository_is_not_meant() {
    let world = World::new();
    let outer = world.workspace("api");
    let before = outer.config();
    let inner = outer.dir.join("vendor/shop");
    let mut git = outer.program("git");
    git.args(["init", "--quiet"]).arg(&inner);
    run(git).success();
    let mut init = outer.program(env!("CARGO_BIN_EXE_git-metis-sync"));
    init.current_dir(&inner)
        .args(["init", "--upstream", &world.central.url(), "--prefix", "shop"]);
    run(init).success();
    assert!(inner.join(".metis/config.toml").is_file());
    assert_eq!(outer.config(), before);
}
