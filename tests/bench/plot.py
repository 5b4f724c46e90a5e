# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw time over size from the results: plot.py RESULTS, of which RESULTS.json is there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, NullLocator

# By way: colour, marker, line. Ours in one colour family; told apart in black and white by their markers.
STYLES = {
    "floor": ("#666666", "_", ":"),
    "module": ("#c1272d", "o", "-"),
    "playbook": ("#e06666", "s", "-"),
    "singles": ("#f0a0a0", "v", "-"),
    "ip": ("#1f4e9c", "^", "--"),
    "ip-up-last": ("#7aa2dd", "<", "--"),
    "cni": ("#2e8b57", "D", "--"),
    "ifstate": ("#b8860b", "P", "--"),
}


def main() -> None:
    path = Path(sys.argv[1])
    results = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    best: dict[str, dict[int, float]] = {}
    for run in results["runs"]:
        if run["step"] == "build":
            times = best.setdefault(run["way"], {})
            times[run["count"]] = min(run["wall"], times.get(run["count"], run["wall"]))
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 10})
    figure, axes = plt.subplots(figsize=(8, 5.5), layout="constrained")
    # The slowest on top of the legend, as in the plot.
    for way in sorted(best, key=lambda way: -max(seconds / count for count, seconds in best[way].items())):
        colour, marker, line = STYLES[way]
        sizes = sorted(best[way])
        axes.plot(
            sizes,
            [best[way][size] for size in sizes],
            label=results["titles"][way],
            color=colour,
            marker=marker,
            linestyle=line,
            linewidth=2.5 if way == "module" else 1.5,
        )
    sizes = sorted({size for times in best.values() for size in times})
    axes.set(xscale="log", yscale="log", xlabel="containers", ylabel="seconds", xticks=sizes)
    axes.xaxis.set_minor_locator(NullLocator())
    plain = FuncFormatter(lambda value, _place: f"{value:g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.grid(which="major", color="#dddddd")
    axes.set_title("From nothing to N containers: namespace, veth, bridge port, address, default route", fontsize=11)
    axes.legend(frameon=False)
    machine = results["machine"]
    figure.supxlabel(
        f"Linux {machine['kernel']}, {machine['processors']} processors, Python {machine['python']}, "
        f"pyroute2 {machine['pyroute2']}, ansible-core {machine['ansible-core']}, iproute2 {machine['iproute2']}",
        fontsize=7,
        color="#666666",
    )
    figure.savefig(path.with_suffix(".png"), dpi=150)
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
