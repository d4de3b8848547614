//! nginx in front of `git http-backend`: smart http as most self-hosted centrals speak it.

use std::{
    fmt::Write as _,
    fs,
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Server, installed, server_command};
use crate::{process::run, workspace::Remote, world::World};

/// Who gets in, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, over plain http.
    Open,
    /// Everybody, over https with a certificate of the test's own authority.
    Tls,
    /// Those who show a certificate of the test's authority (`client.pem` with `client.key`, beside the authority's).
    Certificate,
    /// [`Nginx::USER`] with [`Nginx::PASSWORD`], over https.
    Password,
    /// The same, but the password is only asked for when something is sent, not when the refs are listed.
    PasswordToWrite,
    /// The same, but whatever is sent, be it a request for objects: the greeting alone is for everybody.
    PasswordToSend,
    /// [`Nginx::PASSWORD`] for the greeting, and for whatever is sent one that nobody has.
    AnotherPasswordToSend,
}

pub struct Nginx {
    server: Server,
    _backends: Backends,
    port: u16,
    access: Access,
    dir: PathBuf,
}

impl Nginx {
    pub const USER: &str = "ann";
    pub const PASSWORD: &str = "correct horse";

    pub fn start(world: &World, access: Access) -> Option<Self> {
        let [nginx, fcgiwrap, openssl] = installed(["nginx", "fcgiwrap", "openssl"])?;
        let dir = world.root().join("nginx");
        fs::create_dir(&dir).expect("temp folder is writable");
        if access != Access::Open {
            certificates(&openssl, &dir);
        }
        let note = |file: &str, password: &str| {
            let mut hash = Command::new(&openssl);
            hash.args(["passwd", "-apr1", password]);
            let line = format!("{}:{}", Self::USER, run(hash).success());
            fs::write(dir.join(file), line).expect("temp folder is writable");
        };
        if !matches!(access, Access::Open | Access::Tls | Access::Certificate) {
            note("htpasswd", Self::PASSWORD);
            note("htpasswd-nobody", "n0body kn0ws");
        }
        let backends = Backends::start(&fcgiwrap, &dir.join("backend.sock"));
        let command = |port: u16| {
            fs::write(dir.join("nginx.conf"), config(world, &dir, access, port)).expect("temp folder is writable");
            let mut command = server_command(&nginx);
            command
                .env_clear()
                .arg("-p")
                .arg(&dir)
                .arg("-c")
                .arg(dir.join("nginx.conf"))
                .args(["-e", "stderr"]);
            command
        };
        let (server, port) = Server::on_free_port(command, "getrlimit(RLIMIT_NOFILE)");
        Some(Nginx {
            server,
            _backends: backends,
            port,
            access,
            dir,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// URL without a user, and the authority's certificate where there is one.
    pub fn remote(&self) -> Remote {
        let (scheme, env) = match self.access {
            Access::Open => ("http", Vec::new()),
            _ => (
                "https",
                vec![("GIT_SSL_CAINFO".into(), self.dir.join("ca.pem").display().to_string())],
            ),
        };
        Remote {
            url: format!("{scheme}://127.0.0.1:{}/central.git", self.port),
            env,
        }
    }

    /// Requests as `METHOD uri status bytes-received`, oldest first.
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.dir.join("access.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// The same since there were `before`, without status and size, once there are so many more: nginx notes a request
    /// when the client has its answer already.
    pub fn requests_since(&self, before: usize, more: usize) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(5);
        while self.requests().len() < before + more && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        let requests = self.requests();
        let bare = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        requests[before..].iter().map(bare).collect()
    }

    pub fn log(&self) -> String {
        self.server.log()
    }
}

/// The processes that run `git http-backend`.
///
/// Single ones on one socket instead of one that forks: each ends by its own id, and none outlives the test. The socket
/// is there before nginx is, so nothing has to be waited for.
struct Backends(Vec<Child>);

impl Backends {
    fn start(fcgiwrap: &Path, socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).expect("a short path in a temp folder");
        let start = |_| {
            let socket = OwnedFd::from(listener.try_clone().expect("descriptors are left"));
            let mut command = server_command(fcgiwrap);
            command
                .env_clear()
                .stdin(socket)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().expect("fcgiwrap runs")
        };
        Backends((0..4).map(start).collect())
    }
}

impl Drop for Backends {
    fn drop(&mut self) {
        for backend in &mut self.0 {
            let _ = backend.kill();
            let _ = backend.wait();
        }
    }
}

fn config(world: &World, dir: &Path, access: Access, port: u16) -> String {
    let dir = dir.display();
    let mut guard = String::new();
    if access != Access::Open {
        write!(
            guard,
            "ssl_certificate {dir}/server.pem; ssl_certificate_key {dir}/server.key;"
        )
        .expect("memory");
    }
    if access == Access::Certificate {
        write!(guard, " ssl_client_certificate {dir}/ca.pem; ssl_verify_client on;").expect("memory");
    }
    let password = format!("auth_basic central; auth_basic_user_file {dir}/htpasswd;");
    let another = password.replace("/htpasswd;", "/htpasswd-nobody;");
    let [guard_reads, guard_writes] = match access {
        Access::PasswordToWrite => ["", &password],
        Access::PasswordToSend => [&*password, &password],
        Access::AnotherPasswordToSend => [&*another, &another],
        _ => ["", ""],
    };
    if matches!(access, Access::Password | Access::AnotherPasswordToSend) {
        guard.push_str(&password);
    }
    let mut environment = String::new();
    for (name, value) in world.server_env() {
        writeln!(environment, "      fastcgi_param {name} \"{value}\";").expect("memory");
    }
    let mut ask = Command::new("git");
    ask.arg("--exec-path");
    let core = run(ask).success();
    let backend = format!(
        r#"      fastcgi_pass unix:{dir}/backend.sock;
      fastcgi_param SCRIPT_FILENAME {core}/git-http-backend;
      fastcgi_param GIT_PROJECT_ROOT {root};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param REMOTE_ADDR $remote_addr;
{environment}"#,
        core = core.trim(),
        root = world.root().display(),
    );
    format!(
        r#"daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 64; }}
http {{
  log_format requests '$request_method $request_uri $status $request_length';
  access_log {dir}/access.log requests;
  client_body_temp_path {dir}/body;
  fastcgi_temp_path {dir}/fastcgi;
  proxy_temp_path {dir}/proxy;
  scgi_temp_path {dir}/scgi;
  uwsgi_temp_path {dir}/uwsgi;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port}{ssl};
    {guard}
    location ~ /git-receive-pack$ {{
      {guard_writes}
{backend}    }}
    location ~ /git-upload-pack$ {{
      {guard_reads}
{backend}    }}
    location / {{
{backend}    }}
  }}
}}
"#,
        ssl = if access == Access::Open { "" } else { " ssl" },
    )
}

/// An authority (`ca.pem`) and two certificates signed by it, for 127.0.0.1 and for a client.
fn certificates(openssl: &Path, dir: &Path) {
    let settings = "[req]\ndistinguished_name=name\n[name]\n\
                    [authority]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n\
                    [client]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n\
                    [server]\nbasicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n";
    fs::write(dir.join("openssl.cnf"), settings).expect("temp folder is writable");
    let openssl = |args: &str| {
        let mut command = Command::new(openssl);
        command.current_dir(dir).args(args.split(' '));
        run(command).success();
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config openssl.cnf";
    openssl(&format!(
        "req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority -extensions authority"
    ));
    for (role, name) in [("server", "central"), ("client", "ann")] {
        openssl(&format!(
            "req {key} -keyout {role}.key -out {role}.csr -subj /CN={name}"
        ));
        openssl(&format!(
            "x509 -req -in {role}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {role}.pem -days 2 \
             -extfile openssl.cnf -extensions {role}"
        ));
    }
}
