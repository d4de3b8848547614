//! A checkout that lacks documents of its own project's remote does not push over them, and looking costs the project
//! nothing: no ref, no index, no `FETCH_HEAD`, no object.

mod layouts;

use std::{fs, path::Path};

use super::{project::Project, traffic::Packs};
use crate::support::{
    document::document,
    report::{Failure, Report},
    workspace::Workspace,
    world::World,
};

const TASK: &str = ".metis/initiatives/API-I-0001/tasks/API-T-0001.md";

/// A synced workspace in a pushed project, with something new to push to central.
fn with_something_to_push(world: &World) -> (Workspace, Project) {
    let workspace = world.workspace("api");
    workspace.write("API-T-0001", "First.");
    workspace.write("API-T-0002", "Second.");
    workspace.sync().report();
    let project = Project::around(world, &workspace);
    workspace.edit("API-T-0002", "Changed here.");
    (workspace, project)
}

fn theirs(code: &str) -> String {
    document(code, &format!("Title of {code}"), "Changed by a colleague.")
}

/// Nothing that git keeps has changed, nor any file outside of `.metis/`.
#[track_caller]
fn looking_only<T>(project: &Project, workspace: &Workspace, sync: impl FnOnce() -> T) -> T {
    let status = || project.git(&workspace.dir, &["status", "--porcelain", "--untracked-files=all"]);
    // Git's own refreshing of the index is done before the first look.
    status();
    let (git, files) = (project.kept_by_git(&workspace.dir), workspace.snapshot());
    let done = sync();
    assert_eq!(
        project.kept_by_git(&workspace.dir).since(&git),
        Vec::<&Path>::new(),
        "the project's repository is as it was"
    );
    let after = workspace.snapshot();
    let elsewhere: Vec<_> = after
        .since(&files)
        .into_iter()
        .filter(|path| !path.starts_with(".metis") && !path.starts_with(".git"))
        .collect();
    assert_eq!(elsewhere, Vec::<&Path>::new());
    let aside = workspace.home.join(".cache/git-metis-sync/aside");
    if let Ok(mut left) = fs::read_dir(aside) {
        assert!(left.next().is_none(), "what was looked at is gone again");
    }
    done
}

#[track_caller]
fn pushes(project: &Project, workspace: &Workspace) -> Report {
    let report = looking_only(project, workspace, || workspace.sync().report());
    assert_eq!(report.pushed, ["API-T-0002"]);
    assert_eq!(report.warnings, Vec::<String>::new());
    report
}

/// The sync stops before it dehydrates: central and the files are as they were.
#[track_caller]
fn is_stale(world: &World, project: &Project, workspace: &Workspace) -> Failure {
    let (tip, before) = (world.central.tip(), workspace.documents());
    let failure = looking_only(project, workspace, || workspace.sync().failure(3));
    assert_eq!(failure.kind, "stale");
    assert_eq!(world.central.tip(), tip, "nothing was pushed");
    assert_eq!(workspace.documents(), before);
    let next = failure.next.as_deref().unwrap_or_default();
    assert!(next.contains("git pull") && next.contains("--force"), "{failure:?}");
    failure
}

/// 81#8
#[test]
fn an_up_to_date_project_costs_one_listing() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    world.wire();
    pushes(&project, &workspace);
    let wire = world.wire();
    assert_eq!(wire.listings(), 2, "one of central, one of the project's remote");
    assert_eq!(wire.wants(), 0, "and no object of either");
}

/// 81#8: where nothing is to be pushed nothing can be overwritten, so nobody is asked.
#[test]
fn with_nothing_to_push_the_remote_is_not_asked() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    workspace.sync().report();
    project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));
    world.wire();
    assert_eq!(workspace.sync().report().outcome, "up-to-date");
    assert_eq!(world.wire().listings(), 1);
}

/// 81#9: changed, added and removed by a colleague.
#[test]
fn unpulled_documents_stop_the_sync() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    let new = "adrs/API-A-0001.md";
    project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));
    project.colleague_pushes("main", &format!(".metis/{new}"), Some(&theirs("API-A-0001")));
    project.colleague_pushes("main", &TASK.replace("0001.md", "0002.md"), None);

    let failure = is_stale(&world, &project, &workspace);
    assert_eq!(
        failure.message,
        "origin/main has commits that are not pulled yet and that change planning documents: \
         adrs/API-A-0001.md, initiatives/API-I-0001/tasks/API-T-0001.md, initiatives/API-I-0001/tasks/API-T-0002.md"
    );
    assert_eq!(failure.server_text, "");

    // The way out that the message names.
    project.git(
        &workspace.dir,
        &["checkout", "--quiet", TASK.split('/').next().unwrap()],
    );
    project.git(&workspace.dir, &["pull", "--quiet", "--ff-only"]);
    let report = looking_only(&project, &workspace, || {
        workspace.sync_with(&["--allow-deletes"]).report()
    });
    assert_eq!(report.pushed, ["API-A-0001", "API-T-0001"]);
    assert_eq!(report.removed, ["API-T-0002"]);
}

/// 81#9: the user fetched, but did not merge. Nothing has to come over the wire to see that.
#[test]
fn fetched_but_not_merged_is_stale_as_well() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));
    project.git(&workspace.dir, &["fetch", "--quiet"]);
    world.wire();
    is_stale(&world, &project, &workspace);
    assert_eq!(world.wire().wants(), 0);
}

