# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, as tables and as JSON."""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import subprocess
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from peers import WAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from measure import Bench

    Measured = tuple[str, int, str]


MODULE, IP, FLOOR = ("module", 1000, "build"), ("ip", 1000, "build"), ("floor", 1000, "build")


def ratios(bench: Bench) -> list[dict[str, Any]]:
    """Each promise with what must be, what we aim at, and what was measured in this run; NaN where it was not.

    `processor`: the same of processor seconds, which other people's work disturbs less, but for which the kernel's
    waits cost nothing.
    """
    rows: list[tuple[str, float | None, float | None, Measured, Measured]] = [
        ("module at 1000, against ip -batch", 0.5, 0.25, MODULE, IP),
        ("module at 1000, against ip -batch, bridge up last", None, None, MODULE, ("ip-up-last", 1000, "build")),
        ("module at 1000, against the kernel's floor", 3, 1.5, MODULE, FLOOR),
        ("ansible-playbook at 100, against ip -batch", 5, 3, ("playbook", 100, "build"), ("ip", 100, "build")),
        (
            "that where no earlier run packed the module",
            None,
            None,
            ("playbook-first", 100, "first"),
            ("ip", 100, "build"),
        ),
        ("that with a module that does nothing", None, None, ("ansible", 100, "nothing"), ("ip", 100, "build")),
        ("unchanged re-run at 1000, against the first run", 0.5, 0.25, ("module", 1000, "again"), MODULE),
        ("absent at 1000, against the floor's", 4, 2, ("module", 1000, "absent"), ("floor", 1000, "absent")),
    ]
    found = [
        {
            "what": what,
            "must": must,
            "aim": aim,
            "measured": bench.best(*ours) / bench.best(*theirs),
            "processor": bench.best(*ours, "processor") / bench.best(*theirs, "processor"),
        }
        for what, must, aim, ours, theirs in rows
    ]
    per_container = [bench.best("module", 1000, "build", what) for what in ("wall", "processor")]
    at_100 = [bench.best("module", 100, "build", what) for what in ("wall", "processor")]
    tasks = bench.per_task
    found += [
        {
            "what": "cost per container at 1000, against at 100",
            "must": 1.5,
            "aim": 1.1,
            "measured": per_container[0] / at_100[0] / 10,
            "processor": per_container[1] / at_100[1] / 10,
        },
        {
            "what": "peak memory of the module at 1000, MB",
            "must": 200,
            "aim": 100,
            "measured": bench.best(*MODULE, "peak_mb"),
            "processor": math.nan,
        },
        {
            "what": "single-module task, unchanged, against command",
            "must": 2,
            "aim": 1.3,
            "measured": tasks.get("vnet_veth", math.nan) / tasks.get("command", math.nan),
            "processor": math.nan,
        },
    ]
    return found


def verdict(row: dict[str, Any]) -> str:
    if row["must"] is None or math.isnan(row["measured"]):
        return ""
    return "aim" if row["measured"] <= row["aim"] else "must" if row["measured"] <= row["must"] else "MISSED"


def print_report(bench: Bench, sizes: Sequence[int]) -> None:
    """Times by way and size, ratios, and our own breakdown."""
    print(
        "\nseconds, the least of all rounds; in brackets the processor seconds that the kernel went on to burn afterwards"
    )
    print(f"{'':36} {'':7}" + "".join(f"{count:>16}" for count in sizes))
    for way in WAYS.values():
        for step in ("build", "again", "absent", "nothing"):
            cells = [_cell(bench, way.name, count, step) for count in sizes]
            if any(cells):
                print(
                    f"{'' if step in ('again', 'absent') else way.title:36} {step:7}"
                    + "".join(f"{cell:>16}" for cell in cells)
                )
    print(f"\n{'ratio':52} {'must':>6} {'aim':>6} {'measured':>9} {'processor':>10}")
    for row in ratios(bench):
        must, aim = ("" if row[name] is None else f"{row[name]:g}" for name in ("must", "aim"))
        by_clock, by_processor = (
            "-" if math.isnan(row[name]) else f"{row[name]:.2f}" for name in ("measured", "processor")
        )
        print(f"{row['what']:52} {must:>6} {aim:>6} {by_clock:>9} {by_processor:>10}  {verdict(row)}")
    if bench.breakdown:
        print("\nwhere the time of vnet_topology's first run goes, seconds")
        parts = list(dict.fromkeys(part for spent in bench.breakdown.values() for part in spent))
        print(f"{'':24}" + "".join(f"{count:>10}" for count in bench.breakdown))
        for part in parts:
            print(f"{part:24}" + "".join(f"{spent.get(part, 0):10.3f}" for spent in bench.breakdown.values()))
    loads = sorted(run.load for run in bench.runs)
    if loads:
        print(
            f"\nothers kept {loads[len(loads) // 2]:.2f} of {os.cpu_count()} processors busy (median; at most {loads[-1]:.2f})"
        )
    print(f"{len(bench.unequal)} differences between end states", *bench.unequal[:10], sep="\n    ")


def _cell(bench: Bench, way: str, count: int, step: str) -> str:
    wall = bench.best(way, count, step)
    if math.isnan(wall):
        return ""
    after = [run.after for run in bench.runs if (run.way, run.count, run.step) == (way, count, step)]
    burnt = next((f" ({value:.1f})" for value in after if value is not None), "")
    return f"{wall:.3f}{burnt}"


def as_json(bench: Bench) -> dict[str, Any]:
    """All of it, NaN as null."""
    return {
        "machine": machine(),
        "titles": {way.name: way.title for way in WAYS.values()},
        "runs": [asdict(run) for run in bench.runs],
        "ratios": [
            {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
            for row in ratios(bench)
        ],
        "breakdown": bench.breakdown,
        "per_task": bench.per_task,
        "differences": bench.unequal,
    }


def machine() -> dict[str, Any]:
    """What the figures depend on, without what would tell whose machine it is."""
    ip = subprocess.run(["ip", "-V"], capture_output=True, text=True, check=False).stdout
    return {
        "kernel": platform.release(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "iproute2": ip.partition("iproute2-")[2].partition(",")[0].strip(),
        **{name: importlib.metadata.version(name) for name in ("ansible-core", "pyroute2")},
    }
