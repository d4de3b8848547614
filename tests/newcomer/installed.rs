//! What `scripts/install` leaves, and that git, man and the shells find it there.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::support::{
    process::{Finished, Running, run},
    servers::skip,
    world::World,
};

/// A home with nothing in it but what was installed in `~/.local`.
struct Home(PathBuf);

impl Home {
    fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", &self.0)
            .env(
                "PATH",
                format!(
                    "{}:{}",
                    self.0.join(".local/bin").display(),
                    env::var("PATH").unwrap_or_default()
                ),
            )
            .env("LC_ALL", "C")
            .env("TERM", "xterm")
            .current_dir(&self.0);
        command
    }

    /// What the script says, or `None`, said in the open: there is no such shell here.
    fn shell(&self, shell: &str, script: &str) -> Option<String> {
        if self.program(shell).arg("-c").arg(":").output().is_err() {
            skip(&format!("{shell} is not installed"));
            return None;
        }
        let mut command = self.program(shell);
        command.args(["-c", script]);
        Some(run(command).success())
    }

    fn holds(&self, place: &str) -> PathBuf {
        let path = self.0.join(".local").join(place);
        assert!(path.is_file(), "{} was not installed", path.display());
        path
    }
}

/// A program of this checkout, with what cargo needs of the environment and nothing else. The development profile, as the
/// tests are built with it: what is installed is the same but for its speed.
fn from_here(program: &str) -> Command {
    let mut command = Command::new(program);
    let kept = [
        "HOME",
        "PATH",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "CARGO_TARGET_DIR",
        "RUSTFLAGS",
    ];
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .envs(kept.iter().filter_map(|name| Some((name, env::var_os(name)?))))
        .env("CARGO_NET_OFFLINE", "true");
    command
}

/// The packages that cargo builds for a selection of this workspace's, each with its features.
fn built(selection: &[&str], edges: &str) -> BTreeSet<String> {
    let mut tree = from_here("cargo");
    tree.args([
        "tree",
        "--locked",
        "--prefix",
        "none",
        "--format",
        "{p} [{f}]",
        "--edges",
        edges,
    ])
    .args(selection);
    let tree = run(tree).success();
    let packages = tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned());
    packages.collect()
}

/// A dependency with other features is another one, and so is all that stands on it.
#[test]
fn one_build_serves_the_tour_the_installation_and_the_tests() {
    let tests = built(&["--workspace"], "normal,build,dev");
    for selection in [&[][..], &["--package", "metis-sync", "--package", "manual"]] {
        let others = &built(selection, "normal,build") - &tests;
        assert_eq!(others, BTreeSet::new(), "{selection:?}");
    }
}

/// Little has to be built: the program was, with the tests. Where it was not, that takes a while.
fn install(prefix: &Path) -> Finished {
    let mut install = from_here("scripts/install");
    install.env("SHELL", "/bin/zsh").arg("--dev").arg(prefix);
    Running::start(install).finish_within(Duration::from_secs(170))
}

