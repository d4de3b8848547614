//! How deep a TOML text is nested.
//!
//! Its parser allows 80 tables in tables, each reached by 80 keys with dots between them. That is thousands of levels, and what
//! reads or drops them calls itself for each until there is no stack left.

use toml_parser::{Source, lexer::TokenKind};

/// Levels of tables, arrays and keys. A definition of a conduit has four.
pub(super) const DEEPEST: usize = 64;

/// Where `text` is nested deeper than anybody's configuration is, in bytes. Whether it is TOML is not looked at.
pub fn too_deep(text: &str) -> Option<usize> {
    // The dots of the key that each open bracket belongs to.
    let mut open = vec![0_usize];
    let mut dots = 0;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => {
                dots += 1;
                open.iter_mut().last().into_iter().for_each(|key| *key += 1);
            }
            TokenKind::Comma | TokenKind::Newline => {
                let key = open.iter_mut().last().map(std::mem::take);
                dots -= key.unwrap_or_default();
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => open.push(0),
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket if open.len() > 1 => {
                dots -= open.pop().unwrap_or_default();
            }
            _ => {}
        }
        if open.len() - 1 + dots > DEEPEST {
            return Some(token.span().start());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tables_and_arrays_are_counted() {
        let keys = |count: usize| vec!["a"; count].join(".");
        for (text, is_too_deep) in [
            (String::new(), false),
            (format!("{} = 1\n", keys(DEEPEST)), false),
            (format!("{} = 1\n", keys(DEEPEST + 2)), true),
            (format!("[{}]\n{} = 1\n", keys(DEEPEST), keys(DEEPEST)), false),
            (format!("a = {}1{}\n", "[".repeat(DEEPEST), "]".repeat(DEEPEST)), false),
            (format!("a = {}", "[".repeat(DEEPEST + 1)), true),
            (format!("a = {}", "{a.a = ".repeat(DEEPEST / 2 + 1)), true),
            (format!("a = [{}]\n", "1.5, ".repeat(1000)), false),
            (format!("a = [{}]\n", "1.5,\n".repeat(1000)), false),
            (format!("{}\n", "a.b = {c.d = 1}\n".repeat(1000)), false),
            (
                format!("a = '{}'\nb = \"\"\"\n{}\"\"\"\n", "[".repeat(1000), "{\n".repeat(1000)),
                false,
            ),
            (format!("# {}\n", "[".repeat(1000)), false),
            ("]}".repeat(1000), false),
        ] {
            assert_eq!(too_deep(&text).is_some(), is_too_deep, "{text:.100}");
        }
    }
}
