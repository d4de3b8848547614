//! Clients that nobody here wrote: Python's `mcp`, of the era before 2026-07-28 and of the one since.

use std::process::Command;

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
