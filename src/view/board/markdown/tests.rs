use serde_json::Value;

use super::*;

/// The elements as they would be written, with other brackets than HTML has.
fn shown(markdown: &str) -> String {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::String(text) => out.push_str(text),
            Value::Array(element) => {
                let name = element[0].as_str().unwrap();
                let href = element.get(1).and_then(|more| more["href"].as_str());
                out.push_str(&format!(
                    "[{name}{}:",
                    href.map(|href| format!(" {href}")).unwrap_or_default()
                ));
                let rest = &element[1 + usize::from(href.is_some())..];
                rest.iter().for_each(|child| write(child, out));
                out.push(']');
            }
            other => panic!("{other}"),
        }
    }
    let mut out = String::new();
    write(&serde_json::from_str(&nodes(markdown)).unwrap(), &mut out);
    out
}

#[test]
fn what_plans_are_written_with() {
    for (markdown, elements) in [
        (
            "# One\n\ntwo *three* **four** `<five>`\n",
            "[div:[h3:One][p:two [em:three] [strong:four] [code:<five>]]]",
        ),
        ("- [x] a\n- [ ] b\n", "[div:[ul:[li:☑ a][li:☐ b]]]"),
        ("1. a\n\n---\n\n> b\n", "[div:[ol:[li:a]][hr:][blockquote:[p:b]]]"),
        ("```sh\nls <x>\n```\n", "[div:[pre:ls <x>\n]]"),
        (
            "| a | b |\n|---|---|\n| c | ~~d~~ |\n",
            "[div:[table:[thead:[tr:[th:a][th:b]]][tr:[td:c][td:[del:d]]]]]",
        ),
        ("", "[div:]"),
    ] {
        assert_eq!(shown(markdown), elements, "{markdown}");
    }
}

#[test]
fn html_is_text_and_its_comments_are_left_out() {
    for (markdown, elements) in [
        ("<script>alert(1)</script>\n", "[div:[p:<script>alert(1)</script>]]"),
        (
            "a <img src=x onerror=alert(1)> b\n",
            "[div:[p:a <img src=x onerror=alert(1)> b]]",
        ),
        ("<!-- one -->\n\ntwo <!-- three --> four\n", "[div:[p:two  four]]"),
        ("<!-- open\n", "[div:]"),
        ("<div\n<!-- a --><b>\n", "[div:[p:<div\n<b>]]"),
    ] {
        assert_eq!(shown(markdown), elements, "{markdown}");
    }
    let text = nodes("</script><!--<script>\n\n`</script>` [a](https://x/</script>)\n");
    assert!(!text.contains('<'), "{text}");
}

#[test]
fn links_lead_to_pages_and_documents_and_nowhere_else() {
    for (target, href) in [
        ("https://example.org/?a=b", Some("https://example.org/?a=b")),
        ("HTTP://example.org", Some("HTTP://example.org")),
        ("mailto:a@example.org", Some("mailto:a@example.org")),
        ("../web/WEB-T-0001.md#part", Some("#WEB-T-0001")),
        ("WEB-T-0001", Some("#WEB-T-0001")),
        ("javascript:alert(1)", None),
        (" javascript:alert(1)", None),
        ("java\tscript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("//example.org/x", None),
        ("design.png", None),
        ("", None),
    ] {
        assert_eq!(super::href(target).as_deref(), href, "{target}");
    }
    assert_eq!(
        shown("[a](javascript:x) ![b](https://x/y.png)\n"),
        "[div:[p:[span:a] [a https://x/y.png:b]]]"
    );
}

#[test]
fn depth_and_length_have_an_end() {
    let deep = shown(&format!("{}x\n", "> ".repeat(5000)));
    assert_eq!(deep.matches("[blockquote:").count(), MAX_DEPTH);
    assert!(deep.contains("x]]"), "{deep}");
    for (line, shallow) in [
        (
            format!("{}x\n", "> ".repeat(MAX_DEPTH)),
            format!("{}x\n", "> ".repeat(MAX_DEPTH)),
        ),
        (
            format!("{}x\n", ">".repeat(MAX_DEPTH + 9)),
            format!("{}x\n", ">".repeat(MAX_DEPTH)),
        ),
        (
            format!("a\n{}-x\nb", "10. > ".repeat(40)),
            format!("a\n{}-x\nb", "10. > ".repeat(MAX_DEPTH / 2)),
        ),
        (
            format!("{}\nb\n", "- ".repeat(100)),
            format!("{}\nb\n", "- ".repeat(MAX_DEPTH)),
        ),
    ] {
        assert_eq!(super::shallow(&line), shallow);
    }
    let quoted = shown(&format!("{}x\n{}", "> ".repeat(25_000), "a\n".repeat(20_000)));
    assert_eq!(quoted.matches("[blockquote:").count(), MAX_DEPTH);
    let table = nodes(&format!(
        "{}\n{}\n{}",
        "|".repeat(30_000),
        "|-".repeat(30_000),
        "a\n".repeat(2_000)
    ));
    assert!(table.len() < MAX_WRITTEN + 1000 && serde_json::from_str::<Value>(&table).is_ok());
    let long = shown(&"ä ".repeat(MAX_LENGTH));
    assert!(long.ends_with("[p:… The rest is left out.]]"));
    assert!(long.len() < MAX_LENGTH + 100);
}
