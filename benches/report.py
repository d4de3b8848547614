"""The tables of docs/performance.md and the plots beside it."""

import re

from html import escape

from growth import WHAT


def markdown(bench, growth, plot, runs):
    lines = [
        "# Performance",
        "",
        f"Made by `scripts/bench --report`: ours and the other side in turn in one run, whole processes, medians of {runs} runs, files on a RAM disk.",
        "The machine is a shared one with two cores: a ratio is worth more than a time. Sizes are workspaces × documents of 3 KB; own documents 100.",
        "",
    ]
    lines += table(bench, plot)
    if growth:
        lines += [
            "",
            "## Growth",
            "",
            "Milliseconds over file as one thing grows, and the exponent that fits: 0 is the same at every size, 1 in proportion. The rest is 10 workspaces × 50 documents",
            "of 3,000 bytes after one commit, 100 own documents.",
            "",
            "| what grows | " + " | ".join(WHAT) + " |",
            "|---|" + "---|" * len(WHAT),
        ]
        for row in growth:
            cells = (" → ".join(f"{t:.0f}" for t in row[w][0]) + f", **{row[w][1]:.2f}**" for w in WHAT)
            sizes = " → ".join(f"{size:,}" for size in row["sizes"])
            lines.append(f"| {row['grows']}: {sizes} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def table(bench, plot):
    lines = ["| ours / against what | size | ours | other | | ratio | goal |", "|---|---|--:|--:|---|--:|--:|"]
    for row in bench.rows:
        goal = "" if row.goal is None else f"{row.goal:g}" + ("" if row.is_met else " (missed)")
        lines.append(
            f"| {row.what} | {row.size} | {row.ours:.1f} | {row.other:.1f} | {row.unit} | {row.ratio:.2f} | {goal} |"
        )
    return [*lines, "", *(f"- {fact}" for fact in bench.facts), "", f"![ratios]({plot})"]


CONDUITS = "## Conduits\n"


def add_conduits(report, bench, runs):
    """Puts what conduits cost into the report, in the place of what it has of them."""
    plot = report.with_name(f"{report.stem}-conduits.svg")
    lines = [
        "",
        "Made by `scripts/bench --conduits --report`: a conduit, and the programs that people do the same with, in turn in one run, whole processes,",
        f"medians of {runs} runs (of a first sync: 3), two folders on a RAM disk, files of 3 KB, a hundred in a folder. *With central* one side is a branch of a central on the same disk.",
        "",
        *table(bench, plot.name),
    ]
    text = report.read_text()
    before, _, after = text.partition(CONDUITS)
    following = re.search(r"^## ", after, re.MULTILINE)
    rest = "\n" + after[following.start() :] if following else ""
    report.write_text(before.rstrip() + "\n\n" + CONDUITS + "\n".join(lines) + "\n" + rest)
    plot.write_text(svg([row for row in bench.rows if row.unit == "ms"]))


def svg(rows):
    """One bar for each ratio, blue where the goal is met; the goal is a line."""
    height, top, left, width = 22, 30, 470, 420
    most = max(2, *(row.ratio for row in rows))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{top + len(rows) * height + 10}" font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="100%" fill="white"/><text x="{left}" y="18">ours ÷ theirs (line: goal)</text>',
    ]
    for n, row in enumerate(rows):
        y, bar = top + n * height, width * row.ratio / most
        colour = "#4a90d9" if row.is_met else "#d9534a"
        out.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(row.what)}, {row.size}</text>')
        out.append(f'<rect x="{left}" y="{y + 3}" width="{bar:.1f}" height="{height - 6}" fill="{colour}"/>')
        if row.goal is not None:
            x = left + width * row.goal / most
            out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y + 1}" y2="{y + height - 1}" stroke="black"/>')
        out.append(f'<text x="{left + bar + 6:.1f}" y="{y + 14}">{row.ratio:.2f}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
