//! `verify`: id by id.

use std::fs;

use super::{json, strings, text, two};
use crate::support::world::World;

#[test]
fn all_is_right_without_asking_anybody() {
    let world = World::new();
    let (api, web) = two(&world);
    world.wire();
    let before = api.snapshot();
    let verified = json(&api, &["verify"], 0);
    assert_eq!(
        (&verified["right"], &verified["own"]["documents"]),
        (&true.into(), &3.into())
    );
    assert_eq!(verified["folders"][0]["documents"], 2);
    assert!(
        text(&api, &["verify"], 0).starts_with("Everything matches central (")
            && text(&api, &["verify"], 0).ends_with("): 3 own documents, 2 from 1 other workspace.\n")
    );
    assert_eq!(world.wire().listings(), 0);
    assert_eq!(api.snapshot(), before);

    web.edit("WEB-T-0001", "More.");
    web.sync().report();
    json(&api, &["verify"], 0);
    let now = json(&api, &["verify", "--fetch"], 1);
    assert_eq!(strings(&now["folders"][0]["differing"], "code"), ["WEB-T-0001"]);
    assert_eq!(now["folders"][0]["marker"], "other");
    api.sync().report();
    json(&api, &["verify", "--fetch"], 0);
}

#[test]
fn every_difference_is_named() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.edit("API-T-0001", "More.");
    api.delete("API-T-0002");
    api.write("API-T-0004", "New.");
    api.put("web/WEB-T-0001.md", "edited");
    api.put("web/WEB-T-0009.md", "extra");
    api.put("web/notes.txt", "Mine, and no document.");
    fs::remove_file(api.metis().join("web/WEB-T-0002.md")).unwrap();
    let verified = json(&api, &["verify"], 1);
    let own = &verified["own"];
    assert_eq!(strings(&own["differing"], "code"), ["API-T-0001"]);
    assert_eq!(
        (strings(&own["missing"], ""), strings(&own["extra"], "")),
        (vec!["API-T-0002"], vec!["API-T-0004"])
    );
    let web = &verified["folders"][0];
    assert_eq!(
        (strings(&web["differing"], "code"), &web["marker"]),
        (vec!["WEB-T-0001"], &"right".into())
    );
    assert_eq!(
        (strings(&web["missing"], ""), strings(&web["extra"], "")),
        (vec!["WEB-T-0002"], vec!["WEB-T-0009"])
    );
    assert_eq!(strings(&web["strangers"], ""), ["notes.txt"]);
    let shown = text(&api, &["verify"], 1);
    for line in [
        "differs API-T-0001 (not pushed yet)",
        "  missing WEB-T-0002",
        "  extra   WEB-T-0009",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn without_the_object_cache() {
    let world = World::new();
    let (api, _web) = two(&world);
    fs::remove_dir_all(api.home.join(".cache")).unwrap();
    let failed = json(&api, &["verify"], 1);
    assert!(
        failed["error"]["message"].as_str().unwrap().contains("--fetch"),
        "{failed}"
    );
    json(&api, &["verify", "--fetch"], 0);
    json(&api, &["verify"], 0);
}
