//! Conflict markers that git does not know of: committed by mistake, merged by hand, or the very subject of a document.

use crate::support::team::Team;

const CONFLICT: &str = "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> feature";
const DIFF3: &str = "<<<<<<< ours\nours\n||||||| base\nbefore\n=======\ntheirs\n>>>>>>> theirs";

/// No operation of git's is unfinished, and the file is not unmerged.
#[test]
fn in_a_file_that_git_calls_merely_edited() {
    for conflict in [CONFLICT, DIFF3] {
        let team = Team::new();
        team.ann.write(1, conflict);
        team.ann.write(2, "edited");
        let said = team.ann.syncs();
        assert!(said.contains("API-T-0001"), "it is named: {said}");
        assert_eq!(team.plans(), "1=v1 2=edited 3=v1");
        team.ann.write(1, "resolved");
        team.ann.syncs();
        assert_eq!(team.plans(), "1=resolved 2=edited 3=v1");
        team.edits_get_through(&team.ann);
    }
}

/// Line ends of Windows around them.
#[test]
fn with_carriage_returns() {
    let team = Team::new();
    team.ann
        .put(team.ann.path(1), team.ann.document(1, CONFLICT).replace('\n', "\r\n"));
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// Markers in the frontmatter: no code can be read, and the document is not gone for that.
#[test]
fn in_the_frontmatter() {
    let team = Team::new();
    let broken = team.ann.document(1, "edited").replace(
        "archived: false\n",
        "<<<<<<< HEAD\narchived: false\n=======\narchived: true\n>>>>>>> feature\n",
    );
    team.ann.put(team.ann.path(1), &broken);
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// A document about merge conflicts is a document.
#[test]
fn in_a_document_that_explains_them() {
    let team = Team::new();
    team.ann.write(1, &format!("How to read it:\n\n{CONFLICT}"));
    team.ann.commit("a guide");
    team.ann.git("push -q");
    team.ann.syncs();
    let shown = |text: &str| text.as_bytes().escape_ascii().to_string();
    let guide = shown(&format!("How to read it:\n\n{CONFLICT}"));
    assert_eq!(team.plans(), format!("1={guide} 2=v1 3=v1"), "committed on purpose");
    team.ann
        .write(1, &format!("How to read it:\n\n{CONFLICT}\n\nAnd go on."));
    team.ann.syncs();
    let longer = shown(&format!("How to read it:\n\n{CONFLICT}\n\nAnd go on."));
    assert_eq!(team.plans(), format!("1={longer} 2=v1 3=v1"));
    team.bob.catches_up();
    team.edits_get_through(&team.bob);
}

/// Headings underlined with equals signs, a quotation, a row of angle brackets: no conflict.
#[test]
fn what_only_looks_like_them() {
    let team = Team::new();
    let text = "Heading\n=======\n\n> quoted\n\n<<<<<<<< eight\n>>>>>>>>";
    team.ann.write(1, text);
    team.ann.syncs();
    assert_eq!(team.plans(), format!("1={} 2=v1 3=v1", text.as_bytes().escape_ascii()));
}
