"""Centrals, workspaces and servers to measure with, on a RAM disk where there is one."""

import functools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

RANDOM_LINES = [
    " ".join(f"word{random.Random(n * 5 + k).randrange(30000):05d}" for k in range(5)) for n in range(20000)
]


def document(workspace, number, size=3000):
    """The text of document `number` of a workspace, the same each time."""
    rng = random.Random(f"{workspace}/{number}")
    code = f"{workspace.upper()}-T-{number:04d}"
    head = (
        f'---\nlevel: task\ntitle: "Task {number}"\nshort_code: "{code}"\nparent: {workspace.upper()}-I-0001\n'
        f'blocked_by: []\narchived: false\ntags:\n  - "#task"\n  - "#phase/todo"\n---\n\n# {code}\n'
    )
    lines = max(0, size - len(head)) // 50 + 1
    return head + "\n".join(rng.choices(RANDOM_LINES, k=lines)) + "\n"


def entry(workspace, number, text):
    """One file of a commit, for git fast-import."""
    data = text.encode()
    return f"M 100644 inline {workspace}/{workspace.upper()}-T-{number:04d}.md\ndata {len(data)}\n".encode() + data


def commit(entries, parent):
    head = "commit refs/heads/main\ncommitter Bench <bench@example.org> 1700000000 +0000\ndata 4\nsync\n"
    return head.encode() + (b"from refs/heads/main^0\n" if parent else b"") + b"".join(one + b"\n" for one in entries)


