//! Servers that say more than anybody can take in.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use super::within;
use crate::support::{
    scripted::{FLUSH, Scripted, pkt},
    workspace::Remote,
    world::World,
};

/// A server whose lists of refs, or what it says before it sends anything, has no end: whoever runs it may keep somebody waiting, but
/// takes no memory for that.
#[test]
fn a_server_that_never_stops_talking() {
    for is_listing in [true, false] {
        let heard = |stream: &mut TcpStream| stream.read(&mut [0; 4096]).unwrap_or_default();
        let server = Scripted::start(move |_, mut stream| {
            heard(&mut stream);
            let offers = ["version 2\n", "ls-refs\n", "fetch\n", "object-format=sha1\n"]
                .map(pkt)
                .concat();
            let _ = stream.write_all(&[&offers, FLUSH].concat());
            heard(&mut stream);
            let id = "1".repeat(40);
            let line = match is_listing {
                true => format!("{id} refs/heads/main-{}\n", "n".repeat(200)),
                false => {
                    let head = pkt(format!("{id} HEAD symref-target:refs/heads/main\n"));
                    let main = pkt(format!("{id} refs/heads/main\n"));
                    let _ = stream.write_all(&[&head, &main, FLUSH].concat());
                    heard(&mut stream);
                    let _ = stream.write_all(&pkt("acknowledgments\n"));
                    format!("ACK {id}\n")
                }
            };
            let lines = pkt(line).repeat(2000);
            while stream.write_all(&lines).is_ok() {}
        });
        let world = World::new();
        let remote = Remote {
            url: server.url("git"),
            ..world.local()
        };
        let api = world.workspace_on("api", &remote);
        api.write("API-T-0001", "Mine.");
        let stopped = within(256 << 20, &api, &api.metis_sync(&["sync"]));
        assert!(
            stopped.code == Some(1) && stopped.stderr.contains("it says more than can be taken in"),
            "{}",
            stopped.transcript()
        );
    }
}
