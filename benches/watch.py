"""What a watcher costs while nothing happens, and how soon others have what is written."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Watcher:
    """`git metis-sync watch`, as one process, with a home of its own. To be used in `with`, after the first syncs."""

    def __init__(self, world, workspaces, home=None):
        self.world, self.workspaces = world, workspaces
        env = world.env
        if home:
            env = env | {"HOME": str(world.root / home)}
            shutil.copytree(world.env["HOME"], env["HOME"], ignore=shutil.ignore_patterns(".cache"), dirs_exist_ok=True)
        for workspace in workspaces:
            config = workspace / ".metis/config.toml"
            config.write_text(config.read_text() + "\n[sync.watch]\nsettle_seconds = 0\n")
        self.log = open(workspaces[0] / "watch.log", "w")
        command = [world.ours, "watch", "--", *map(str, workspaces)]
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stderr=self.log)

    def __enter__(self):
        try:
            until(lambda: all(synced(workspace) for workspace in self.workspaces))
        except SystemExit:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()

    def cpu(self):
        """Seconds of CPU time until here, without those of servers that it started."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def status(self, name):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name + ":"))


def synced(workspace):
    try:
        return json.loads((workspace / ".metis/.sync/watch.json").read_text())["last_success"]
    except (OSError, ValueError):
        return None


def until(is_so, seconds=600):
    end = time.perf_counter() + seconds
    while not is_so():
        if time.perf_counter() > end:
            raise SystemExit(f"not within {seconds} s")
        time.sleep(0.001)


def idle(bench, count=50, seconds=30):
    world = bench.world
    central = world.central("idle", 0, 0)
    prefixes = [f"idle{chr(ord('a') + n // 26)}{chr(ord('a') + n % 26)}" for n in range(count)]
    workspaces = [world.workspace(f"idle-{p}", f"file://{central}", 20, p) for p in prefixes]
    with Watcher(world, workspaces) as watcher:
        # All of them have all of the others, and what they told each other is over.
        def is_quiet():
            before = [synced(workspace) for workspace in workspaces]
            time.sleep(3)
            return before == [synced(workspace) for workspace in workspaces]

        until(is_quiet)
        before, switches = watcher.cpu(), watcher.status("voluntary_ctxt_switches")
        time.sleep(seconds)
        share = (watcher.cpu() - before) / seconds * 100
        switches = (watcher.status("voluntary_ctxt_switches") - switches) / seconds
        resident = watcher.status("VmRSS") / 1024
        bench.fact(
            f"Watching {count} idle workspaces of one central for {seconds} s: {share:.2f} % of a core (goal 0.1), "
            f"{resident:.0f} MB resident (goal 20), {switches:.1f} wake-ups a second."
        )
    world.clear()


def latency(bench, count=10, edits=40):
    world = bench.world
    central = world.central("latency", 0, 0)
    prefixes = [f"fast{chr(ord('a') + n)}" for n in range(count)]
    workspaces = [world.workspace(f"fast-{p}", f"file://{central}", 3, p) for p in prefixes]
    watchers = [Watcher(world, [w], f"home-{p}") for w, p in zip(workspaces, prefixes)]
    first, last = [], []
    for watcher in watchers:
        watcher.__enter__()
    code = f"{prefixes[0].upper()}-T-0001.md"
    own = workspaces[0] / ".metis" / code
    copies = [workspace / ".metis" / prefixes[0] / code for workspace in workspaces[1:]]
    until(lambda: all(copy.exists() for copy in copies))
    for n in range(edits):
        text = own.read_bytes() + f"Edit {n}.\n".encode()
        start = time.perf_counter()
        own.write_bytes(text)
        left, took = list(copies), []
        while left:
            # Its size tells: each edit adds a line.
            there = [copy for copy in left if copy.stat().st_size == len(text)]
            took += [(time.perf_counter() - start) * 1000 for _ in there]
            left = [copy for copy in left if copy not in there]
            time.sleep(0.001)
        first.append(took[0])
        last.append(took[-1])
        # Whoever had it last has noted that, too.
        time.sleep(0.3)
    for watcher in watchers:
        watcher.__exit__()
    p95 = lambda times: statistics.quantiles(times, n=20)[18]
    bench.fact(
        f"An edit is in another workspace's folder, {count} watchers on one central over file, settle 0: median {statistics.median(first):.0f} ms, "
        f"p95 {p95(first):.0f} ms (goal 150); in all {count - 1}: median {statistics.median(last):.0f} ms, p95 {p95(last):.0f} ms."
    )
    world.clear()


def many(bench, count=12_000):
    world = bench.world
    central = world.central("many", 0, 0)
    workspace = world.workspace("many", f"file://{central}", count, "many")
    with Watcher(world, [workspace]) as watcher:
        tree = lambda: world.git("rev-parse", "main:many", cwd=central)
        commits = lambda: int(world.git("rev-list", "--count", "main", cwd=central))
        before, begun, cpu = tree(), commits(), watcher.cpu()
        start = time.perf_counter()
        for number in range(1, count + 1):
            world.edit(workspace, number, "changed", "many")
        written = time.perf_counter() - start
        changed = lambda: len(world.git("diff-tree", "--name-only", before, tree(), cwd=central).splitlines())
        until(lambda: changed() == count)
        took = time.perf_counter() - start
        bench.fact(
            f"{count:,} files changed at once ({written:.1f} s to write them): all in central after {took:.1f} s, "
            f"{commits() - begun} commits, {watcher.cpu() - cpu:.1f} s of CPU time."
        )
    world.clear()


def table(bench):
    idle(bench)
    latency(bench)
    many(bench)
