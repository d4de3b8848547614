//! Beside the real Metis 1.1, `metis-docs-cli`: one `.metis` folder and one `metis.db` for both.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use crate::support::{
    process::run,
    servers::{installed, skip},
    team::{Checkout, Team},
};

/// Somebody who works with both programs.
struct Planner {
    checkout: Checkout,
    metis: PathBuf,
}

impl Planner {
    /// A project under git, without documents. `None` if the real one is not installed, which is said in the open.
    fn begin(team: &Team, name: &str, project: &'static str) -> Option<Planner> {
        let [metis] = installed(["metis"])?;
        let planner = Planner {
            checkout: team.stranger(name, project),
            metis,
        };
        if !planner.metis(&["--version"]).starts_with("metis 1.") {
            skip("metis is another program, or another version");
            return None;
        }
        fs::create_dir(&planner.checkout.dir).expect("temp folder is writable");
        planner.checkout.git("init -q -b main");
        Some(planner)
    }

    /// A command of the real Metis, which must succeed; all that it said.
    #[track_caller]
    fn metis(&self, arguments: &[&str]) -> String {
        let mut command = self.checkout.program(&self.metis);
        command.args(arguments);
        let finished = run(command);
        assert_eq!(finished.code, Some(0), "{}", finished.transcript());
        format!("{}{}", String::from_utf8_lossy(&finished.stdout), finished.stderr)
    }

    #[track_caller]
    fn connect(&self, team: &Team, prefix: &str) {
        let url = team.world.central.url();
        let connected = self
            .checkout
            .run(&["init", "--upstream", &url, "--prefix", prefix, "--source", "worktree"]);
        assert_eq!(connected.code, Some(0), "{}", connected.transcript());
    }

    /// A vision, a strategy, an initiative, a task and a decision, each made by the real Metis.
    fn plan(&self, project: &str) {
        self.metis(&["init", "--name", "shop", "--prefix", project, "--preset", "full"]);
        let code = |kind: &str| format!("{project}-{kind}-0001");
        self.metis(&["create", "strategy", "Grow"]);
        self.metis(&["create", "initiative", "Ship it", "--strategy", &code("S")]);
        self.metis(&["create", "task", "First task", "--initiative", &code("I")]);
        self.metis(&["create", "adr", "Use git"]);
    }

    /// The codes of a table that `query` prints.
    #[track_caller]
    fn query(&self, question: &[&str]) -> Vec<String> {
        let asked = self.checkout.run(&[&["query"], question].concat());
        let lines = asked.success();
        let codes = lines.lines().filter_map(|line| line.split_whitespace().next());
        codes.map(str::to_owned).collect()
    }
}

fn names(team: &Team, prefix: &str) -> Vec<String> {
    team.world.central.folder(prefix).into_keys().collect()
}

const PLANNED: [&str; 5] = [
    "SHOP-A-0001.md",
    "SHOP-I-0001.md",
    "SHOP-S-0001.md",
    "SHOP-T-0001.md",
    "SHOP-V-0001.md",
];

/// `shop/` with what the real Metis made, and `desk`, which has its copies and has shown them to the real Metis.
fn two(team: &Team) -> Option<(Planner, Planner)> {
    let shop = Planner::begin(team, "shop", "SHOP")?;
    shop.plan("SHOP");
    shop.connect(team, "shop");
    shop.checkout.syncs();
    let desk = Planner::begin(team, "desk", "DESK")?;
    desk.metis(&["init", "--name", "desk", "--prefix", "DESK"]);
    desk.connect(team, "desk");
    desk.checkout.syncs();
    desk.metis(&["sync"]);
    Some((shop, desk))
}

#[test]
#[ignore = "scripts/test --servers"]
fn what_it_makes_is_synced_and_found_elsewhere() {
    let team = Team::new();
    let Some((shop, desk)) = two(&team) else { return };
    assert_eq!(names(&team, "shop"), PLANNED);
    let config = fs::read_to_string(shop.checkout.metis().join("config.toml")).expect("it is there");
    assert!(
        config.contains("[flight_levels]\nstrategies_enabled = true"),
        "{config}"
    );
    for (name, bytes) in team.world.central.folder("shop") {
        let copy = fs::read(desk.checkout.metis().join("shop").join(&name)).expect("a copy");
        assert_eq!(copy, bytes, "{name}");
    }
    for planner in [&shop, &desk] {
        assert_eq!(
            planner.query(&["upstream", "SHOP-T-0001"]),
            ["SHOP-I-0001", "SHOP-S-0001"]
        );
        assert_eq!(planner.query(&["children", "SHOP-I-0001"]), ["SHOP-T-0001"]);
        assert!(
            planner.metis(&["list"]).contains("SHOP-T-0001"),
            "its own tables are whole"
        );
    }

    shop.metis(&["transition", "SHOP-T-0001"]);
    shop.metis(&["archive", "SHOP-A-0001"]);
    shop.checkout.syncs();
    let archived = &team.world.central.folder("shop")["SHOP-A-0001.md"];
    assert!(String::from_utf8_lossy(archived).contains("\narchived: true\n"));
    desk.checkout.syncs();
    desk.metis(&["sync"]);
    assert!(desk.query(&["workspace", "shop"]).contains(&"SHOP-T-0001".to_owned()));
    let progress = desk.checkout.run(&["query", "progress", "SHOP-I-0001"]).success();
    assert!(progress.contains("active"), "{progress}");

    let db = rusqlite::Connection::open(desk.checkout.metis().join("metis.db")).expect("one file for both");
    let count = |table: &str, path: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table} WHERE {path} LIKE 'shop/%'");
        db.query_row(&sql, [], |row| row.get(0)).expect("a table of this name")
    };
    assert_eq!(count("documents", "filepath"), 5, "those of the real Metis");
    assert_eq!(count("sync_documents", "path"), 5, "ours");
}