#[test]
fn the_tour() {
    let world = World::new();
    let tour = world.root().join("tour");
    let quickstart = || {
        let mut quickstart = from_here("scripts/quickstart");
        quickstart
            .args(["--with", env!("CARGO_BIN_EXE_git-metis-sync")])
            .arg(&tour);
        run(quickstart)
    };
    let said = quickstart().success();
    for part in [
        "api$ git metis-sync\nRegistered: api/ (first push)\nPushed: 3 documents",
        "\n  web/WEB-T-0001.md\n",
        "\n  .metis/ops/OPS-A-0001.md\n",
        "OPS-T-0001     task         todo         ops          Rotate the keys\n",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    // Nothing of it is anywhere else, and it is not done over something that is there.
    assert!(tour.join("home").is_dir());
    let again = quickstart();
    assert!(
        again.code == Some(1) && again.stderr.contains("is not empty"),
        "{}",
        again.transcript()
    );
}

#[test]
fn git_man_and_the_shells_find_it() {
    let world = World::new();
    let home = Home(world.root().join("newcomer"));
    let said = install(&home.0.join(".local")).success();
    assert!(said.contains("into your PATH") && said.contains("fpath=("), "{said}");

    let mut version = home.program("git");
    version.args(["metis-sync", "--version"]);
    assert_eq!(
        run(version).success(),
        concat!("git-metis-sync ", env!("CARGO_PKG_VERSION"), "\n")
    );
    man_finds_the_pages(&home);
    bash_completes(&home);
    zsh_completes(&home);
    fish_completes(&home);
}

/// `git metis-sync --help` is `man git-metis-sync`, as for git's own commands.
fn man_finds_the_pages(home: &Home) {
    for page in [
        "git-metis-sync.1",
        "git-metis-sync-sync.1",
        "git-metis-sync-hooks-install.1",
    ] {
        home.holds(&format!("share/man/man1/{page}"));
    }
    if home.program("man").arg("--version").output().is_err() {
        skip("man is not installed");
        return;
    }
    let mut help = home.program("git");
    help.args(["metis-sync", "--help"])
        .env("MANPAGER", "cat")
        .env("MANWIDTH", "80");
    let page = run(help).success();
    for part in [
        "NAME\n",
        "SYNOPSIS\n       git metis-sync [OPTIONS] [COMMAND]\n",
        "EXIT STATUS\n",
        "FILES\n",
    ] {
        assert!(page.contains(part), "no {part:?} in the manual:\n{page}");
    }
    for option in ["--force", "--max-retries <N>"] {
        let explained = page.split_once(&format!("       {option}\n              "));
        assert!(explained.is_some(), "{option} is not explained:\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");

    let mut help = home.program("git");
    help.args(["help", "metis-sync-config"])
        .env("MANPAGER", "cat")
        .env("MANWIDTH", "80");
    let page = run(help).success();
    for part in [
        "git-metis-sync-config - what git metis-sync can be told",
        "       sync.max_retries\n              full cycles to repeat when central moves meanwhile; default 5",
        "\n              rule: 0 to 1000\n",
        "\nENVIRONMENT\n",
        "METIS_SYNC=0\n",
    ] {
        assert!(page.contains(part), "no {part:?} in the manual:\n{page}");
    }
}

fn bash_completes(home: &Home) {
    let own = home.holds("share/bash-completion/completions/git-metis-sync");
    let own = fs::read_to_string(own).expect("it is text");
    assert!(own.contains("\ncomplete -F _git-metis-sync git-metis-sync\n"), "{own}");
    let script = r#"
        loader=/usr/share/bash-completion/bash_completion
        [ ! -e "$loader" ] || . "$loader"
        _completion_loader git 2>/dev/null
        declare -F __git_wrap__git_main >/dev/null || exit 0
        typed() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMPREPLY=()
            __git_wrap__git_main git "${@: -1}" "${@: -2:1}"
            echo "$* -> ${COMPREPLY[*]}"
        }
        typed git metis-sync sta
        typed git -C x metis-sync hooks inst
        typed git metis-sync diff --cen
        COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
        typed git metis-sync --color = al
        direct() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
            _git-metis-sync
            echo "$* -> ${COMPREPLY[*]}"
        }
        direct git-metis-sync hooks un
        direct git-metis-sync --color = al
    "#;
    match home.shell("bash", script) {
        None => {}
        Some(said) if said.is_empty() => skip("bash has no completion for git"),
        Some(said) => assert_eq!(
            said.lines().map(str::trim_end).collect::<Vec<_>>(),
            [
                "git metis-sync sta -> status",
                "git -C x metis-sync hooks inst -> install",
                "git metis-sync diff --cen -> --central",
                "git metis-sync --color = al -> always",
                "git-metis-sync hooks un -> uninstall",
                "git-metis-sync --color = al -> always",
            ]
        ),
    }
}

/// A zsh that is typed to, in a terminal of its own.
fn zsh_completes(home: &Home) {
    let folder = home.holds("share/zsh/site-functions/_git-metis-sync");
    let folder = folder.parent().expect("a folder").display().to_string();
    let script = r#"
        zmodload zsh/zpty || exit 0
        for typed in 'git metis-sync hooks ins' 'git-metis-sync stat' 'git metis-sync reb'; do
            zpty z "zsh -f -i"
            zpty -w z "fpath=('FOLDER' \$fpath); autoload -U compinit; compinit -u -d ~/dump; PROMPT='your wi''sh: '"
            zpty -r -m z out '*your wish: *'
            zpty -w -n z $typed$'\t#end\n'
            zpty -r -m z out '*#end*'
            print -r -- $out
            zpty -d z
        done
    "#;
    if let Some(said) = home.shell("zsh", &script.replace("FOLDER", &folder)) {
        for completed in [
            "git metis-sync hooks install",
            "git-metis-sync status",
            "git metis-sync rebuild-cache",
        ] {
            assert!(said.contains(completed), "no {completed:?} in {said:?}");
        }
    }
}

fn fish_completes(home: &Home) {
    home.holds("share/fish/vendor_completions.d/git-metis-sync.fish");
    home.holds("share/fish/vendor_conf.d/git-metis-sync.fish");
    let script = "for typed in 'git-metis-sync stat' 'git-metis-sync hooks ins' 'git metis-sync hooks un' \
                  'git -C /tmp metis-sync diff --cen'; complete -C $typed; end";
    if let Some(said) = home.shell("fish", script) {
        let words: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(words, ["status", "install", "uninstall", "--central"]);
    }
}
