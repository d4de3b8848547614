"""What shared records cost: bytes, time to take them up, and how soon those who watch have them."""

import contextlib
import json
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from watch import Watcher

CODE = "OWN-T-0001"


def row_goal(bench, what, measured, goal, unit, at_least=False):
    """A fact with its goal."""
    met = measured >= goal if at_least else measured <= goal
    word = "at least " if at_least else ""
    missed = "" if met else " MISSED"
    bench.fact(f"{what}: {measured:,.0f} {unit} (goal {word}{goal:,.0f} {unit}){missed}.")


def size(folder, without=()):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix not in without)


class Devices:
    """Workspaces of one central, each on a machine of its own, or all on one. They wait with their records for a sync."""

    def __init__(self, world, name, count, served_at=None, on_one_machine=False):
        self.world, self.central, self.on_one_machine = world, world.central(name, 0, 0), on_one_machine
        self.url = f"{served_at}/{self.central.name}" if served_at else f"file://{self.central}"
        self.env = world.env | {"METIS_SYNC_RECORDS": "later"}
        self.workspaces = [self.add(f"{name}{chr(ord('a') + n)}") for n in range(count)]

    def add(self, name):
        workspace = self.world.workspace(name, self.url, 1, name)
        self.sync(workspace)
        return workspace

    def environment(self, workspace):
        if self.on_one_machine:
            return self.env
        home = self.world.root / f"home-{workspace.name}"
        if not home.exists():
            shutil.copytree(self.world.env["HOME"], home, ignore=shutil.ignore_patterns(".cache"))
        return self.env | {"HOME": str(home)}

    def run(self, workspace, *args):
        command = [self.world.ours, "--json", "-C", workspace, *args]
        return json.loads(self.world.run(command, env=self.environment(workspace)))

    def sync(self, workspace):
        return self.run(workspace, "sync")

    def tag(self, workspace, number, first=0):
        """Writes `number` tags, some hundred with each command."""
        for start in range(first, first + number, 500):
            names = [f"tag-{workspace.name}-{n}" for n in range(start, min(start + 500, first + number))]
            self.run(workspace, "tag", "add", CODE, *names)

    def received(self, workspace):
        """Bytes of packs that a sync brings, and how many entries it takes up."""
        store = Path(self.environment(workspace)["HOME"]) / ".cache"
        before = size(store, [".idx"])
        report = self.sync(workspace)
        return size(store, [".idx"]) - before, report["records"]["received"]


def changes(bench):
    devices = Devices(bench.world, "records", 11)
    reader, writers = devices.workspaces[0], devices.workspaces[1:]
    # The others' documents are none of it.
    devices.sync(reader)
    for first, number, what, goal in (
        (0, 100, "1,000 changes by 10 devices, kept by one reader", 25_000),
        (100, 1, "One change by each of 10 devices, the same", 6_000),
    ):
        for writer in writers:
            devices.tag(writer, number, first)
            devices.sync(writer)
        taken, entries = devices.received(reader)
        assert entries == number * len(writers), entries
        row_goal(bench, what, taken, goal, "bytes")
    bench.world.clear()


def first_sync(bench):
    devices = Devices(bench.world, "many", 10)
    for writer in devices.workspaces:
        devices.tag(writer, 1000)
        devices.sync(writer)
    newcomer = bench.world.workspace("newcomer", f"file://{devices.central}", 1, "newcomer")
    taken, entries = devices.received(newcomer)
    assert entries == 10_000, entries
    row_goal(bench, "First sync of 10 x 1,000 entries", taken, 200_000, "bytes")
    bench.world.clear()


def taking_up(bench, count=100_000):
    """All of a large log, from the listing to the last transaction."""
    devices = Devices(bench.world, "large", 1)
    writer = devices.workspaces[0]
    devices.tag(writer, count)
    devices.sync(writer)
    took = []
    for n in range(3):
        reader = bench.world.workspace(f"reader{chr(ord('a') + n)}", f"file://{devices.central}", 1)
        environment = devices.environment(reader)
        start = time.perf_counter()
        bench.world.run([bench.world.ours, "-q", "-C", reader, "records", "--alone"], env=environment)
        took.append(time.perf_counter() - start)
        assert devices.run(reader, "record", "status")["devices"][0]["entries"] == count
    row_goal(bench, f"Entries of a log of {count:,} that are taken up, fetched and read", count / statistics.median(took), 50_000, "a second", True)
    home = devices.environment(writer)["HOME"]
    row = bench.times(["env", f"HOME={home}", bench.world.ours, "-q", "-C", str(writer), "list"])
    bench.fact(f"`list` beside {count:,} tags: {row:.0f} ms; records.db has {size(writer / '.metis/.sync') / 1e6:.0f} MB.")
    bench.world.clear()


