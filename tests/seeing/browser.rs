//! The board in a real browser: what it shows, what its keys do, and what hostile documents get done there.

mod chromium;

use std::fs;

use serde_json::{Value, json};

use crate::support::{workspace::Workspace, world::World};
pub use chromium::Chromium;

fn document(code: &str, title: &str, [phase, parent, blocked_by]: [&str; 3], body: &str) -> String {
    format!(
        "---\nlevel: task\ntitle: {}\nshort_code: \"{code}\"\nparent: {parent}\nblocked_by: [{blocked_by}]\n\
         tags:\n  - \"#task\"\n  - \"#phase/{phase}\"\n---\n\n# {code}\n\n{body}\n",
        json!(title)
    )
}

/// `api` with four documents and `web` with one, all of which `api` has.
fn api(world: &World) -> Workspace {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    let put = |workspace: &Workspace, code: &str, facts, body: &str| {
        let text = document(code, &format!("About {code}"), facts, body);
        workspace.write_at(format!("{code}.md"), code, text);
    };
    put(
        &api,
        "API-T-0001",
        ["active", "NULL", ""],
        "The **whole** of it, see [that](API-T-0002.md).",
    );
    put(&api, "API-T-0002", ["todo", "API-T-0001", ""], "Pelicans.");
    put(&api, "API-T-0003", ["todo", "API-T-0001", "WEB-T-0001"], "Geese.");
    put(&api, "API-T-0004", ["completed", "API-T-0001", ""], "Swans.");
    put(&web, "WEB-T-0001", ["todo", "NULL", ""], "Ducks.");
    web.sync().report();
    api.sync().report();
    api
}

/// The board of `api`, open in a browser. `None` if there is no browser, which is said in the open.
fn opened(api: &Workspace) -> Option<Chromium> {
    let browser = Chromium::start(&api.home)?;
    assert_eq!(api.run(&["board", "board.html"]).code, Some(0));
    Some(browser)
}

fn page(api: &Workspace, state: &str) -> String {
    format!("file://{}{state}", api.dir.join("board.html").display())
}

/// The codes of the cards that are shown, by column.
const COLUMNS: &str = "[...document.querySelectorAll('.column')].map(column => column.querySelector('h2').firstChild.textContent \
    + ':' + [...column.querySelectorAll('.card')].map(card => card.dataset.code).join('+')).join(' ')";

#[test]
#[ignore = "scripts/test --servers"]
fn columns_filters_and_search() {
    let world = World::new();
    let api = api(&world);
    let Some(mut browser) = opened(&api) else { return };
    for (state, columns) in [
        (
            "",
            "todo:API-T-0002+API-T-0003+WEB-T-0001 active:API-T-0001 completed:API-T-0004",
        ),
        ("#workspace=web", "todo:WEB-T-0001"),
        ("#ready=1", "todo:API-T-0002+WEB-T-0001"),
        ("#q=pelicans", "todo:API-T-0002"),
        ("#q=about%20geese", "todo:API-T-0003"),
        ("#q=%E0%A4%A", ""),
    ] {
        browser.open(&page(&api, state));
        assert_eq!(browser.value(COLUMNS), columns, "{state}");
    }
    browser.open(&page(&api, "#view=progress"));
    let rows = browser.value("[...document.querySelectorAll('tbody tr')].map(row => row.innerText.trim()).join('|')");
    assert_eq!(
        rows,
        "api (own)\t4\t1|web\t1\t0|API-T-0001\tAbout API-T-0001\tactive\t1/3"
    );
    browser.open(&page(&api, "#view=graph"));
    let drawn = "['.node', '.parent', '.blocker'].map(kind => document.querySelectorAll('svg ' + kind).length).join()";
    assert_eq!(browser.value(drawn), "5,3,1");
    browser.open(&page(&api, "#view=syncs"));
    assert_eq!(browser.value("document.querySelectorAll('tbody tr').length"), 1);
    browser.open(&page(&api, "#open=api/API-T-0001"));
    let article = browser.value("document.querySelector('dialog[open] article').innerHTML");
    assert!(
        article.as_str().unwrap().contains("<strong>whole</strong>"),
        "{article}"
    );
}

#[test]
#[ignore = "scripts/test --servers"]
fn all_of_it_by_keyboard() {
    let world = World::new();
    let api = api(&world);
    let Some(mut browser) = opened(&api) else { return };
    browser.open(&page(&api, ""));
    let focused = "document.activeElement.dataset.code || document.activeElement.id";
    for (key, there) in [
        ("ArrowDown", "API-T-0002"),
        ("ArrowDown", "API-T-0003"),
        ("ArrowRight", "API-T-0001"),
        ("ArrowLeft", "API-T-0002"),
    ] {
        browser.press(key);
        assert_eq!(browser.value(focused), there, "{key}");
    }
    browser.press("Enter");
    assert_eq!(
        browser.value("document.querySelector('dialog[open] h2').innerText"),
        "API-T-0002 About API-T-0002"
    );
    browser.press("Escape");
    assert_eq!(browser.value("document.querySelectorAll('dialog[open]').length"), 0);
    assert_eq!(browser.value(focused), "API-T-0002", "back where it was");
    for (key, view) in [("g", "graph"), ("p", "progress"), ("s", "syncs"), ("b", "")] {
        browser.press(key);
        let state = browser.value("location.hash");
        assert_eq!(
            state,
            if view.is_empty() {
                String::new()
            } else {
                format!("#view={view}")
            }
            .as_str()
        );
    }
    browser.press("/");
    assert_eq!(browser.value(focused), "q");
    browser.press("g");
    assert_eq!(browser.value("location.hash"), "#q=g", "letters are letters there");
}

