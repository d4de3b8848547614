//! Twenty-seven kinds of `config.toml`, and what of each is whose.

/// What each line of a variant is.
///
/// ` ` stands there before, `+` comes with `init`, `*` with the first sync's record. `{url}` is central, `{prefix}` the own
/// folder, and `{commit}` what the record changes from one sync to the next. `both sections` stands for [`SECTIONS`].
pub struct Variant {
    pub name: &'static str,
    lines: &'static str,
    eol: &'static str,
    bom: bool,
    /// Whether the last line that stands there before ends like the others.
    ends: bool,
}

const fn variant(name: &'static str, lines: &'static str) -> Variant {
    Variant {
        name,
        lines,
        eol: "\n",
        bom: false,
        ends: true,
    }
}

/// What comes at the end of a file that has neither section.
const SECTIONS: &str = r#"+
+[sync]
+upstream_url = "{url}"
*last_synced_commit = "{commit}"
+
+[workspace]
+prefix = "{prefix}"
"#;

pub const OLD: &str = "0123456789012345678901234567890123456789";

#[rustfmt::skip]
pub const VARIANTS: &[Variant] = &[
    variant("the newest Metis tools", r#"
 [project]
 prefix = "DDB"
 
 [flight_levels]
 initiatives_enabled = true
both sections
"#),
    variant("with strategies switched off", r#"
 [project]
 prefix = "CRT"
 
 [flight_levels]
 strategies_enabled = false
 initiatives_enabled = true
both sections
"#),
    variant("all levels", r#"
 [project]
 prefix = "ALL"
 [flight_levels]
 strategies_enabled = true
 initiatives_enabled = true
both sections
"#),
    variant("a viewer that keeps quiet", r#"
 [project]
 prefix = "FIDIUS"
 
 [flight_levels]
 initiatives_enabled = true
 
 [viewer]
 suppress_proactive_ticket_opening = false
both sections
"#),
    variant("a viewer in the background", r#"
 [project]
 prefix = "STORE"
 
 [flight_levels]
 initiatives_enabled = true
 
 [viewer]
 proactive_open = false
 background = false
both sections
"#),
    variant("lint, with empty sections", r#"
 [project]
 prefix = "CIHA"
 
 [flight_levels]
 strategies_enabled = false
 initiatives_enabled = true
 
 [lint]
 enabled = true
 extends = "standard"
 
 [lint.rules]
 
 [lint.phase_gates]
 
 [architecture]
both sections
"#),
    variant("a project and nothing else", r#"
 [project]
 prefix = "API"
both sections
"#),
    variant("no project, only levels", r#"
 [flight_levels]
 initiatives_enabled = true
both sections
"#),
    variant("empty", r#"
+[sync]
+upstream_url = "{url}"
*last_synced_commit = "{commit}"
+
+[workspace]
+prefix = "{prefix}"
"#),
    variant("comments and nothing else", r#"
 # Metis, see the wiki.
 #[project]
both sections
"#),
    variant("comments everywhere", r#"
 # The API team's plans.
 
 [project] # ours
 prefix = "API" # not "api"!
 # prefix = "OLD"
 
 [flight_levels]   # ask Kim
   initiatives_enabled   =   true   # since March
 # the end
both sections
"#),
    Variant { eol: "\r\n", ..variant("saved on Windows", r#"
 [project]
 prefix = "WIN"
 
 [flight_levels]
 initiatives_enabled = true
both sections
"#) },
    Variant { bom: true, eol: "\r\n", ..variant("saved by Notepad", r#"
 [project]
 prefix = "PAD"
both sections
"#) },
    Variant { ends: false, ..variant("no newline at the end", r#"
 [project]
 prefix = "API"
both sections
"#) },
    variant("blank lines and tabs", "
 
 
 [project]
 \tprefix\t=\t\"TAB\"\t
 
 
+
+[sync]
+upstream_url = \"{url}\"
*last_synced_commit = \"{commit}\"
+
+[workspace]
+prefix = \"{prefix}\"
"),
    variant("connected already, without a team", r#"
 [project]
 prefix = "API"
 
 [workspace]
 prefix = "{prefix}"
 
 [sync]
 upstream_url = "{url}"
*last_synced_commit = "{commit}"
"#),
    variant("connected by the earlier tool", r#"
 [project]
 prefix = "API"
 
 [flight_levels]
 strategies_enabled = false
 initiatives_enabled = true
 
 [workspace]
 prefix = "{prefix}"
 team = "platform"
 
 [sync]
 upstream_url = "{url}"
 last_synced_commit = "{commit}"
"#),
    variant("sync before the rest", r#"
 [sync]
 last_synced_commit = "{commit}" # written by the tool
 upstream_url = '{url}'
 
 [workspace]
 team = "ünï & co"
+prefix = "{prefix}"
 
 [project]
 prefix = "API"
"#),
    variant("a workspace, not connected", r#"
 [workspace]
 prefix = "{prefix}"
 
 [project]
 prefix = "API"
+
+[sync]
+upstream_url = "{url}"
*last_synced_commit = "{commit}"
"#),
    variant("a sync section without a central", r#"
 [project]
 prefix = "API"
 
 [sync]
 # upstream_url = "ask Kim"
 max_retries = 9
+upstream_url = "{url}"
*last_synced_commit = "{commit}"
 
 [viewer]
 background = true
+
+[workspace]
+prefix = "{prefix}"
"#),
    variant("sections below sync only", r#"
 [sync.hooks]
 blocking = false
 [sync.limits]
 entries = 5000
both sections
"#),
    variant("dotted keys", r#"
 project.prefix = "API"
 workspace.team = "dots"
+workspace.prefix = "{prefix}"
 sync.max_retries = 3
 sync.upstream_url = "{url}"
*sync.last_synced_commit = "{commit}"
"#),
    variant("quoted keys", r#"
 ["project"]
 "prefix" = 'API'
 ['workspace']
 'prefix' = """{prefix}"""
 ["sync"]
 "upstream_url" = "{url}"
 "last_synced_commit" = "{commit}"
"#),
    variant("text that looks like sections", r#"
 [notes]
 text = '''
 [sync]
 last_synced_commit = "not this one"
 '''
 [project]
 prefix = "API"
both sections
"#),
    variant("another tool's tables in a row", r#"
 [project]
 prefix = "API"
 [[servers]]
 name = "one"
 sync = { enabled = true }
 [[servers]]
 name = "two"
both sections
"#),
    variant("values of every kind", r#"
 title = "überall 日本 \u00e9"
 when = 2026-02-26T01:30:00Z
 many = [ 1, 2,
   3, # three
 ]
 big = 1_000_000
 inline = { a = { b = [] } }
 [project]
 prefix = "API"
both sections
"#),
    Variant { ends: false, ..variant("a record that is not at the end", r#"
 [sync]
 upstream_url = "{url}"
 last_synced_commit = "{commit}"
 deadline_seconds = 60
 [workspace]
 prefix = "{prefix}"
 [project]
 prefix = "API" # no newline here
"#) },
];

impl Variant {
    /// The file with those of its lines whose first character is one of `kinds`.
    pub fn with(&self, kinds: &str, values: [(&str, &str); 3]) -> Vec<u8> {
        let lines = self.lines.trim_start_matches('\n');
        let lines = lines.replace("both sections\n", SECTIONS);
        let mut text = String::from(if self.bom { "\u{feff}" } else { "" });
        let wanted: Vec<&str> = lines
            .lines()
            .filter(|line| line.starts_with(|c| kinds.contains(c)))
            .collect();
        let last_before = wanted.iter().rposition(|line| line.starts_with(' '));
        for (n, line) in wanted.iter().enumerate() {
            text += &line[1..];
            let is_end_of_file = n + 1 == wanted.len();
            if self.ends || !is_end_of_file || last_before != Some(n) {
                text += self.eol;
            }
        }
        for (name, value) in values {
            text = text.replace(name, value);
        }
        text.into_bytes()
    }
}
