//! Text that a server, a helper or a config file wrote, made fit for a terminal or a JSON document.

/// Whether a terminal should not get `c` from a foreign hand: it could move the cursor, change what a terminal shows, or reorder the text around it.
///
/// Covers control characters (C0, DEL, C1), line and paragraph separators, bidi marks, embeddings and isolates,
/// zero-width characters, and all others that Unicode has shown as nothing (`Default_Ignorable_Code_Point`): with tag characters
/// and variation selectors one writes whole sentences that nobody sees. The two selectors that go with emoji are not among them;
/// see [`is_selector()`].
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0D}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether `c` says if what is before it is shown as text or as a picture. It is hidden as well where it says nothing: behind
/// another one, and behind a letter.
pub fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}')
}

/// `bytes` as text of several lines without escape sequences and hostile characters, at most `max` characters.
///
/// What is cut is cut from the front: the reason of a failure stands at the end of what a program says.
pub(crate) fn lines(bytes: &[u8], max: usize) -> String {
    let text = without_escapes(&String::from_utf8_lossy(bytes));
    let clean = text
        .split(['\n', '\r'])
        .map(|line| line.replace('\t', " ").replace(is_hidden, ""))
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n");
    let surplus = clean.chars().count().saturating_sub(max);
    match surplus {
        0 => clean,
        n => format!("…{}", clean.chars().skip(n).collect::<String>()),
    }
}

/// `bytes` as one line without escape sequences and hostile characters, at most `max` characters.
pub(crate) fn line(bytes: &[u8], max: usize) -> String {
    let clean = lines(bytes, usize::MAX).replace('\n', " ");
    match clean.char_indices().nth(max) {
        None => clean,
        Some((end, _)) => format!("{}…", &clean[..end]),
    }
}

/// Removes whole escape sequences, so that `ESC [ 3 1 m` does not leave `[31m` behind.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let introducer = match c {
            '\u{1b}' => match chars.next_if(|c| !matches!(c, '\n' | '\r' | '\u{1b}')) {
                Some(second) => second,
                None => continue,
            },
            '\u{9b}' => '[',
            '\u{9d}' => ']',
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => 'P',
            other => {
                out.push(other);
                continue;
            }
        };
        match introducer {
            '[' => {
                while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
                chars.next_if(|c| ('@'..='~').contains(c));
            }
            // Texts for the terminal itself, such as its title, up to BEL or ST; a line break ends one that never does.
            ']' | 'P' | '^' | '_' | 'X' => {
                let inside = |c: &char| !matches!(c, '\u{7}' | '\u{1b}' | '\u{9c}' | '\n' | '\r');
                while chars.next_if(inside).is_some() {}
                if chars.next_if(|c| matches!(c, '\u{7}' | '\u{9c}')).is_none() && chars.next_if_eq(&'\u{1b}').is_some()
                {
                    chars.next_if_eq(&'\\');
                }
            }
            // `ESC ( B` and the like: intermediate characters and one more.
            ' '..='/' => {
                while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
                chars.next_if(|c| ('0'..='~').contains(c));
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_go_as_a_whole_and_line_breaks_stay() {
        let hostile = b"remote: \x1b[31;1mno\x1b[0m \x1b]0;title\x07way\r\n\xc2\x9b2Jfatal:\xe2\x80\xae gpj.exe\0\n\n";
        assert_eq!(lines(hostile, 1000), "remote: no way\nfatal: gpj.exe");
        assert_eq!(line(hostile, 1000), "remote: no way fatal: gpj.exe");
    }

    #[test]
    fn what_is_too_long_keeps_its_end_when_it_is_a_log_and_its_start_when_it_is_a_name() {
        assert_eq!(lines("aßc".as_bytes(), 2), "…ßc");
        assert_eq!(line("aßc".as_bytes(), 2), "aß…");
        assert_eq!(line(&[0xff, b'x'], 9), "\u{fffd}x");
    }

    #[test]
    fn an_escape_that_never_ends_takes_no_more_than_its_line() {
        assert_eq!(lines(b"\x1b]0;title\nreason", 99), "reason");
        assert_eq!(lines("\u{1b}[\nreason\u{1b}[3é".as_bytes(), 99), "reasoné");
        assert_eq!(lines(b"a\x1b(Bb\x1b]8;;http://x\x1b\\link\x1b", 99), "ablink");
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_in_nothing_hostile_comes_out(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let hostile = |c: char| is_hidden(c) && c != '\n';
            proptest::prop_assert!(!lines(&bytes, 1000).contains(hostile));
            proptest::prop_assert!(!line(&bytes, 50).contains(is_hidden));
        }
    }
}