/// 81#9: the project has unpushed commits of its own besides. What is asked for are the remote's new objects, not its
/// history.
#[test]
fn a_diverged_project_is_stale_and_its_history_is_not_fetched() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    for n in 0..5 {
        project.colleague_pushes("main", "src/main.rs", Some(&format!("// {n}")));
    }
    project.git(&workspace.dir, &["pull", "--quiet", "--rebase", "--autostash"]);
    project.git(&workspace.dir, &["stash", "--quiet"]);
    for n in 0..3 {
        fs::write(workspace.dir.join("README.md"), format!("{n}")).unwrap();
        project.commit(&workspace.dir);
    }
    project.git(&workspace.dir, &["stash", "pop", "--quiet"]);
    project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));

    let packs = Packs::sent_to(&world, &workspace);
    is_stale(&world, &project, &workspace);
    // One commit, the trees down to the document, and the document: the server of the test does not filter.
    assert_eq!(packs.objects(), [1 + 5 + 1]);
}

/// 81#10
#[test]
fn unpulled_commits_elsewhere_do_not_matter() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    project.colleague_pushes("main", "src/main.rs", Some("fn main() {}"));
    project.colleague_pushes("main", "docs/API-T-0001.md", Some(&theirs("API-T-0001")));
    project.colleague_pushes("main", ".metis/code-index.md", Some("An index that each writes anew."));
    project.colleague_pushes(
        "main",
        ".metis/config.toml",
        Some(&format!("# Theirs.\n{}", workspace.config())),
    );
    pushes(&project, &workspace);
}

/// 81#10: folders of other workspaces are nobody's documents here, also where somebody committed them by mistake.
#[test]
fn unpulled_copies_of_other_workspaces_do_not_matter() {
    let world = World::new();
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    let (workspace, project) = with_something_to_push(&world);
    let dir = project.colleague("main");
    fs::create_dir_all(dir.join(".metis/web")).unwrap();
    fs::write(dir.join(".metis/web/WEB-T-0001.md"), theirs("WEB-T-0001")).unwrap();
    project.git(dir, &["add", "--force", ".metis/web/WEB-T-0001.md"]);
    project.commit(dir);
    project.git(dir, &["push", "--quiet", "origin", "main"]);
    pushes(&project, &workspace);
}

/// 81#10: a change that was taken back leaves nothing to pull.
#[test]
fn unpulled_changes_that_were_reverted_do_not_matter() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    let before = fs::read_to_string(workspace.dir.join(TASK)).unwrap();
    project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));
    project.colleague_pushes("main", TASK, Some(&before));
    pushes(&project, &workspace);
}

/// 81#11
#[test]
fn force_does_not_even_ask() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));
    is_stale(&world, &project, &workspace);
    world.wire();
    let report = looking_only(&project, &workspace, || workspace.sync_with(&["--force"]).report());
    assert_eq!(report.pushed, ["API-T-0002"]);
    assert_eq!(world.wire().listings(), 1, "central's alone");
}

/// 81#12
#[test]
fn outside_of_a_repository_nothing_is_checked() {
    let world = World::new();
    let workspace = world.workspace("api");
    workspace.write("API-T-0001", "First.");
    let report = workspace.sync().report();
    assert_eq!((report.pushed.len(), report.warnings.len()), (1, 0));
    assert_eq!(world.wire().listings(), 1);
}

/// 81#13, and a detached head and a branch without an upstream, which have no remote either.
#[test]
fn without_a_remote_nothing_is_checked() {
    for way in ["no remote", "no upstream", "detached", "no commit"] {
        let world = World::new();
        let (workspace, project) = with_something_to_push(&world);
        project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));
        let args: &[&str] = match way {
            "no remote" => &["remote", "remove", "origin"],
            "no upstream" => &["branch", "--unset-upstream"],
            "detached" => &["checkout", "--quiet", "--detach"],
            _ => &["checkout", "--quiet", "--orphan", "fresh"],
        };
        project.git(&workspace.dir, args);
        world.wire();
        pushes(&project, &workspace);
        assert_eq!(world.wire().listings(), 1, "{way}");
    }
}

/// 81#13: the remote has the branch no more.
#[test]
fn a_branch_that_the_remote_lost_is_not_stale() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    project.git(&project.remote, &["branch", "--quiet", "--move", "main", "elsewhere"]);
    pushes(&project, &workspace);
}

/// 81#9: a remote that cannot be asked is said, and stops nothing: what central has is still guarded.
#[test]
fn a_remote_that_cannot_be_asked_is_a_warning() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    let secret = "http://ann:secret@127.0.0.1:1/project.git";
    project.git(&workspace.dir, &["remote", "set-url", "origin", secret]);
    let report = looking_only(&project, &workspace, || workspace.sync().report());
    assert_eq!(report.pushed, ["API-T-0002"]);
    let [warning] = report.warnings.as_slice() else {
        panic!("{:?}", report.warnings)
    };
    assert!(
        warning.contains("the project's own remote could not be asked") && warning.contains("127.0.0.1:1"),
        "{warning}"
    );
    assert!(!warning.contains("secret"), "{warning}");
}
