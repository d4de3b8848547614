//! Writes the man pages and shell completions: those of the commands are made from the definition that parses the command
//! line, that of the configuration from `docs/configuration.md`.
//!
//! ```sh
//! cargo run --package manual -- FOLDER
//! ```
//!
//! leaves in FOLDER, as below a `share/`: `man/`, `bash-completion/`, `zsh/` and `fish/`.

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
};

use metis_sync::cli::{self, Shell};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use roff::{Inline, Roff, bold, roman};

const NAME: &str = "git-metis-sync";

/// Where each shell looks. fish finds what completes `git` in a start-up file alone: what git itself brings comes first
/// among its completions.
const PLACES: [(Shell, &str, &str); 4] = [
    (Shell::Bash, "bash-completion/completions", NAME),
    (Shell::Zsh, "zsh/site-functions", "_git-metis-sync"),
    (Shell::Fish, "fish/vendor_completions.d", "git-metis-sync.fish"),
    (Shell::Fish, "fish/vendor_conf.d", "git-metis-sync.fish"),
];

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1) else {
        return Err(io::Error::other("usage: manual FOLDER"));
    };
    let folder = Path::new(&folder);
    let man = folder.join("man/man1");
    fs::create_dir_all(&man)?;
    let mut command = cli::command();
    command.build();
    pages(&mut command, &man)?;
    let man = folder.join("man/man5");
    fs::create_dir_all(&man)?;
    let page = configuration(include_str!("../../../docs/configuration.md"));
    fs::write(man.join(format!("{NAME}-config.5")), page)?;
    // What `git help metis-sync-config` looks for.
    fs::write(
        man.join("gitmetis-sync-config.5"),
        format!(".so man5/{NAME}-config.5\n"),
    )?;
    for (shell, place, name) in PLACES {
        let place = folder.join(place);
        fs::create_dir_all(&place)?;
        fs::write(place.join(name), shell.script())?;
    }
    Ok(())
}

/// A manual page that says what the document does.
fn configuration(document: &str) -> String {
    let mut page = Page::default();
    let name = format!("{NAME}-config");
    let version = format!("{NAME} {}", env!("CARGO_PKG_VERSION"));
    page.roff.control("TH", [name.as_str(), "5", "", &version, "Manual"]);
    page.roff.control("SH", ["NAME"]);
    page.roff
        .text([roman(format!("{name} - what git metis-sync can be told, and where"))]);
    for event in Parser::new_ext(document, Options::ENABLE_TABLES) {
        page.take(event);
    }
    page.roff.control("SH", ["SEE ALSO"]);
    page.roff
        .text([bold(NAME), roman("(1), "), bold("git-config"), roman("(1)")]);
    page.roff.render()
}

/// A page that is being written.
#[derive(Default)]
struct Page {
    roff: Roff,
    /// The words since the last break.
    words: Vec<Inline>,
    /// The cells of a table's row, the heads of its columns first.
    heads: Vec<String>,
    cells: Vec<Vec<Inline>>,
    in_code: bool,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)) => self.in_code = true,
            Event::End(TagEnd::CodeBlock) => {
                self.in_code = false;
                self.roff
                    .control("PP", [])
                    .control("nf", [])
                    .text(std::mem::take(&mut self.words));
                self.roff.control("fi", []);
            }
            Event::End(TagEnd::Heading(level)) => {
                let title = self.plain();
                match level {
                    // The page has a title of its own.
                    HeadingLevel::H1 => {}
                    HeadingLevel::H2 => drop(self.roff.control("SH", [title.to_uppercase().as_str()])),
                    _ => drop(self.roff.control("SS", [title.as_str()])),
                }
            }
            Event::End(TagEnd::Paragraph) => {
                let words = std::mem::take(&mut self.words);
                self.roff.control("PP", []).text(words);
            }
            Event::End(TagEnd::Item) => {
                let words = std::mem::take(&mut self.words);
                self.roff.control("IP", ["\\(bu", "2"]).text(words);
            }
            Event::End(TagEnd::TableCell) => {
                let words = std::mem::take(&mut self.words);
                self.cells.push(words);
            }
            Event::End(TagEnd::TableHead) => {
                let cells = std::mem::take(&mut self.cells);
                self.heads = cells.into_iter().map(text_of).collect();
            }
            Event::End(TagEnd::TableRow) => self.row(),
            Event::Code(code) => self.words.push(bold(code.into_string())),
            Event::Text(text) => self.words.push(roman(text.into_string())),
            Event::SoftBreak | Event::HardBreak => self.words.push(roman(" ")),
            _ => {}
        }
    }

    fn plain(&mut self) -> String {
        text_of(std::mem::take(&mut self.words))
    }

    /// What a key means comes first, then what else the table says of it.
    fn row(&mut self) {
        let mut cells = std::mem::take(&mut self.cells).into_iter();
        self.roff.control("TP", []).text(cells.next().unwrap_or_default());
        let mut rest: Vec<(&String, Vec<Inline>)> = self.heads.iter().skip(1).zip(cells).collect();
        let is_meaning = |head: &str| ["meaning", "what"].contains(&head);
        rest.sort_by_key(|(head, _)| !is_meaning(head));
        for (number, (head, mut words)) in rest.into_iter().enumerate() {
            if number > 0 {
                self.roff.control("br", []);
            }
            if !is_meaning(head) {
                words.insert(0, roman(format!("{head}: ")));
            }
            self.roff.text(words);
        }
    }
}

fn text_of(words: Vec<Inline>) -> String {
    let text = |word| match word {
        Inline::Roman(text) | Inline::Bold(text) | Inline::Italic(text) => text,
        _ => String::new(),
    };
    words.into_iter().map(text).collect()
}

/// A page for the command and one for each below it: `git-metis-sync-hooks-install.1`.
fn pages(command: &mut clap::Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(NAME).to_owned();
    let usage = command.render_usage().to_string();
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    // The heading in the middle has to be short: the longest name stands on both sides of it.
    let version = env!("CARGO_PKG_VERSION");
    writeln!(page, ".TH \"{name}\" \"1\" \"\" \"{NAME} {version}\" \"Manual\"")?;
    man.render_name_section(&mut page)?;
    let synopsis = usage.trim_start_matches("Usage: ").replace('-', "\\-");
    writeln!(page, ".SH SYNOPSIS\n{synopsis}")?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    page.extend_from_slice(match name == NAME {
        true => cli::MAN_EXTRA.as_bytes(),
        false => b".SH \"SEE ALSO\"\n\\fBgit\\-metis\\-sync\\fR(1)\n",
    });
    fs::write(folder.join(format!("{name}.1")), page)?;
    for below in command.get_subcommands_mut().filter(|below| !below.is_hide_set()) {
        pages(below, folder)?;
    }
    Ok(())
}
