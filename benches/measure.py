"""Whole processes, timed in turn: medians, ratios, peak memory."""

import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass


@dataclass
class Row:
    """One comparison. `ours` and `other` in `unit`, `goal` an upper bound of their ratio."""

    what: str
    size: str
    ours: float
    other: float
    goal: float | None
    unit: str = "ms"

    @property
    def ratio(self):
        return self.ours / self.other

    @property
    def is_met(self):
        return self.goal is None or round(self.ratio, 2) <= self.goal


class Bench:
    """Collects rows and facts, and says them as they come."""

    def __init__(self, world, runs):
        self.world, self.runs, self.rows, self.facts = world, runs, [], []

    def process(self, command):
        """Runs to the end; returns milliseconds."""
        start = time.perf_counter()
        code = subprocess.call(
            command, env=self.world.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False
        )
        took = (time.perf_counter() - start) * 1000
        if code:
            raise SystemExit(f"{command}: exit {code}")
        return took

    def peak(self, command):
        """The largest resident size in MB, of the process or a child of its; None without GNU time.

        By a small program between: what this one has counts for those that it starts itself.
        """
        gnu_time = shutil.which("time")
        if not gnu_time:
            return None
        with tempfile.NamedTemporaryFile("r") as said:
            self.process([gnu_time, "-f", "%M", "-o", said.name, *command])
            return int(said.read()) / 1024

    def times(self, command, before=lambda: None, runs=None):
        """Median milliseconds of `command`, each time after `before`, which does not count; the first run neither."""
        taken = []
        for _ in range((runs or self.runs) + 1):
            before()
            taken.append(self.process(command))
        return statistics.median(taken[1:])

    def pair(self, what, size, goal, ours, other, before_ours=lambda: None, before_other=lambda: None, runs=None):
        """Ours and the other, A B A B …; a row with the medians."""
        took = ([], [])
        for _ in range((runs or self.runs) + 1):
            for side, before, command in ((0, before_ours, ours), (1, before_other, other)):
                before()
                took[side].append(command() if callable(command) else self.process(command))
        return self.row(Row(what, size, *(statistics.median(side[1:]) for side in took), goal))

    def row(self, row):
        self.rows.append(row)
        goal = "" if row.goal is None else f"   goal {row.goal:g}" + ("" if row.is_met else "  MISSED")
        print(
            f"{row.what:<58} {row.size:<8} {row.ours:>9.1f} {row.other:>9.1f} {row.unit}   ratio {row.ratio:.2f}{goal}",
            flush=True,
        )
        return row

    def fact(self, text):
        self.facts.append(text)
        print(text, flush=True)
