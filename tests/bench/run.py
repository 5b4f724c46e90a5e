# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast is it? Builds one end state in several ways, on throwaway hosts, and compares.

Results go to .cache/bench: results.json, and time over size as results.png and results.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import shape
from hosts import CommandFailed
from measure import Bench, measure
from peers import CACHE, HERE, ROOT, WAYS, environment
from report import as_json, print_report
from throwaway_host import ThrowawayError

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = CACHE / "bench" / "results"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; 1 where end states differ."""
    arguments = _arguments(argv)
    if os.geteuid() != 0:
        print("./dev bench: a thousand namespaces are made by root only", file=sys.stderr)
        return 2
    ways = [WAYS[name] for name in arguments.peers]
    for way in [way for way in ways if way.missing()]:
        print(f"{way.title} is left out: {way.missing()}", file=sys.stderr)
        ways.remove(way)
    bench = Bench(arguments.settle, arguments.after)
    # Whoever ends it early gets what was measured till then, and no host is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        measure(bench, ways, arguments.sizes, arguments.repeat, arguments.patience)
        if "module" in arguments.peers and not arguments.quick:
            for count in arguments.sizes:
                bench.break_down(count)
            bench.tasks()
    except (CommandFailed, ThrowawayError, subprocess.CalledProcessError) as error:
        print(f"./dev bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("./dev bench: ended early", file=sys.stderr)
        return 130
    finally:
        print_report(bench, arguments.sizes)
    if not arguments.quick:
        RESULTS.with_suffix(".json").write_text(json.dumps(as_json(bench), indent=1) + "\n", encoding="utf-8")
        plot()
    return 1 if bench.unequal else 0


def plot() -> None:
    python = environment("plot") / "bin" / "python"
    subprocess.run([str(python), str(HERE / "plot.py"), str(RESULTS)], check=True)
    print(f"written: {RESULTS.relative_to(ROOT)}.json, .png and .svg")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description="Time over size, ours and others'.")
    parser.add_argument("--sizes", nargs="+", type=_size, default=[10, 100, 300, 1000], metavar="N")
    parser.add_argument(
        "--peers", nargs="+", choices=list(WAYS), default=list(WAYS), metavar="WAY", help=f"of {', '.join(WAYS)}"
    )
    parser.add_argument("--repeat", type=int, default=3, metavar="ROUNDS", help="by default 3")
    parser.add_argument(
        "--patience", type=float, default=60, metavar="SECONDS", help="what takes longer is measured once"
    )
    parser.add_argument(
        "--settle", type=float, default=20, metavar="SECONDS", help="wait so long at most for the machine to rest"
    )
    parser.add_argument(
        "--after", type=float, default=10, metavar="SECONDS", help="watch the processors for so long after; 0: don't"
    )
    parser.add_argument("--quick", action="store_true", help="only the table: no breakdown, no single tasks, no files")
    arguments = parser.parse_args(argv)
    arguments.sizes = sorted(set(arguments.sizes))
    return arguments


def _size(text: str) -> int:
    if not 1 <= int(text) <= shape.MOST:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {shape.MOST}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
