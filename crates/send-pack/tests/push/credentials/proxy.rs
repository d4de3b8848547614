//! The password of a proxy.

use std::fs;

use send_pack::connect::FailureKind;

use super::{Scene, kind, said};
use crate::push::client::{applied, first, options_with, push_with};
use crate::support::{access_proxy::http_proxy, servers::Access};

/// Helpers are asked for the password of a proxy whose URL has a user alone, for http and for the tunnel of https.
#[test]
fn a_proxys_password_comes_from_a_helper_which_is_told_how_that_went() {
    for access in [Access::Open, Access::Tls] {
        let Some(scene) = Scene::new(access) else { return };
        let log = scene.log("helper");
        let log = log.display();
        let body = format!("echo \"$1\" >> {log}; cat >> {log}; [ $1 != get ] || echo password=pp");
        let helper = scene.program("helper", &body);
        scene.configure(&format!("[credential]\n\thelper = {}\n", helper.display()));
        let (proxy, _) = http_proxy("pu:pp");
        let through = |user: &str| {
            let mut options = options_with(
                &scene.nginx.remote(),
                &format!("[http]\nproxy = http://{user}@127.0.0.1:{}", proxy.port),
            );
            options.cwd = scene.dir.clone();
            options
        };
        applied(push_with(&scene.nginx.remote().url, &through("pu"), &first()));
        let heard = said(&scene.log("helper"));
        let port = format!("host=127.0.0.1:{}\n", proxy.port);
        assert!(heard.starts_with("get\n") && heard.contains(&port), "{heard}");
        assert!(
            heard.contains("username=pu\n") && heard.contains("\nstore\n"),
            "{heard}"
        );
        assert_eq!(heard.matches("get\n").count(), 1, "once a session: {heard}");
        let next = first().next(&[("b.md", b"b\n")], &[]);
        let refused = push_with(&scene.nginx.remote().url, &through("stranger"), &next);
        assert_eq!(kind(refused), FailureKind::Unauthenticated);
        let heard = said(&scene.log("helper"));
        assert!(
            heard.contains("username=stranger\n") && heard.contains("erase\n"),
            "{heard}"
        );
        // An empty password is one, and nobody is asked.
        fs::remove_file(scene.log("helper")).expect("it was written");
        let refused = push_with(&scene.nginx.remote().url, &through("pu:"), &next);
        assert_eq!(kind(refused), FailureKind::Unauthenticated);
        assert_eq!(said(&scene.log("helper")), "");
    }
}
