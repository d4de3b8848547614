//! What a workspace has in central, in a folder.

use super::*;

/// Documents go to a folder as the last sync of documents saw them, and nothing comes back.
#[test]
fn documents_of_a_workspace_go_to_a_folder() {
    let world = World::new();
    let shop = Project::untied(&world, "shop", &world.local());
    let web = world.workspace("web");
    web.write("WEB-T-0001", "One.");
    let second = web.write("WEB-T-0002", "Two.");
    web.run(&[]).success();
    let add = ["add", "plans", "workspace:web", "skills"];
    shop.run(&add, 0);
    let early = shop.run(&["sync", "plans"], 1);
    assert!(early.stderr.contains("never synced"), "{}", early.transcript());
    shop.0.run(&[]).success();
    let names = || shop.tree().into_keys().collect::<Vec<_>>();
    assert_eq!(names(), ["WEB-T-0001.md", "WEB-T-0002.md"]);
    assert!(shop.tree()["WEB-T-0001.md"].contains("One."));

    fs::remove_file(second).expect("it is there");
    web.write("WEB-T-0001", "Edited.");
    web.run(&[]).success();
    assert_eq!(
        shop.report(&["sync", "plans"], 0)["status"],
        "in-step",
        "central is not asked"
    );
    shop.0.run(&[]).success();
    assert_eq!(names(), ["WEB-T-0001.md"]);
    assert!(shop.tree()["WEB-T-0001.md"].contains("Edited."));

    // A mirror: what is changed here is put back, and kept.
    shop.put("WEB-T-0001.md", "Mine.");
    shop.run(&["sync", "plans"], 0);
    assert!(shop.tree()["WEB-T-0001.md"].contains("Edited."));
    let unknown = ["add", "more", "workspace:nobody", "other"];
    fs::create_dir(shop.0.dir.join("other")).expect("it is free");
    shop.run(&unknown, 0);
    let missing = shop.run(&["sync", "more"], 1);
    assert!(
        missing.stderr.contains("no workspace nobody"),
        "{}",
        missing.transcript()
    );
}
