//! What lies between the two ends, and cuts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use send_pack::connect::ConnectOptions;

use crate::push::client::options;
use crate::support::{
    process::run,
    proxy::{Fate, Proxy, Way},
    workspace::Remote,
};

/// Something between the two ends that can be told to cut the next connection.
pub(super) trait Between {
    /// Where to push to.
    fn url(&self) -> String;
    fn options(&self) -> ConnectOptions;
    /// The next connection ends after so many bytes went this way; those after it are fair.
    fn cut_next(&self, cut: Option<(Way, u64)>);
    /// How many bytes went this way so far.
    fn bytes(&self, way: Way) -> u64;
}

/// A proxy in front of a server's port.
pub(super) struct Line {
    proxy: Proxy,
    remote: Remote,
    port: u16,
    plan: Arc<Mutex<Option<(Way, u64)>>>,
}

impl Line {
    pub fn to(remote: Remote, port: u16) -> Line {
        let plan = Arc::new(Mutex::new(None));
        let next = Arc::clone(&plan);
        let proxy = Proxy::to(port, move |_| {
            match next.lock().expect("nobody panics with it").take() {
                Some((way, at)) => Fate::Cut(way, at),
                None => Fate::Fair,
            }
        });
        Line {
            proxy,
            remote,
            port,
            plan,
        }
    }
}

impl Between for Line {
    fn url(&self) -> String {
        self.proxy.front(&self.remote.url, self.port)
    }

    fn options(&self) -> ConnectOptions {
        // The first port on a command line counts for ssh, and it is to be the URL's.
        let env = self.remote.env.iter();
        let env = env.map(|(name, value)| (name.clone(), value.replace(&format!("-p {} ", self.port), "")));
        options(&Remote {
            env: env.collect(),
            ..self.remote.clone()
        })
    }

    fn cut_next(&self, cut: Option<(Way, u64)>) {
        *self.plan.lock().expect("nobody panics with it") = cut;
    }

    fn bytes(&self, way: Way) -> u64 {
        self.proxy.bytes(way)
    }
}

/// A program in the place of ssh, or of a local `git-receive-pack`, with scissors at its pipes.
pub(super) struct Pipes {
    dir: PathBuf,
    remote: Remote,
}

impl Pipes {
    /// Runs what it is given last with `SERVE`, and ends like an ssh whose connection broke: at once if it hears nothing
    /// more, with the server's end if it is only not heard.
    const PROGRAM: &str = "for last; do :; done
mv next now 2>/dev/null || { tee -a up | SERVE \"$last\" | tee -a down; exit; }
read way bytes < now
exec 3<&0
if [ $way = up ]
then dd bs=1 count=$bytes status=none <&3 3<&- | SERVE \"$last\" 3<&- &
else SERVE \"$last\" <&3 3<&- | dd bs=1 count=$bytes status=none 3<&- &
fi
exec <&- 3<&- >&-
wait $!
exit 255";

    pub fn new(dir: &Path, name: &str, serve: &str, remote: Remote) -> Pipes {
        fs::create_dir(dir).expect("writable");
        let body = format!("cd {}\n{}", dir.display(), Self::PROGRAM.replace("SERVE", serve));
        fs::write(dir.join("draft"), format!("#!/bin/sh\n{body}\n")).expect("writable");
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(dir.join("draft")).arg(dir.join(name));
        run(install).success();
        Pipes {
            dir: dir.to_owned(),
            remote,
        }
    }
}

impl Between for Pipes {
    fn url(&self) -> String {
        self.remote.url.clone()
    }

    fn options(&self) -> ConnectOptions {
        options(&self.remote)
    }

    fn cut_next(&self, cut: Option<(Way, u64)>) {
        let next = self.dir.join("next");
        match cut {
            Some((way, at)) => {
                let way = if way == Way::ToServer { "up" } else { "down" };
                fs::write(next, format!("{way} {at}\n")).expect("writable");
            }
            None => assert!(!next.exists(), "it was taken"),
        }
    }

    fn bytes(&self, way: Way) -> u64 {
        let name = if way == Way::ToServer { "up" } else { "down" };
        fs::metadata(self.dir.join(name)).map_or(0, |meta| meta.len())
    }
}
