# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: builds the example topologies on throwaway hosts, and lets packets cross them.

For each playbook it does a check run, the run, real pings and programs, and a second run; and says whether the
check run had foretold the run, the packets crossed, and the second run changed nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo_play import PLAYBOOKS, ROOT, DemoError, Play, Runner, changes, compare, told
from demo_topologies import TOPOLOGIES, Stage, Topology
from throwaway_host import ThrowawayError
from throwaway_lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LAB = ROOT / ".lab" / "demo"


class Paint:
    """Colours, where they are wanted: on a terminal, and not with NO_COLOR (https://no-color.org)."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def __call__(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._wanted else text

    def verdict(self, ok: bool, width: int = 0) -> str:
        """Return ok in green or FAILED in red, padded to ``width``."""
        return self("ok".ljust(width), "32") if ok else self("FAILED".ljust(width), "1;31")

    def bold(self, text: str) -> str:
        return self(text, "1")

    def faint(self, text: str) -> str:
        return self(text, "2")


@dataclass
class Report:
    """What is known of a topology: lines for people, and the columns of the summary."""

    topology: Topology
    lines: list[str] = field(default_factory=list)
    skipped: str | None = None
    error: bool = False
    tasks: int = 0
    alike: int = 0
    lies: int = 0
    crossed: int = 0
    tried: int = 0
    reached: list[tuple[str, str, bool, str]] = field(default_factory=list)
    unchanged: bool = False
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything that could be shown was as it should be."""
        if self.skipped:
            return True
        return not self.error and not self.lies and self.crossed == self.tried and self.unchanged

    def columns(self) -> tuple[str, str, str, str, str]:
        """Return its row of the summary."""
        if self.skipped:
            return self.topology.name, "skipped", "", "", ""
        return (
            self.topology.name,
            f"{self.alike} of {self.tasks} tasks" if not self.lies else f"{self.lies} lies",
            f"{self.crossed} of {self.tried}",
            "unchanged" if self.unchanged else "not reached" if self.error else "CHANGED",
            f"{self.seconds:.1f}",
        )


def heading(playbook: str) -> tuple[str, list[str]]:
    """Return title and drawing from the comment at a playbook's head.

    The title is its first line beside the licence's, the drawing the lines that are indented by five or more.
    """
    comment = []
    for line in playbook.splitlines():
        if not line.startswith("#"):
            break
        comment.append(line[1:])
    words = [line.strip() for line in comment if line.strip() and "SPDX-" not in line]
    indented = [index for index, line in enumerate(comment) if line.startswith(" " * 5)]
    drawing = comment[indented[0] : indented[-1] + 1] if indented else []
    return words[0], textwrap.dedent("\n".join(drawing)).splitlines()


def in_words(error: Exception) -> str:
    """Return an error for people; that of a command in a host with what it printed."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"$ {' '.join(error.cmd)}\n{error.stdout or ''}{error.stderr or ''}".strip()
    return str(error)


def count(number: int, thing: str) -> str:
    """Return a number with its noun."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


