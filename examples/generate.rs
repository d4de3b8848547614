//! Writes the man pages and shell completions, made from the same definition that parses the command line.
//!
//! ```sh
//! cargo run --example generate -- FOLDER
//! ```
//!
//! leaves `man/`, `bash/`, `zsh/` and `fish/` in FOLDER; `scripts/install` puts them where they are found.

use std::{env, fs, io, path::Path};

use clap_complete::{Shell, generate_to};
use metis_sync::cli;

const NAME: &str = "git-metis-sync";

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1) else {
        return Err(io::Error::other("usage: generate FOLDER"));
    };
    let folder = Path::new(&folder);
    let man = folder.join("man");
    fs::create_dir_all(&man)?;
    let mut command = cli::command().bin_name(NAME);
    command.build();
    pages(&command, NAME, &man)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let place = folder.join(shell.to_string());
        fs::create_dir_all(&place)?;
        generate_to(shell, &mut cli::command(), NAME, place)?;
    }
    Ok(())
}

/// A page for the command and one for each below it: `git-metis-sync-hooks-install.1`.
fn pages(command: &clap::Command, name: &str, folder: &Path) -> io::Result<()> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(
        command
            .clone()
            .name(&*name.to_owned().leak())
            .disable_help_subcommand(true),
    );
    man.render(&mut page)?;
    if name == NAME {
        page.extend_from_slice(cli::MAN_EXTRA.as_bytes());
    }
    fs::write(folder.join(format!("{name}.1")), page)?;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        pages(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(())
}
