//! `board`: one page with the documents of all workspaces.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;

use super::{configure_git, json, text, two};
use crate::support::{document::document, process::run, world::World};

/// What stands in the page's data block `id`.
fn data(page: &str, id: &str) -> Value {
    let block = page
        .split(&format!("<script type=\"application/json\" id=\"{id}\">"))
        .nth(1);
    let block = block.unwrap_or_else(|| panic!("no {id} in {page}"));
    serde_json::from_str(block.split("</script>").next().unwrap()).expect("it is JSON")
}

#[test]
fn a_page_with_the_documents_of_all_workspaces() {
    let world = World::new();
    let (api, _web) = two(&world);
    let file = api.dir.join("out.html");
    let told = text(&api, &["board", "out.html"], 0);
    assert_eq!(told, format!("{}: 5 documents\n", file.display()));
    let page = fs::read_to_string(&file).unwrap();
    let board = data(&page, "board");
    let codes: Vec<_> = board["cards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| &card["code"])
        .collect();
    assert_eq!(
        codes,
        ["API-T-0001", "API-T-0002", "API-T-0003", "WEB-T-0001", "WEB-T-0002"]
    );
    assert_eq!(board["as_of"]["head"], world.central.tip().unwrap());
    assert_eq!(board["syncs"][0]["outcome"], "synced");
    assert!(data(&page, "texts")[3].to_string().contains("As it was."), "{page}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o600, 0o600);

    // The same on standard output, and beside this clone's state, where git does not see it.
    let printed = text(&api, &["board", "-"], 0);
    assert_eq!(data(&printed, "board")["cards"], board["cards"]);
    let kept = json(&api, &["board"], 0);
    assert_eq!((&kept["documents"], &kept["workspaces"]), (&5.into(), &2.into()));
    let kept = fs::read_to_string(api.metis().join(".sync/board.html")).unwrap();
    assert_eq!(data(&kept, "texts"), data(&page, "texts"));
    assert_eq!(data(&kept, "board")["cards"], board["cards"]);
}

#[test]
fn over_a_board_and_over_nothing_else() {
    let world = World::new();
    let (api, _web) = two(&world);
    let page = api.dir.join("page.html");
    fs::write(&page, "<!doctype html>\n<p>Mine\n").unwrap();
    let stopped = api.run(&["board", "page.html"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.transcript());
    assert!(
        stopped.stderr.contains("page.html is there and no board"),
        "{}",
        stopped.stderr
    );
    assert_eq!(fs::read(&page).unwrap(), b"<!doctype html>\n<p>Mine\n");

    fs::remove_file(&page).unwrap();
    text(&api, &["board", "page.html"], 0);
    api.write("API-T-0004", "One more.");
    text(&api, &["rebuild-cache"], 0);
    text(&api, &["board", "page.html"], 0);
    let cards = data(&fs::read_to_string(&page).unwrap(), "board")["cards"].clone();
    assert_eq!(cards.as_array().unwrap().len(), 6);

    // In a folder that others write to, somebody may wait for it with a pipe.
    let mut pipe = api.program("mkfifo");
    pipe.arg("pipe.html");
    run(pipe).success();
    let waited_for = api.run(&["board", "pipe.html"]);
    assert!(
        waited_for.code == Some(1) && waited_for.stderr.contains("pipe.html is there and no board"),
        "{}",
        waited_for.transcript()
    );

    let nowhere = api.run(&["board", "no/such/folder.html"]);
    assert!(
        nowhere.code == Some(1) && nowhere.stderr.contains("cannot be written"),
        "{}",
        nowhere.transcript()
    );
    fs::remove_file(api.metis().join("metis.db")).unwrap();
    let unbuilt = api.run(&["board"]);
    assert!(
        unbuilt.code == Some(1) && unbuilt.stderr.contains("there is no"),
        "{}",
        unbuilt.transcript()
    );
}

#[test]
fn opened_in_gits_browser() {
    let world = World::new();
    let (api, _web) = two(&world);
    configure_git(&api, "web.browser", "mine");
    configure_git(&api, "browser.mine.cmd", "cp -t \"$HOME\"");
    text(&api, &["board", "opened.html", "--open"], 0);
    let [copy, page] = [api.home.join("opened.html"), api.dir.join("opened.html")].map(|file| fs::read(file).unwrap());
    assert_eq!(copy, page);

    configure_git(&api, "web.browser", "none-such");
    let stopped = api.run(&["board", "--open"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.transcript());
    assert!(
        stopped.stderr.contains("the board was written and not opened"),
        "{}",
        stopped.stderr
    );
}

/// What others write stays data, wherever in a document it stands.
#[test]
fn documents_of_others_stay_data() {
    let world = World::new();
    let (api, web) = two(&world);
    let hostile = "</script><script>alert(1)</script><!--<script>";
    let title = format!("{hostile}<img src=x onerror=alert(1)>");
    web.write_at("WEB-T-0003.md", "WEB-T-0003", document("WEB-T-0003", &title, hostile));
    web.sync().report();
    api.sync().report();
    let page = text(&api, &["board", "-"], 0);
    assert_eq!(page.matches("<script").count(), 3);
    assert!(!page.contains("<img") && !page.contains("<!--"));
    assert!(page.contains("default-src 'none'; script-src 'sha256-"));
    assert_eq!(data(&page, "board")["cards"][5]["title"], title);
    assert!(data(&page, "texts")[5].to_string().contains("alert(1)"));
}
