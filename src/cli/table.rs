//! Tables of documents: for people with headings and whole words, for pipes one line each.

use crate::{
    cache::{Document, Found, Link, Piece},
    text::{Untrusted, UntrustedName, first_of},
};

use super::{
    Global,
    colour::Paint,
    output,
    words::{number, wrapped},
};

/// How far snippets are set in.
const INDENT: usize = 4;

/// What is printed, up to a number of lines. Headings are for people: off a terminal there are none.
pub struct Page {
    paint: Paint,
    /// How wide the terminal is, if there is one.
    columns: Option<usize>,
    lines: usize,
    left: usize,
    beyond: usize,
}

impl Page {
    pub fn new(global: &Global, lines: usize) -> Self {
        Page {
            paint: Paint::stdout(global),
            columns: output::width(),
            lines,
            left: lines,
            beyond: 0,
        }
    }

    pub fn heading(&self, text: &str) {
        if self.columns.is_some() {
            say!("{}", self.paint.bold(text.trim_end()));
        }
    }

    /// How many there are, before there are many.
    pub fn total(&self, text: &str) {
        if self.columns.is_some() {
            say!("{text}");
        }
    }

    pub fn line(&mut self, text: &str) {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                say!("{}", text.trim_end());
            }
            None => self.beyond += 1,
        }
    }

    pub fn end(&self) {
        if self.columns.is_some() && self.lines == self.left {
            mention!("None.");
        }
        if self.beyond > 0 {
            mention!("… and {} more; --lines N shows more, --json all", number(self.beyond));
        }
    }

    pub fn documents(&mut self, documents: &[Document]) {
        if !documents.is_empty() {
            self.heading(&row(["code", "type", "phase", "workspace"], "title", None));
        }
        for document in documents {
            let line = described(document, self.columns);
            self.line(&line);
        }
    }

    /// What was found, with the place that fits below each.
    pub fn found(&mut self, found: &[Found]) {
        if !found.is_empty() {
            self.heading(&row(["code", "type", "phase", "workspace"], "title", None));
        }
        for Found { document, snippet } in found {
            let line = described(document, self.columns);
            self.line(&line);
            if !snippet.is_empty() {
                self.line(&self.snippet(snippet));
            }
        }
    }

    /// Broken between words where a person reads, before there are colours in it.
    fn snippet(&self, pieces: &[Piece]) -> String {
        let text: String = pieces.iter().map(|piece| piece.text.to_string()).collect();
        let text = match self.columns {
            Some(columns) => wrapped(text.trim(), columns, INDENT),
            None => " ".repeat(INDENT) + text.trim(),
        };
        let fitting = pieces.iter().filter(|piece| piece.fits);
        let mut out = String::new();
        let mut rest = text.as_str();
        for piece in fitting {
            let shown = piece.text.to_string();
            // One that was broken stays without colour.
            let Some((before, after)) = rest.split_once(&shown) else {
                continue;
            };
            out += before;
            out += &self.paint.red(&shown);
            rest = after;
        }
        out + rest
    }

    pub fn links(&mut self, links: &[Link]) {
        for link in links {
            let line = match &link.document {
                Some(document) => described(document, self.columns),
                None => format!("{:<14} (in no workspace)", link.code.brief()),
            };
            self.line(&line);
        }
    }
}

/// Anybody may put as many tags on a document as they like, and a line is for a person.
const MOST_MARKS: usize = 10;

fn described(document: &Document, columns: Option<usize>) -> String {
    let cell = |text: &Option<UntrustedName>| text.as_ref().map_or("-".into(), UntrustedName::brief);
    let cells = [
        &document.code.brief(),
        &cell(&document.kind),
        &cell(&document.phase),
        &document.workspace.brief(),
    ];
    let cells = cells.map(Untrusted::to_string);
    let title = title(document.title.brief().to_string()) + &marks(&document.shared_tags, &document.assigned);
    row(cells.each_ref().map(String::as_str), &title, columns)
}

