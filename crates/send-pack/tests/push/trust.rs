//! Whom TLS trusts: the system's authorities or the configured ones, one's own certificate, one's own key.

use std::{
    fs,
    io::Read,
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
};

use rustls::{
    ServerConfig, ServerConnection, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use send_pack::connect::{ConnectOptions, FailureKind};

use super::{
    client::{applied, failed, first, options_with, push_with},
    program::{Machine, ended},
};
use crate::support::{
    process::run,
    scripted::Scripted,
    servers::{Access, Nginx, installed, skip},
    workspace::Remote,
    world::World,
};

/// Somebody whose environment and git configuration are these and nothing else.
fn who(env: &[(&str, &str)], config: &str) -> ConnectOptions {
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let remote = Remote {
        url: String::new(),
        env: env.collect(),
    };
    options_with(&remote, config)
}

#[test]
fn what_is_configured_is_trusted_and_nothing_else() {
    let world = World::unborn();
    let Some(nginx) = Nginx::start(&world, Access::Tls) else {
        return;
    };
    let remote = nginx.remote();
    let ca = remote.env[0].1.clone();
    let dir = world.root().join("authorities");
    fs::create_dir(&dir).expect("writable");
    symlink(&ca, dir.join("ours.pem")).expect("writable");
    let dirs = format!("/no/such/folder:{}", dir.display());
    let dir = dir.display().to_string();
    let mut next = first();
    for (number, trusting) in [
        who(&[("GIT_SSL_CAINFO", &ca)], ""),
        who(&[("GIT_SSL_CAPATH", &dir)], ""),
        who(&[("SSL_CERT_FILE", &ca)], ""),
        who(&[("SSL_CERT_DIR", &dirs)], ""),
        who(&[], &format!("[http]\nsslCAInfo = {ca}")),
        who(&[], &format!("[http]\nsslCAPath = {dir}")),
        who(
            &[],
            &format!("[http \"https://127.0.0.1:{}\"]\nsslCAInfo = {ca}", nginx.port()),
        ),
        who(&[("GIT_SSL_NO_VERIFY", "1")], ""),
        who(&[], "[http]\nsslVerify = false"),
    ]
    .into_iter()
    .enumerate()
    {
        applied(push_with(&remote.url, &trusting, &next));
        next = next.next(&[(&format!("{number}.md"), b"x\n")], &[]);
    }
    let other = remote.url.replace("127.0.0.1", "127.0.0.2");
    let cause = failed(push_with(&other, &who(&[("GIT_SSL_CAINFO", &ca)], ""), &next));
    assert_eq!(cause.kind, FailureKind::Unreachable, "not for another name: {cause:?}");
    let missing = who(&[("GIT_SSL_CAINFO", "/no/such.pem")], "");
    let cause = failed(push_with(&remote.url, &missing, &next));
    assert!(cause.message.contains("/no/such.pem"), "{cause:?}");
}

/// A system is where certificates lie: one of the test's own is seen by a single process, in the place where the
/// machine has its.
#[test]
fn the_systems_authorities_are_trusted_and_strangers_are_not() {
    let world = World::unborn();
    let Some(nginx) = Nginx::start(&world, Access::Tls) else {
        return;
    };
    let Some([unshare, mount]) = installed(["unshare", "mount"]) else {
        return;
    };
    if !Path::new("/etc/ssl").is_dir() {
        return skip("there is no /etc/ssl");
    }
    let machine = Machine::new(&world.root());
    let remote = Remote {
        env: Vec::new(),
        ..nginx.remote()
    };
    let in_a_system_with = |authority: &Path| {
        let system = world.root().join("etc-ssl");
        let _ = fs::remove_dir_all(&system);
        fs::create_dir_all(system.join("certs")).expect("writable");
        fs::copy(authority, system.join("certs/ca-certificates.crt")).expect("writable");
        let push = machine.push(&remote, "never");
        let mut private = Command::new(&unshare);
        private.args(["--map-root-user", "--mount", "sh", "-c"]);
        private.arg(format!(
            "{} --bind \"$1\" /etc/ssl && shift && exec \"$@\"",
            mount.display()
        ));
        private
            .arg("sh")
            .arg(&system)
            .arg(push.get_program())
            .args(push.get_args());
        private.current_dir(world.root()).env_clear();
        private.envs(push.get_envs().filter_map(|(name, value)| Some((name, value?))));
        run(private)
    };
    let ours = nginx.remote().env[0].1.clone();
    let mut possible = Command::new(&unshare);
    possible
        .args(["--map-root-user", "--mount"])
        .arg(&mount)
        .args(["--bind", "/etc/ssl", "/etc/ssl"]);
    if run(possible).code != Some(0) {
        return skip("a process cannot have mounts of its own here");
    }
    let stranger = other_authority(&world);
    let refused = in_a_system_with(&stranger).success();
    assert!(
        ended(&refused).starts_with("Unreachable") && refused.contains("UnknownIssuer"),
        "{refused}"
    );
    let trusted = in_a_system_with(Path::new(&ours)).success();
    assert_eq!(ended(&trusted), "applied");
    // The machine's own do not know the test's authority.
    let machines = run(machine.push(&remote, "never")).success();
    assert!(ended(&machines).starts_with("Unreachable"), "{machines}");
    assert!(machines.contains("TLS"), "{machines}");
}

fn other_authority(world: &World) -> std::path::PathBuf {
    let path = world.root().join("stranger.pem");
    let mut make = Command::new("openssl");
    make.args(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=stranger".split(' '),
    );
    make.arg("-keyout")
        .arg(world.root().join("stranger.key"))
        .arg("-out")
        .arg(&path);
    run(make).success();
    path
}

#[test]
fn a_server_that_wants_a_certificate_gets_ours() {
    let world = World::unborn();
    let Some(nginx) = Nginx::start(&world, Access::Certificate) else {
        return;
    };
    let remote = nginx.remote();
    let ca = remote.env[0].1.clone();
    let beside = |name: &str| Path::new(&ca).with_file_name(name).display().to_string();
    let (cert, key) = (beside("client.pem"), beside("client.key"));
    let trusting = |config: &str| who(&[("GIT_SSL_CAINFO", &ca)], config);
    let cause = failed(push_with(&remote.url, &trusting(""), &first()));
    assert!(
        cause.message.contains("400"),
        "nginx says 400 to those without: {cause:?}"
    );
    applied(push_with(
        &remote.url,
        &trusting(&format!("[http]\nsslCert = {cert}\nsslKey = {key}")),
        &first(),
    ));
    let both = beside("both.pem");
    let read = |path: &str| fs::read_to_string(path).expect("openssl made it");
    fs::write(&both, read(&cert) + &read(&key)).expect("writable");
    let by_environment = who(&[("GIT_SSL_CAINFO", &ca), ("GIT_SSL_CERT", &both)], "");
    let next = first().next(&[("b.md", b"b\n")], &[]);
    applied(push_with(&remote.url, &by_environment, &next));
    let broken = trusting(&format!("[http]\nsslCert = {ca}\nsslKey = {ca}"));
    let cause = failed(push_with(&remote.url, &broken, &next));
    assert!(cause.message.contains("cannot use"), "{cause:?}");
}

fn pin_of(certificate: &Path) -> String {
    let mut pin = Command::new("sh");
    pin.arg("-c").arg(
        "openssl x509 -in \"$0\" -pubkey -noout | openssl pkey -pubin -outform der | \
         openssl dgst -sha256 -binary | openssl enc -base64",
    );
    pin.arg(certificate);
    format!("sha256//{}", run(pin).success().trim())
}

/// `http.pinnedPubkey` goes before every other trust, also where certificates are not looked at.
#[test]
fn a_pinned_key_is_the_only_one_that_is_spoken_to() {
    let world = World::unborn();
    let Some(nginx) = Nginx::start(&world, Access::Tls) else {
        return;
    };
    let remote = nginx.remote();
    let ca = remote.env[0].1.clone();
    let server = pin_of(&Path::new(&ca).with_file_name("server.pem"));
    let stranger = pin_of(&other_authority(&world));
    let pinned = |pins: &str, more: &str| {
        who(
            &[("GIT_SSL_CAINFO", &ca)],
            &format!("[http]\npinnedPubkey = \"{pins}\"\n{more}"),
        )
    };
    for more in ["", "sslVerify = false"] {
        let cause = failed(push_with(&remote.url, &pinned(&stranger, more), &first()));
        assert_eq!(cause.kind, FailureKind::Unreachable, "{cause:?}");
        assert!(cause.message.contains("http.pinnedPubkey"), "{cause:?}");
    }
    let cause = failed(push_with(&remote.url, &pinned("/some/key.der", ""), &first()));
    assert!(cause.message.contains("http.pinnedPubkey"), "{cause:?}");
    applied(push_with(
        &remote.url,
        &pinned(&format!("{stranger};{server}"), ""),
        &first(),
    ));
}

/// A server that shows `certificate` and signs with `key`, which need not belong to it. Says of each connection whether the client
/// asked for anything.
fn showing(certificate: &Path, key: &Path, version: &'static SupportedProtocolVersion) -> (Scripted, Receiver<bool>) {
    let shown = CertificateDer::from_pem_file(certificate).expect("openssl made it");
    let key = PrivateKeyDer::from_pem_file(key).expect("openssl made it");
    let provider = Arc::new(ring::default_provider());
    let key = provider
        .key_provider
        .load_private_key(key)
        .expect("it is of a usual kind");
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("both are supported")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![shown], key))));
    let config = Arc::new(config);
    let (sender, receiver) = channel();
    let server = Scripted::start(move |_, mut stream| {
        let mut connection = ServerConnection::new(config.clone()).expect("its settings are in order");
        // With TLS 1.3 the server is done before the client has judged it: what counts is whether it goes on to ask for anything.
        let asked = rustls::Stream::new(&mut connection, &mut stream).read(&mut [0]);
        let asked = asked.is_ok_and(|length| length > 0);
        sender.send(asked).expect("the test waits for it");
    });
    (server, receiver)
}

/// A certificate is public: whoever shows it without its key is not the server, also where only the key is pinned and
/// nothing else of the certificate is looked at.
#[test]
fn a_stolen_certificate_is_worth_nothing_without_its_key() {
    if installed(["openssl"]).is_none() {
        return;
    }
    let world = World::unborn();
    let certificate = other_authority(&world);
    let right = certificate.with_extension("key");
    let wrong = world.root().join("thief.key");
    let mut make = Command::new("openssl");
    make.args("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out".split(' '))
        .arg(&wrong);
    run(make).success();
    let pin = pin_of(&certificate);
    for version in [&TLS12, &TLS13] {
        for (key, is_theirs) in [(&right, false), (&wrong, true)] {
            let (server, asked) = showing(&certificate, key, version);
            let trusting = who(&[], &format!("[http]\npinnedPubkey = \"{pin}\"\nsslVerify = false"));
            let cause = failed(push_with(&server.url("https"), &trusting, &first()));
            assert_eq!(
                asked.recv().expect("it was connected to"),
                !is_theirs,
                "{version:?}: {cause:?}"
            );
            assert_eq!(
                cause.message.contains("BadSignature"),
                is_theirs,
                "{version:?}: {cause:?}"
            );
        }
    }
}