/// Light, dark and on paper.
#[test]
#[ignore = "scripts/test --servers"]
fn it_follows_the_readers_colours_and_prints() {
    let world = World::new();
    let api = api(&world);
    let Some(mut browser) = opened(&api) else { return };
    browser.open(&page(&api, ""));
    let colour = "getComputedStyle(document.body).backgroundColor";
    let mut with = |media: &str, scheme: &str| {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.call(
            "Emulation.setEmulatedMedia",
            json!({ "media": media, "features": features }),
        );
        let controls = "getComputedStyle(document.querySelector('search')).display";
        (browser.value(colour), browser.value(controls))
    };
    let shown = |colour: &str, controls: &str| (Value::from(colour), Value::from(controls));
    assert_eq!(with("screen", "light"), shown("rgb(246, 247, 249)", "flex"));
    assert_eq!(with("screen", "dark"), shown("rgb(20, 23, 29)", "flex"));
    assert_eq!(with("print", "dark"), shown("rgb(255, 255, 255)", "none"));
}

/// All that a browser would run if it took text for a page.
const PAYLOADS: [&str; 10] = [
    "<script>document.documentElement.dataset.pwned = 1</script>",
    "<img src=x onerror=\"document.documentElement.dataset.pwned = 1\">",
    "<svg onload=\"document.documentElement.dataset.pwned = 1\"></svg>",
    "<iframe srcdoc=\"<script>parent.document.documentElement.dataset.pwned = 1</script>\"></iframe>",
    "</script><script>document.documentElement.dataset.pwned = 1</script>",
    "<!--<script>document.documentElement.dataset.pwned = 1</script>-->",
    "<details open ontoggle=\"document.documentElement.dataset.pwned = 1\">",
    "<meta http-equiv=\"refresh\" content=\"0; url=data:text/html,gone\">",
    "<style>body { display: none }</style><link rel=stylesheet href=x.css>",
    "</textarea></title></style></noscript><body onfocus=\"document.documentElement.dataset.pwned = 1\" tabindex=1 autofocus>",
];

#[test]
#[ignore = "scripts/test --servers"]
fn nothing_that_a_document_says_is_run() {
    let world = World::new();
    let (api, web) = (api(&world), world.workspace("web"));
    let links = "[a](javascript:document.documentElement.dataset.pwned=1) ![b](javascript:x) <javascript:x> [c](data:text/html,x)";
    for (number, payload) in PAYLOADS.into_iter().enumerate() {
        let code = format!("WEB-T-000{number}");
        let text = document(
            &code,
            payload,
            ["todo", "NULL", ""],
            &format!("{payload}\n\nIn a line: {payload}\n\n{links}"),
        );
        web.write_at(format!("{code}.md"), &code, text);
    }
    web.sync_with(&["--force"]).report();
    api.sync().report();
    let Some(mut browser) = opened(&api) else { return };
    let pwned = "document.documentElement.dataset.pwned || ''";
    for number in 0..PAYLOADS.len() {
        browser.open(&page(&api, &format!("#open=web/WEB-T-000{number}")));
        assert_eq!(
            browser.value("document.querySelectorAll('.card').length"),
            14,
            "{number}: all is shown"
        );
        let says = browser.value("document.querySelector('dialog[open] article').innerText");
        assert!(says.as_str().unwrap().contains("In a line"), "{says}");
        let foreign = "document.querySelectorAll('article :is(script, img, svg, iframe, meta, style, link, details, body)').length";
        assert_eq!(browser.value(foreign), 0, "{number}");
        assert_eq!(
            browser.value("document.querySelectorAll('article a').length"),
            0,
            "{number}"
        );
        assert_eq!(browser.value(pwned), "", "{number}");
    }
    // The policy holds even where the page's own script would be mistaken.
    let tried = "(() => { try { document.body.innerHTML = '<b>'; return 'taken' } catch { return 'refused' } })()";
    assert_eq!(browser.value(tried), "refused");
    browser.value("document.body.append(Object.assign(document.createElement('a'), { id: 'bad', href: 'javascript:document.documentElement.dataset.pwned=1' }))");
    browser.value("document.getElementById('bad').click()");
    assert_eq!(browser.value(pwned), "");

    // This browser runs it where it is taken for a page.
    fs::write(api.dir.join("board.html"), format!("<html>{}", PAYLOADS[1])).unwrap();
    browser.open(&page(&api, ""));
    browser.value("new Promise(done => setTimeout(done, 0))");
    assert_eq!(browser.value(pwned), "1");
}

#[test]
#[ignore = "scripts/test --servers"]
fn the_pictures_in_the_documents_can_be_made_anew() {
    let world = World::new();
    let api = world.workspace("api");
    // It says in the open if there is no browser.
    if Chromium::start(&api.home).is_none() {
        return;
    }
    let folder = api.dir.join("pictures");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/screenshots");
    let program = env!("CARGO_BIN_EXE_git-metis-sync");
    let done = std::process::Command::new(script)
        .args(["--program", program])
        .arg(&folder)
        .output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for (name, holds) in [
        ("status.svg", "Ahead: 2 documents to push"),
        ("list.svg", "12 documents in 3 workspaces"),
        ("board.png", "PNG"),
        ("graph.png", "PNG"),
    ] {
        let picture = fs::read(folder.join(name)).unwrap();
        assert!(String::from_utf8_lossy(&picture).contains(holds), "{name}");
    }
}
