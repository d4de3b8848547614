//! Metis documents as the Metis tools write them, in small.

/// A document with the frontmatter of its kind (the letter in the middle of the code) and `body` below the title.
pub fn document(code: &str, title: &str, body: &str) -> String {
    let level = match code.split('-').nth(1) {
        Some("V") => "vision",
        Some("I") => "initiative",
        Some("T") => "task",
        Some("A") => "adr",
        Some("S") => "specification",
        kind => panic!("no such kind of document: {kind:?} in {code}"),
    };
    let id = title.to_lowercase().replace(' ', "-");
    format!(
        r##"---
id: {id}
level: {level}
title: "{title}"
short_code: "{code}"
created_at: 2026-02-26T01:32:08.792941+00:00
updated_at: 2026-02-26T17:21:38.363117+00:00
parent: 
blocked_by: []
archived: false

tags:
  - "#{level}"
  - "#phase/todo"


exit_criteria_met: false
initiative_id: NULL
---

# {title}

{body}
"##
    )
}

/// The same document under another parent, e.g. one in another workspace.
pub fn with_parent(document: &str, parent: &str) -> String {
    document.replacen("parent: \n", &format!("parent: {parent}\n"), 1)
}
