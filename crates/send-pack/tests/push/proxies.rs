//! Pushing through a proxy.

use send_pack::connect::FailureKind;

use super::client::{applied, failed, first, options_with, push, push_with};
use crate::support::{
    access_proxy::{http_proxy, socks_proxy},
    servers::{Access, Nginx},
    workspace::Remote,
    world::World,
};

#[test]
fn proxies_forward_tunnel_and_want_their_password() {
    let world = World::unborn();
    let Some(plain) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let (proxy, seen) = http_proxy("pu:pp");
    let through = |at: &str| options_with(&plain.remote(), &format!("[http]\nproxy = {at}"));
    applied(push_with(
        &plain.remote().url,
        &through(&format!("http://pu:pp@127.0.0.1:{}", proxy.port)),
        &first(),
    ));
    let lines = seen.lock().expect("nobody panics with it").clone();
    assert!(
        lines.iter().any(|line| line.starts_with("GET http://127.0.0.1:")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("POST http://127.0.0.1:")),
        "{lines:?}"
    );
    let two = first().next(&[("b.md", b"b\n")], &[]);
    let cause = failed(push_with(
        &plain.remote().url,
        &through(&format!("http://127.0.0.1:{}", proxy.port)),
        &two,
    ));
    assert_eq!(cause.kind, FailureKind::Unauthenticated, "{cause:?}");
    let exempt = Remote {
        env: vec![
            ("http_proxy".into(), "http://127.0.0.1:1".into()),
            ("no_proxy".into(), "127.0.0.1".into()),
        ],
        ..plain.remote()
    };
    applied(push(&exempt, &two));
    let before = seen.lock().expect("nobody panics with it").len();
    let by_environment = Remote {
        env: vec![
            ("http_proxy".into(), format!("pu:pp@127.0.0.1:{}", proxy.port)),
            ("https_proxy".into(), "http://127.0.0.1:1".into()),
            ("no_proxy".into(), "example.org".into()),
        ],
        ..plain.remote()
    };
    let two = two.next(&[("by-environment.md", b"x\n")], &[]);
    applied(push(&by_environment, &two));
    assert!(
        seen.lock().expect("nobody panics with it").len() > before,
        "it went through"
    );
    let (socks, names) = socks_proxy();
    let by_socks = through(&format!("socks5h://127.0.0.1:{}", socks.port));
    let by_name = plain.remote().url.replace("127.0.0.1", "localhost");
    applied(push_with(&by_name, &by_socks, &two.next(&[("c.md", b"c\n")], &[])));
    assert_eq!(
        names.lock().expect("nobody panics with it").first().map(String::as_str),
        Some("localhost")
    );
}

#[test]
fn https_goes_through_a_tunnel() {
    let world = World::unborn();
    let Some(nginx) = Nginx::start(&world, Access::Tls) else {
        return;
    };
    let (proxy, seen) = http_proxy("pu:pp");
    let config = format!("[http]\nproxy = http://pu:pp@127.0.0.1:{}", proxy.port);
    applied(push_with(
        &nginx.remote().url,
        &options_with(&nginx.remote(), &config),
        &first(),
    ));
    let lines = seen.lock().expect("nobody panics with it").clone();
    assert!(
        lines.iter().all(|line| line.starts_with("CONNECT 127.0.0.1:")),
        "{lines:?}"
    );
    let by_environment = Remote {
        env: nginx
            .remote()
            .env
            .into_iter()
            .chain([("HTTPS_PROXY".into(), format!("http://pu:pp@127.0.0.1:{}", proxy.port))])
            .collect(),
        ..nginx.remote()
    };
    applied(push(&by_environment, &first().next(&[("b.md", b"b\n")], &[])));
    assert!(
        seen.lock().expect("nobody panics with it").len() > lines.len(),
        "it went through"
    );
    let config = format!("[http]\nproxy = http://127.0.0.1:{}", proxy.port);
    let cause = failed(push_with(
        &nginx.remote().url,
        &options_with(&nginx.remote(), &config),
        &first(),
    ));
    assert_eq!(cause.kind, FailureKind::Unauthenticated, "{cause:?}");
}
