"""What a sync costs by the size of things, and the exponent that fits: 0 is the same at every size, 1 in proportion."""

import math
import time

from world import World

# What grows, the other sizes being as in `USUAL`.
USUAL = {"workspaces": 10, "documents": 50, "history": 1, "bytes": 3000, "own": 100}
SERIES = {
    "workspaces": (10, 50, 250),
    "documents": (50, 250, 1250),
    "history": (1, 30, 1000),
    "bytes": (3000, 30000, 300000),
    "own": (20, 200, 2000),
}
WHAT = ("nothing changed", "own change", "remote change", "first sync", "rebuild-cache, one changed", "rebuild-cache, all")


def exponent(points):
    """The slope of the line that fits best through the logarithms."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x, mean_y = (sum(axis) / len(logs) for axis in zip(*logs))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def costs(bench, name, sizes, runs=5):
    """Milliseconds of each of `WHAT`, over file."""
    world: World = bench.world
    central = world.central(name, sizes["workspaces"], sizes["documents"], sizes["bytes"], sizes["history"])
    url = f"file://{central}"
    mark = iter(range(10**9))
    fresh = lambda: (world.forget_cache(), world.workspace("grown", url, sizes["own"]))
    first = bench.times(world.sync(world.root / "grown"), fresh, runs=2)
    own = world.root / "grown"
    sync, rebuild = world.sync(own), [world.ours, "-q", "-C", str(own), "rebuild-cache"]
    # What was written a moment ago is read again by whoever looks, as git does: that is no no-op yet.
    time.sleep(3)
    nothing = bench.times(sync, runs=2 * runs)
    changed = bench.times(sync, lambda: world.edit(own, 1, next(mark)), runs)
    remote = bench.times(sync, lambda: world.land(central, [(0, 1)], next(mark)), runs)
    rebuilt = bench.times(rebuild, lambda: world.edit(own, 1, next(mark)), runs)
    all_of_it = bench.times(rebuild, lambda: (own / ".metis/metis.db").unlink(), 2)
    world.remove(central, own)
    return dict(zip(WHAT, (nothing, changed, remote, first, rebuilt, all_of_it)))


def table(bench):
    """A row for each thing that grows: its sizes, and for each of `WHAT` the times and the exponent."""
    rows = []
    for grows, sizes in SERIES.items():
        points = [costs(bench, f"grow-{grows}-{size}", USUAL | {grows: size}) for size in sizes]
        row = {"grows": grows, "sizes": sizes}
        for what in WHAT:
            times = [point[what] for point in points]
            row[what] = (times, exponent(list(zip(sizes, times))))
        rows.append(row)
        print(f"{grows} {sizes}: " + "; ".join(f"{what} {row[what][1]:.2f}" for what in WHAT), flush=True)
    return rows
