//! Writes the man pages and shell completions, made from the same definition that parses the command line.
//!
//! ```sh
//! cargo run --example generate -- FOLDER
//! ```
//!
//! leaves in FOLDER, as below a `share/`: `man/man1/`, `bash-completion/`, `zsh/` and `fish/`.

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
};

use clap_complete::{Shell, generate, generate_to};
use metis_sync::cli;

const NAME: &str = "git-metis-sync";

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1) else {
        return Err(io::Error::other("usage: generate FOLDER"));
    };
    let folder = Path::new(&folder);
    let man = folder.join("man/man1");
    fs::create_dir_all(&man)?;
    let mut command = cli::command();
    command.build();
    pages(&mut command, &man)?;
    for (shell, place) in [
        (Shell::Zsh, "zsh/site-functions"),
        (Shell::Fish, "fish/vendor_completions.d"),
    ] {
        let place = folder.join(place);
        fs::create_dir_all(&place)?;
        generate_to(shell, &mut cli::command(), NAME, place)?;
    }
    let place = folder.join("bash-completion/completions");
    fs::create_dir_all(&place)?;
    fs::write(place.join(NAME), bash())
}

/// With a hyphen in the program's name the generated script loses its way below the first command: so it gets another name,
/// and only what it is registered for is ours.
fn bash() -> String {
    let mut script = Vec::new();
    generate(Shell::Bash, &mut cli::command(), "metis_sync", &mut script);
    let script = String::from_utf8_lossy(&script).replace("default metis_sync\n", &format!("default {NAME}\n"));
    script + AS_GIT_COMMAND
}

/// git's completion for bash calls `_git_<command>` for a command that is not its own; those of zsh and fish find ours.
const AS_GIT_COMMAND: &str = r#"
_git_metis_sync() {
    local -a COMP_WORDS=(git-metis-sync "${words[@]:__git_cmd_idx+1}")
    local COMP_CWORD=$((cword - __git_cmd_idx))
    _metis_sync git-metis-sync "$cur" "$prev"
}
"#;

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
