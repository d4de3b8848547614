//! Markdown as elements that the page builds one by one. There is no HTML in it and no way to say some: what a document has of
//! that is shown as text, and its comments are left out.

use std::borrow::Cow;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::page::json;
use crate::names::ShortCode;

/// Elements in elements. What is nested more deeply, as nobody's plans are, becomes a part of the last one.
const MAX_DEPTH: usize = 32;

/// What of a document is shown. A page holds thousands.
const MAX_LENGTH: usize = 100_000;

/// What has to be known of a document: a character beyond that, to see that there is more.
pub(super) const LOOKED_AT: usize = MAX_LENGTH + 4;

/// What the elements of a document may come to: a table of empty cells is many times as long as what was written.
const MAX_WRITTEN: usize = 8 * MAX_LENGTH;

/// A document's body as JSON: an element is an array of its name, for links the target as `{"href": …}`, and what is in it; text
/// is a string.
pub(super) fn nodes(markdown: &str) -> String {
    let mut end = markdown.len().min(MAX_LENGTH);
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    let shown = &shallow(&markdown[..end]);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut writer = Writer {
        out: r#"["div""#.to_owned(),
        ..Writer::default()
    };
    let mut events = TextMergeStream::new(Parser::new_ext(shown, options));
    while writer.out.len() < MAX_WRITTEN
        && let Some(event) = events.next()
    {
        writer.event(event);
    }
    if end < markdown.len() || writer.out.len() >= MAX_WRITTEN {
        while !writer.open.is_empty() {
            writer.close();
        }
        writer.open("p", "");
        writer.text("… The rest is left out.");
        writer.close();
    }
    writer.out.push(']');
    writer.out
}

/// The text with no line in more quotes and lists than are told apart. For each line the parser goes through all that are open, so
/// a line of thousands with thousands below it would keep it busy for seconds.
fn shallow(markdown: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    for line in markdown.split_inclusive('\n') {
        let begun = line.as_ptr() as usize - markdown.as_ptr() as usize;
        if let Some((from, to)) = surplus(line) {
            out.push_str(&markdown[kept..begun + from]);
            kept = begun + to;
        }
    }
    match kept {
        0 => Cow::Borrowed(markdown),
        _ => Cow::Owned(out + &markdown[kept..]),
    }
}

/// Where the quotes and lists that a line begins with are too many, up to where its own text begins.
fn surplus(line: &str) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let (mut at, mut markers, mut from) = (0, 0, None);
    let is_end = |at: usize| bytes.get(at).is_none_or(|byte| byte.is_ascii_whitespace());
    loop {
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let len = match bytes.get(at) {
            Some(b' ' | b'\t') => {
                at += 1;
                continue;
            }
            Some(b'>') => 1,
            Some(b'-' | b'+' | b'*') if is_end(at + 1) => 1,
            Some(b'0'..=b'9') if matches!(bytes.get(at + digits), Some(b'.' | b')')) && is_end(at + digits + 1) => {
                digits + 1
            }
            _ => return from.map(|from| (from, at)),
        };
        if markers == MAX_DEPTH {
            from = from.or(Some(at));
        } else {
            markers += 1;
        }
        at += len;
    }
}

#[derive(Default)]
struct Writer {
    out: String,
    /// For each thing that is open, whether an element was written for it.
    open: Vec<bool>,
    /// How many of them were.
    depth: usize,
    /// The cells of a table's head are others than those below it.
    in_head: bool,
    /// HTML that is being collected, to be shown as the text it is.
    html: Option<String>,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::HtmlBlock) => self.html = Some(String::new()),
            Event::End(TagEnd::HtmlBlock) => {
                let html = self.html.take().unwrap_or_default();
                let html = without_comments(&html);
                if !html.trim().is_empty() {
                    self.open("p", "");
                    self.text(html.trim());
                    self.close();
                }
            }
            Event::Html(html) => match &mut self.html {
                Some(block) => block.push_str(&html),
                None => self.text(&without_comments(&html)),
            },
            Event::InlineHtml(html) => self.text(&without_comments(&html)),
            Event::Start(tag) => self.start(tag),
            Event::End(end) => {
                if end == TagEnd::TableHead {
                    self.close();
                    self.in_head = false;
                }
                self.close();
            }
            Event::Text(text) => self.text(&text),
            Event::Code(text) => {
                self.open("code", "");
                self.text(&text);
                self.close();
            }
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => self.empty("br"),
            Event::Rule => self.empty("hr"),
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => self.text(&text),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let name = match tag {
            Tag::Paragraph => "p",
            // The page has a heading of the first level, and the document one of the second.
            Tag::Heading { level, .. } => ["h3", "h4", "h5", "h6"][(level as usize - 1).min(3)],
            Tag::BlockQuote(_) => "blockquote",
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => "pre",
            Tag::List(None) => "ul",
            Tag::List(Some(_)) => "ol",
            Tag::Item => "li",
            Tag::Table(_) => "table",
            Tag::TableHead => {
                self.in_head = true;
                self.open("thead", "");
                "tr"
            }
            Tag::TableRow => "tr",
            Tag::TableCell if self.in_head => "th",
            Tag::TableCell => "td",
            Tag::Emphasis => "em",
            Tag::Strong => "strong",
            Tag::Strikethrough => "del",
            // Nothing is loaded from elsewhere, so a picture is a link to it.
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => return self.link(&dest_url),
            _ => "span",
        };
        self.open(name, "");
    }

    fn link(&mut self, target: &CowStr<'_>) {
        match href(target) {
            Some(href) => self.open("a", &format!(r#",{{"href":{}}}"#, json(&href))),
            None => self.open("span", ""),
        }
    }

    fn open(&mut self, name: &str, more: &str) {
        let fits = self.depth < MAX_DEPTH;
        if fits {
            self.out.push_str(&format!(r#",["{name}"{more}"#));
            self.depth += 1;
        }
        self.open.push(fits);
    }

    fn close(&mut self) {
        if self.open.pop() == Some(true) {
            self.out.push(']');
            self.depth -= 1;
        }
    }

    fn empty(&mut self, name: &str) {
        self.open(name, "");
        self.close();
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.out.push(',');
            self.out.push_str(&json(&text));
        }
    }
}

/// Where a link leads: to a page, to somebody's mail, or to another document on the board. A file beside the document is not beside
/// the page, and other schemes may run something.
fn href(target: &str) -> Option<String> {
    let lower = target.to_ascii_lowercase();
    if ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme))
    {
        return Some(target.to_owned());
    }
    let path = target.split(['#', '?']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let code: ShortCode = name.strip_suffix(".md").unwrap_or(name).parse().ok()?;
    Some(format!("#{code}"))
}

fn without_comments(html: &str) -> String {
    let mut parts = html.split("<!--");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // One that is not closed ends where the HTML does.
        out.push_str(part.split_once("-->").map_or("", |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests;
