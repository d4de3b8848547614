//! `git-metis-sync`: see the library's documentation.

fn main() -> std::process::ExitCode {
    metis_sync::cli::main()
}