#[test]
#[ignore = "scripts/test --servers"]
fn a_project_that_this_program_began() {
    let team = Team::new();
    let Some(desk) = Planner::begin(&team, "desk", "DESK") else {
        return;
    };
    desk.connect(&team, "desk");
    let before = fs::read_to_string(desk.checkout.metis().join("config.toml")).expect("it is there");
    assert!(
        desk.metis(&["init", "--name", "desk", "--prefix", "DESK"])
            .contains("already exists")
    );
    assert!(desk.metis(&["config", "show"]).contains("streamlined"));
    desk.metis(&["status"]);
    assert!(desk.metis(&["create", "adr", "Use git"]).contains("DESK-A-0001"));
    let config = fs::read_to_string(desk.checkout.metis().join("config.toml")).expect("it is there");
    assert_eq!(config, before);
    desk.checkout.syncs();
    assert_eq!(names(&team, "desk"), ["DESK-A-0001.md"]);
}

/// The real Metis takes all that ends in `.md` for the project's own.
#[test]
#[ignore = "scripts/test --servers"]
fn copies_that_it_archives_or_renumbers() {
    let team = Team::new();
    let Some((shop, desk)) = two(&team) else { return };
    desk.metis(&["create", "adr", "Of the desk"]);
    desk.checkout.syncs();
    let (theirs, ours) = (team.world.central.folder("shop"), names(&team, "desk"));
    assert_eq!(ours.len(), 2, "{ours:?}");

    desk.metis(&["archive", "SHOP-A-0001"]);
    let moved = "archived/shop/SHOP-A-0001.md";
    assert!(desk.checkout.metis().join(moved).is_file());
    let said = desk.checkout.syncs();
    assert!(said.contains(moved), "{said}");
    assert_eq!(names(&team, "desk"), ours);

    desk.checkout.run(&["doctor", "--fix"]);
    let said = desk.metis(&["sync"]);
    assert!(
        said.contains("Renumbered: archived/shop/"),
        "two files have one code: {said}"
    );
    let said = desk.checkout.syncs();
    assert!(said.contains("archived/shop/SHOP-A-"), "{said}");
    assert_eq!(names(&team, "desk"), ours);

    let of_a_copy = fs::read(desk.checkout.metis().join("shop/SHOP-V-0001.md")).expect("a copy");
    desk.checkout.put(".metis/adrs/notes.md", of_a_copy);
    let said = desk.metis(&["sync"]);
    assert!(said.contains("Renumbered: shop/"), "{said}");
    desk.checkout.syncs();
    assert_eq!(names(&team, "desk"), ours);

    // What git has of it makes no difference, here or in another clone.
    desk.checkout.commit("all of that");
    desk.checkout.syncs();
    assert_eq!(
        (team.world.central.folder("shop"), names(&team, "desk")),
        (theirs, ours)
    );
    desk.metis(&["create", "adr", "Another"]);
    desk.checkout.syncs();
    assert_eq!(names(&team, "desk").len(), 3);
    shop.metis(&["transition", "SHOP-T-0001"]);
    shop.checkout.syncs();
    assert_eq!(names(&team, "shop"), PLANNED);
}

#[test]
#[ignore = "scripts/test --servers"]
fn kept_copies_are_no_documents_to_it() {
    let team = Team::new();
    let Some((shop, desk)) = two(&team) else { return };
    let copy = desk.checkout.metis().join("shop/SHOP-T-0001.md");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o644)).expect("ours");
    let mut edited = fs::read(&copy).expect("a copy");
    edited.extend_from_slice(b"\nFrom the desk.\n");
    fs::write(&copy, edited).expect("writable");
    shop.metis(&["transition", "SHOP-T-0001"]);
    shop.checkout.syncs();
    let said = desk.checkout.syncs();
    assert!(said.contains(".sync/kept/"), "{said}");
    let said = desk.metis(&["sync"]);
    assert!(said.contains("shop/SHOP-T-0001.md"), "{said}");
    assert!(!said.contains("kept") && !said.contains("Renumbered"), "{said}");
}
