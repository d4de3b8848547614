//! Clones in which git converts what it checks out: central has the bytes that git would commit.

use std::fs;

use crate::support::team::Team;

/// A second clone with other line ends, in which nobody edited anything; then somebody does.
#[track_caller]
fn is_as_committed(team: &Team, options: &str) {
    let carl = team.clone("carl", options);
    let bytes = fs::read(carl.dir.join(carl.path(1))).expect("checked out");
    assert!(bytes.windows(2).any(|pair| pair == b"\r\n"), "git has converted");
    assert_eq!(carl.git("status --porcelain"), "");
    carl.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    carl.put(carl.path(1), carl.document(1, "by-carl").replace('\n', "\r\n"));
    carl.put(carl.path(4), carl.document(4, "new").replace('\n', "\r\n"));
    carl.syncs();
    let edited = "1=by-carl 2=v1 3=v1 4=new";
    assert_eq!(team.plans(), edited);
    carl.commit("edited");
    carl.git("push -q");
    carl.syncs();
    assert_eq!(team.plans(), edited);
    team.ann.syncs();
    team.ann.catches_up();
    assert_eq!(team.plans(), edited);
    team.edits_get_through(&team.ann);
}

#[test]
fn by_a_setting() {
    is_as_committed(&Team::new(), "-c core.autocrlf=true");
}

#[test]
fn by_an_attribute() {
    let team = Team::new();
    team.ann.put(".gitattributes", "*.md text eol=crlf\n");
    team.ann.commit("attributes");
    team.ann.git("push -q");
    is_as_committed(&team, "");
}

/// In the folder of the documents, where nothing else says so.
#[test]
fn by_an_attribute_beside_the_documents() {
    let team = Team::new();
    team.ann.put(".metis/backlog/.gitattributes", "*.md text eol=crlf\n");
    team.ann.commit("attributes");
    team.ann.git("push -q");
    is_as_committed(&team, "");
}

/// Committed with carriage returns, and left so by git: then they are part of the document.
#[test]
fn carriage_returns_that_are_committed() {
    let team = Team::new();
    let windows = |text: &str| team.ann.document(1, text).replace('\n', "\r\n");
    team.ann.put(team.ann.path(1), windows("v2"));
    team.ann.commit("from another system");
    team.ann.git("push -q");
    team.ann.syncs();
    let central = || {
        team.world
            .central
            .folder("api")
            .remove("API-T-0001.md")
            .map(|bytes| bytes.escape_ascii().to_string())
    };
    assert_eq!(central(), Some(windows("v2").escape_default().to_string()));
    let carl = team.clone("carl", "-c core.autocrlf=true");
    carl.syncs();
    assert_eq!(central(), Some(windows("v2").escape_default().to_string()));
    team.edits_get_through(&team.ann);
}

#[test]
fn another_encoding() {
    let team = Team::new();
    let wide = |text: String| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    team.ann.put(team.ann.path(1), wide(team.ann.document(1, "v1")));
    team.ann.put(
        ".gitattributes",
        "API-T-0001.md text working-tree-encoding=UTF-16LE-BOM\n",
    );
    team.ann.commit("attributes");
    team.ann.git("push -q");
    team.ann.syncs();
    let carl = team.clone("carl", "");
    assert!(
        fs::read(carl.dir.join(carl.path(1)))
            .expect("checked out")
            .starts_with(&[0xff, 0xfe])
    );
    carl.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    carl.put(carl.path(1), wide(carl.document(1, "by-carl")));
    carl.syncs();
    assert_eq!(team.plans(), "1=by-carl 2=v1 3=v1");
    carl.commit("edited");
    carl.syncs();
    assert_eq!(team.plans(), "1=by-carl 2=v1 3=v1");
    team.edits_get_through(&carl);
}

/// `$Id$` is expanded where it is checked out, and is not a change.
#[test]
fn an_expanded_id() {
    let team = Team::new();
    team.ann.put(".gitattributes", "*.md ident\n");
    team.ann.write(1, "$Id$");
    team.ann.commit("attributes");
    team.ann.git("push -q");
    team.ann.syncs();
    let carl = team.clone("carl", "");
    assert!(
        fs::read_to_string(carl.dir.join(carl.path(1)))
            .expect("text")
            .contains("$Id: ")
    );
    carl.syncs();
    assert_eq!(team.plans(), "1=$Id$ 2=v1 3=v1");
    team.edits_get_through(&carl);
}
