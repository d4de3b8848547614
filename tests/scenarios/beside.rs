//! Beside the older client, the libgit2 `metis-sync`: what it writes is read, what is written it can read, and what it
//! left in a workspace is taken over.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use crate::support::{
    document::document,
    process::{Finished, run},
    snapshot::Snapshot,
    workspace::Workspace,
    world::World,
};

/// The older client, in git's own words: a whole clone, one tree, a commit by a name of its own, no markers, no line end
/// behind the message.
struct OldClient<'a> {
    world: &'a World,
    prefix: &'static str,
}

impl OldClient<'_> {
    fn git(&self, args: &[&str]) -> Finished {
        let mut command = Command::new("git");
        command
            .current_dir(self.world.root())
            .env_clear()
            .envs(self.world.server_env());
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "metis-sync")
                .env(format!("GIT_{role}_EMAIL"), "metis@localhost");
        }
        command.args(args);
        run(command)
    }

    fn clone(&self) -> String {
        let clone = format!("old-client-{}", self.prefix);
        let _ = fs::remove_dir_all(self.world.root().join(&clone));
        let url = self.world.central.url();
        self.git(&["clone", "--quiet", "--bare", &url, &clone]).success();
        clone
    }

    /// Its hydration: each folder of the root, each `*.md` file in it.
    fn reads(&self) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
        let clone = self.clone();
        let list = |tree: &str| {
            let listing = self.git(&["-C", &clone, "ls-tree", "-z", tree]).success();
            let rows = listing.split_terminator('\0').map(|row| {
                let (meta, name) = row.split_once('\t').unwrap();
                (meta.split(' ').nth(1).unwrap().to_owned(), name.to_owned())
            });
            rows.collect::<Vec<_>>()
        };
        let folders = list("main").into_iter().filter(|(kind, _)| kind == "tree");
        let read = |(_, folder): (String, String)| {
            let files = list(&format!("main:{folder}")).into_iter();
            let files = files
                .filter(|(kind, name)| kind == "blob" && name.ends_with(".md"))
                .map(|(_, name)| {
                    let bytes = self
                        .git(&["-C", &clone, "cat-file", "blob", &format!("main:{folder}/{name}")])
                        .stdout;
                    (name, bytes)
                });
            (folder.clone(), files.collect())
        };
        folders.map(read).collect()
    }

    /// Its push: the folder as these files, everything else as it was.
    fn pushes(&self, files: &[(&str, String)]) {
        let clone = self.clone();
        let entries: String = files
            .iter()
            .map(|(name, text)| {
                let draft = self.world.root().join("draft");
                fs::write(&draft, text).unwrap();
                let id = self.git(&["-C", &clone, "hash-object", "-w", "../draft"]).success();
                format!("100644 blob {}\t{}/{name}\n", id.trim(), self.prefix)
            })
            .collect();
        fs::write(self.world.root().join("entries"), entries).unwrap();
        let script = "set -e; git read-tree main; git rm -rq --cached --ignore-unmatch $0; \
                      git update-index --index-info <../entries; tree=$(git write-tree); \
                      commit=$(printf 'sync: %s @ 2026-02-26T01:30:00Z' $0 | git commit-tree $tree -p main -F -); \
                      git push --quiet origin $commit:refs/heads/main";
        let alias = format!("alias.it=!sh -c \"$SCRIPT\" {}", self.prefix);
        let mut command = Command::new("git");
        command
            .current_dir(self.world.root().join(&clone))
            .env_clear()
            .envs(self.world.server_env())
            .env("SCRIPT", script);
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "metis-sync")
                .env(format!("GIT_{role}_EMAIL"), "metis@localhost");
        }
        command.args(["-c", &alias, "it"]);
        run(command).success();
    }
}

fn task(code: &str, body: &str) -> String {
    document(code, &format!("Title of {code}"), body)
}

/// 81#26: back and forth, each on top of the other's commits.
#[test]
fn each_reads_what_the_other_wrote() {
    let world = World::new();
    let old = OldClient {
        world: &world,
        prefix: "web",
    };
    let theirs = [
        ("WEB-T-0001.md", task("WEB-T-0001", "First.")),
        ("WEB-T-0002.md", task("WEB-T-0002", "Second.")),
    ];
    old.pushes(&theirs);

    let api = world.workspace("api");
    api.write("API-I-0001", "An initiative.");
    api.write("API-T-0001", "A task.");
    let report = api.sync().report();
    assert_eq!((report.pulled["web"].written, report.pushed.len()), (2, 2));
    assert_eq!(report.warnings, Vec::<String>::new());
    assert_eq!(api.hydrated("web"), world.central.folder("web"));

    let read = old.reads();
    assert_eq!(read.keys().collect::<Vec<_>>(), ["api", "web"]);
    assert_eq!(read["api"], api.documents());
    let head = world
        .central
        .git(&["log", "-1", "--format=%an <%ae>|%cn <%ce>|%P|%B", "main"]);
    let [author, committer, parents, message] = head.trim().split('|').collect::<Vec<_>>()[..] else {
        panic!("{head}")
    };
    assert_eq!(
        (author, committer),
        ("metis-sync <metis@localhost>", "metis-sync <metis@localhost>")
    );
    assert_eq!(parents.split(' ').count(), 1);
    assert!(
        message.starts_with("sync: api @ 20") && message.ends_with('Z') && !message.contains('\n'),
        "{message:?}"
    );

    let changed = [theirs[0].clone(), ("WEB-T-0003.md", task("WEB-T-0003", "Third."))];
    old.pushes(&changed);
    let report = api.sync().report();
    assert_eq!(
        (
            report.pulled["web"].written,
            report.pulled["web"].removed,
            report.commit
        ),
        (1, 1, None)
    );
    assert_eq!(old.reads()["api"], api.documents(), "it kept ours");
    api.edit("API-T-0001", "Changed.");
    api.sync().report();
    assert_eq!(old.reads()["web"].len(), 2, "we kept theirs");
    world.assert_converged(&[api]);
}

