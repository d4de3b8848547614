//! What a pipeline on a build server does: a release is fetched, and the default branch's documents are synced.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    process::{Finished, run},
    servers::{Access, Nginx},
    world::World,
};

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// What stands after `key` in the file, without quotes.
fn value(text: &str, key: &str) -> String {
    let line = text.lines().find(|line| line.trim_start().starts_with(key));
    let line = line.unwrap_or_else(|| panic!("no line begins with {key:?}"));
    line.trim_start()[key.len()..]
        .trim()
        .trim_matches(['"', '\''])
        .to_owned()
}

/// The script of the step NAME of action.yml.
fn step(name: &str) -> String {
    let action = read("action.yml");
    let (_, step) = action.split_once(&format!("- name: {name}\n")).unwrap();
    let (_, script) = step.split_once("      run: |\n").unwrap();
    let lines = script.lines().take_while(|line| line.starts_with("        "));
    lines.map(|line| format!("{}\n", line.trim_start())).collect()
}

/// As a runner runs a step whose shell is bash.
fn runs(script: &str, mut shell: Command, env: &[(&str, &str)]) -> Finished {
    let built = Path::new(env!("CARGO_BIN_EXE_git-metis-sync")).parent().unwrap();
    let path = format!("{}:{}", built.display(), std::env::var("PATH").unwrap());
    shell
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .env("PATH", path)
        .envs(env.iter().copied());
    run(shell)
}

#[test]
fn a_job_syncs_with_a_token() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let remote = nginx.remote();
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "Text.");
    let project = api.dir.display().to_string();
    let host = remote.url.split('/').take(3).collect::<Vec<_>>().join("/");
    let sync = |token: &str, place: &str| {
        let env = [
            ("DIRECTORY", project.as_str()),
            ("CENTRAL_TOKEN", token),
            ("CENTRAL_USER", Nginx::USER),
            ("TOKEN_FOR", place),
        ];
        runs(&step("Sync"), api.program("bash"), &env)
    };
    assert_eq!(sync("", "").code, Some(5), "no token");
    let nowhere = sync(Nginx::PASSWORD, "");
    assert!(
        nowhere.code == Some(2) && nowhere.stderr.contains("token-for has to name"),
        "{}",
        nowhere.transcript()
    );
    // config.toml decides where central is, but not who is told the token.
    assert_eq!(sync(Nginx::PASSWORD, "https://example.org").code, Some(5));
    let synced = sync(Nginx::PASSWORD, &host);
    assert_eq!(synced.code, Some(0), "{}", synced.transcript());
    assert!(!synced.stderr.contains(Nginx::PASSWORD), "{}", synced.stderr);
    world.assert_converged(&[api]);
}

/// The job for GitLab asks with the same helper, which there comes from variables, where `$$` is a dollar.
#[test]
fn the_helper_for_gitlab() {
    let world = World::new();
    let api = world.workspace("api");
    let job = read("hooks/gitlab-ci.yml");
    let helper = value(&job, "GIT_CONFIG_VALUE_0:").replace("$$", "$");
    let asks = |host: &str| {
        let mut git = api.program("sh");
        git.args([
            "-c",
            &format!("printf 'protocol=https\\nhost={host}\\n\\n' | git credential fill"),
        ])
        .envs([
            ("CENTRAL_TOKEN", "secret"),
            ("CENTRAL_USER", "oauth2"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ])
        .envs([
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "credential.https://gitlab.example.org.helper"),
        ])
        .env("GIT_CONFIG_VALUE_0", &helper);
        run(git)
    };
    let told = asks("gitlab.example.org").success();
    assert!(told.contains("username=oauth2\npassword=secret\n"), "{told}");
    assert_ne!(asks("example.org").code, Some(0), "another host is told nothing");
    assert!(job.contains("    GIT_CONFIG_KEY_0: credential.$CENTRAL_HOST.helper\n"));
    assert!(job.contains("    - git metis-sync --no-progress sync\n"));
}

