use super::*;

fn program(config: &str, env: &'static [(&'static str, &'static str)]) -> SshProgram {
    let lookup = |name: &str| {
        env.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| OsString::from(value))
    };
    SshProgram::read(&config.parse().expect("valid"), &lookup)
}

fn call(path: &str) -> Call<'_> {
    Call {
        user: Some("git"),
        host: "h",
        port: Some(2222),
        service: "git-upload-pack",
        path: path.into(),
        send_protocol: true,
        batch: true,
        connect_timeout: 30,
    }
}

#[test]
fn the_program_is_found_where_git_finds_it() {
    assert_eq!(program("", &[]), SshProgram::default());
    let config = "[core]\nsshCommand = \"'/opt/my ssh/ssh' -i key\"\n[ssh]\nvariant = simple";
    assert_eq!(program(config, &[]).variant(), Some(Variant::Simple));
    let from_env = program(
        config,
        &[("GIT_SSH_COMMAND", "wrapper -x"), ("GIT_SSH_VARIANT", "auto")],
    );
    assert_eq!((from_env.variant(), from_env.via_shell), (None, true));
    let program = program("", &[("GIT_SSH", "/usr/bin/PLINK.exe")]);
    assert_eq!(
        (program.variant(), program.invocation().1.len()),
        (Some(Variant::Plink), 0)
    );
}

#[test]
fn a_command_line_goes_through_the_shell_with_our_arguments_behind_it() {
    let program = program("[core]\nsshCommand = \"'/opt/my ssh/ssh' -i key\"", &[]);
    assert_eq!(program.variant(), Some(Variant::Ssh));
    let (shell, arguments) = program.invocation();
    assert_eq!(shell, "sh");
    assert_eq!(arguments[1], "'/opt/my ssh/ssh' -i key \"$@\"");
}

#[test]
fn each_dialect_gets_its_own_options() {
    let words = |variant| SshProgram::arguments(variant, &call("/it's!")).map(|words| words.join(OsStr::new(" ")));
    assert_eq!(
        words(Variant::Ssh).expect("possible"),
        r"-o SendEnv=GIT_PROTOCOL -o BatchMode=yes -o ConnectTimeout=30 -p 2222 git@h git-upload-pack '/it'\''s'\!''"
    );
    assert_eq!(
        words(Variant::TortoisePlink).expect("possible"),
        r"-batch -P 2222 git@h git-upload-pack '/it'\''s'\!''"
    );
    assert!(words(Variant::Simple).is_err());
}