/// A workspace as the older client leaves it: copies without markers, listed below its heading in `.gitignore`.
fn left_by_the_old_client(world: &World) -> Workspace {
    let api = world.workspace("api");
    api.put(
        ".gitignore",
        "metis.db\nmetis-mcp-server.log\n# Hydrated remote workspaces\nops/\nweb/\n",
    );
    api.write("API-T-0001", "Mine.");
    api.put("web/WEB-T-0001.md", task("WEB-T-0001", "First."));
    api.put("web/WEB-T-0009.md", task("WEB-T-0009", "Gone from central since."));
    api.put("ops/OPS-T-0001.md", task("OPS-T-0001", "Of a workspace that is gone."));
    let config = api
        .config()
        .replace("[sync]\n", "[sync]\nlast_synced_commit = \"HEAD\"\n");
    let head = world.central.tip().unwrap();
    api.put("config.toml", config.replace("HEAD", &head));
    api
}

/// What it copied is taken over: brought up to date, and never pushed as if it were our own.
#[test]
fn its_copies_are_adopted() {
    let world = World::new();
    let old = OldClient {
        world: &world,
        prefix: "web",
    };
    let mine = OldClient {
        world: &world,
        prefix: "api",
    };
    mine.pushes(&[("API-T-0001.md", task("API-T-0001", "Mine."))]);
    let api = left_by_the_old_client(&world);
    old.pushes(&[
        ("WEB-T-0001.md", task("WEB-T-0001", "First.")),
        ("WEB-T-0002.md", task("WEB-T-0002", "Second.")),
    ]);
    let in_place = fs::metadata(api.metis().join("web/WEB-T-0001.md"))
        .unwrap()
        .modified()
        .unwrap();

    let report = api.sync().report();

    assert_eq!(
        (report.pushed.len(), report.commit.as_deref()),
        (0, None),
        "the copies are not ours"
    );
    assert!(!report.registered);
    assert_eq!(api.hydrated("web"), world.central.folder("web"));
    assert_eq!(
        fs::metadata(api.metis().join("web/WEB-T-0001.md"))
            .unwrap()
            .modified()
            .unwrap(),
        in_place,
        "what is as it should be is not written anew"
    );
    assert!(api.metis().join("web/.hydrated").is_file());
    // Nobody knows any more whether somebody wrote these here: their bytes are not lost.
    let kept: Vec<_> = report
        .kept
        .iter()
        .map(|path| Path::new(path).file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(kept, ["WEB-T-0009.md.kept"]);
    for path in &report.kept {
        assert!(api.metis().join(path).is_file(), "{path}");
    }
    let ignored = fs::read_to_string(api.metis().join(".gitignore")).unwrap();
    assert_eq!(
        ignored,
        "metis.db\nmetis-mcp-server.log\n# Hydrated remote workspaces\nops/\nweb/\n"
    );

    let before = api.snapshot();
    assert_eq!(api.sync().report().outcome, "up-to-date");
    assert_eq!(api.snapshot().since(&before), Vec::<&Path>::new());
    assert!(!world.central.folder("api").contains_key("OPS-T-0001.md"));
    api.edit("API-T-0001", "Changed.");
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    world.assert_converged(&[api]);
}

/// Nothing central has of it any more, so nothing says what it was: it stays, unpushed.
#[test]
fn a_copy_of_a_workspace_that_is_gone_stays_where_it_is() {
    let world = World::new();
    let api = left_by_the_old_client(&world);
    fs::remove_dir_all(api.metis().join("web")).unwrap();
    let before = Snapshot::of(&api.metis().join("ops"));
    let report = api.sync().report();
    assert_eq!(report.pushed, ["API-T-0001"]);
    assert_eq!(Snapshot::of(&api.metis().join("ops")), before);
    assert_eq!(world.central.folder("api").len(), 1);
}

/// The older client on the same workspace again: our marker makes it leave the folder alone where it would remove it,
/// and what it rewrites is in order for us.
#[test]
fn it_can_be_used_again() {
    let world = World::new();
    let old = OldClient {
        world: &world,
        prefix: "web",
    };
    old.pushes(&[("WEB-T-0001.md", task("WEB-T-0001", "First."))]);
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    api.sync().report();
    old.pushes(&[("WEB-T-0001.md", task("WEB-T-0001", "Changed."))]);
    // Its hydration writes every file, and its dehydration a commit of its own.
    api.put("web/WEB-T-0001.md", task("WEB-T-0001", "Changed."));
    api.edit("API-T-0001", "Changed.");
    let text = String::from_utf8(api.documents()["API-T-0001.md"].clone()).unwrap();
    OldClient {
        world: &world,
        prefix: "api",
    }
    .pushes(&[("API-T-0001.md", text)]);

    let report = api.sync().report();
    assert_eq!((report.commit, report.kept.len(), report.warnings.len()), (None, 0, 0));
    assert_eq!(api.sync().report().outcome, "up-to-date");
    world.assert_converged(&[api]);
}
