//! The YAML block at the head of a document: which document it is, and what the queries need of it.

#[cfg(test)]
mod tests;
mod yaml;

use std::{collections::HashSet, ops::Range};

use self::yaml::{DEPTH_LIMIT, Value, read_mapping};
use crate::names::ShortCode;

/// The most bytes a frontmatter may have.
pub const FRONTMATTER_LIMIT: usize = 64 << 10;

/// A document's frontmatter. Only the code must be right; of the other keys, what has an unexpected type counts as absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontmatter {
    /// `short_code`
    pub short_code: ShortCode,
    /// `id`: a name of its own in its workspace, made from its title, which the Metis tools write as other documents'
    /// `parent`.
    pub id: Option<String>,
    /// `title`
    pub title: Option<String>,
    /// `level`: `vision`, `initiative`, `task`, …
    pub level: Option<String>,
    /// `parent`, as written; `NULL` and an empty value are `None`.
    pub parent: Option<String>,
    /// `blocked_by`, each entry as written, but for the brackets of an unquoted `[[CODE]]`.
    pub blocked_by: Vec<String>,
    /// `archived`
    pub archived: bool,
    /// `tags`
    pub tags: Vec<String>,
    /// `x` of the first tag `#phase/x`.
    pub phase: Option<String>,
}

/// Why a file's frontmatter does not say which document it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Damage {
    #[error("it has no frontmatter")]
    Missing,
    #[error("its frontmatter has no short_code")]
    NoShortCode,
    #[error("the short_code in its frontmatter is not text")]
    ShortCodeNotText,
    #[error(
        "the short_code in its frontmatter breaks the rule: a project, a letter and at least four digits, as in API-T-0001"
    )]
    ShortCodeBreaksRule,
    #[error("its frontmatter has more than one short_code")]
    ShortCodeTwice,
    #[error("its frontmatter is not closed by a line '---'")]
    NotClosed,
    #[error("its frontmatter is not UTF-8 text")]
    NotUtf8,
    #[error("its frontmatter is over the limit of {FRONTMATTER_LIMIT} bytes")]
    TooLong,
    #[error("its frontmatter is nested more than {DEPTH_LIMIT} levels deep")]
    TooDeep,
    #[error("its frontmatter is not valid YAML: line {line}: {message}")]
    Yaml {
        /// Line of the file, from 1.
        line: usize,
        message: String,
    },
}

impl Damage {
    /// Whether the file is just not a document, such as a README, unless something else says that it was one.
    pub fn is_plain_file(&self) -> bool {
        matches!(self, Damage::Missing | Damage::NoShortCode)
    }
}

/// Read the frontmatter of a document. The body is not looked at; it need not be UTF-8.
pub fn parse(document: &[u8]) -> Result<Frontmatter, Damage> {
    let block = std::str::from_utf8(&document[block(document)?]).map_err(|_| Damage::NotUtf8)?;
    let mut keys = Keys::default();
    let mut short_codes = 0;
    read_mapping(block, |key, value| {
        short_codes += usize::from(key == "short_code");
        keys.set(key, value);
    })?;
    let short_code = match (short_codes, keys.short_code) {
        (0, _) => return Err(Damage::NoShortCode),
        (1, Value::Scalar(scalar)) if scalar.is_text => scalar.text,
        (1, _) => return Err(Damage::ShortCodeNotText),
        _ => return Err(Damage::ShortCodeTwice),
    };
    let tags = keys.tags.into_texts();
    Ok(Frontmatter {
        short_code: short_code.parse().map_err(|_| Damage::ShortCodeBreaksRule)?,
        id: keys.id.into_text(),
        title: keys.title.into_text(),
        level: keys.level.into_text(),
        parent: keys.parent.into_only_text(),
        blocked_by: keys.blocked_by.into_texts(),
        archived: matches!(keys.archived, Value::Scalar(scalar) if scalar.is_true()),
        phase: tags
            .iter()
            .find_map(|tag| tag.strip_prefix("#phase/"))
            .map(str::to_owned),
        tags,
    })
}

/// What stands below the frontmatter; everything, where there is none.
pub fn body(document: &[u8]) -> &[u8] {
    let Ok(block) = block(document) else {
        return document;
    };
    let fence = &document[block.end..];
    let end = fence.iter().position(|b| *b == b'\n').map_or(fence.len(), |at| at + 1);
    &fence[end..]
}

/// The codes that a damaged frontmatter seems to claim: lines `short_code: …` of a block that need not be YAML, nor
/// closed. A clue to which document it may be, never proof.
pub fn claimed_codes(document: &[u8]) -> Vec<ShortCode> {
    let head = match block(document) {
        Ok(block) => &document[block],
        Err(Damage::Missing) => return Vec::new(),
        Err(_) => &document[..document.len().min(FRONTMATTER_LIMIT)],
    };
    let mut seen = HashSet::new();
    head.split(|b| *b == b'\n')
        .filter_map(|line| {
            let value = std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}').trim();
            let value = value.strip_prefix("short_code")?.trim_start().strip_prefix(':')?;
            let value = value.split(" #").next().unwrap_or_default();
            value.trim().trim_matches(['"', '\'']).parse::<ShortCode>().ok()
        })
        .filter(|code| seen.insert(code.clone()))
        .collect()
}

/// Where the YAML lies: between a first line `---` (after an optional byte order mark) and the next such line.
fn block(document: &[u8]) -> Result<Range<usize>, Damage> {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    let is_fence = |line: &[u8]| line.trim_ascii_end() == b"---";
    let line_end = |from: usize| document[from..].iter().position(|b| *b == b'\n').map(|i| from + i + 1);

    let first = if document.starts_with(BOM) { BOM.len() } else { 0 };
    let start = line_end(first).unwrap_or(document.len());
    if !is_fence(&document[first..start]) {
        return Err(Damage::Missing);
    }
    let mut line = start;
    while line < document.len() {
        if line - start > FRONTMATTER_LIMIT {
            return Err(Damage::TooLong);
        }
        let next = line_end(line).unwrap_or(document.len());
        if is_fence(&document[line..next]) {
            return Ok(start..line);
        }
        line = next;
    }
    match document.len() - start > FRONTMATTER_LIMIT {
        true => Err(Damage::TooLong),
        false => Err(Damage::NotClosed),
    }
}

/// The keys we know, each with its last value.
#[derive(Default)]
struct Keys {
    short_code: Value,
    id: Value,
    title: Value,
    level: Value,
    parent: Value,
    blocked_by: Value,
    archived: Value,
    tags: Value,
}

impl Keys {
    fn set(&mut self, key: &str, value: Value) {
        match key {
            "short_code" => self.short_code = value,
            "id" => self.id = value,
            "title" => self.title = value,
            "level" => self.level = value,
            "parent" => self.parent = value,
            "blocked_by" => self.blocked_by = value,
            "archived" => self.archived = value,
            "tags" => self.tags = value,
            _ => {}
        }
    }
}
