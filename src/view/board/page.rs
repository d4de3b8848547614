//! The board's page: one file that loads nothing and can be sent to anybody.
//!
//! Documents are foreign text. The page carries them as data, its own script makes elements of them, of a few kinds and one by one,
//! and its policy lets no other script run, nothing load, and no text be taken for HTML.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::{Board, markdown};
use crate::text;

const PAGE: &str = include_str!("board.html");
const STYLE: &str = include_str!("board.css");
const SCRIPT: &str = concat!(
    "'use strict';\n(() => {\n",
    include_str!("board.js"),
    include_str!("document.js"),
    include_str!("graph.js"),
    include_str!("news.js"),
    "start();\n})();\n"
);

/// How each page of ours begins.
const BEGINNING: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"generator\" content=\"git-metis-sync board\">\n";

/// Whether a file that begins so is a page of ours, which may be written over.
pub fn is_board(beginning: &[u8]) -> bool {
    beginning.starts_with(BEGINNING.as_bytes())
}

/// The page that shows `board`. A served one has the `version` of what it shows, and asks where it came from for a newer one.
pub fn page(board: &Board, version: Option<&str>) -> String {
    let own = board.workspaces.iter().find(|workspace| workspace.owned);
    // A prefix has no characters that mean something in HTML.
    let of = own.map(|own| format!(" of {}", own.prefix)).unwrap_or_default();
    fill(PAGE, &|name| match name {
        "policy" => policy(version.is_some()),
        "version" => version.unwrap_or_default().to_owned(),
        "of" => of.clone(),
        "style" => STYLE.to_owned(),
        "script" => SCRIPT.to_owned(),
        "board" => json(board),
        "texts" => texts(board),
        other => unreachable!("the page has no place {other}"),
    })
}

/// Nothing is allowed but the page's own style and script, known by their hashes, and a served one's asking for news.
fn policy(served: bool) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'{}",
        hash(SCRIPT),
        hash(STYLE),
        if served { "; connect-src 'self'" } else { "" }
    )
}

/// What the documents say, in the order of the cards. A line each, so that a difference of two pages can be read.
fn texts(board: &Board) -> String {
    let texts = board.cards.iter().map(|card| markdown::nodes(&card.text));
    format!("[\n{}\n]", texts.collect::<Vec<_>>().join(",\n"))
}

/// JSON that can stand in a `script` element: nothing in it ends the element or begins a comment.
pub(super) fn json(value: &impl Serialize) -> String {
    // Of what the board has, everything can be written.
    let text = text::json(value).unwrap_or_default();
    text.replace('<', "\\u003c")
}

/// The template with its `{{places}}` filled. What is filled in is not looked at again.
fn fill(template: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut parts = template.split("{{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        out.push_str(&value(name));
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{board, document};
    use super::*;

    #[test]
    fn a_page_is_known_again() {
        let page = page(&board(&[]), None);
        assert!(is_board(page.as_bytes()));
        assert!(!is_board(b"<!doctype html>\n<html>\n") && !is_board(b""));
        assert!(page.contains("<title>Board</title>"), "nobody's");
    }

    #[test]
    fn documents_cannot_leave_their_place() {
        let mut hostile = document(
            "API-T-0001",
            "</script><script>alert(1)</script>",
            "<!--",
            &["<script>"],
        );
        hostile.title = "</script><img src=x onerror=alert(1)>{{script}}".into();
        hostile.kind = Some("<b>".into());
        let mut board = board(&[hostile, document("API-T-0002", "todo", "", &[])]);
        board.cards[0].text = "</script><script>alert(1)</script>\n\n<!-- {{board}} -->".into();
        let page = page(&board, None);
        assert_eq!(page.matches("<script").count(), 3);
        assert_eq!(page.matches("</script>").count(), 3);
        for nowhere in ["<img", "<b>", "<!--"] {
            assert!(!page.contains(nowhere), "{nowhere}");
        }
        let texts = page
            .split("id=\"texts\">")
            .nth(1)
            .unwrap()
            .split("</script>")
            .next()
            .unwrap();
        let texts: serde_json::Value = serde_json::from_str(texts).unwrap();
        assert_eq!(texts[1], serde_json::json!(["div", ["p", "Text of API-T-0002"]]));
        let hostile = serde_json::json!(["p", "</script>", "<script>", "alert(1)", "</script>"]);
        assert_eq!(texts[0][1], hostile);
    }

    #[test]
    fn the_page_loads_nothing_and_allows_its_own_script_alone() {
        let page = page(&board(&[document("API-T-0001", "todo", "", &[])]), None);
        let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap();
        let policy = policy.split('"').next().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'sha256-"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("connect"), "{policy}");
        let elsewhere = page.replace("url(#arrow)", "");
        for reference in [" src=", "href=\"", "url(", "@import", " style=", " onclick"] {
            assert!(!elsewhere.contains(reference), "{reference}");
        }
        // As a browser takes it: between the tags, with nothing left out.
        let script = page
            .split("<script>")
            .nth(1)
            .unwrap()
            .split("</script>")
            .next()
            .unwrap();
        assert!(policy.contains(&BASE64_STANDARD.encode(digest(&SHA256, script.as_bytes()))));
    }
}