/// In quotes where the end of it might be taken for what others say of the document.
fn title(shown: String) -> String {
    match shown.starts_with('"') || shown.split_whitespace().any(|word| word.starts_with(['#', '@'])) {
        true => quoted(&shown),
        false => shown,
    }
}

/// What others say of a document, behind its title.
fn marks(tags: &[UntrustedName], assigned: &[UntrustedName]) -> String {
    let tags = tags.iter().map(|tag| format!(" #{}", one_word(tag)));
    let assigned = assigned.iter().map(|who| format!(" @{}", one_word(who)));
    first_of(&tags.chain(assigned).collect::<Vec<_>>(), MOST_MARKS, "")
}

/// In quotes where it might be taken for several, one of which others never said.
fn one_word(name: &UntrustedName) -> String {
    let shown = name.brief().to_string();
    match shown.contains(char::is_whitespace) || shown.starts_with(['#', '@', '"']) {
        true => quoted(&shown),
        false => shown,
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// A title that is wider than what is left goes on below itself; where next to nothing is left, in lines of its own.
fn row([code, kind, phase, workspace]: [&str; 4], title: &str, columns: Option<usize>) -> String {
    const LEAST: usize = 20;
    let start = format!("{code:<14} {kind:<12} {phase:<12} {workspace:<12} ");
    let Some(columns) = columns else {
        return start + title;
    };
    let indent = start.chars().count();
    match columns.checked_sub(indent).filter(|left| *left >= LEAST) {
        Some(_) => start + wrapped(title, columns, indent).trim_start(),
        None => format!("{}\n{}", start.trim_end(), wrapped(title, columns, 4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_so_many_marks_at_most() {
        let names = |count: usize| {
            (0..count)
                .map(|n| format!("{n}").into())
                .collect::<Vec<UntrustedName>>()
        };
        assert_eq!(marks(&names(2), &names(1)), " #0 #1 @0");
        assert_eq!(marks(&names(9), &names(9)), " #0 #1 #2 #3 #4 #5 #6 #7 #8 @0 and 8 more");
    }

    #[test]
    fn one_tag_is_not_taken_for_another_or_for_an_assignment() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<UntrustedName>>();
        assert_eq!(
            marks(
                &names(&["a @bob", "b\" @bob", "#c", "d\u{a0}@bob"]),
                &names(&["a@b.org", "Ann B"])
            ),
            " #\"a @bob\" #\"b\\\" @bob\" #\"#c\" #\"d\u{a0}@bob\" @a@b.org @\"Ann B\""
        );
    }

    #[test]
    fn a_title_is_not_taken_for_what_others_say() {
        let shown = |text: &str| title(text.to_owned());
        for plain in ["Rotate keys", "C# and a@b.org", "Say \"no\""] {
            assert_eq!(shown(plain), plain);
        }
        assert_eq!(shown("Rotate #urgent @ann"), "\"Rotate #urgent @ann\"");
        assert_eq!(shown("@ann"), "\"@ann\"");
        assert_eq!(shown("\"Rotate\" #urgent"), "\"\\\"Rotate\\\" #urgent\"");
    }

    #[test]
    fn titles_are_wrapped_by_words_where_a_person_reads() {
        let cells = ["API-T-0001", "task", "todo", "api"];
        let title = "Rotate the keys of every service that has any";
        let whole = format!("API-T-0001     task         todo         api          {title}");
        assert_eq!(row(cells, title, None), whole);
        assert_eq!(row(cells, title, Some(120)), whole);
        assert_eq!(
            row(cells, title, Some(80)),
            format!(
                "API-T-0001     task         todo         api          Rotate the keys of every\n{0}service that has any",
                " ".repeat(54)
            )
        );
        assert_eq!(
            row(cells, title, Some(40)),
            "API-T-0001     task         todo         api\n    Rotate the keys of every service\n    that has any"
        );
    }
}