class Demo:
    """One demonstration in one lab."""

    def __init__(self, lab: Lab, paint: Paint) -> None:
        self.lab = lab
        self.runner = Runner()
        self._paint = paint

    def prepare(self, topologies: Sequence[Topology]) -> None:
        """Create the hosts, and what is not the playbooks' to make."""
        hosts = [host for topology in topologies for host in topology.hosts]
        self.lab.up(hosts, [wire for topology in topologies for wire in topology.wires], sys.executable)
        for topology in topologies:
            for host, command in topology.given:
                self.lab.run(host, *command.split())
            for host in topology.routers:
                self.lab.run(host, "tee", "/proc/sys/net/ipv4/ip_forward", input="1")

    def show(self, topology: Topology) -> Report:
        """Run all stages of a topology and the second run; never raises but on interruption."""
        report = Report(topology, skipped=topology.obstacle())
        title, drawing = heading((PLAYBOOKS / topology.playbook).read_text(encoding="utf-8"))
        report.lines += ["", self._paint.bold(title), "", *(f"    {line}" for line in drawing), ""]
        if report.skipped:
            report.lines.append(f"    {'-':6}  skipped: {report.skipped}")
            return report
        start = time.monotonic()
        try:
            for stage in topology.stages:
                self._stage(report, stage)
            self._second_run(report)
        except (DemoError, ThrowawayError, subprocess.CalledProcessError) as error:
            report.error = True
            report.lines += [f"    {self._paint.verdict(False)}", textwrap.indent(in_words(error), "    ")]
        report.seconds = time.monotonic() - start
        return report

    def _play(self, topology: Topology, stage: Stage) -> Play:
        inventory = self.lab.directory / "inventory.yml"
        hosts = topology.limit or topology.hosts
        return Play(topology.playbook, hosts, inventory, stage.variables, topology.inventories, topology.options)

    def _stage(self, report: Report, stage: Stage) -> None:
        play = self._play(report.topology, stage)
        if stage.title:
            report.lines.append(f"  {self._paint.bold(stage.title[0].upper() + stage.title[1:])}")
        report.lines.append(self._paint.faint(f"  $ ansible-playbook {' '.join(play.arguments())}"))
        foretold = self.runner.run(play, "--check")
        done = self.runner.run(play)
        compared = compare(foretold, done)
        report.tasks += compared.tasks
        report.alike += compared.alike
        report.lies += len(compared.lies)
        operations = sum(len(outcome.operations) for outcome in done)
        self._line(report, not compared.lies, "check run", self._comparison(compared.alike, compared.tasks, operations))
        report.lines += [f"          {lie}" for lie in compared.lies]
        for crossing in stage.try_out(self.lab):
            report.tried += 1
            report.crossed += crossing.ok
            if crossing.arrow:
                report.reached.append((*crossing.arrow, crossing.ok, crossing.seen))
            self._line(report, crossing.ok, crossing.what, crossing.seen)
            if not crossing.ok:
                report.lines.append(textwrap.indent(crossing.output.strip(), " " * 10))

    @staticmethod
    def _comparison(alike: int, tasks: int, operations: int) -> str:
        return f"foretold {alike} of {count(tasks, 'task')}, {count(operations, 'operation')}"

    def _second_run(self, report: Report) -> None:
        again = self.runner.run(self._play(report.topology, report.topology.stages[-1]))
        changed = changes(again)
        report.unchanged = not changed
        text = f"{count(len(again), 'task')}, none changed anything" if not changed else f"{len(changed)} changed"
        self._line(report, report.unchanged, "second run", text)
        report.lines += [f"          {outcome.name}: {told(outcome)}" for outcome in changed]

    def _line(self, report: Report, ok: bool, what: str, seen: str) -> None:
        report.lines.append(f"    {self._paint.verdict(ok, 6)}  {what:<56} {seen}".rstrip())


def summary(reports: Sequence[Report], paint: Paint) -> Iterator[str]:
    """Yield the lines of the table at the end."""
    rows = [
        ("topology", "check run true", "packets", "second run", "seconds"),
        *(report.columns() for report in reports),
    ]
    widths = [max(len(row[index]) for row in rows) for index in range(5)]
    for row, report in zip(rows, [None, *reports]):
        cells = [cell.ljust(width) for cell, width in zip(row[:4], widths)]
        line = "  ".join([*cells, row[4].rjust(widths[4])]).rstrip()
        if report is None:
            yield paint.bold(f"  {'':6}  {line}")
        elif report.skipped:
            yield f"  {'-':6}  {line}"
        else:
            yield f"  {paint.verdict(report.ok, 6)}  {line}"
    skipped = [report for report in reports if report.skipped]
    if skipped:
        yield ""
    for reason in dict.fromkeys(report.skipped for report in skipped):
        names = [report.topology.name for report in skipped if report.skipped == reason]
        yield f"{len(names)} skipped ({', '.join(names)}): {reason}"


def who_reached_whom(report: Report, paint: Paint) -> Iterator[str]:
    """Yield a table of a topology's places: a row for who asked, a column for who was asked."""
    places = list(dict.fromkeys(place for arrow in report.reached for place in arrow[:2]))
    found = {(source, target): (ok, not seen.startswith("0 ")) for source, target, ok, seen in report.reached}
    width = max(map(len, places)) + 4
    yield paint.bold(
        f"  {'who could reach whom':<{width}}" + "".join(f"{number:>8}" for number in range(1, len(places) + 1))
    )
    for number, source in enumerate(places, 1):
        cells = []
        for target in places:
            ok, answered = found.get((source, target), (None, None))
            word = "" if ok is None else "FAILED" if not ok else "yes" if answered else "no"
            cells.append(paint(f"{word:>8}", "1;31" if word == "FAILED" else "32" if word else "2"))
        yield f"  {f'{number} {source}':<{width}}" + "".join(cells)
    yield "  'no' is as it should be: nobody outside gets in uninvited."