def writing(bench):
    devices = Devices(bench.world, "writing", 1)
    writer = devices.workspaces[0]
    devices.tag(writer, 1)
    numbers = iter(range(10**9))
    took = []
    for _ in range(21):
        command = [bench.world.ours, "-q", "-C", writer, "tag", "add", CODE, f"timed-{next(numbers)}"]
        start = time.perf_counter()
        bench.world.run(command, env=devices.environment(writer))
        took.append((time.perf_counter() - start) * 1000)
    row_goal(bench, "`tag add`, the whole process", statistics.median(took), 10, "ms")
    bench.world.clear()


def heard(bench, devices, watchers, changes):
    """Milliseconds from the push's beginning, and from its end, until each of those who watch has a change of the first device."""
    writer, peers = devices.workspaces[0], devices.workspaces[1:]
    # Whoever closes the database last writes what its log has into it.
    seen = [peer / ".metis/.sync/records.db" for peer in peers]
    from_begin, from_end = [], []
    with contextlib.ExitStack() as stack:
        for watcher in watchers:
            stack.enter_context(watcher)
        for n in range(1, changes + 1):
            devices.tag(writer, 1, n)
            left = {path: path.stat().st_mtime_ns for path in seen}
            start = time.perf_counter()
            push = [bench.world.ours, "-q", "-C", writer, "records", "--alone"]
            pushing = subprocess.Popen(push, env=devices.environment(writer), stdout=subprocess.DEVNULL)
            end, arrived = None, []
            while left or end is None:
                if end is None and pushing.poll() is not None:
                    end = time.perf_counter()
                for path in [path for path, stamp in left.items() if path.stat().st_mtime_ns != stamp]:
                    arrived.append(time.perf_counter())
                    del left[path]
                time.sleep(0.001)
                if time.perf_counter() - start > 60:
                    raise SystemExit("a peer did not hear of it")
            if pushing.returncode:
                raise SystemExit(f"the push failed: exit {pushing.returncode}")
            from_begin += [(at - start) * 1000 for at in arrived]
            from_end += [max(at - end, 0) * 1000 for at in arrived]
            time.sleep(0.1)
    return from_begin, from_end


def in_step(bench, name, count, **where):
    """Devices that have synced, the first of which has written something."""
    devices = Devices(bench.world, name, count, **where)
    devices.tag(devices.workspaces[0], 1)
    for workspace in devices.workspaces:
        devices.sync(workspace)
    return devices


def watching(bench, count=10, changes=100):
    devices = in_step(bench, "peers", count)
    watchers = [Watcher(bench.world, [peer], f"home-{peer.name}") for peer in devices.workspaces[1:]]
    took, _ = heard(bench, devices, watchers, changes)
    p95 = statistics.quantiles(took, n=20)[18]
    bench.fact(f"A change is at {count - 1} watching peers over file, from the push's beginning: median {statistics.median(took):.0f} ms.")
    row_goal(bench, "The same, p95", p95, 100, "ms")
    bench.world.clear()


def on_one_machine(bench, count=3, changes=50):
    """Clones of a central that lies elsewhere, which one watcher keeps in step: a bell tells it of what the others push."""
    http = bench.world.serve_http()
    if not http:
        return bench.fact("How soon clones on one machine have a change over http was not measured: nginx or fcgiwrap is not installed.")
    devices = in_step(bench, "bells", count, served_at=http, on_one_machine=True)
    _, took = heard(bench, devices, [Watcher(bench.world, devices.workspaces[1:])], changes)
    what = f"A change is at {count - 1} other clones on the machine that it was pushed from, over http, after the push: median"
    row_goal(bench, what, statistics.median(took), 20, "ms")
    bench.world.clear()


BYTES = (changes, first_sync)


def count_bytes(bench):
    """What goes over the line, which is the same on a busy machine and with a debug build. Whether no goal was missed."""
    for part in BYTES:
        part(bench)
    return not any("MISSED" in fact for fact in bench.facts)


def table(bench):
    for part in (*BYTES, taking_up, writing, watching, on_one_machine):
        part(bench)
