//! What a document links to beside documents: files that stay where they are when it travels.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Parser, Tag};

use crate::names::ShortCode;

/// The files that the document at `path` links to or shows, by their paths from the folder that `path` begins in. Other documents
/// travel too, and are no part of it, nor is what lies above that folder.
pub fn linked_files(path: &str, markdown: &str) -> BTreeSet<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Parser::new(markdown)
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url),
            _ => None,
        })
        .filter_map(|target| from(folder, &target))
        .filter(|file| !is_document(file))
        .collect()
}

/// Where a link leads from `folder`; `None` for what is no path of a file below it all.
fn from(folder: &str, target: &str) -> Option<String> {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    // A scheme, which has no slash before its colon; `//host`; `/from/the/root`.
    let first = path.split('/').next().unwrap_or_default();
    if path.is_empty() || path.starts_with('/') || first.contains(':') {
        return None;
    }
    let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty() && !path.contains('\0')).then(|| parts.join("/"))
}

fn is_document(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(".md")
        .is_some_and(|code| code.parse::<ShortCode>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_from_documents_places_and_pages() {
        for (markdown, files) in [
            ("[a](notes.txt)", &[".metis/tasks/notes.txt"][..]),
            ("![a](../images/a%20b.png#part)", &[".metis/images/a b.png"]),
            ("[a](../../docs/spec.md?raw) [b](../../docs/spec.md)", &["docs/spec.md"]),
            ("[a][1]\n\n[1]: ./x.pdf \"title\"", &[".metis/tasks/x.pdf"]),
            ("[a](b:c/d) [b](./b:c)", &[".metis/tasks/b:c"]),
            ("[a](../API-T-0002.md) [b](API-T-0003.md#end)", &[]),
            (
                "[a](https://example.org/a.png) <https://example.org> [b](mailto:a@b.c) [c](//host/x)",
                &[],
            ),
            (
                "[a](#below) [b]() [c](/etc/hosts) [d](../../../outside.txt) [e](%ff) [f](a%00b) [g](../..)",
                &[],
            ),
            ("`[a](b.txt)`\n\n    [a](c.txt)\n\n```\n![a](d.txt)\n```\n", &[]),
        ] {
            let found = linked_files(".metis/tasks/API-T-0001.md", markdown);
            assert!(found.iter().eq(files), "{markdown}: {found:?}");
        }
    }
}