def three_commands() -> Iterator[str]:
    """Yield how to have the hosts of the site stay, and look around there."""
    enter = f"python3 tools/throwaway.py exec --lab {LAB.relative_to(ROOT)}"
    yield "Look around there yourself:"
    yield "  ./dev demo --keep site"
    yield f"  {enter} vmhost -- bridge link"
    yield f"  {enter} nathost -- nsenter --net=/run/netns/web ip address"


def how_to_look_around(topologies: Sequence[Topology]) -> Iterator[str]:
    """Yield the commands for a lab that was kept."""
    lab = LAB.relative_to(ROOT)
    yield "The hosts are left standing. Look around:"
    yield from (
        f"  python3 tools/throwaway.py exec --lab {lab} {host} -- ip -d link"
        for topology in topologies
        for host in topology.hosts
    )
    yield "A shell inside is `/bin/sh` for the command. Take them all down:"
    yield f"  python3 tools/throwaway.py down --lab {lab}"


@contextlib.contextmanager
def only_demo() -> Iterator[None]:
    """Wait until no other demo of this checkout runs: they would share the lab."""
    LAB.parent.mkdir(exist_ok=True)
    with LAB.with_suffix(".lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another demo runs in this checkout; waiting for its end.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def demonstrate(topologies: Sequence[Topology], jobs: int, keep: bool, paint: Paint) -> bool:
    """Show the topologies; return whether all was as it should be."""
    start, demo = time.monotonic(), Demo(Lab(LAB), paint)
    demo.lab.down()  # what an earlier demo kept, or left when it was killed
    standing = [topology for topology in topologies if topology.obstacle() is None]
    pool = ThreadPoolExecutor(jobs)
    done = False
    try:
        print(f"Building {count(len(topologies), 'topology').replace('ys', 'ies')} on throwaway hosts ...", flush=True)
        demo.prepare(standing)
        reports = []
        for report in pool.map(demo.show, topologies):
            print("\n".join(report.lines), flush=True)
            reports.append(report)
        print("", *summary(reports, paint), "", sep="\n")
        for report in reports:
            if report.reached:
                print(*who_reached_whom(report, paint), "", sep="\n")
        print(f"{time.monotonic() - start:.0f} seconds in all. This machine's own network was not touched.")
        done = True
        return all(report.ok for report in reports)
    finally:
        # A second interrupt would leave hosts behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        demo.runner.stop()
        if keep and done:
            print("", *how_to_look_around(standing), sep="\n")
        else:
            if done:
                print("", *three_commands(), sep="\n")
            # Before the wait for the threads: what they run in the hosts ends with these.
            demo.lab.down()
        pool.shutdown(cancel_futures=True)


def interrupted(*_: object) -> None:
    """Make of a signal what Ctrl-C is."""
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; return its exit code."""
    names = [topology.name for topology in TOPOLOGIES]
    parser = argparse.ArgumentParser(
        prog="./dev demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("topologies", nargs="*", metavar="TOPOLOGY", help=f"one of {', '.join(names)}; default: all")
    parser.add_argument("--keep", action="store_true", help="leave the hosts standing, and say how to look around")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="topologies at a time")
    arguments = parser.parse_args(argv)
    for name in arguments.topologies:
        if name not in names:
            parser.error(f"there is no topology {name!r}; there are: {', '.join(names)}")
    chosen = [topology for topology in TOPOLOGIES if topology.name in (arguments.topologies or names)]
    paint = Paint(sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        with only_demo():
            return 0 if demonstrate(chosen, max(1, arguments.jobs), arguments.keep, paint) else 1
    except (ThrowawayError, subprocess.CalledProcessError, OSError) as error:
        print(f"./dev demo: {in_words(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the throwaway hosts are gone.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