/// A folder with a release in it, as `scripts/release` names things, and its address.
fn release(world: &World, version: &str) -> (PathBuf, String) {
    let releases = world.root().join("releases");
    let target = match std::env::consts::ARCH {
        "aarch64" => "aarch64-unknown-linux-musl",
        _ => "x86_64-unknown-linux-musl",
    };
    let name = format!("git-metis-sync-{version}-{target}");
    let folder = releases.join(format!("v{version}"));
    let bin = folder.join(&name).join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_git-metis-sync"), bin.join("git-metis-sync")).unwrap();
    let mut pack = Command::new("sh");
    pack.current_dir(&folder).arg("-c").arg(format!(
        "tar -czf {name}.tar.gz {name} && rm -r {name} && sha256sum {name}.tar.gz >{name}.tar.gz.sha256"
    ));
    run(pack).success();
    (
        folder.join(format!("{name}.tar.gz")),
        format!("file://{}", releases.display()),
    )
}

#[test]
fn a_release_is_installed_whole_or_not_at_all() {
    let version = env!("CARGO_PKG_VERSION");
    let world = World::new();
    let (archive, releases) = release(&world, version);
    let temp = world.root().join("runner");
    fs::create_dir(&temp).unwrap();
    let path = temp.join("path");
    let install = |version: &str| {
        let mut shell = Command::new("bash");
        shell.env_clear().env("HOME", &temp).env("TMPDIR", &temp);
        let temp = temp.display().to_string();
        let env = [
            ("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR")),
            ("RUNNER_TEMP", temp.as_str()),
            ("GITHUB_PATH", path.to_str().unwrap()),
            ("VERSION", version),
            ("METIS_SYNC_RELEASES", releases.as_str()),
        ];
        runs(&step("Install"), shell, &env)
    };
    let missing = install("9.9.9");
    assert!(missing.code == Some(1) && missing.stderr.contains("cannot be had; nothing was installed"));
    let whole = fs::read(&archive).unwrap();
    fs::write(&archive, &whole[..whole.len() - 1]).unwrap();
    let short = install(version);
    assert!(
        short.code == Some(1) && short.stderr.contains("is not what its checksum says"),
        "{}",
        short.transcript()
    );
    assert_eq!(
        fs::read_dir(&temp).unwrap().count(),
        0,
        "nothing is there, and no scratch"
    );

    fs::write(&archive, whole).unwrap();
    let said = install(version).success();
    assert!(said.contains(&format!("Installed git-metis-sync {version}")), "{said}");
    let bin = fs::read_to_string(&path).unwrap();
    assert_eq!(bin.trim(), temp.join("git-metis-sync/bin").display().to_string());
    let mut program = Command::new(Path::new(bin.trim()).join("git-metis-sync"));
    program.arg("--version");
    assert_eq!(run(program).success(), format!("git-metis-sync {version}\n"));
    let left = fs::read_dir(&temp).unwrap().count();
    assert_eq!(left, 2, "what was installed, and the path");
}

#[test]
fn one_version_and_one_place() {
    let version = env!("CARGO_PKG_VERSION");
    let action = read("action.yml");
    let (_, input) = action.split_once("\n  version:\n").unwrap();
    assert_eq!(value(input, "default:"), version);
    let job = read("hooks/gitlab-ci.yml");
    assert_eq!(value(&job, "METIS_SYNC_VERSION:"), version);
    let repository = env!("CARGO_PKG_REPOSITORY");
    let get = read("scripts/get");
    assert!(get.contains(&format!("METIS_SYNC_RELEASES:-{repository}/releases/download")));
    let slug = repository.strip_prefix("https://github.com/").unwrap();
    assert!(action.contains(&format!("uses: {slug}@v{version}\n")));
    assert_eq!(
        job.matches(&format!("{slug}/v")).count(),
        2,
        "the include and the script"
    );
}
