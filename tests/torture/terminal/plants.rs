//! Where foreign text enters.

use std::{fs, io::Write as _, os::unix::fs::symlink, path::Path, process::Stdio};

use super::{EVIL, Stage, quoted};
use crate::support::document::document;

/// Where foreign text enters, and how many commands show it escaped at least. None do where values are never shown, or
/// where all that is hostile is taken out.
type Plant = (&'static str, usize, fn(&Stage));

pub(super) const PLANTS: &[Plant] = &[
    ("a cursor's upstream", 0, |stage| {
        stage.forge("cursor.json", &stage.world.central.url(), &quoted(EVIL));
    }),
    ("a cursor's branch", 0, |stage| {
        stage.forge("cursor.json", "\"main\"", &format!("\"{}\"", quoted(EVIL)))
    }),
    ("a cursor that is none", 0, |stage| {
        stage.api.put(".sync/cursor.json", EVIL);
    }),
    ("the journal", 4, |stage| {
        let evil = quoted(EVIL);
        let line = format!(
            r#"{{"schema":1,"started":"{evil}","outcome":"{evil}","trigger":"{evil}","warnings":["{evil}"],"error":"{evil}"}}"#
        );
        stage.api.put(".sync/journal.jsonl", format!("{line}\n{EVIL}\n"));
    }),
    ("a hook's note", 4, |stage| {
        let evil = quoted(EVIL);
        stage.api.put(
            ".sync/hook.json",
            format!(r#"{{"schema":1,"event":"{evil}","ended_at":"{evil}","ended":"failed","message":"{evil}"}}"#),
        );
    }),
    ("files in the state's folder", 8, |stage| {
        stage.api.put(format!(".sync/{EVIL}"), EVIL);
        stage.git(&["add", "--force", ".metis/.sync"]);
    }),
    ("the guard's upstream", 8, |stage| {
        let dir = stage.api.dir.join(".git/metis-sync");
        let entry = fs::read_dir(dir)
            .expect("it synced")
            .next()
            .expect("a guard")
            .expect("readable");
        let path = entry.path().join("guard.json");
        let text = fs::read_to_string(&path).expect("a guard");
        let forged = text.replace(&stage.world.central.url(), &quoted(EVIL));
        assert_ne!(text, forged);
        fs::write(path, forged).expect("it is ours");
    }),
    ("an upstream", 0, |stage| stage.upstream(&quoted(EVIL))),
    ("an upstream that is a path", 0, |stage| {
        stage.upstream(&format!("../{}", quoted(EVIL)))
    }),
    ("a branch", 0, |stage| {
        stage.set(&format!("branch = \"{}\"", quoted(EVIL)))
    }),
    ("a source", 0, |stage| {
        stage.set(&format!("source = \"{}\"", quoted(EVIL)))
    }),
    ("a key", 0, |stage| {
        stage.set(&format!("\"{}\" = 1\nmax_retries = \"{0}\"", quoted(EVIL)))
    }),
    ("a prefix", 0, |stage| {
        let config = stage.api.config().replace("\"api\"", &format!("\"{}\"", quoted(EVIL)));
        stage.api.put("config.toml", config);
    }),
    ("a config.toml that is none", 0, |stage| {
        stage
            .api
            .put("config.toml", format!("{}\n{EVIL} = ", stage.api.config()));
    }),
    ("an own document", 4, |stage| {
        let text = document("API-T-0002", "A title", EVIL).replace("A title", &quoted(EVIL));
        let text = text.replace("parent: \n", &format!("parent: \"{}\"\n", quoted(EVIL)));
        let text = text.replace("#phase/todo", &format!("#phase/{}", quoted(EVIL)));
        stage
            .api
            .write_at(format!("backlog/{EVIL}/{EVIL}.md"), "API-T-0002", text);
    }),
    ("a document of the same code", 4, |stage| {
        stage
            .api
            .put(format!("backlog/{EVIL}.md"), document("API-T-0001", "Twice", "Twice."));
    }),
    ("damaged frontmatter", 4, |stage| {
        stage.api.put(
            format!("backlog/{EVIL}.md"),
            format!("---\nshort_code: \"API-T-0009\n{EVIL}: [\n---\n"),
        );
        stage.api.put(
            "backlog/other.md",
            format!("---\nshort_code: \"{}\"\n---\n", quoted(EVIL)),
        );
    }),
    ("links and folders of the project", 1, |stage| {
        symlink(EVIL, stage.api.metis().join(EVIL)).expect("temp folder has links");
        fs::create_dir_all(stage.api.metis().join(format!("web/{EVIL}"))).expect("it is ours");
        stage.api.put(format!("web/{EVIL}.md"), EVIL);
        stage.api.put("web/.hydrated", EVIL);
    }),
    ("central's names", 4, |stage| {
        stage.world.central.land(&format!("web/{EVIL}.md"), EVIL);
        stage.world.central.land(&format!("{EVIL}/X-T-0001.md"), EVIL);
    }),
    ("central's documents", 2, |stage| {
        let text = document("WEB-T-0002", "A title", EVIL).replace("A title", &quoted(EVIL));
        let text = text.replace("#phase/todo", &format!("#phase/{}", quoted(EVIL)));
        stage.world.central.land("web/WEB-T-0002.md", text);
    }),
    ("central's branches", 2, |stage| {
        let evil = "e\u{9b}2J\u{202e}\u{200b}vil\u{1b}".trim_end_matches('\u{1b}');
        stage.world.central.git(&["branch", "--move", "main", evil]);
        stage.set("branch = \"main\"");
        // Seen by its escape, whatever else is in it.
        stage
            .api
            .put(format!("backlog/{EVIL}.md"), document("API-T-0003", "x", "y"));
    }),
    ("a server's hook", 0, |stage| {
        let hook = stage.world.central.dir.join("hooks/pre-receive");
        let _ = fs::remove_file(&hook);
        script(&hook, &format!("printf '%s\\n' '{EVIL}' >&2; exit 1"));
        stage.api.edit("API-T-0001", "More.");
    }),
    ("ssh", 0, |stage| {
        let ssh = stage.world.root().join("evil-ssh");
        script(
            &ssh,
            &format!("printf '%s\\n' '{EVIL}'; printf '%s\\n' '{EVIL}' >&2; exit 255"),
        );
        stage.git(&["config", "core.sshCommand", &ssh.display().to_string()]);
        stage.upstream("ssh://host.invalid/central.git");
        stage.api.run(&["trust", "--all"]);
    }),
    ("git's configuration", 4, |stage| {
        stage.git(&["config", "user.name", EVIL]);
        stage.git(&["config", "core.hooksPath", EVIL]);
        stage.git(&["config", "remote.origin.url", &format!("/nowhere/{EVIL}")]);
        stage.git(&[
            "config",
            &format!("url.{}.insteadOf", EVIL.replace('\n', "")),
            "nothing:",
        ]);
    }),
    ("hook files", 0, |stage| {
        let hooks = stage.api.dir.join(".git/hooks");
        fs::create_dir_all(&hooks).expect("it is ours");
        script(&hooks.join("pre-push"), &format!("echo '{EVIL}' # git metis-sync"));
        script(
            &hooks.join("post-merge"),
            &format!(": '{EVIL}'\n# >>> git-metis-sync >>>\n{EVIL}"),
        );
        fs::create_dir_all(stage.api.dir.join(".husky")).expect("it is ours");
        stage.git(&["config", "core.hooksPath", ".husky"]);
    }),
    ("a metis.db that is none", 0, |stage| {
        stage.api.put("metis.db", EVIL);
        stage.api.put("metis.db-wal", EVIL);
    }),
];

/// A script, written by another process: one that is open for writing elsewhere cannot be run.
fn script(path: &Path, text: &str) {
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped());
    let mut child = command.spawn().expect("sh runs");
    let mut stdin = child.stdin.take().expect("piped");
    write!(stdin, "#!/bin/sh\n{text}\n").expect("sh reads");
    drop(stdin);
    assert!(child.wait().expect("sh ends").success());
}