class World:
    """A temp folder with a home, cut off from the user's settings. To be used in `with`."""

    def __init__(self, ours):
        self.ours = str(ours)
        disk = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = Path(tempfile.mkdtemp(prefix="metis-bench.", dir=disk))
        self.servers = []
        home = self.root / "home"
        home.mkdir()
        keep = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        self.env = keep | {"HOME": str(home), "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        for name, value in {"user.name": "B", "user.email": "b@example.org", "init.defaultBranch": "main"}.items():
            self.git("config", "--global", name, value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            # With the processes that it started.
            os.killpg(server.pid, signal.SIGTERM)
        for server in self.servers:
            server.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, command, cwd=None, stdin=None, env=None):
        """Runs `command` to its end and returns what it said; a failure is an exception that says it."""
        done = subprocess.run(
            [str(word) for word in command], cwd=cwd, input=stdin, env=env or self.env, capture_output=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{command}: exit {done.returncode}\n{(done.stdout + done.stderr).decode()}")
        return done.stdout.decode().strip()

    def git(self, *args, cwd=None, stdin=None):
        return self.run(["git", *args], cwd or self.root, stdin)

    def central(self, name, workspaces, documents, size=3000, history=1):
        """A central with `workspaces` × `documents` documents of `size` bytes, after `history` commits."""
        path = self.root / f"{name}.git"
        self.git("init", "-q", "--bare", path)
        self.git("config", "http.receivepack", "true", cwd=path)
        importer = subprocess.Popen(
            ["git", "fast-import", "--quiet"], cwd=path, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        every = (
            entry(f"w{w:03d}", d, document(f"w{w:03d}", d, size))
            for w in range(workspaces)
            for d in range(1, documents + 1)
        )
        importer.stdin.write(commit([], False))
        for one in every:
            importer.stdin.write(one + b"\n")
        for n in range(1, history):
            importer.stdin.write(commit([entry("w000", 1, document("w000", 1, size) + f"revision {n}\n")], False))
        importer.stdin.close()
        if importer.wait():
            raise SystemExit("git fast-import failed")
        self.git("gc", "-q", cwd=path)
        return path

    def land(self, central, documents, mark):
        """One commit in `central` that changes `documents`, pairs of workspace and number, by nobody's clone."""
        entries = [entry(f"w{w:03d}", d, document(f"w{w:03d}", d) + f"{mark}\n") for w, d in documents]
        self.git("fast-import", "--quiet", cwd=central, stdin=commit(entries, True))

    def workspace(self, name, url, documents, prefix="own"):
        """A workspace with own documents; returns its folder."""
        metis = self.root / name / ".metis"
        shutil.rmtree(metis.parent, ignore_errors=True)
        metis.mkdir(parents=True)
        (metis / "config.toml").write_text(
            f'[project]\nprefix = "{prefix.upper()}"\n\n[workspace]\nprefix = "{prefix}"\n\n[sync]\nupstream_url = "{url}"\n'
        )
        for d in range(1, documents + 1):
            self.own(metis.parent, d, prefix).write_text(document(prefix, d))
        return metis.parent

    def history(self, workspace, commits):
        """Makes the folder of a workspace a git project of `commits` commits that its remote has too, with a tag on every
        hundredth part; the last one edits document 1."""
        self.git("init", "-q", cwd=workspace)
        self.git("add", "-A", cwd=workspace)
        first = self.env | {"GIT_COMMITTER_DATE": "1600000000 +0000"}
        self.run(["git", "commit", "-q", "-m", "First"], workspace, env=first)
        work = b"".join(
            b"commit refs/heads/main\ncommitter Bench <bench@example.org> %d +0000\ndata 4\nwork\n%s"
            b"M 100644 inline src/file%d\ndata %d\n%d\n"
            % (1700000000 + n, b"" if n else b"from refs/heads/main^0\n", n % 50, len(str(n)), n)
            for n in range(commits - 2)
        )
        self.git("fast-import", "--quiet", cwd=workspace, stdin=work)
        self.git("reset", "-q", "--hard", cwd=workspace)
        self.edit(workspace, 1, "last")
        self.git("commit", "-q", "-a", "-m", "Last", cwd=workspace)
        for n in range(1, 100):
            self.git("tag", f"v{n}", f"HEAD~{n * (commits // 100)}", cwd=workspace)
        remote = self.root / f"{workspace.name}-remote.git"
        self.git("clone", "-q", "--bare", workspace, remote)
        self.git("remote", "add", "origin", remote, cwd=workspace)
        self.git("fetch", "-q", "origin", cwd=workspace)

    def own(self, workspace, number, prefix="own"):
        return workspace / ".metis" / f"{prefix.upper()}-T-{number:04d}.md"

    def edit(self, workspace, number, mark, prefix="own"):
        with self.own(workspace, number, prefix).open("a") as file:
            file.write(f"{mark}\n")

    def sync(self, workspace):
        """The command of a sync."""
        return [self.ours, "-q", "-C", str(workspace)]

    def forget_cache(self):
        """As on a machine that has not seen any central."""
        shutil.rmtree(Path(self.env["HOME"]) / ".cache", ignore_errors=True)

    def remove(self, *folders):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    def clear(self):
        """Removes all centrals and workspaces."""
        keep = {"home", "nginx"}
        self.remove(*(path for path in self.root.iterdir() if path.is_dir() and path.name not in keep))
        self.forget_cache()

    @functools.cache
    def serve_http(self):
        """nginx with git's own backend, started once; returns the URL of the folder, or None where one of them is missing."""
        paths = self.env["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin"
        nginx, fcgiwrap = (shutil.which(name, path=paths) for name in ("nginx", "fcgiwrap"))
        if not (nginx and fcgiwrap):
            return None
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        spool = self.root / "nginx"
        spool.mkdir()
        temp = " ".join(f"{kind}_temp_path {spool};" for kind in ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        params = {
            "SCRIPT_FILENAME": f"{self.git('--exec-path')}/git-http-backend",
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": 1,
            "PATH_INFO": "$uri",
            "QUERY_STRING": "$query_string",
            "REQUEST_METHOD": "$request_method",
            "CONTENT_TYPE": "$content_type",
            "CONTENT_LENGTH": "$content_length",
            "HTTP_CONTENT_ENCODING": "$http_content_encoding",
            "GIT_PROTOCOL": "$http_git_protocol",
            "REMOTE_USER": "bench",
            "HOME": self.env["HOME"],
        }
        pass_on = " ".join(f"fastcgi_param {name} {value};" for name, value in params.items())
        user = "user root;" if os.geteuid() == 0 else ""
        (self.root / "nginx.conf").write_text(
            f"daemon off; pid {self.root}/nginx.pid; error_log {self.root}/nginx.log; worker_processes 1; {user}\n"
            "events { worker_connections 512; }\n"
            f"http {{ access_log off; client_max_body_size 0; {temp}\n"
            f"  server {{ listen 127.0.0.1:{port} backlog=512;\n"
            f"    location / {{ fastcgi_pass unix:{self.root}/fcgi.sock; {pass_on} }} }} }}\n"
        )
        for command in (
            [fcgiwrap, "-c", "4", "-s", f"unix:{self.root}/fcgi.sock"],
            [nginx, "-c", f"{self.root}/nginx.conf", "-e", "stderr"],
        ):
            self.servers.append(
                subprocess.Popen(
                    command,
                    env=self.env,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        while not (self.root / "fcgi.sock").exists():
            time.sleep(0.02)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return f"http://127.0.0.1:{port}"
            except OSError:
                time.sleep(0.02)


class KeptClone:
    """What a careful script has instead: a clone that is kept, and a copy of others' folders beside it."""

    def __init__(self, world, name, url):
        self.world, self.path, self.copy = world, world.root / name, world.root / f"{name}-others"
        world.git("clone", "-q", url, self.path)
        self.copy.mkdir()

    def prepare(self, mark):
        """A commit on top of central's newest, ready to be pushed."""
        git = self.world.git
        git("fetch", "-q", cwd=self.path)
        git("reset", "-q", "--hard", "origin/main", cwd=self.path)
        folder = self.path / "script"
        folder.mkdir(exist_ok=True)
        (folder / "SCRIPT-T-0001.md").write_text(f"{mark}\n")
        git("add", "script", cwd=self.path)
        git("commit", "-q", "-m", "script", cwd=self.path)

    def fetch(self):
        return ["git", "-C", str(self.path), "fetch", "-q"]

    def fetch_and_push(self):
        return ["sh", "-c", f"git -C {self.path} fetch -q && git -C {self.path} push -q origin HEAD:main"]

    def sync(self, workspace, prefix):
        """All that a sync does, in the order of a script: fetch, reset, copy, add, commit, push."""
        own = f"{workspace}/.metis/"
        return [
            "sh",
            "-c",
            f"cd {self.path} && git fetch -q && git reset -q --hard origin/main && mkdir -p {prefix} &&"
            f" rsync -a --delete --exclude=/.git --exclude=/{prefix} ./ {self.copy}/ &&"
            f" rsync -a --delete --include='/*.md' --exclude='*' {own} {prefix}/ &&"
            f" git add -A {prefix} && {{ git diff --cached --quiet || {{ git commit -qm sync && git push -q origin HEAD:main; }}; }}",
        ]
