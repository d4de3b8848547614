//! A repository with its workspaces in subfolders.

use std::fs;

use super::has_synced;
use crate::hooks::project::Project;
use crate::support::world::World;

/// One repository for many projects: the hook says where the workspace is.
#[test]
fn a_workspace_in_a_subfolder() {
    let world = World::new();
    let outer = Project::new(&world, "api");
    let folder = outer.workspace.dir.join("the api's");
    fs::create_dir(&folder).expect("temp folder is writable");
    fs::rename(outer.workspace.metis(), folder.join(".metis")).expect("same disk");
    outer.commit("moved");
    outer.git(&["-C", "the api's", "metis-sync", "hooks", "install"]);
    assert!(
        outer
            .git(&["-C", "the api's", "metis-sync", "hooks", "status"])
            .contains("fires: ")
    );
    outer.git(&["push", "--quiet"]);
    has_synced(&folder);
}

/// Three workspaces in one repository: each has its call in the hook files, knows of its own, and takes out its own.
#[test]
fn several_workspaces_in_one_repository() {
    let world = World::new();
    let top = Project::new(&world, "api");
    let git = |folder: &str, args: &[&str]| top.git(&[&["-C", folder, "metis-sync", "hooks"], args].concat());
    for (folder, prefix) in [("web", "web"), ("it's ops", "ops")] {
        let other = world.workspace(prefix);
        fs::create_dir(top.workspace.dir.join(folder)).expect("temp folder is writable");
        fs::rename(other.metis(), top.workspace.dir.join(folder).join(".metis")).expect("same disk");
    }
    top.workspace.write("API-T-0001", "At the top.");
    for (folder, code) in [("web", "WEB-T-0001"), ("it's ops", "OPS-T-0001")] {
        let text = crate::support::document::document(code, "Title", "In a folder.");
        fs::write(top.workspace.dir.join(folder).join(format!(".metis/{code}.md")), text).expect("it is ours");
    }
    top.commit("documents of three workspaces");
    let hook = top.hook(
        "pre-push",
        "#!/bin/sh\nwhile read -r line; do echo \"$line\" >>seen; done\n",
    );
    let users = fs::read(&hook).expect("it is there");
    let is_as_it_was = || {
        assert_eq!(fs::read(&hook).expect("it is there"), users);
        assert!(!hook.with_file_name("post-merge").exists());
    };

    git("web", &["install", "pre-push"]);
    let one = fs::read(&hook).expect("it is there");
    for folder in [".", "it's ops"] {
        let status = git(folder, &["status"]);
        assert!(status.contains("pre-push     not installed"), "{status}");
        let none = git(folder, &["uninstall"]);
        assert!(none.contains("those of other workspaces"), "{none}");
    }
    git("it's ops", &["install", "pre-push"]);
    git(".", &["install", "pre-push"]);
    for folder in [".", "web", "it's ops"] {
        assert!(git(folder, &["status"]).contains("pre-push     fires: "), "{folder}");
        assert!(
            git(folder, &["install", "pre-push"]).contains("is there already"),
            "{folder}"
        );
    }
    top.git(&["push", "--quiet"]);
    for (folder, prefix, document) in [
        (".", "api", "API-T-0001.md"),
        ("web", "web", "WEB-T-0001.md"),
        ("it's ops", "ops", "OPS-T-0001.md"),
    ] {
        has_synced(&top.workspace.dir.join(folder));
        assert_eq!(world.central.folder(prefix).into_keys().collect::<Vec<_>>(), [document]);
    }
    let seen = fs::read_to_string(top.workspace.dir.join("seen")).expect("the user's lines have run");
    assert!(seen.starts_with("refs/heads/main "), "they got what git says: {seen}");
    assert_eq!(seen.lines().count(), 1);

    git(".", &["uninstall"]);
    assert!(git(".", &["status"]).contains("pre-push     not installed"));
    assert!(git("web", &["status"]).contains("pre-push     fires: "));
    assert!(git("it's ops", &["uninstall"]).contains("still calls for other workspaces"));
    assert_eq!(fs::read(&hook).expect("it is there"), one);
    git("web", &["uninstall"]);
    is_as_it_was();

    git("web", &["install"]);
    git("it's ops", &["install", "--after"]);
    git(".", &["uninstall", "--all"]);
    is_as_it_was();
}
